import assert from "node:assert/strict";
import { stripVTControlCharacters } from "node:util";
import type { SessionRecord } from "../../src/bundle/record.ts";
import { exitCodeOfStatus } from "../../src/cli/exit_code.ts";
import { type Delivered, sessionJson, sessionText, shownOutput } from "../../src/cli/session_report.ts";
import { folderWords } from "../../src/cli/start_folder.ts";
import { byteStringOfText } from "../../src/patch/bytes.ts";
import type { Redact } from "../../src/vocabulary/redaction.ts";
import type { SessionStatus } from "../../src/vocabulary/session.ts";
import { record, SESSION, unproved, verified } from "../bundle/fixture.ts";

const ROOT = "/home/user/calc";
const BUNDLE = `${ROOT}/.pp-artifacts/${SESSION}/proof_bundle`;

function delivered(
  of: SessionRecord,
  over: Partial<Delivered> = {},
  kept: readonly string[] = [],
): Delivered {
  return {
    outcome: { record: of, changes: [], kept },
    bundle: BUNDLE,
    applied: false,
    attestation: { enabled: false, mode: "none", keyIds: [] },
    leftOut: [],
    tests: null,
    said: {},
    output: [],
    ...over,
  };
}

const text = (of: Delivered) => stripVTControlCharacters(sessionText(of, ROOT));
// deno-lint-ignore no-explicit-any -- the document's fields are what is asserted
const json = (of: Delivered): any => sessionJson(of);

Deno.test("sessionText: a proof shows command, patch, where the bundle is and what can be done with it", () => {
  const shown = text(delivered(record()));
  assert.match(shown, /^result {3}proved: python3 -m pytest -q\n/);
  assert.match(shown, /patch {4}\+1 -1 in 1 file, from \+2 -1 in 3 runs, 1-minimal\n/);
  assert.match(shown, /\n {4}- {4}return a - b\n {4}\+ {4}return a \+ b\n/);
  assert.match(shown, new RegExp(`bundle   \\.pp-artifacts/${SESSION}/proof_bundle \\(unsigned\\)`));
  assert.match(shown, new RegExp(`pp replay \\.pp-artifacts/${SESSION}/proof_bundle`));
  assert.match(shown, new RegExp(`git apply \\.pp-artifacts/${SESSION}/proof_bundle/final\\.patch`));
});

Deno.test("sessionText: the call that replays says what the call said, in words a shell reads as they are", () => {
  const bundle = `/art dir/${SESSION}/proof_bundle`;
  const said = { policy: "../my policy.yaml", image: "other:1", allowProtected: ["tests/**"] };
  const shown = text(delivered(record(), { bundle, leftOut: ["my fix.diff"], said }));
  const replay =
    `pp replay '${bundle}' --policy '../my policy.yaml' --image other:1 --allow-protected 'tests/**' ` +
    "--leave-out 'my fix.diff'";
  assert.ok(shown.includes(`next     ${replay}\n`), shown);
  assert.ok(shown.endsWith(`next     git apply '${bundle}/final.patch'`), shown);
  const plain = text(delivered(record({ policySource: `${ROOT}/pp.yaml` })));
  assert.ok(plain.includes(`next     pp replay .pp-artifacts/${SESSION}/proof_bundle\n`), plain);
});

Deno.test("folderWords: the folders before the verb, as git takes them", () => {
  assert.deepEqual(folderWords(["-C", "a b", "--directory=../c", "run", "-C", "x"]), [
    "-C",
    "a b",
    "-C",
    "../c",
  ]);
  assert.deepEqual(folderWords(["run", "-C", "x"]), []);
});

Deno.test("sessionText: a patch that is not 1-minimal does not say it is", () => {
  const { minimization } = record();
  const result = { ...minimization!.result, end: "runs_exhausted" as const };
  const budget = text(delivered(record({ minimization: { ...minimization!, result } })));
  assert.match(budget, /in 3 runs, runs exhausted\n/);
  assert.doesNotMatch(budget, /1-minimal/);
  const rejected = { ...minimization!, kept: false, reason: "it did not pass again" };
  const whole = text(delivered(record({ minimization: rejected })));
  assert.match(whole, /in 1 file, not minimized: it did not pass again\n/);
  assert.doesNotMatch(whole, /1-minimal/);
  assert.match(text(delivered(record({ minimization: null }))), /patch {4}\+1 -1 in 1 file\n/);
});

const ENDS: Readonly<Record<Exclude<SessionStatus, "proved">, RegExp>> = {
  already_passing: /^result {3}already passing: nothing to prove: python3/,
  not_proved: /^result {3}not proved: python3/,
  flaky: /^result {3}no answer: flaky: python3/,
  timed_out: /^result {3}no answer: timed out: python3/,
  budget_exhausted: /^result {3}no answer: budget used up: python3/,
};

for (const [status, line] of Object.entries(ENDS) as [Exclude<SessionStatus, "proved">, RegExp][]) {
  Deno.test(`sessionText, sessionJson: ${status} is no proof`, () => {
    const of = delivered(unproved({ status, reason: "the\x1b[2J reason" }));
    const shown = text(of);
    assert.match(shown, line);
    assert.match(shown, /the\\u\{1b\}\[2J reason/);
    assert.doesNotMatch(shown, /pp replay|git apply|^patch/m);
    assert.match(shown, /^bundle /m);
    const document = json(of);
    assert.equal(document.status, status);
    assert.equal(document.success, false);
    assert.equal(document.exit, exitCodeOfStatus(status));
    assert.equal(document.final_patch, null);
    assert.equal(document.patch, null);
    assert.equal(document.result_tree, null);
    assert.equal(document.proof_bundle, BUNDLE);
  });
}

Deno.test("sessionText: what to do next depends on who proposed", () => {
  assert.match(text(delivered(unproved({ provider: "stub" }))), /next .*--patch FILE.*--provider/);
  assert.match(text(delivered(unproved({ provider: "openai" }))), /next .*final_summary\.md/);
  const again = (status: SessionStatus) => text(delivered(unproved({ status, provider: "openai" })));
  assert.match(again("timed_out"), /^next .*policy\.limits\.per_command_timeout_sec$/m);
  assert.match(again("budget_exhausted"), /^next .*policy\.limits\.session_sec$/m);
  assert.match(again("flaky"), /^next .*the workspace alone.*\nnext .*final_summary\.md$/m);
  assert.doesNotMatch(again("not_proved"), /next .*(limits|alone)/);
  const { targets: [target] } = verified("failed");
  const missing = { ...target!, result: { ...target!.result!, exitCode: 127 } };
  const nowhere = unproved({ attempts: [], baseline: [{ outcome: "failed", targets: [missing] }] });
  assert.match(text(delivered(nowhere)), /next .*an image that has the program.*--image/);
  assert.doesNotMatch(text(delivered(unproved({ status: "already_passing" }))), /^next/m);
});

Deno.test("sessionText: without a proof the end of the output is shown, redacted, harmless for a terminal", async () => {
  const noisy = Array.from({ length: 40 }, (_, i) => `line ${i}`).join("\n") +
    "\n\x1b]0;owned\x07 is wrong\n";
  const of = unproved({ attempts: [], baseline: [verified("failed", noisy)] });
  const redact: Redact = (text) =>
    Promise.resolve({ redactions: [], text: text.replaceAll("line 38", "[REDACTED:line]") });
  const shown = text(delivered(of, { output: await shownOutput(of, redact) }));
  assert.match(shown, /\n {4}\[REDACTED:line\]\n {4}line 39\n {4} is wrong\n/);
  assert.match(text(delivered(of, { output: ["\x1b]0;owned\x07"] })), /\n {4}\\u\{1b\}\]0;owned\\u\{7\}\n/);
  assert.deepEqual(await shownOutput(record(), redact), [], "a patch is shown instead");
  assert.doesNotMatch(shown, /line 30\n/);
});

Deno.test("sessionText: an applied patch, kept sandboxes and signatures are said", () => {
  const applied = text(delivered(record(), { applied: true }, ["container abc\x1b\ndocker start abc"]));
  assert.match(applied, /applied {2}the workspace now holds/);
  assert.match(applied, /^kept {5}container abc\\u\{1b\}\nnext {5}docker start abc$/m);
  assert.doesNotMatch(applied, /git apply/);
  const attestation = { enabled: true, mode: "ed25519", keyIds: ["ab".repeat(32)] } as const;
  assert.match(
    text(delivered(record(), { attestation })),
    /proof_bundle \(signed by ed25519 abababababababab\)/,
  );
  const shared = { enabled: true, mode: "hmac-sha256", keyIds: ["hmac-sha256"] } as const;
  assert.match(text(delivered(record(), { attestation: shared })), /\(signed with a shared secret\)/);
  const none = { ...attestation, keyIds: [] };
  assert.match(text(delivered(unproved(), { attestation: none })), /\(unsigned: only a proof is signed\)/);
});

Deno.test("sessionText: a hostile patch cannot move the cursor, and a long one is cut", () => {
  const lines = Array.from({ length: 300 }, (_, i) => `+line ${i}\x1b[2J\n`).join("");
  const patch = byteStringOfText(
    `diff --git a/n b/n\nnew file mode 100644\n--- /dev/null\n+++ b/n\n@@ -0,0 +1,300 @@\n${lines}`,
  );
  const shown = sessionText(delivered(record({ final: { ...record().final!, patch } })), ROOT);
  assert.ok(!shown.includes("\x1b[2J"));
  assert.match(shown, /\+line 10\\u\{1b\}\[2J/);
  assert.doesNotMatch(shown, /line 299/);
  assert.match(shown, /… 105 more lines in final\.patch/);
});

Deno.test("sessionText: a bundle outside the folder one stands in is named whole", () => {
  const shown = stripVTControlCharacters(sessionText(delivered(record()), "/elsewhere"));
  assert.ok(shown.includes(`bundle   ${BUNDLE} `));
});

Deno.test("sessionJson: a proof says what, how and where", () => {
  const document = json(delivered(record(), { applied: true }, ["container abc"]));
  assert.equal(document.format, "veripatch-session/v1");
  assert.equal(document.status, "proved");
  assert.equal(document.success, true);
  assert.equal(document.exit, 0);
  assert.equal(document.final_patch, `${BUNDLE}/final.patch`);
  assert.equal(document.final_exit_code, 0);
  assert.equal(document.attempts_used, 2);
  assert.deepEqual(document.attempts.map((a: { outcome: string }) => a.outcome), ["refused", "passed"]);
  assert.equal(document.attempts[0].refusals[0].reason, "path_escapes");
  assert.deepEqual([document.patch.files, document.patch.additions, document.patch.deletions], [1, 1, 1]);
  assert.equal(document.minimization.end, "one_minimal");
  assert.equal(document.minimization.runs, 3);
  assert.equal(document.applied, true);
  assert.equal(document.base_tree, record().manifest.digest);
  assert.equal(document.result_tree, record().final!.resultTree);
  assert.deepEqual(document.targets[0].argv, ["python3", "-m", "pytest", "-q"]);
  assert.equal(JSON.parse(JSON.stringify(document)).session, SESSION);
});

Deno.test("sessionJson: the exit code that decided is the first target's that did not pass", () => {
  const [passed] = verified("passed", "", "build").targets;
  const [failed] = verified("failed", "", "test").targets;
  const mixed = { outcome: "failed" as const, targets: [passed!, failed!, passed!] };
  const document = json(delivered(unproved({ attempts: [], baseline: [mixed] })));
  assert.equal(document.final_exit_code, 1);
  const hung = json(delivered(unproved({ attempts: [], baseline: [verified("timed_out")] })));
  assert.equal(hung.final_exit_code, null);
});

Deno.test("sessionText and sessionJson: findings, what was left out, the reason's code and the negative control", () => {
  const finding = {
    code: "protected_touched",
    path: "tests/\u001b[31mx.py",
    rule: "test_files",
    detail: "the patch touches a protected file",
  };
  const made = record();
  const last = made.attempts.at(-1)!;
  const notes = Array.from({ length: 12 }, (_, i) => `protected_left_out: tests/${i}.py`);
  const of = delivered(
    record({
      findings: [finding],
      attempts: [...made.attempts.slice(0, -1), { ...last, applied: { ...last.applied!, notes } }],
      policySource: null,
      policy: {
        ...made.policy,
        policy: { ...made.policy.policy, protect: { enabled: true, also: [], allow: ["tests/it's/**"] } },
      },
      negativeControl: {
        files: [{ path: "test_no.py", sha256: "0".repeat(64) }],
        targets: ["tests"],
        outcome: "failed",
        runs: [verified("failed")],
      },
    }),
    { said: { allowProtected: ["tests/it's/**"] } },
  );
  const shown = sessionText(of, ROOT);
  assert.match(
    shown,
    /flagged {2}tests\/.*x\.py: the patch touches a protected file .*protected_touched, test_files/,
  );
  assert.ok(!shown.includes("\u001b[31mx.py"));
  assert.match(shown, /left out tests\/0\.py, .*tests\/9\.py and 2 more files/);
  assert.match(shown, /--allow-protected 'tests\/it'\\''s\/\*\*'/);
  const document = json(of);
  assert.deepEqual(document.findings, [finding]);
  assert.equal(document.reason_code, null);
  assert.equal(document.attempts.at(-1).left_out.length, 12);
  assert.deepEqual(document.negative_control, {
    files: ["test_no.py"],
    targets: ["tests"],
    runs: 1,
    outcome: "failed",
  });
});

Deno.test("sessionText: a proposal that was refused as protected is told with the way out", () => {
  const detail = "protected: hooks";
  const refusals = [{ reason: "path_protected", path: "conftest.py", detail }];
  const attempts = [{ ...unproved().attempts[0]!, refusals, applied: null, verification: null }];
  const shown = text(delivered(unproved({ attempts })));
  assert.match(shown, /left out conftest\.py\n.*--allow-protected/);
});
