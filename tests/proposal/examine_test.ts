import assert from "node:assert/strict";
import fc from "fast-check";
import { readCheck } from "../../src/approve/check.ts";
import { readEvidence } from "../../src/approve/evidence.ts";
import { readProposal, signProposal } from "../../src/approve/statement.ts";
import { policyDigest } from "../../src/policy/digest.ts";
import type { Policy } from "../../src/policy/policy.ts";
import { draftProposal, draftRevision, type NewDraft, storedChange } from "../../src/proposal/draft.ts";
import { examine, type ExaminePlan, proposeDraft } from "../../src/proposal/examine.ts";
import { boundedCheck } from "../../src/proposal/found_check.ts";
import { MAX_FILE_BYTES } from "../../src/patch/refusal.ts";
import { listProposals } from "../../src/proposal/list.ts";
import { rebaseOnto } from "../../src/proposal/rebase.ts";
import { makeChange } from "../../src/proposal/steps.ts";
import { storedWorkspace } from "../../src/proposal/version_workspace.ts";
import { viewDocument, viewProposal } from "../../src/proposal/view.ts";
import { type PrivateKey, privateKeyOf } from "../../src/sign/key.ts";
import { requireRevision } from "../../src/store/proposal/find.ts";
import { withdraw } from "../../src/store/proposal/transition.ts";
import type { Store, Version } from "../../src/store/store.ts";
import { sha256 } from "../../src/vocabulary/digest.ts";
import type { Failure } from "../../src/vocabulary/failure.ts";
import {
  author,
  changePorts,
  emptyStore,
  lineDiff,
  NOW,
  patchOf,
  planOf,
  stepPorts,
  storeVersion,
} from "./fixture.ts";

const FILES = { "a.py": "import os\n\n\ndef f():\n    return 1\n", "b.txt": "one\ntwo\nthree\n" };

async function draftOf(store: Store, base: Version, diff: string): Promise<NewDraft> {
  const tree = storedWorkspace(store, base.root, "base");
  const made = await makeChange([patchOf(diff)], tree, planOf(), stepPorts());
  assert.ok(made.ok, JSON.stringify(made));
  return { base, change: made.change, instruction: "", source: { steps: made.steps } };
}

function examinePlan(policy: (policy: Policy) => Policy = (p) => p): ExaminePlan {
  const plan = planOf(policy);
  return {
    ...plan,
    policyDigest: policyDigest(plan.config),
    checker: { version: "0.0.0", rules: sha256("rules") },
    noProof: "no_targets",
    rebasedFrom: null,
  };
}

function keyOf(seed: Uint8Array): PrivateKey {
  const read = privateKeyOf(seed);
  assert.ok(read.ok);
  return read.key;
}
const KEY = keyOf(new Uint8Array(32).fill(7));

async function proposed(store: Store, base: Version, diff: string, plan = examinePlan(), sign = false) {
  const found = await draftProposal(store, author(store), "a change", await draftOf(store, base, diff), {});
  const examined = await examine(store, found, plan, {
    ...await changePorts(),
    prove: () => Promise.reject(new Error("nothing is proved here")),
    signer: sign ? { keyId: KEY.publicKey.id, sign: (statement) => signProposal(statement, [KEY]) } : null,
    now: () => NOW,
  });
  const done = proposeDraft(store, author(store), found, examined, null);
  assert.ok(done.ok);
  return requireRevision(rowsOf(store), { proposal: found.proposal.number, revision: null });
}

/** Rows as they are, for looking. */
function rowsOf(store: Store) {
  return store.records.read((rows) => rows);
}

Deno.test("proposing: a draft becomes a proposal whose evidence is of it, checks beside it, everything in the log", async () => {
  const store = emptyStore();
  const base = storeVersion(store, FILES);
  const { revision } = await proposed(
    store,
    base,
    lineDiff("a.py", "    return 1", "    return 2", 5),
    undefined,
    true,
  );
  assert.equal(revision.state, "proposed");
  const read = readEvidence(revision.evidenceDocument!);
  assert.ok(read.ok);
  assert.equal(sha256(revision.evidenceDocument!), revision.evidence);
  assert.deepEqual(read.evidence.checks.map(({ kind, outcome }) => `${kind} ${outcome}`), [
    ...["patch passed", "syntax passed", "imports passed", "safety passed", "proof not_run", "git passed"],
  ]);
  assert.deepEqual(read.evidence.patch.files, [
    { path: "a.py", old_path: null, change: "modified", additions: 1, deletions: 1 },
  ]);
  assert.equal(read.evidence.base.manifest, base.manifest);
  const signed = readProposal(revision.envelope!, [KEY.publicKey]);
  assert.ok(signed.ok);
  assert.equal(signed.statement.patch_sha256, revision.patch);
  const kinds = rowsOf(store).events(0, 100).map(({ kind }) => kind);
  assert.deepEqual(kinds.slice(-3), ["proposal_created", "revision_created", "proposal_proposed"]);
  const changed = await storedChange(store, requireRevision(rowsOf(store), { proposal: 1, revision: 1 }));
  assert.equal(changed.change.result.digest, revision.resultManifest);
});

Deno.test("proposing: what fails is kept with the proposal, and nothing is run of a patch that no patch may be", async () => {
  const store = emptyStore();
  const base = storeVersion(store, FILES);
  const plan = { ...examinePlan((p) => ({ ...p, deny_write: ["**"] })), noProof: null };
  const { revision } = await proposed(store, base, lineDiff("b.txt", "one", "1"), plan);
  const checks = rowsOf(store).checks(1, revision.number);
  const of = (kind: string) => checks.find((check) => check.kind === kind)!;
  assert.equal(of("patch").outcome, "failed");
  assert.match(readCheck(of("proof").document)!.summary, /not run/);
});

Deno.test("storedChange: a revision whose patch is not what makes its result is refused", async () => {
  const store = emptyStore();
  const base = storeVersion(store, FILES);
  const found = await draftProposal(
    store,
    author(store),
    "t",
    await draftOf(store, base, lineDiff("b.txt", "one", "1")),
    {},
  );
  const other = await draftOf(store, base, lineDiff("b.txt", "two", "2", 2));
  const second = await draftProposal(store, author(store), "t", other, {});
  const mixed = { ...found, revision: { ...found.revision, patch: second.revision.patch } };
  await assert.rejects(storedChange(store, mixed), { code: "revision_corrupt" });
});

Deno.test("draftRevision: of two who revise the same revision one does", async () => {
  const store = emptyStore();
  const base = storeVersion(store, FILES);
  const { revision } = await proposed(store, base, lineDiff("b.txt", "one", "1"));
  const draft = await draftOf(store, base, lineDiff("b.txt", "one", "uno"));
  const first = await draftRevision(store, author(store), revision, draft, {});
  assert.ok(first.ok);
  assert.equal(first.found.revision.number, 2);
  const second = await draftRevision(store, author(store), revision, draft, {});
  assert.deepEqual(second, { ok: false, code: "superseded", state: "draft" });
  assert.equal(rowsOf(store).revision(1, 1)!.state, "superseded");
});

Deno.test("rebaseOnto: a clean rebase keeps both sides and applies to the newest version", async () => {
  const store = emptyStore();
  const base = storeVersion(store, FILES);
  const found = await proposed(store, base, lineDiff("b.txt", "one", "1"));
  const next = storeVersion(store, { ...FILES, "b.txt": "one\ntwo\nthree\nfour\n", "c.txt": "c\n" });
  const rebased = await rebaseOnto(store, found, next, "manual");
  assert.ok(rebased.kind === "rebased");
  assert.equal(rebased.clean, true);
  assert.match(String(rebased.change.rendered), /-one\n\+1\n/);
  assert.doesNotMatch(String(rebased.change.rendered), /four\n-|\+four/);
});

Deno.test("rebaseOnto: both sides of a line conflict by file, line and reason, until a strategy decides", async () => {
  const store = emptyStore();
  const base = storeVersion(store, FILES);
  const found = await proposed(store, base, lineDiff("b.txt", "two", "zwei", 2));
  const next = storeVersion(store, { ...FILES, "b.txt": "one\ndeux\nthree\n" });
  const rebased = await rebaseOnto(store, found, next, "manual");
  assert.ok(rebased.kind === "conflicts");
  assert.deepEqual(
    rebased.conflicts.flatMap(({ path, regions }) => regions.map(({ line, reason }) => [path, line, reason])),
    [
      ["b.txt", 2, "both_changed"],
    ],
  );
  const theirs = await rebaseOnto(store, found, next, "theirs");
  assert.ok(theirs.kind === "rebased");
  assert.equal(theirs.clean, false);
  assert.match(String(theirs.change.rendered), /-deux\n\+zwei\n/);
  assert.equal((await rebaseOnto(store, found, next, "ours")).kind, "nothing_left");
});

Deno.test("rebaseOnto: a file that is gone conflicts; one that has the change already leaves nothing", async () => {
  const store = emptyStore();
  const base = storeVersion(store, FILES);
  const found = await proposed(store, base, lineDiff("b.txt", "two", "zwei", 2));
  const gone = storeVersion(store, { "a.py": FILES["a.py"] });
  const rebased = await rebaseOnto(store, found, gone, "manual");
  assert.ok(rebased.kind === "conflicts");
  assert.equal(rebased.conflicts[0]!.regions[0]!.reason, "deleted_by_us");
  const same = storeVersion(store, { ...FILES, "b.txt": "one\nzwei\nthree\n" });
  assert.equal((await rebaseOnto(store, found, same, "manual")).kind, "nothing_left");
});

Deno.test("rebaseOnto: a file larger than a session patches stands in the way like any other", async () => {
  const store = emptyStore();
  const base = storeVersion(store, FILES);
  const found = await proposed(store, base, "--- /dev/null\n+++ b/big/x\n@@ -0,0 +1 @@\n+x\n");
  const large = storeVersion(store, { ...FILES, big: new Uint8Array(17 << 20).fill(120) });
  const rebased = await rebaseOnto(store, found, large, "manual");
  assert.ok(rebased.kind === "conflicts", rebased.kind);
  const { base: was, ours, theirs } = rebased.conflicts[0]!;
  assert.deepEqual([was, ours?.size ?? null, theirs?.size], [null, null, 2]);
  const huge = storeVersion(store, { ...FILES, big: new Uint8Array(MAX_FILE_BYTES + 1) });
  const tooLarge = (error: Failure) => error.code === "file_too_large" && error.kind === "malformed";
  await assert.rejects(rebaseOnto(store, found, huge, "manual"), tooLarge);
});

Deno.test("examine: evidence of a rebase says whether it was clean and whether findings grew", async () => {
  const store = emptyStore();
  const base = storeVersion(store, FILES);
  const plan = examinePlan((p) => ({ ...p, safety: { ...p.safety, require_approval: ["exec"] } }));
  const found = await proposed(
    store,
    base,
    lineDiff("a.py", "    return 1", "    return os.run(x)", 5),
    plan,
  );
  for (
    const [files, grew] of [
      [{ ...FILES, "c.txt": "c\n" }, false],
      // What the change calls is another module's by now.
      [{ ...FILES, "a.py": "import subprocess as os\n\n\ndef f():\n    return 1\n" }, true],
    ] as const
  ) {
    const next = storeVersion(store, files);
    const rebased = await rebaseOnto(store, found, next, "manual");
    assert.ok(rebased.kind === "rebased");
    const newest = requireRevision(rowsOf(store), { proposal: found.proposal.number, revision: null });
    const drafted = await draftRevision(
      store,
      author(store),
      newest.revision,
      { base: next, change: rebased.change, instruction: "", source: {} },
      {},
    );
    assert.ok(drafted.ok);
    const from = { evidence: found.revision.evidence!, revision: 1, clean: rebased.clean };
    const { evidence } = await examine(store, drafted.found, { ...plan, rebasedFrom: from }, {
      ...await changePorts(),
      prove: () => Promise.reject(new Error("no")),
      signer: null,
      now: () => NOW,
    });
    assert.deepEqual([evidence.rebased_from!.clean, evidence.rebased_from!.revision], [true, 1]);
    assert.equal(evidence.rebased_from!.findings_grew, grew, JSON.stringify(evidence.safety));
  }
});

Deno.test("viewProposal: everything a page needs, hostile text as it is and never more than it is", async () => {
  const store = emptyStore();
  const base = storeVersion(store, FILES);
  await proposed(store, base, lineDiff("a.py", "    return 1", "    return '\u202e'", 5));
  const view = await viewProposal(store, { proposal: 1, revision: null }, NOW);
  const document = viewDocument(view) as {
    files: { path: string; syntax: { verdict: string }; hunks: Record<string, unknown>[] }[];
    checks: { kind: string }[];
  };
  assert.deepEqual(
    document.files[0]!.hunks.map(({ old, new: now, context, changes }) => [old, now, context, changes]),
    [
      [{ start: 2, end: 5 }, { start: 2, end: 5 }, 3, 2],
    ],
  );
  assert.equal(document.files[0]!.syntax.verdict, "valid");
  assert.equal(document.checks.length, 6);
  assert.notEqual(view.state, "expired");
  const later = new Date(NOW.getTime() + 400 * 86_400_000);
  assert.equal((await viewProposal(store, { proposal: 1, revision: null }, later)).state, "expired");
});

Deno.test("listProposals: narrows by state, artifact and who proposed, and says when there are more", async () => {
  const store = emptyStore();
  const base = storeVersion(store, FILES);
  const draft = await draftOf(store, base, lineDiff("b.txt", "one", "1"));
  for (const actor of ["ann", "bob", "ann", "ann"]) {
    await draftProposal(store, author(store, actor), "t", draft, {});
  }
  store.records.write((rows) =>
    withdraw(rows, author(store), { proposal: 1, revision: 1, evidence: null }, "no")
  );
  const numbers = (asked: Parameters<typeof listProposals>[1]) =>
    listProposals(rowsOf(store), asked).proposals.map(({ proposal }) => proposal.number);
  assert.deepEqual(numbers({ limit: 10 }), [4, 3, 2, 1]);
  assert.deepEqual(numbers({ limit: 10, actor: "ann" }), [4, 3, 1]);
  assert.deepEqual(numbers({ limit: 10, state: "rejected" }), [1]);
  assert.deepEqual(numbers({ limit: 2, actor: "ann" }), [4, 3]);
  assert.equal(listProposals(rowsOf(store), { limit: 2, actor: "ann" }).more, true);
  assert.equal(listProposals(rowsOf(store), { limit: 3, actor: "ann" }).more, false);
  assert.deepEqual(numbers({ limit: 10, artifact: "other" }), []);
});

Deno.test("boundedCheck: whatever a check found fits into its document, and says what is left out", () => {
  const finding = fc.record({
    level: fc.constantFrom("info" as const, "error" as const),
    code: fc.constant("c"),
    path: fc.constant("p"),
    line: fc.constant(1),
    detail: fc.string({ maxLength: 50 }).map((text) => text.repeat(400)),
  });
  fc.assert(
    fc.property(fc.array(finding, { maxLength: 5 }), fc.integer({ min: 1, max: 2_000 }), (some, times) => {
      const findings = Array.from({ length: times }, () => some).flat();
      const check = boundedCheck({
        ...{ kind: "safety", outcome: "failed", summary: "s", findings },
        details: { list: findings, other: 1 },
      });
      assert.ok(JSON.stringify(check).length < 900 << 10);
      assert.equal(check.outcome, "failed");
      assert.equal(
        check.findings.length < findings.length,
        "left_out" in check.details &&
          "findings" in (check.details.left_out as object),
      );
    }),
    { numRuns: 30 },
  );
});
