import type { AttemptRecord, SessionRecord } from "../../src/bundle/record.ts";
import { byteStringOfText } from "../../src/patch/bytes.ts";
import { defaultPolicy } from "../../src/policy/defaults.ts";
import { sha256 } from "../../src/vocabulary/digest.ts";
import { judgeReport } from "../../src/testreport/judge.ts";
import type { ReportedTests, TestCase, TestOutcome } from "../../src/vocabulary/test_report.ts";
import { makeManifest } from "../../src/vocabulary/manifest.ts";
import type { Redact } from "../../src/vocabulary/redaction.ts";
import type { CapturedOutput, TargetOutcome, VerificationResult } from "../../src/vocabulary/verification.ts";

export const SESSION = "20261120T120000Z-0123abcd";

export const FINAL_PATCH = byteStringOfText(`diff --git a/calc.py b/calc.py
--- a/calc.py
+++ b/calc.py
@@ -1,2 +1,2 @@
 def add(a, b):
-    return a - b
+    return a + b
`);

export const PROPOSED_PATCH = byteStringOfText(`diff --git a/README.md b/README.md
--- a/README.md
+++ b/README.md
@@ -1 +1,2 @@
 # Calc
+Nice.
${new TextDecoder().decode(Uint8Array.from(FINAL_PATCH, (c) => c.charCodeAt(0)))}`);

/** Strikes every `sk-` word. */
export const redact: Redact = (text) => {
  const count = text.match(/sk-\w+/g)?.length ?? 0;
  return Promise.resolve({
    text: text.replaceAll(/sk-\w+/g, "[redacted:key]"),
    redactions: count === 0 ? [] : [{ rule: "key", count }],
  });
};

export function printed(text: string): CapturedOutput {
  const head = new TextEncoder().encode(text);
  return { head, tail: new Uint8Array(), totalBytes: head.length, sha256: sha256(head) };
}

export function verified(
  outcome: "passed" | "failed" | "timed_out",
  stdout = "",
  name = "tests",
): VerificationResult {
  const target: TargetOutcome = outcome;
  return {
    outcome,
    targets: [{
      target: name,
      outcome: target,
      result: {
        argv: ["python3", "-m", "pytest", "-q"],
        end: outcome === "timed_out" ? "timed_out" : "exited",
        exitCode: outcome === "timed_out" ? null : outcome === "passed" ? 0 : 1,
        durationMs: 312.4,
        stdout: printed(stdout),
        stderr: printed(""),
      },
    }],
  };
}

const FAILING_OUTPUT =
  "....F\n    def test_add():\n>       assert add(1, 2) == 3\nE       assert -1 == 3\n1 failed, 4 passed\n";

export function attemptRecord(over: Partial<AttemptRecord> = {}): AttemptRecord {
  return {
    attempt: 1,
    proposer: "patch",
    proposal: {
      source: "fix.diff",
      diff: "the diff",
      rationale: "minus is not plus",
      riskNotes: "",
      confidence: 0.9,
    },
    refusals: [],
    applied: { patch: PROPOSED_PATCH, resultTree: sha256("proposed tree"), notes: ["exact"], git: "agrees" },
    verification: verified("passed", "5 passed\n"),
    ...over,
  };
}

/** A session that proved a two-line fix after one refused attempt; `over` replaces any part. */
export function record(over: Partial<SessionRecord> = {}): SessionRecord {
  const policy = defaultPolicy();
  return {
    session: SESSION,
    toolVersion: "0.1.0",
    startedAt: "2026-11-20T12:00:00.000Z",
    finishedAt: "2026-11-20T12:00:09.500Z",
    status: "proved",
    reason: "",
    reasonCode: null,
    targets: [{
      name: "tests",
      command: "python3 -m pytest -q",
      argv: ["python3", "-m", "pytest", "-q"],
      shell: false,
    }],
    policy,
    policyDigest: sha256("policy"),
    policySource: "pp.yaml",
    provider: "patch",
    environment: {
      backend: "container",
      engine: "docker",
      engineVersion: "20.10.24",
      platform: "linux/amd64",
      image: { name: "python:3.12", id: `sha256:${sha256("image")}`, repoDigests: [] },
      runtime: "runc",
      enforced: [
        { limit: "network", value: "none", by: "network namespace" },
        { limit: "memory", value: "2147483648", by: "cgroup, no swap" },
        { limit: "disk", value: "unlimited", by: "none" },
      ],
    },
    manifest: makeManifest([
      { path: "calc.py", mode: "100644", size: 32, sha256: sha256("calc") },
      { path: "README.md", mode: "100644", size: 7, sha256: sha256("readme") },
      { path: "latest", mode: "120000", size: 11, sha256: sha256("/home/user/x"), target: "/home/user/x" },
    ]),
    skipped: [{ path: ".git", reason: "ignored" }],
    git: {
      commit: "a".repeat(40),
      tree: "b".repeat(40),
      branch: "main",
      remote: "https://example.org/calc.git",
      dirty: true,
      diff: new TextEncoder().encode("diff --git a/x b/x\n+token sk-abc\n"),
    },
    baseline: [verified("failed", FAILING_OUTPUT)],
    baseAgain: [verified("failed", FAILING_OUTPUT)],
    attempts: [
      attemptRecord({
        proposal: {
          source: "/home/user/bad.diff",
          diff: "key sk-123",
          rationale: "",
          riskNotes: "",
          confidence: null,
        },
        refusals: [{ reason: "path_escapes", path: "../x", detail: "leads out of the workspace" }],
        applied: null,
        verification: null,
      }),
      attemptRecord({ attempt: 2 }),
    ],
    minimization: {
      result: {
        kept: [1, 2],
        end: "one_minimal",
        runs: 3,
        waves: [
          {
            wave: 1,
            level: "file",
            tried: [
              { removed: [0], probe: "passes", cached: false },
              { removed: [1, 2], probe: "timed_out", cached: false, retried: true },
            ],
            removed: [0],
            remaining: 2,
            runs: 2,
          },
          {
            wave: 2,
            level: "line",
            tried: [
              { removed: [1], probe: "fails", cached: false },
              { removed: [2], probe: "unparsable", cached: false },
            ],
            removed: [],
            remaining: 2,
            runs: 3,
          },
        ],
      },
      atoms: [
        { path: "README.md", what: "+Nice." },
        { path: "calc.py", what: "-    return a - b" },
        { path: "calc.py", what: "+    return a + b" },
      ],
      before: { files: 2, additions: 2, deletions: 1 },
      kept: true,
      reason: null,
      rejected: [],
    },
    confirmation: [verified("passed", "5 passed\n")],
    negativeControl: null,
    findings: [],
    final: { patch: FINAL_PATCH, resultTree: sha256("final tree"), attempt: 2, git: "agrees" },
    events: [
      {
        at: "2026-11-20T12:00:00.000Z",
        event: { kind: "session_started", session: SESSION, targets: ["tests"] },
      },
      { at: "2026-11-20T12:00:09.500Z", event: { kind: "session_finished", status: "proved" } },
    ],
    ...over,
  };
}

/** The same session without an answer. */
export function unproved(over: Partial<SessionRecord> = {}): SessionRecord {
  const { attempts } = record();
  return record({
    status: "not_proved",
    reason: "no green in 1 attempt",
    attempts: attempts.slice(0, 1),
    minimization: null,
    confirmation: [],
    baseAgain: [],
    final: null,
    ...over,
  });
}

/** The proof with the proposal as it was: its minimized patch did not pass again. */
export function unminimized(over: Partial<SessionRecord> = {}): SessionRecord {
  const { minimization, final, attempts } = record();
  const { patch, resultTree } = attempts[1]!.applied!;
  return record({
    minimization: {
      ...minimization!,
      kept: false,
      reason: "it did not pass again",
      rejected: [verified("failed", "4 passed, 1 failed\n")],
    },
    final: { ...final!, patch, resultTree },
    ...over,
  });
}

/** How each test of a report ended. */
export type Suite = Readonly<Record<string, TestOutcome>>;
const cases = (of: Suite): TestCase[] => Object.entries(of).map(([id, outcome]) => ({ id, outcome }));
/** What a report is worth, against one of the base. */
export const judged = (of: Suite, before: Suite | null = null) =>
  judgeReport(
    { ok: true, report: { cases: cases(of), incomplete: null } },
    before === null ? null : cases(before),
  );

/** The same run with a report. */
export function reporting(run: VerificationResult, tests: ReportedTests): VerificationResult {
  return { ...run, targets: run.targets.map((target) => ({ ...target, tests })) };
}

const RED: Suite = { "m > a": "failed", "m > b": "passed", "m > s": "skipped" };
export const GREEN: Suite = { "m > a": "passed", "m > b": "passed", "m > s": "skipped", "m > n": "passed" };

/** The fixture's proof with a report on both sides. */
export function reported(before: Suite = RED, after: Suite = GREEN): SessionRecord {
  const { targets, attempts } = record();
  const red = reporting(verified("failed"), judged(before));
  const green = reporting(verified("passed"), judged(after, before));
  return record({
    targets: targets.map((t) => ({ ...t, report: { format: "junit", path: "out/report.xml" } as const })),
    baseline: [red],
    baseAgain: [red],
    attempts: attempts.map((a) => a.verification === null ? a : { ...a, verification: green }),
    confirmation: [green],
  });
}
