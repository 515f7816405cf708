import assert from "node:assert/strict";
import { exitCodeOf, exitCodeOfStatus } from "../../src/cli/exit_code.ts";
import { Failure, type FailureKind } from "../../src/vocabulary/failure.ts";
import type { SessionStatus } from "../../src/vocabulary/session.ts";

const KINDS: Readonly<Record<FailureKind, number>> = {
  no_answer: 3,
  usage: 64,
  malformed: 65,
  unavailable: 69,
  bug: 70,
  denied: 77,
  interrupted: 130,
};

const STATUSES: Readonly<Record<SessionStatus, number>> = {
  proved: 0,
  already_passing: 2,
  not_proved: 2,
  flaky: 3,
  timed_out: 3,
  budget_exhausted: 3,
};

Deno.test("exitCodeOf: every kind of failure has the documented code", () => {
  for (const [kind, code] of Object.entries(KINDS)) {
    assert.equal(exitCodeOf(new Failure(kind as FailureKind, "x", "x")), code, kind);
  }
});

Deno.test("exitCodeOf: whatever is no Failure is a bug of ours", () => {
  for (const thrown of [new Error("x"), new TypeError("x"), "text", null, undefined, { kind: "usage" }]) {
    assert.equal(exitCodeOf(thrown), 70);
  }
});

Deno.test("exitCodeOfStatus: only a proof is 0", () => {
  for (const [status, code] of Object.entries(STATUSES)) {
    assert.equal(exitCodeOfStatus(status as SessionStatus), code, status);
  }
});

Deno.test("exit codes: the README documents each of them", async () => {
  const readme = await Deno.readTextFile(new URL("../../README.md", import.meta.url));
  for (const code of new Set([...Object.values(KINDS), ...Object.values(STATUSES)])) {
    assert.match(readme, new RegExp(`^\\W*${code}\\b`, "m"), `exit code ${code}`);
  }
});
