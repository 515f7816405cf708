import assert from "node:assert/strict";
import type { SessionRecord } from "../../src/bundle/record.ts";
import { exactly, proveProposal } from "../../src/proposal/proof.ts";
import { makeChange } from "../../src/proposal/steps.ts";
import { type FakeProgram, fakeSandbox } from "../../src/sandbox/fake/fake.ts";
import { sha256 } from "../../src/vocabulary/digest.ts";
import type { SessionEvent } from "../../src/vocabulary/session.ts";
import { lineDiff, patchOf, planOf, sessionPlan, stepPorts, storedTree } from "./fixture.ts";

const FILES = { "a.txt": "one\ntwo\nthree\n", "d/b.txt": "b\n" };

/** Both lines are changed; only the first one matters to `wants`. */
const DIFF = "--- a/a.txt\n+++ b/a.txt\n@@ -1,3 +1,3 @@\n-one\n+fixed\n two\n-three\n+THREE\n";

async function proved(check: FakeProgram, diff = DIFF, repeat = 1) {
  const { base } = storedTree(FILES);
  const made = await makeChange([patchOf(diff)], base, planOf(), stepPorts());
  assert.ok(made.ok);
  const sandbox = fakeSandbox({ programs: { check } });
  const records: SessionRecord[] = [];
  const events: SessionEvent[] = [];
  const ports = stepPorts();
  const found = await proveProposal(
    { base, change: made.change },
    exactly(sessionPlan((p) => p, repeat)),
    "P1.1",
    {
      ...{ sandbox, syntax: ports.syntax, redact: ports.redact, findSecrets: ports.findSecrets },
      ...{
        gitAgrees: ports.gitAgrees,
        now: Date.now,
        emit: (event) => events.push(event),
        signal: ports.signal,
      },
      keep: (record) => {
        records.push(record);
        return Promise.resolve({ place: "kept", digest: sha256("bundle"), statement: null });
      },
    },
  );
  assert.deepEqual([sandbox.notClosed(), sandbox.notDiscarded()], [[], []]);
  return { found, record: records[0]!, base, change: made.change, events };
}

const has = (text: string): FakeProgram => (_argv, files) => ({
  exitCode: (files.readText("a.txt") ?? "").includes(text) ? 0 : 1,
});

Deno.test("proveProposal: red on the base and green with exactly this patch is proved, nothing minimized", async () => {
  const { found, record, base, change } = await proved(has("fixed"));
  assert.equal(found.outcome, "proved");
  assert.equal(found.check.outcome, "passed");
  assert.equal(record.minimization, null);
  assert.equal(record.manifest.digest, base.tree.digest);
  assert.equal(record.final!.patch, change.rendered);
  assert.equal(record.final!.resultTree, change.result.digest);
  assert.equal(found.check.details.bundle, "kept");
});

Deno.test("proveProposal: targets that pass already must still pass, which is no proof", async () => {
  const { found, record } = await proved(has("two"), DIFF, 2);
  assert.equal(record.status, "already_passing");
  assert.equal(found.outcome, "still_passing");
  assert.equal(found.check.outcome, "passed");
  assert.equal((found.check.details.with_patch as unknown[]).length, 2);
});

Deno.test("proveProposal: a patch that breaks what passed fails", async () => {
  const { found } = await proved(has("one"));
  assert.equal(found.outcome, "no_longer_passing");
  assert.equal(found.check.outcome, "failed");
});

Deno.test("proveProposal: a patch that does not help is not proved", async () => {
  const { found } = await proved(has("never"));
  assert.equal(found.outcome, "not_proved");
  assert.equal(found.check.outcome, "failed");
});

Deno.test("proveProposal: green with the patch in one run and red in another is flaky", async () => {
  let runs = 0;
  const { found } = await proved(
    (_argv, files) => {
      const patched = (files.readText("a.txt") ?? "").includes("fixed");
      return { exitCode: patched && runs++ % 2 === 1 ? 1 : 0 };
    },
    lineDiff("a.txt", "one", "fixed"),
    2,
  );
  assert.equal(found.outcome, "flaky");
  assert.equal(found.check.outcome, "needs_approval");
});
