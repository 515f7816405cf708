import assert from "node:assert/strict";
import type { AttemptRecord } from "../../src/bundle/record.ts";
import { byteStringOfText } from "../../src/patch/bytes.ts";
import { defaultPolicy } from "../../src/policy/defaults.ts";
import type { ProposalRequest } from "../../src/propose/proposer.ts";
import type { SessionPlan } from "../../src/prove/ports.ts";
import { secretRedactor } from "../../src/prove/redact.ts";
import { buildRequest } from "../../src/prove/request.ts";
import { captureBytes } from "../../src/sandbox/output_capture.ts";
import { treeSitterSyntax } from "../../src/syntax/tree_sitter.ts";
import type { ManifestEntry } from "../../src/vocabulary/manifest.ts";
import type { TargetOutcome, TargetResult, VerificationResult } from "../../src/vocabulary/verification.ts";
import { assertNothingOf, fakeKey, fakeToken } from "./fake_secrets.ts";

const encoder = new TextEncoder();
const syntax = treeSitterSyntax();
const KEY = fakeKey();
const TOKEN = fakeToken();
const FILLER = "collected one more item of no interest\n";

interface Case {
  readonly stdout?: string;
  readonly stderr?: string;
  /** Bytes kept of a stream. */
  readonly limit?: number;
  readonly outcome?: TargetOutcome;
  readonly files?: Readonly<Record<string, string>>;
  readonly command?: string;
  readonly name?: string;
  readonly earlier?: readonly AttemptRecord[];
  readonly allow?: readonly string[];
  readonly known?: readonly string[];
}

function verified(
  { stdout = "", stderr = "", limit = 1 << 20, name = "t", outcome }: Case,
): VerificationResult {
  const capture = (text: string) => captureBytes(encoder.encode(text), limit);
  const target: TargetResult = {
    target: name,
    outcome: outcome ?? "failed",
    result: {
      argv: ["check"],
      end: "exited",
      exitCode: 1,
      durationMs: 1,
      stdout: capture(stdout),
      stderr: capture(stderr),
    },
  };
  return { outcome: "failed", targets: [target] };
}

async function requestOf(given: Case): Promise<ProposalRequest> {
  const files = given.files ?? {};
  const config = defaultPolicy();
  const name = given.name ?? "t";
  const plan: SessionPlan = {
    session: "20261120T120000Z-0123abcd",
    toolVersion: "0.0.0",
    targets: [{ name, command: given.command ?? "check", argv: ["check"], shell: false }],
    config: { ...config, policy: { ...config.policy, write_allowlist: [...given.allow ?? ["**"]] } },
    policyDigest: "0",
    policySource: null,
    keptOut: ["reports"],
    repeat: 1,
    spec: { workdir: "/workspace" } as SessionPlan["spec"],
  };
  const entries = new Map<string, ManifestEntry>(
    Object.entries(files).map(([path, text]) => [
      path,
      { path, mode: "100644", size: encoder.encode(text).length, sha256: "" },
    ]),
  );
  return await buildRequest(
    2,
    3,
    plan,
    verified(given),
    given.earlier ?? [],
    { entries, contextFile: (path) => Promise.resolve(encoder.encode(files[path])) },
    { syntax, redact: await secretRedactor({ known: given.known ?? [] }) },
  );
}

function nothingOfKey(request: ProposalRequest) {
  assertNothingOf([...KEY.body, TOKEN], JSON.stringify(request), "request");
}

function attempt(over: Partial<AttemptRecord>): AttemptRecord {
  return {
    attempt: 1,
    proposer: "patch",
    proposal: null,
    refusals: [],
    applied: null,
    verification: null,
    ...over,
  };
}

Deno.test("buildRequest: what no patch may write is not offered as what could be changed", async () => {
  const request = await requestOf({
    files: { "calc.py": "x = 1\n", "pp.yaml": "policy: {}\n", "reports/a.json": "{}\n" },
  });
  assert.deepEqual(request.snippets.map(({ path }) => path), ["calc.py"]);
});

Deno.test("buildRequest: a private key in the lines of a failed assertion", async () => {
  for (const [before, after] of [["", ""], ["\x1b[1m\x1b[31m", "\x1b[0m"]]) {
    const lines = KEY.lines.map((line) => `${before}E         ${line}${after}`);
    const request = await requestOf({
      stdout: `${before}E       AssertionError: assert 1 == 2${after}\n${lines.join("\n")}\n` +
        `${before}E       assert 3 == 4${after}\n`,
    });
    nothingOfKey(request);
    assert.deepEqual(request.assertions.filter((a) => a.includes("assert")), [
      "E       AssertionError: assert 1 == 2",
      "E       assert 3 == 4",
    ]);
    assert.match(request.failing[0]!.stdout, /\[REDACTED:private_key\]\n/);
  }
});

Deno.test("buildRequest: a key without its begin or its end, whatever stands before its lines", async () => {
  const prefixes = [
    "",
    "E         ",
    "+",
    "-",
    "    ",
    "12 | ",
    "# ",
    "> ",
    "2026-11-20T12:00:00.000Z INFO [main] ",
  ];
  for (const prefix of prefixes) {
    for (
      const lines of [KEY.lines.slice(4), KEY.lines.slice(0, -4), KEY.lines.slice(-3), KEY.lines.slice(0, 2)]
    ) {
      const stdout = `first line\nE   assert 1 == 2\n${lines.map((l) => prefix + l).join("\n")}\nlast line\n`;
      const request = await requestOf({ stdout });
      nothingOfKey(request);
      assert.match(request.failing[0]!.stdout, /^first line\nE {3}assert 1 == 2\n/);
      assert.match(request.failing[0]!.stdout, /last line\n$/);
      assert.equal(request.failing[0]!.stdout.split("\n").length, stdout.split("\n").length);
    }
  }
});

Deno.test("buildRequest: a key that a test runner shortened, and one inside JSON", async () => {
  const text = KEY.lines.join("\\n");
  for (
    const shown of [
      `E   assert '${text.slice(0, 118)}...${text.slice(-117)}' == ''`,
      `E   assert '${text.slice(0, 48)}...${text.slice(-48)}' == ''`,
      `{"type": "service", "private_key": "${text}\\n", "id": 1}`,
      `{"private_key": "${text.slice(0, 400)}`,
      `${text.slice(400)}\\n"}`,
    ]
  ) {
    nothingOfKey(await requestOf({ stdout: `${shown}\n`, stderr: `x ${shown}\n` }));
  }
});

Deno.test("buildRequest: where an excerpt is cut, wherever in the secret that is", async () => {
  const secret = `${KEY.lines.join("\n")}\n`;
  for (const inside of [5, 20, 40, 100, 700, 1500, secret.length - 40, secret.length - 5]) {
    const head = FILLER.repeat(400).slice(0, 8192 - inside);
    const tail = FILLER.repeat(400).slice(-(8192 - (secret.length - inside)));
    const between = FILLER.repeat(300);
    nothingOfKey(await requestOf({ stdout: `${head}\n${secret}${between}${secret}${tail}` }));
  }
  for (let inside = 4; inside < 40; inside += 5) {
    const head = FILLER.repeat(400).slice(0, 8192 - inside - 1);
    const tail = FILLER.repeat(400).slice(-(8191 - (40 - inside)));
    nothingOfKey(await requestOf({ stdout: `${head} ${TOKEN} ${FILLER.repeat(300)} ${TOKEN} ${tail}` }));
  }
});

Deno.test("buildRequest: where the capture was cut, wherever in the secret that is", async () => {
  const limit = 4000;
  const pem = `${KEY.lines.join("\n")}\n`;
  for (const prefix of ["", "E         "]) {
    const secret = KEY.lines.map((line) => `${prefix}${line}\n`).join("");
    for (let inside = 1; inside < secret.length; inside += 61) {
      const head = FILLER.repeat(100).slice(0, limit / 2 - inside - 1) + "\n" + secret;
      const rest = secret.length - inside;
      const tail = `${secret}${FILLER.repeat(100).slice(-Math.max(0, limit / 2 - rest))}`;
      nothingOfKey(await requestOf({ stdout: head + FILLER.repeat(300) + tail, limit }));
    }
  }
  const oneLine = JSON.stringify({ a: FILLER.repeat(20), key: pem, b: FILLER.repeat(20) });
  for (let keep = 1000; keep < 4400; keep += 97) {
    nothingOfKey(await requestOf({ stdout: oneLine + oneLine, limit: keep }));
  }
  for (let inside = 0; inside <= TOKEN.length; inside += 3) {
    const head = FILLER.repeat(100).slice(0, limit / 2 - inside - 1);
    const tail = FILLER.repeat(100).slice(-(limit / 2 - inside - 1));
    nothingOfKey(
      await requestOf({ stdout: `${head} ${TOKEN} ${FILLER.repeat(200)}${TOKEN} ${tail}`, limit }),
    );
  }
});

Deno.test("buildRequest: head and tail of a long output are both read, and the gap is named", async () => {
  const request = await requestOf({
    stdout: `a.c:1:1: error: x\n${FILLER.repeat(500)}b.c:1:1: error: y\n`,
    limit: 1000,
    files: { "a.c": "1\n", "b.c": "1\n" },
  });
  assert.deepEqual(request.snippets.map((s) => s.path), ["a.c", "b.c"]);
  const [, head, missing, tail] = /^([^]*)\n\[… (\d+) bytes left out …\]\n([^]*)$/.exec(
    request.failing[0]!.stdout,
  )!;
  assert.equal(head!.length + Number(missing) + tail!.length, 36 + 500 * FILLER.length);
  assert.ok(head!.endsWith(FILLER) && tail!.startsWith(FILLER), "whole lines beside the gap");
});

Deno.test("buildRequest: what passed is not shown", async () => {
  const request = await requestOf({
    stdout: "a.c:1:1: error: x\n",
    outcome: "passed",
    files: { "a.c": "1\n" },
  });
  assert.deepEqual([request.failing, request.assertions], [[], []]);
});

Deno.test("buildRequest: a snippet from the middle of a file, inside a key; line numbers stay", async () => {
  const lines = [...Array.from({ length: 20 }, (_, i) => `before ${i}`), ...KEY.lines, "after 1", "after 2"];
  for (const line of [21, 25, 34, 40, 47, lines.length]) {
    const request = await requestOf({
      stdout: `src/key.cfg:${line}:1: error: x\n`,
      files: { "src/key.cfg": lines.join("\n") + "\n" },
    });
    nothingOfKey(request);
    const [snippet] = request.snippets;
    assert.equal(snippet!.fileLines, lines.length);
    for (const [i, text] of snippet!.text.split("\n").entries()) {
      const real = lines[snippet!.startLine - 1 + i]!;
      assert.equal(
        text,
        KEY.lines.includes(real) ? (real === KEY.begin ? "[REDACTED:private_key]" : "") : real,
      );
    }
  }
});

Deno.test("buildRequest: names, commands, globs and paths", async () => {
  const path = `src/${TOKEN}.py`;
  const request = await requestOf({
    stdout: `${path}:1: AssertionError: ${TOKEN}\n`,
    name: `with ${TOKEN}`,
    command: `pytest --token=${TOKEN} 'https://me:${TOKEN}@example.org/'`,
    files: { [path]: "x = 1\n", "src/test_a.py": `k = "${TOKEN}"\n` },
    allow: ["**", `keys/${TOKEN}/**`],
  });
  nothingOfKey(request);
  assert.match(request.failing[0]!.command, /^pytest --token=\[REDACTED:github\]/);
  assert.equal(request.policy.writeAllowlist[1], "keys/[REDACTED:github]/**");
  assert.equal(request.failing[0]!.target, "with [REDACTED:github]");
});

Deno.test("buildRequest: earlier diffs, refusals and complaints", async () => {
  const hunk = (lines: readonly string[]) =>
    `--- a/k\n+++ b/k\n@@ -1,9 +1,9 @@\n${lines.map((l) => `+${l}\n`).join("")}-x ${TOKEN}\n`;
  const diffs = [KEY.lines, KEY.lines.slice(5), KEY.lines.slice(0, 9)].map(hunk);
  const earlier = [
    ...diffs.map((diff) =>
      attempt({ proposal: { source: "s", diff, rationale: "", riskNotes: "", confidence: null } })
    ),
    attempt({ refusals: [{ reason: "x", path: `a/${TOKEN}`, detail: `saw ${KEY.lines.join("\n")}` }] }),
    attempt({
      applied: { patch: byteStringOfText(diffs[0]!), resultTree: "0", notes: [], git: "no_git" },
      verification: verified({
        stdout: `${KEY.lines.map((l) => `E     ${l}`).join("\n")}\nE   assert '${TOKEN}' == 1\n`,
      }),
    }),
  ];
  const request = await requestOf({ stdout: "no\n", earlier });
  nothingOfKey(request);
  assert.equal(request.previous.length, 5);
  assert.match(request.previous[0]!.diff, /^--- a\/k\n/);
  assert.match(request.previous.at(-1)!.detail, /E {3}assert '\[REDACTED:github\]' == 1$/);
});

Deno.test("buildRequest: a token with colours inside", async () => {
  const split = `${TOKEN.slice(0, 12)}\x1b[31m${TOKEN.slice(12, 20)}\x1b[0m${TOKEN.slice(20)}`;
  const request = await requestOf({ stdout: `E   assert '${split}' == 1\n` });
  nothingOfKey(request);
  assert.equal(request.failing[0]!.stdout, "E   assert '[REDACTED:github]' == 1\n");
});

Deno.test("buildRequest: without a secret everything is shown as it is", async () => {
  const stdout = "tests/test_a.py:1: AssertionError\nE   assert 1 == 2\n";
  const request = await requestOf({
    stdout,
    stderr: "warned\n",
    files: { "tests/test_a.py": "assert 1 == 2\n" },
  });
  assert.equal(request.failing[0]!.stdout, stdout);
  assert.equal(request.failing[0]!.stderr, "warned\n");
  assert.equal(request.snippets[0]!.text, "assert 1 == 2");
  assert.ok(!JSON.stringify(request).includes("REDACTED"));
});
