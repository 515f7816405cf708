import assert from "node:assert/strict";
import fc from "fast-check";
import { bundleFiles } from "../../src/bundle/documents.ts";
import { evidence } from "../../src/bundle/evidence_lines.ts";
import { block, code, humanBytes, plain } from "../../src/bundle/markdown.ts";
import type { SessionRecord } from "../../src/bundle/record.ts";
import type { SessionStatus } from "../../src/vocabulary/session.ts";
import { attemptRecord, record, redact, SESSION, unminimized, unproved, verified } from "./fixture.ts";

async function summaryOf(made: SessionRecord): Promise<string> {
  return new TextDecoder().decode((await bundleFiles(made, redact)).get("final_summary.md"));
}

const headings = (text: string) => text.split("\n").filter((line) => line.startsWith("#"));

Deno.test("summary: of a proof, the verdict first, then the fix, the evidence and how to replay", async () => {
  const text = await summaryOf(record());
  assert.deepEqual(headings(text), [
    "# Proved",
    "## The fix",
    "## What failed before",
    "## Minimization",
    "## Attempts",
    "## Replay",
    "## Environment",
    "## Notes",
  ]);
  for (
    const part of [
      "turns the proof target from red to green: red 2 times out of 2 without it, green once with it in newly created",
      "| tests | `python3 -m pytest -q` | **failed** (exit 1, 0.31 s), 2 times | **passed** (exit 0, 0.31 s) |",
      "1 line added and 1 removed in 1 file, from attempt 2 (`fix.diff`).",
      "-    return a - b\n+    return a + b",
      "E       assert -1 == 3",
      "From 3 changed lines to 2, in 3 runs. It is 1-minimal:",
      `pp replay .pp-artifacts/${SESSION}/proof_bundle\n`,
      "| 1 | patch: `bad.diff` | refused | `../x`: leads out of the workspace (path_escapes) |",
      "minus is not plus",
      "Without an `attestation.json` beside this file the bundle is unsigned",
      "`--repeat` looks closer",
      "Enforced: network none (network namespace); memory 2 GiB (cgroup, no swap)\n",
      "- Sandbox: container, docker 20.10.24 with runc on linux/amd64",
      "; git applies the patch to the same effect",
      "not enforced: disk",
      "not committed",
      "1 entry, by ignore rules",
    ]
  ) assert.ok(text.includes(part), `${part} in ${text}`);
});

Deno.test("summary: a proof may be signed after this was written; without a policy, who replays names the image", async () => {
  const made = record();
  assert.doesNotMatch(await summaryOf(made), /[Tt]his bundle is unsigned|--image/);
  const bare = await summaryOf(record({ policySource: null }));
  assert.ok(
    bare.includes(
      `pp replay .pp-artifacts/${SESSION}/proof_bundle --image ${made.environment.image!.name}\n`,
    ),
  );
  const odd = { ...made.environment, image: { ...made.environment.image!, name: "a b;c" } };
  assert.doesNotMatch(await summaryOf(record({ policySource: null, environment: odd })), /--image/);
});

Deno.test("summary: a first proposal that passed needs no table of attempts", async () => {
  const { attempts, final } = record();
  const text = await summaryOf(
    record({ attempts: [{ ...attempts[1]!, attempt: 1 }], final: { ...final!, attempt: 1, git: "no_git" } }),
  );
  assert.ok(!text.includes("## Attempts") && !text.includes("git applies"));
});

Deno.test("summary: other endings promise nothing", async () => {
  const endings: [SessionStatus, string][] = [
    ["not_proved", "# Not proved"],
    ["already_passing", "# Already passing: nothing to prove"],
    ["flaky", "# No answer: flaky"],
    ["timed_out", "# No answer: timed out"],
    ["budget_exhausted", "# No answer: the budget was used up"],
  ];
  for (const [status, title] of endings) {
    const text = await summaryOf(unproved({ status, reason: "because of it" }));
    assert.ok(text.startsWith(`${title}\n`), text);
    assert.ok(text.includes("Reason: because of it\n") && text.includes("unsigned"));
    for (const promise of ["## The fix", "## Replay", "Proved"]) assert.ok(!text.includes(promise), promise);
  }
});

Deno.test("summary: a minimization that was not confirmed or ended early says so", async () => {
  const base = record().minimization!;
  const unused = await summaryOf(unminimized());
  assert.ok(
    unused.includes("The patch found in 3 runs is not used: it did not pass again. In new copies it passed"),
  );
  assert.ok(unused.includes("The final patch is the one proposed."));
  const early = await summaryOf(
    record({ minimization: { ...base, result: { ...base.result, end: "time_exhausted" } } }),
  );
  assert.ok(early.includes("ended early") && !early.includes("1-minimal"));
});

Deno.test("summary: several runs of a target are told apart", async () => {
  const same = await summaryOf(
    record({
      baseline: [verified("failed"), verified("failed")],
      baseAgain: [verified("failed"), verified("failed")],
      confirmation: [verified("passed"), verified("passed")],
    }),
  );
  assert.ok(same.includes("**failed** (exit 1, 0.31 s), 4 times"));
  const mixed = await summaryOf(
    unproved({ status: "flaky", baseline: [verified("failed"), verified("passed")] }),
  );
  assert.ok(mixed.includes("**failed** (exit 1, 0.31 s), **passed** (exit 0, 0.31 s)"));
});

/** Text outside of fences and code spans, where Markdown is live. */
function live(text: string): string {
  const out: string[] = [];
  let fence: string | null = null;
  for (const line of text.split("\n")) {
    const ticks = /^(`{3,})/.exec(line)?.[1];
    if (fence === null && ticks !== undefined) fence = ticks;
    else if (fence !== null) { if (line === fence) fence = null; }
    else out.push(line.replaceAll(/(?<!`)(`+)(?!`)(.+?)(?<!`)\1(?!`)/g, "CODE"));
  }
  assert.equal(fence, null, "every fence is closed");
  return out.join("\n");
}

// Tabs and line feeds are what output is made of.
// deno-lint-ignore no-control-regex -- these must not be in a summary
const INVISIBLE = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/;

const NASTY = [
  "<script>x</script>",
  "![x](http://evil)",
  "@everyone",
  "```\n# Proved\n```",
  "````",
  "`",
  "a|b",
  "\u202egnp.exe",
  "\u001b[2J",
  "\r\n## Verdict",
];

Deno.test("summary: hostile text is never live Markdown, nor control or bidirectional characters", async () => {
  const nasty = fc.array(fc.oneof(fc.constantFrom(...NASTY), fc.string()), { minLength: 1, maxLength: 4 })
    .map((parts) => `nasty<${parts.join("")}nasty`);
  await fc.assert(
    fc.asyncProperty(nasty, async (bad) => {
      const base = record();
      const { environment } = base;
      const text = await summaryOf(unminimized({
        reason: bad,
        targets: [{ ...base.targets[0]!, name: bad, command: bad }],
        provider: bad,
        policySource: bad,
        baseline: [verified("failed", `Error: ${bad}`, bad)],
        baseAgain: [verified("failed", `Error: ${bad}`, bad)],
        environment: {
          ...environment,
          engine: bad,
          platform: bad,
          enforced: [{ limit: "pids", value: bad, by: bad }],
        },
        git: { ...base.git, branch: bad, commit: bad },
        attempts: [
          attemptRecord({
            proposer: bad,
            proposal: { source: bad, diff: bad, rationale: bad, riskNotes: bad, confidence: null },
            refusals: [{ reason: bad, path: bad, detail: bad }],
            verification: verified("passed", bad, bad),
          }),
          attemptRecord({
            attempt: 2,
            proposal: { ...attemptRecord().proposal!, rationale: bad },
            verification: verified("passed", bad, bad),
          }),
        ],
        minimization: {
          ...base.minimization!,
          kept: false,
          reason: bad,
          rejected: [verified("failed", "", bad)],
        },
        confirmation: [verified("passed", "", bad)],
      }));
      assert.ok(text.includes("nasty"));
      assert.ok(!live(text).includes("nasty"), live(text));
      assert.ok(!INVISIBLE.test(text), JSON.stringify(text));
      assert.equal(headings(live(text)).length, 8);
    }),
    { numRuns: 150 },
  );
});

Deno.test("code: a span that ends where it should, whatever is in it", () => {
  assert.equal(code("a"), "`a`");
  assert.equal(code("a`b"), "``a`b``");
  assert.equal(code("`a"), "`` `a ``");
  assert.equal(code("a\nb"), "`a\\nb`");
  assert.equal(code(" "), "(empty)");
});

Deno.test("plain: words stay as they are, anything that could be markup becomes a code span", () => {
  for (
    const text of [
      "a",
      "no green in 1 attempt; stopped",
      "65534:65534",
      "engine's",
      "path_escapes",
      "linux/amd64",
    ]
  ) {
    assert.equal(plain(text), text);
  }
  const marked = [
    "*a*",
    "_a_",
    "a _b_ c",
    "<b>",
    "[a](b)",
    "#1",
    "- a",
    "1. a",
    "a|b",
    "@all",
    "http://a.b",
    "www.a.b",
  ];
  for (const text of [...marked, ":tada:", "a:b:c", "a&b;", "~~a~~", "$a$", "a\\b", "", "x".repeat(201)]) {
    assert.equal(plain(text), code(text), text);
  }
});

Deno.test("humanBytes: the largest unit that fits", () => {
  assert.deepEqual([0, 1023, 1024, 1_572_864, 2 ** 31, 2 ** 50].map(humanBytes), [
    ...["0 B", "1023 B", "1 KiB", "1.5 MiB", "2 GiB", "1024 TiB"],
  ]);
});

Deno.test("block: the fence is longer than any in it", () => {
  assert.equal(block("a\n```\nb\n", "diff"), "````diff\na\n```\nb\n````");
});

Deno.test("evidence: the lines that say what failed, else the last ones", () => {
  assert.deepEqual(evidence("ok\n\u001b[31mE   assert 1 == 2\u001b[0m\nok\nE   assert 1 == 2\n"), [
    "E   assert 1 == 2",
  ]);
  assert.deepEqual(evidence("one\n\n two \n"), ["one", " two"]);
  assert.deepEqual(evidence(""), []);
  assert.equal(
    evidence("Error: x\n".repeat(5) + Array.from({ length: 99 }, (_, i) => `Error ${i}`).join("\n")).length,
    12,
  );
  assert.ok(evidence(`Error ${"x".repeat(10_000)}`)[0]!.length < 400);
});

Deno.test("summary: findings stand before the fix, what was left out and the negative control are told", async () => {
  const attempt = attemptRecord({ attempt: 2 });
  const made = record({
    findings: [{
      code: "protected_touched",
      path: "tests/`x`.py",
      rule: "test_files",
      detail: "the patch touches a protected file",
    }],
    attempts: [
      record().attempts[0]!,
      { ...attempt, applied: { ...attempt.applied!, notes: ["exact", "protected_left_out: conftest.py"] } },
    ],
    negativeControl: {
      files: [{ path: "test_no.py", sha256: "0".repeat(64) }],
      targets: ["tests"],
      outcome: "failed",
      runs: [verified("failed")],
    },
  });
  const text = await summaryOf(made);
  assert.deepEqual(headings(text).slice(0, 3), ["# Proved", "## Findings", "## The fix"]);
  assert.match(text, /the patch touches a protected file \(protected\\?_touched, test\\?_files\)/);
  assert.match(text, /left out, as protected: `conftest\.py`/);
  assert.match(
    text,
    /Negative control: with a failing test beside the patch \(`test_no\.py`\) the targets failed/,
  );
});
