import assert from "node:assert/strict";
import type { ProposalRequest, ProposerAnswer } from "../../src/propose/proposer.ts";
import { Failure } from "../../src/vocabulary/failure.ts";

export const NEVER = new AbortController().signal;

export const DIFF =
  "--- a/calc.py\n+++ b/calc.py\n@@ -1,2 +1,2 @@\n def add(a, b):\n-    return a - b\n+    return a + b\n";

export function request(changes: Partial<ProposalRequest> = {}): ProposalRequest {
  return {
    version: "veripatch-proposal-request/v1",
    session: "s1",
    attempt: 1,
    maxAttempts: 3,
    failing: [{
      target: "tests",
      command: "pytest -q",
      outcome: "failed",
      exitCode: 1,
      stdout: "E assert 1 == 3",
      stderr: "",
    }],
    assertions: ["assert 1 == 3"],
    snippets: [{
      path: "calc.py",
      startLine: 1,
      endLine: 2,
      text: "def add(a, b):\n    return a - b\n",
      why: "location",
    }],
    policy: {
      writeAllowlist: ["**"],
      denyWrite: ["secret/**"],
      protected: ["**/conftest.py"],
      protectedAllowed: [],
      maxFilesChanged: 8,
      maxPatchBytes: 200_000,
    },
    previous: [],
    ...changes,
  };
}

/** Asserts an invalid answer with the reason and returns its detail. */
export function invalidDetail(answer: ProposerAnswer, reason: string): string {
  assert.equal(answer.kind, "invalid", JSON.stringify(answer).slice(0, 500));
  assert.ok(answer.kind === "invalid");
  assert.equal(answer.reason, reason, answer.detail);
  return answer.detail;
}

/** Asserts that work ends in a Failure of the kind and code, and returns it. */
export async function failureOf(
  work: Promise<unknown> | (() => unknown),
  kind: string,
  code: string,
): Promise<Failure> {
  let caught: unknown;
  try {
    await (typeof work === "function" ? work() : work);
  } catch (error) {
    caught = error;
  }
  assert.ok(caught instanceof Failure, `no Failure but ${caught}`);
  assert.deepEqual([caught.kind, caught.code], [kind, code], caught.message);
  assert.notEqual(caught.hint ?? (kind === "interrupted" ? "-" : ""), "");
  return caught;
}
