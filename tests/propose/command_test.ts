import assert from "node:assert/strict";
import { commandProposer, commandSettings, requireProgram } from "../../src/propose/command.ts";
import type { CommandOptions } from "../../src/propose/command_settings.ts";
import { failureOf, invalidDetail, NEVER, request } from "./requests.ts";

const ENV = { PATH: Deno.env.get("PATH") ?? "/usr/bin:/bin" };

function proposer(argv: string[], options: Partial<CommandOptions> = {}) {
  return commandProposer(argv, { env: ENV, timeoutSec: 20, graceMs: 300, ...options });
}
const sh = (script: string, options: Partial<CommandOptions> = {}) => proposer(["sh", "-c", script], options);
const python = (script: string, options: Partial<CommandOptions> = {}) =>
  proposer(["python3", "-c", script], options);

/** Pids of processes whose command line holds the word. */
function running(word: string): string[] {
  return [...Deno.readDirSync("/proc")].map((e) => e.name).filter((name) => {
    try {
      return /^\d+$/.test(name) && Deno.readTextFileSync(`/proc/${name}/cmdline`).includes(word);
    } catch {
      return false;
    }
  });
}

/** Waits until that many processes hold the word; false after 10 s. */
async function started(word: string, count: number): Promise<boolean> {
  for (let i = 0; i < 200; i++) {
    // Seen once is enough: a shell that forks looks like two of itself for a moment.
    if (running(word).length >= count) return true;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return false;
}

Deno.test("commandProposer: request as JSON in, JSON answer out", async () => {
  const script = "import json,sys; r = json.load(sys.stdin); " +
    "print(json.dumps({'diff': r['snippets'][0]['text'], 'rationale': r['version'], 'confidence': '70%'}))";
  const answer = await python(script).propose(request(), NEVER);
  assert.deepEqual(answer, {
    kind: "proposal",
    diff: request().snippets[0]!.text,
    rationale: "veripatch-proposal-request/v1",
    riskNotes: "",
    confidence: 0.7,
    source: "python3",
  });
});

Deno.test("commandProposer: plain text is the diff, byte by byte", async () => {
  const answer = await python(
    "import sys; sys.stdout.buffer.write(b'--- a/x\\n+++ b/x\\n@@ -1 +1 @@\\n-\\xe9\\r\\n+\\xe8\\r\\n')",
  ).propose(request(), NEVER);
  assert.ok(answer.kind === "proposal");
  assert.deepEqual([...answer.bytes!.slice(-8)], [0x2d, 0xe9, 13, 10, 0x2b, 0xe8, 13, 10]);
});

Deno.test("commandProposer: text that is no diff is left to the patch reader", async () => {
  const answer = await sh("cat > /dev/null; echo garbage").propose(request(), NEVER);
  assert.ok(answer.kind === "proposal");
  assert.equal(answer.diff, "garbage\n");
});

Deno.test("commandProposer: a program that declines", async () => {
  const answer = await sh(`echo '{"none": "no idea"}'`).propose(request(), NEVER);
  assert.deepEqual(answer, { kind: "none", reason: "no idea" });
});

Deno.test("commandProposer: exit codes, with the end of standard error made printable", async () => {
  const answer = await sh("printf 'x%.0s' $(seq 20000) >&2; printf '\\033[31mbad\\001 news' >&2; exit 3")
    .propose(request(), NEVER);
  const detail = invalidDetail(answer, "proposer_failed");
  assert.match(detail, /exit code 3/);
  assert.match(detail, /bad\\u\{1\} news$/);
  assert.ok(detail.length < 5000 && !detail.includes("\u001b"));
  invalidDetail(await sh("kill -9 $$").propose(request(), NEVER), "proposer_failed");
});

Deno.test("commandProposer: useless output is invalid with a reason", async () => {
  invalidDetail(await sh("true").propose(request(), NEVER), "answer_empty");
  invalidDetail(await sh(`echo '{"diff": ""}'`).propose(request(), NEVER), "empty_diff");
  invalidDetail(await sh(`echo '{"diff": 7}'`).propose(request(), NEVER), "answer_malformed");
  invalidDetail(await sh(`echo '{"what": 7}'`).propose(request(), NEVER), "answer_malformed");
});

Deno.test("commandProposer: a request larger than a pipe, read or not", async () => {
  const large = request({ assertions: ["x".repeat(4_000_000)] });
  assert.equal((await sh(`echo '{"diff":"x"}'`).propose(large, NEVER)).kind, "proposal");
  const answer = await sh("wc -c").propose(large, NEVER);
  assert.ok(answer.kind === "proposal" && Number(answer.diff) > 4_000_000);
});

Deno.test("commandProposer: endless output is cut off and the program killed", async () => {
  const start = performance.now();
  const answer = await sh("yes pp-endless-output").propose(request(), NEVER);
  invalidDetail(answer, "answer_too_large");
  assert.ok(performance.now() - start < 15_000);
  assert.deepEqual(running("pp-endless-output"), []);
  const exact = await sh("printf 12345", { maxOutputBytes: 5 }).propose(request(), NEVER);
  assert.ok(exact.kind === "proposal" && exact.diff === "12345");
  invalidDetail(
    await sh("printf 123456", { maxOutputBytes: 5 }).propose(request(), NEVER),
    "answer_too_large",
  );
});

Deno.test("commandProposer: a hanging program dies at the timeout with its children, deaf ones included", async () => {
  const mark = `pp-hang-${crypto.randomUUID()}`;
  const deaf = `trap '' TERM; sh -c 'trap "" TERM; while :; do sleep 0.1; done' ${mark} & ` +
    `setsid sh -c 'while :; do sleep 0.1; done' ${mark} & while :; do sleep 0.1; done`;
  const work = sh(deaf, { timeoutSec: 2.5 }).propose(request(), NEVER);
  assert.ok(await started(mark, 3), "the children did not start");
  assert.match(invalidDetail(await work, "proposer_timeout"), /2\.5 s/);
  assert.deepEqual(running(mark), []);
});

Deno.test("commandProposer: SIGTERM comes first, so that a program can clean up", async () => {
  const dir = await Deno.makeTempDir({ prefix: "pp-command-" });
  try {
    const script = `trap 'echo clean > done; exit 0' TERM; while :; do sleep 0.05; done`;
    invalidDetail(
      await sh(script, { timeoutSec: 2, graceMs: 8000, cwd: dir }).propose(request(), NEVER),
      "proposer_timeout",
    );
    assert.equal(await Deno.readTextFile(`${dir}/done`), "clean\n");
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});

Deno.test("commandProposer: abort kills everything and is an interruption", async () => {
  const mark = `pp-abort-${crypto.randomUUID()}`;
  const abort = new AbortController();
  const work = sh(`sh -c 'while :; do sleep 0.1; done' ${mark} & wait`).propose(request(), abort.signal);
  assert.ok(await started(mark, 2), "the child did not start");
  abort.abort();
  await failureOf(work, "interrupted", "interrupted");
  assert.deepEqual(running(mark), []);
  await failureOf(sh("echo x").propose(request(), abort.signal), "interrupted", "interrupted");
});

Deno.test("commandProposer: children left in the background neither hold up the answer nor survive", async () => {
  const mark = `pp-left-${crypto.randomUUID()}`;
  const start = performance.now();
  const script = `echo '{"diff":"x"}'; sh -c 'while :; do sleep 0.1; done' ${mark} & ` +
    `setsid sh -c 'while :; do sleep 0.1; done' ${mark} > /dev/null 2>&1 & exit 0`;
  const answer = await sh(script).propose(request(), NEVER);
  assert.ok(answer.kind === "proposal" && answer.diff === "x");
  assert.ok(performance.now() - start < 10_000);
  assert.deepEqual(running(mark), []);
});

Deno.test("commandProposer: a program that is not there or cannot run", async () => {
  await failureOf(
    proposer(["pp-no-such-program"]).propose(request(), NEVER),
    "unavailable",
    "command_missing",
  );
  await failureOf(proposer(["/"]).propose(request(), NEVER), "unavailable", "command_not_executable");
});

Deno.test("requireProgram: finds what would run, by PATH or from the folder, and refuses the rest", async () => {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(`${folder}/agent`, "#!/bin/sh\n", { mode: 0o755 });
    await Deno.writeTextFile(`${folder}/notes`, "", { mode: 0o644 });
    const look = (program: string, PATH?: string) =>
      requireProgram({ argv: [program], cwd: folder, env: PATH === undefined ? {} : { PATH } });
    await look("./agent");
    await look(`${folder}/agent`, "");
    await look("agent", `/nonexistent/bin:${folder}`);
    await look("agent", "/nonexistent/bin:.");
    await look("agent");
    await failureOf(look("./other"), "unavailable", "command_missing");
    await failureOf(look("agent", "/nonexistent/bin"), "unavailable", "command_missing");
    await failureOf(look("./notes"), "unavailable", "command_not_executable");
    await failureOf(look("/"), "unavailable", "command_not_executable");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("commandProposer: the child sees its own environment only; listed secrets stay out of messages", async () => {
  const { options } = commandSettings({
    ...ENV,
    PP_COMMAND: "x",
    PP_COMMAND_ENV: "MY_KEY, EMPTY",
    PP_OPENAI_API_KEY: "sk-openai-secret",
    PP_ATTEST_KEY: "attest-secret",
    AWS_SECRET_ACCESS_KEY: "aws-secret",
    MY_KEY: "my-own-secret",
    HOME: "/home/x",
    LC_ALL: "C.UTF-8",
  });
  const answer = await sh("env", { ...options, timeoutSec: 20 }).propose(request(), NEVER);
  assert.ok(answer.kind === "proposal");
  const names = answer.diff.trim().split("\n").map((l) => l.split("=")[0]!)
    .filter((n) => !["PWD", "_", "SHLVL", "OLDPWD"].includes(n)).sort();
  assert.deepEqual(names, ["HOME", "LC_ALL", "MY_KEY", "PATH", "PP_PROPOSER_RUN"]);
  const failed = await sh('echo "key $MY_KEY" >&2; exit 1', options).propose(request(), NEVER);
  const detail = invalidDetail(failed, "proposer_failed");
  assert.ok(detail.endsWith("key [secret]"), detail);
});

Deno.test("commandSettings: PP_COMMAND as words or JSON", () => {
  const argv = (command: string) => commandSettings({ PP_COMMAND: command }).argv;
  assert.deepEqual(argv("agent --fix 'a b' \"c d\" e\\ f"), ["agent", "--fix", "a b", "c d", "e f"]);
  assert.deepEqual(argv("agent '$HOME' \"say \\\"hi\\\"\" ''"), ["agent", "$HOME", 'say "hi"', ""]);
  assert.deepEqual(argv('["sh", "-c", "a | b"]'), ["sh", "-c", "a | b"]);
  assert.equal(commandSettings({ PP_COMMAND: "x" }).options.timeoutSec, 600);
  assert.equal(commandSettings({ PP_COMMAND: "x", PP_COMMAND_TIMEOUT_SEC: "1.5" }).options.timeoutSec, 1.5);
});

Deno.test("commandSettings: what is malformed names its variable", async () => {
  await failureOf(() => commandSettings({}), "unavailable", "command_not_set");
  for (
    const command of [
      "a | b",
      "a $HOME",
      "a *.py",
      "a 'b",
      'a "b',
      "a \\",
      "a > b",
      "a # b",
      "[1]",
      "[",
      "[]",
      '[""]',
    ]
  ) {
    const failure = await failureOf(
      () => commandSettings({ PP_COMMAND: command }),
      "usage",
      "variable_malformed",
    );
    assert.match(failure.message, /^PP_COMMAND /, command);
  }
  for (
    const [name, value] of [
      ["PP_COMMAND_TIMEOUT_SEC", "soon"],
      ["PP_COMMAND_TIMEOUT_SEC", "0"],
      ["PP_COMMAND_TIMEOUT_SEC", "-1"],
      ["PP_COMMAND_TIMEOUT_SEC", "1e9"],
      ["PP_COMMAND_ENV", "A,B=C"],
    ] as const
  ) {
    const failure = await failureOf(
      () => commandSettings({ PP_COMMAND: "x", [name]: value }),
      "usage",
      "variable_malformed",
    );
    assert.ok(failure.message.startsWith(`${name} `) && !/soon|B=C/.test(failure.message));
  }
});
