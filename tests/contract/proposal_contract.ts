import assert from "node:assert/strict";
import { collectGarbage, examine, pruneVersions } from "../../src/store/artifact/upkeep.ts";
import {
  type Approval,
  MAX_DOCUMENT_BYTES,
  type Proposal,
  type Revision,
} from "../../src/store/proposals.ts";
import type { CheckKind, CheckOutcome } from "../../src/vocabulary/proposal.ts";
import type { Store, WritableRows } from "../../src/store/store.ts";
import { sha256 } from "../../src/vocabulary/digest.ts";
import { addFiles, authorOf, givenStore, putFiles, type StoreUnderTest } from "./store_contract.ts";

const TIME = "2026-01-02T03:04:05.000Z";
const PATCH = new TextEncoder().encode("--- a/f\n+++ b/f\n@@ -1 +1 @@\n-1\n+2\n");

/** A base version, and a draft's row for it; what it refers to is in the store. */
export async function draftRow(store: Store, over: Partial<Revision> = {}): Promise<Revision> {
  const base = store.records.read((rows) => rows.version("a", 1)) ??
    (await addFiles(store, "a", { f: "1\n", base: "base\n" })).version;
  const result = putFiles(store, { f: "2\n", base: "base\n" });
  store.records.write((rows) => {
    for (const [digest, body] of result.trees) rows.insertTree(digest, body);
  });
  const writer = store.blobs.writer();
  writer.put(PATCH, sha256(PATCH));
  writer.flush();
  return {
    ...{ proposal: 1, number: 1, state: "draft", reason: "", changedAt: TIME },
    ...{ baseVersion: base.number, baseRoot: base.root, baseManifest: base.manifest },
    ...{ resultRoot: result.root, resultManifest: result.manifest() },
    ...{ patch: sha256(PATCH), patchBytes: PATCH.length, files: 1, additions: 1, deletions: 1 },
    ...{ instruction: "make it two", source: '{"kind":"diff"}', actor: "maker", createdAt: TIME },
    ...{ proposerKey: null, envelope: null, evidence: null, evidenceDocument: null, expiresAt: null },
    ...over,
  };
}

const proposalRow = (number = 1, artifact = "a"): Proposal => ({
  ...{ number, artifact, title: `title ${number}`, actor: "maker", createdAt: TIME, lastRevision: 0 },
});
const DOCUMENT = '{"format":"test"}';
const PROPOSED = {
  ...{ evidence: sha256(DOCUMENT), evidenceDocument: DOCUMENT, expiresAt: "2026-02-01T00:00:00.000Z" },
  ...{ proposerKey: "k".repeat(64), envelope: "{}" },
};
const to = (state: Revision["state"], reason = "") => ({ state, reason, changedAt: TIME });
const approvalRow = (over: Partial<Approval> = {}): Approval => ({
  ...{ id: 1, proposal: 1, revision: 1, evidence: PROPOSED.evidence, decision: "approve", principal: "ann" },
  ...{ keyId: "k".repeat(64), envelope: "{}", reason: "", createdAt: TIME, expiresAt: null, reviewBy: null },
  ...over,
});

/** Registers the cases of proposals every adapter of a store must pass. */
export function proposalContract(name: string, make: () => Promise<StoreUnderTest>): void {
  const given = givenStore(name, make);
  const refused = (store: Store, what: string, work: (rows: WritableRows) => unknown) => {
    const before = JSON.stringify(store.records.read((rows) => [rows.proposals(), [...rows.allRevisions()]]));
    assert.throws(() => store.records.write(work), what);
    const after = JSON.stringify(store.records.read((rows) => [rows.proposals(), [...rows.allRevisions()]]));
    assert.equal(after, before, what);
  };
  const proposed = async (store: Store) => {
    const draft = await draftRow(store);
    store.records.write((rows) => {
      rows.insertProposal(proposalRow());
      rows.insertRevision(draft);
      rows.setProposed(1, 1, PROPOSED);
      assert.ok(rows.setRevisionState(1, 1, { state: "draft", evidence: PROPOSED.evidence }, to("proposed")));
    });
    return draft;
  };

  given("a proposal, its revision, checks and approvals come back as they were put", async (store) => {
    const draft = await draftRow(store);
    const check = { proposal: 1, revision: 1, document: "{}", createdAt: TIME, outcome: "passed" as const };
    store.records.write((rows) => {
      assert.deepEqual([rows.lastProposal(), rows.lastApproval(), rows.proposals()], [0, 0, []]);
      rows.insertProposal(proposalRow());
      rows.insertRevision(draft);
      assert.deepEqual(rows.revision(1, 1), draft);
      rows.insertCheck({ ...check, kind: "safety", outcome: "needs_approval" });
      rows.insertCheck({ ...check, kind: "patch" });
      rows.setProposed(1, 1, PROPOSED);
      rows.setRevisionState(1, 1, { state: "draft", evidence: PROPOSED.evidence }, to("proposed", "why"));
      rows.insertApproval(approvalRow());
      rows.insertApproval(approvalRow({ id: 2, decision: "bypass", reviewBy: TIME, reason: "now" }));
    });
    const whole: Revision = { ...draft, ...PROPOSED, state: "proposed", reason: "why" };
    const { source: _s, envelope: _e, evidenceDocument: _d, ...head } = whole;
    const { baseRoot: _r, baseManifest: _m, resultRoot: _t, resultManifest: _n, patch: _p, ...rest } = head;
    const { patchBytes: _b, instruction: _i, proposerKey: _k, ...line } = rest;
    const proposal = { ...proposalRow(), lastRevision: 1 };
    store.records.read((rows) => {
      assert.deepEqual(rows.proposal(1), proposal);
      assert.deepEqual(rows.revision(1, 1), whole);
      assert.deepEqual(rows.revisions(1), [head]);
      assert.deepEqual([...rows.allRevisions()], [head]);
      assert.deepEqual(rows.proposals(), [{ proposal, revision: line, forced: true, failed: [] }]);
      assert.deepEqual(rows.checks(1, 1).map(({ kind }) => kind), ["patch", "safety"]);
      assert.deepEqual(rows.checks(1, 1)[1], { ...check, kind: "safety", outcome: "needs_approval" });
      assert.deepEqual(rows.approvals(1, 1).map(({ id }) => id), [1, 2]);
      assert.deepEqual([rows.approval(1), [...rows.allApprovals()][0]], [approvalRow(), approvalRow()]);
      assert.deepEqual([rows.lastProposal(), rows.lastApproval()], [1, 2]);
      assert.deepEqual([rows.proposal(2), rows.revision(1, 2), rows.approval(3)], [null, null, null]);
    });
  });

  given(
    "a list has each proposal with its newest revision, newest first, narrowed as asked",
    async (store) => {
      await addFiles(store, "a", { f: "1\n", base: "base\n" });
      await addFiles(store, "b", { other: "x" });
      const draft = await draftRow(store);
      store.records.write((rows) => {
        for (let number = 1; number <= 5; number++) {
          rows.insertProposal(proposalRow(number, number % 2 === 0 ? "b" : "a"));
          rows.insertRevision({ ...draft, proposal: number });
        }
        rows.setRevisionState(3, 1, { state: "draft", evidence: null }, to("superseded"));
        rows.insertRevision({ ...draft, proposal: 3, number: 2 });
        rows.setRevisionState(4, 1, { state: "draft", evidence: null }, to("rejected"));
      });
      const listed = (filter?: Parameters<WritableRows["proposals"]>[0]) =>
        store.records.read((rows) => rows.proposals(filter))
          .map(({ proposal, revision }) => `${proposal.number}.${revision.number}`);
      assert.deepEqual(listed(), ["5.1", "4.1", "3.2", "2.1", "1.1"]);
      assert.deepEqual(listed({ state: "draft" }), ["5.1", "3.2", "2.1", "1.1"]);
      assert.deepEqual(listed({ state: "superseded" }), []);
      assert.deepEqual(listed({ artifact: "b" }), ["4.1", "2.1"]);
      assert.deepEqual(listed({ artifact: "b", state: "rejected" }), ["4.1"]);
      assert.deepEqual(listed({ artifact: "nobody" }), []);
      assert.deepEqual(listed({ after: 4, limit: 2 }), ["3.2", "2.1"]);
      assert.deepEqual(store.records.read((rows) => rows.revisions(3)).map((r) => r.number), [2, 1]);
      assert.deepEqual(
        [...store.records.read((rows) => [...rows.allRevisions()])].map((r) => `${r.proposal}.${r.number}`),
        ["1.1", "2.1", "3.1", "3.2", "4.1", "5.1"],
      );
    },
  );

  given("a list names the checks that failed of each proposal's newest revision, in order", async (store) => {
    const draft = await draftRow(store);
    const failed = () => store.records.read((rows) => rows.proposals()).map(({ failed }) => failed.join(" "));
    store.records.write((rows) => {
      const check = (proposal: number, kind: CheckKind, outcome: CheckOutcome) =>
        rows.insertCheck({ proposal, revision: 1, kind, outcome, document: "{}", createdAt: TIME });
      for (let number = 1; number <= 3; number++) {
        rows.insertProposal(proposalRow(number));
        rows.insertRevision({ ...draft, proposal: number });
      }
      check(1, "git", "failed");
      check(1, "patch", "failed");
      check(1, "safety", "needs_approval");
      check(2, "proof", "not_run");
      check(3, "syntax", "failed");
    });
    assert.deepEqual(failed(), ["syntax", "", "patch git"]);
    store.records.write((rows) => {
      rows.setRevisionState(1, 1, { state: "draft", evidence: null }, to("superseded"));
      rows.insertRevision({ ...draft, number: 2 });
    });
    assert.deepEqual(
      failed(),
      ["syntax", "", ""],
      "what failed of an older revision is not the newest one's",
    );
  });

  given("a state is set only from the state and evidence that were seen", async (store) => {
    await proposed(store);
    const { evidence } = PROPOSED;
    const set = (from: Parameters<WritableRows["setRevisionState"]>[2]) =>
      store.records.write((rows) => rows.setRevisionState(1, 1, from, to("approved", "yes")));
    assert.equal(set({ state: "draft", evidence }), false);
    assert.equal(set({ state: "proposed", evidence: null }), false);
    assert.equal(set({ state: "proposed", evidence: "0".repeat(64) }), false);
    assert.equal(set({ state: "proposed", evidence }), true);
    assert.equal(set({ state: "proposed", evidence }), false);
    const row = store.records.read((rows) => rows.revision(1, 1))!;
    assert.deepEqual([row.state, row.reason], ["approved", "yes"]);
    assert.equal(
      store.records.write((rows) =>
        rows.setRevisionState(1, 2, { state: "draft", evidence: null }, to("stale"))
      ),
      false,
    );
  });

  given("rows of proposals that refer to nothing, come twice or out of order are refused", async (store) => {
    const draft = await draftRow(store);
    const nowhere = "0".repeat(64);
    refused(store, "unknown artifact", (rows) => rows.insertProposal(proposalRow(1, "nobody")));
    refused(store, "a gap", (rows) => rows.insertProposal(proposalRow(2)));
    refused(
      store,
      "a revision beforehand",
      (rows) => rows.insertProposal({ ...proposalRow(), lastRevision: 1 }),
    );
    refused(store, "no proposal", (rows) => rows.insertRevision(draft));
    store.records.write((rows) => rows.insertProposal(proposalRow()));
    refused(store, "twice", (rows) => rows.insertProposal(proposalRow()));
    refused(store, "unknown base", (rows) => rows.insertRevision({ ...draft, baseRoot: nowhere }));
    refused(store, "unknown result", (rows) => rows.insertRevision({ ...draft, resultRoot: nowhere }));
    refused(store, "a gap", (rows) => rows.insertRevision({ ...draft, number: 2 }));
    refused(store, "not a draft", (rows) => rows.insertRevision({ ...draft, state: "approved" }));
    refused(store, "with evidence", (rows) => rows.insertRevision({ ...draft, ...PROPOSED }));
    const long = "x".repeat(MAX_DOCUMENT_BYTES + 1);
    refused(store, "too long", (rows) => rows.insertRevision({ ...draft, source: long }));
    store.records.write((rows) => rows.insertRevision(draft));
    refused(store, "twice", (rows) => rows.insertRevision(draft));
    refused(
      store,
      "approved without evidence",
      (rows) => rows.setRevisionState(1, 1, { state: "draft", evidence: null }, to("approved")),
    );
    refused(store, "too long", (rows) => rows.setProposed(1, 1, { ...PROPOSED, evidenceDocument: long }));
    refused(store, "nothing to approve", (rows) => rows.insertApproval(approvalRow()));
    const check = { proposal: 1, revision: 1, kind: "patch" as const, outcome: "passed" as const };
    store.records.write((rows) => rows.insertCheck({ ...check, document: "{}", createdAt: TIME }));
    refused(store, "twice", (rows) => rows.insertCheck({ ...check, document: "{}", createdAt: TIME }));
    refused(
      store,
      "no revision",
      (rows) => rows.insertCheck({ ...check, revision: 2, document: "{}", createdAt: TIME }),
    );
    store.records.write((rows) => rows.setProposed(1, 1, PROPOSED));
    refused(store, "evidence twice", (rows) => rows.setProposed(1, 1, PROPOSED));
    refused(store, "other evidence", (rows) => rows.insertApproval(approvalRow({ evidence: nowhere })));
    refused(store, "a gap", (rows) => rows.insertApproval(approvalRow({ id: 2 })));
    refused(store, "unsigned", (rows) => rows.insertApproval(approvalRow({ envelope: null })));
    refused(
      store,
      "bypass without review",
      (rows) => rows.insertApproval(approvalRow({ decision: "bypass" })),
    );
    refused(store, "review of none", (rows) => rows.insertApproval(approvalRow({ reviewBy: TIME })));
    store.records.write((rows) => rows.insertApproval(approvalRow()));
    refused(store, "twice", (rows) => rows.insertApproval(approvalRow()));
    refused(store, "its tree", (rows) => rows.deleteTree(draft.resultRoot));
  });

  given(
    "what a revision refers to outlives its base version, and damage names the proposal",
    async (store) => {
      await proposed(store);
      await addFiles(store, "a", { f: "3\n" });
      const by = authorOf(store);
      pruneVersions(store, by, "a", { kind: "keep", newest: 1 }, false);
      await collectGarbage(store, by, false, {});
      assert.deepEqual((await examine(store, {})).damages, []);
      assert.equal(store.blobs.has(sha256("1\n")) && store.blobs.has(sha256("2\n")), true);
      for (const gone of [sha256(PATCH), sha256("2\n"), sha256("base\n")]) store.blobs.remove(gone);
      const { damages } = await examine(store, {});
      const hits = new Map(damages.map(({ digest, hits, proposals }) => [digest, { hits, proposals }]));
      const hit = (path: string) => ({ proposal: 1, revision: 1, path });
      assert.equal(hits.size, 3);
      assert.deepEqual(hits.get(sha256(PATCH)), { hits: [], proposals: [hit("its patch")] });
      assert.deepEqual(hits.get(sha256("2\n")), { hits: [], proposals: [hit("result/f")] });
      assert.deepEqual(hits.get(sha256("base\n")), {
        hits: [],
        proposals: [hit("base/base"), hit("result/base")],
      });
    },
  );
}
