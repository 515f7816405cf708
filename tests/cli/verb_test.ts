import assert from "node:assert/strict";
import { pp, script, spawnPp, withFolder } from "./process.ts";

const verb = (how: string, json: boolean, env: Record<string, string> = {}) =>
  script("verb_child.ts", [how, json ? "json" : ""], env);
/** All that a terminal might obey, but not line feeds. */
// deno-lint-ignore no-control-regex -- the characters under test
const OBEYED = /[\x00-\x09\x0b-\x1f\x7f]/;

Deno.test("verbRunner: a result is text on stdout, with its exit code and a last line feed", async () => {
  assert.deepEqual(await verb("result", false), { code: 2, stdout: "text for people\n", stderr: "" });
});

Deno.test("verbRunner: --json prints one document and nothing else", async () => {
  const { code, stdout, stderr } = await verb("result", true);
  assert.equal(code, 2);
  assert.deepEqual(JSON.parse(stdout), { number: 1 });
  assert.equal(stderr, "");
});

Deno.test("verbRunner: a failure is said on stderr with details, hint and cause, harmless for a terminal", async () => {
  const { code, stdout, stderr } = await verb("failure", false);
  assert.equal(code, 77);
  assert.equal(stdout, "");
  assert.equal(
    stderr,
    "pp: no\\u{1b}[2J\n  first\\u{1b}\n  second\nhint: ask\\u{7}\nbecause: root\\u{1b} cause\n",
  );
  assert.doesNotMatch(stderr, OBEYED);
});

Deno.test("verbRunner: a failure with --json is also a document on stdout", async () => {
  const { code, stdout, stderr } = await verb("failure", true);
  const document = JSON.parse(stdout);
  assert.equal(document.status, "failed");
  assert.equal(document.exit, code);
  assert.deepEqual(document.error, {
    kind: "denied",
    code: "not_yours",
    message: "no\x1b[2J",
    hint: "ask\x07",
    details: ["first\x1b", "second"],
  });
  assert.doesNotMatch(stdout, OBEYED, "JSON escapes them");
  assert.match(stderr, /^pp: no/);
});

Deno.test("verbRunner: an interrupt exits 130 without noise about its cause", async () => {
  const { code, stderr } = await verb("interrupted", false);
  assert.equal(code, 130);
  assert.equal(stderr, "pp: stopped\n");
});

Deno.test("verbRunner: whatever else is thrown is a bug, exit 70, asked to be reported", async () => {
  const bug = await verb("bug", true);
  assert.equal(bug.code, 70);
  assert.match(bug.stderr, /bug in veripatch.*undefined is\\u\{1b\} not a function[^]*report/);
  assert.equal(JSON.parse(bug.stdout).error.kind, "bug");
  const text = await verb("no error", false);
  assert.equal(text.code, 70);
  assert.match(text.stderr, /a string/);
});

Deno.test("verbRunner: colours where they are wanted, on stderr", async () => {
  const { stderr } = await verb("failure", false, { NO_COLOR: "", FORCE_COLOR: "1" });
  assert.ok(stderr.includes("\x1b[31mpp: "));
});

Deno.test("pp: a reader that closes the pipe is no failure", async () => {
  await withFolder({}, async (directory) => {
    const child = spawnPp(["policy", "schema"], { cwd: directory });
    await child.stdout.cancel();
    const stderr = await new Response(child.stderr).text();
    assert.equal((await child.status).code, 0, stderr);
    assert.equal(stderr, "");
  });
});

Deno.test("pp: a full disk under stdout is said, not exit 0", async () => {
  await withFolder({}, async (directory) => {
    const { code, stderr } = await pp(["policy", "schema"], { cwd: directory });
    assert.equal(code, 0, stderr);
    const full = new Deno.Command("sh", {
      args: ["-c", 'exec "$@" >/dev/full', "sh", ...(await import("./process.ts")).PP, "policy", "schema"],
      cwd: directory,
      env: { NO_COLOR: "1" },
    });
    const result = await full.output();
    assert.equal(result.code, 69);
    assert.match(new TextDecoder().decode(result.stderr), /could not be written/);
  });
});
