import assert from "node:assert/strict";
import { stripVTControlCharacters } from "node:util";
import type { SessionEvent } from "../../src/vocabulary/session.ts";
import { script } from "./process.ts";

const target = { side: "base", attempt: 0, target: "unit\x1b[2J tests\nnext" } as const;
const end = "exited";
const IMAGE = { name: "python:3\x1b[1m", id: `sha256:${"0123456789abcdef".repeat(4)}` };
const EVENTS: readonly SessionEvent[] = [
  { kind: "session_started", session: "20261120T120000Z-0123abcd", targets: ["unit"] },
  { kind: "phase", phase: "workspace" },
  { kind: "sandbox_opened", backend: "container", image: IMAGE },
  { kind: "workspace_streamed", files: 1, bytes: 2048, digest: "0123456789abcdef" },
  { kind: "phase", phase: "baseline" },
  { kind: "target_started", ...target },
  { kind: "target_finished", ...target, outcome: "failed", end, exitCode: 1, durationMs: 420 },
  { kind: "target_finished", ...target, target: "t", outcome: "failed", end, exitCode: 127, durationMs: 0 },
  { kind: "baseline", outcome: "failed" },
  { kind: "phase", phase: "attempt", detail: "1 of 3" },
  { kind: "proposal_requested", attempt: 1, proposer: "patch" },
  { kind: "proposal_refused", attempt: 1, reason: "path_escapes", detail: "../x\x07" },
  { kind: "phase", phase: "attempt", detail: "2 of 3" },
  { kind: "proposal_applied", attempt: 2, files: 1, additions: 3, deletions: 2 },
  {
    kind: "target_finished",
    ...target,
    ...{ target: "t", outcome: "timed_out", end: "timed_out", exitCode: null, durationMs: 60_000 },
  },
  {
    kind: "target_finished",
    ...target,
    ...{ target: "t", outcome: "failed", end: "out_of_memory", exitCode: null, durationMs: 60_000 },
  },
  { kind: "target_finished", ...target, target: "t", outcome: "passed", end, exitCode: 0, durationMs: 10 },
  { kind: "attempt_finished", attempt: 2, outcome: "passed" },
  { kind: "phase", phase: "minimize" },
  { kind: "minimization_started", units: 3 },
  { kind: "wave_finished", wave: 1, level: "line", tried: 3, removed: 2, remaining: 1, runs: 3 },
  { kind: "minimization_finished", remaining: 1, runs: 1, end: "one_minimal" },
  { kind: "minimization_finished", remaining: 2, runs: 9, end: "runs_exhausted" },
  { kind: "phase", phase: "attempt", detail: "3 of 3" },
  { kind: "proposal_requested", attempt: 3, proposer: "patch" },
  { kind: "phase", phase: "confirm" },
  { kind: "confirmation", run: 1, of: 1, outcome: "passed" },
  { kind: "phase", phase: "clean_up" },
  { kind: "session_finished", status: "proved" },
];

/** An attempt in which nothing happened is not announced. */
const LINES = `session  20261120T120000Z-0123abcd
sandbox  container of python:3\\u{1b}[1m (0123456789ab)
base     1 file, 2.0 KiB, tree 0123456789ab
baseline
         red unit\\u{1b}[2J tests\\nnext, exit 1, 0.42 s
         red t, exit 127, 0.00 s (program not found in the sandbox)
attempt  1 of 3
         refused path_escapes: ../x\\u{7}
attempt  2 of 3
         applied to 1 file, +3 -2
         timed out t, 60 s
         red t, killed for memory, 60 s
         green t, exit 0, 0.01 s
minimize 3 units
         wave 1 (line): 1 unit left, 3 runs
         1 unit left after 1 run
         2 units left after 9 runs (runs exhausted)
confirm
said\\u{1b}[31m
`;

const play = (quiet: boolean, env: Record<string, string> = {}) =>
  script("progress_child.ts", [JSON.stringify({ quiet, events: EVENTS, say: "said\x1b[31m" })], env);

Deno.test("sessionProgress: where there is no terminal, one plain line for each thing that lasts", async () => {
  const { stdout, stderr } = await play(false);
  assert.equal(stderr, LINES);
  assert.equal(stdout, "", "progress is on stderr alone");
});

Deno.test("sessionProgress: colours paint the same lines, and there is no live line without a terminal", async () => {
  const { stderr } = await play(false, { NO_COLOR: "", FORCE_COLOR: "1" });
  assert.notEqual(stderr, LINES);
  assert.equal(stripVTControlCharacters(stderr), LINES);
  assert.ok(!stderr.includes("\r"));
});

Deno.test("sessionProgress: quiet says only what must be said", async () => {
  assert.equal((await play(true)).stderr, "said\\u{1b}[31m\n");
});
