import assert from "node:assert/strict";
import type { Evidence } from "../../src/approve/evidence.ts";
import { EVIDENCE_FORMAT } from "../../src/approve/evidence.ts";
import type { ApprovalTerms } from "../../src/approve/judge.ts";
import { type ApprovalStatement, signApproval } from "../../src/approve/statement.ts";
import type { PrivateKey } from "../../src/sign/key.ts";
import type { Author } from "../../src/store/log/change.ts";
import { addProposal, addRevision, type NewRevision, propose } from "../../src/store/proposal/change.ts";
import { decide, type Decided } from "../../src/store/proposal/decide.ts";
import type { Target } from "../../src/store/proposal/transition.ts";
import type { Proposal, Revision } from "../../src/store/proposals.ts";
import type { Store, WritableRows } from "../../src/store/store.ts";
import { sha256 } from "../../src/vocabulary/digest.ts";
import { CHECKS } from "../approve/fixture.ts";
import { addFiles, putFiles } from "../contract/store_contract.ts";

const encode = (text: string) => new TextEncoder().encode(text);

/** A change of one line of `src/a.py` of an artifact whose newest version has it, all in the store but its rows. */
export async function newRevision(
  store: Store,
  artifact = "a",
  word = "two",
  shown = word,
): Promise<NewRevision> {
  const base = store.records.read((rows) => rows.latest(artifact)) ??
    (await addFiles(store, artifact, { "src/a.py": "one\n" })).version;
  const result = putFiles(store, { "src/a.py": `${word}\n` });
  const patch = encode(
    `diff --git a/src/a.py b/src/a.py\n--- a/src/a.py\n+++ b/src/a.py\n@@ -1 +1 @@\n-one\n+${shown}\n`,
  );
  const writer = store.blobs.writer();
  writer.put(patch, sha256(patch));
  writer.flush();
  return {
    ...{ baseVersion: base.number, baseRoot: base.root, baseManifest: base.manifest },
    ...{ resultRoot: result.root, resultManifest: result.manifest() },
    ...{ patch: sha256(patch), patchBytes: patch.length, files: 1, additions: 1, deletions: 1 },
    ...{ instruction: `say ${word}`, source: { kind: "diff" }, trees: result.trees },
  };
}

/** Evidence of a revision that says it is clean and proved. */
export function evidenceFor(
  storeId: string,
  proposal: Proposal,
  revision: Revision,
  terms: Pick<ApprovalTerms, "policyDigest">,
  over: Partial<Evidence> = {},
): Evidence {
  const checks = over.checks ?? CHECKS.map(({ kind, outcome, document }) => ({
    ...{ kind, outcome, document_sha256: sha256(document) },
  }));
  return {
    ...{ format: EVIDENCE_FORMAT, store: storeId, proposal: proposal.number, revision: revision.number },
    ...{ artifact: proposal.artifact, base_version: revision.baseVersion, title: proposal.title },
    base: { root: revision.baseRoot, manifest: revision.baseManifest },
    result: { root: revision.resultRoot, manifest: revision.resultManifest },
    ...{ instruction_sha256: sha256(revision.instruction), source_sha256: sha256(revision.source) },
    patch: {
      ...{ sha256: revision.patch, bytes: revision.patchBytes, additions: 1, deletions: 1 },
      files: [{ path: "src/a.py", old_path: null, change: "modified", additions: 1, deletions: 1 }],
    },
    policy_sha256: terms.policyDigest,
    checker: { version: "1.0.0", rules_sha256: sha256("rules") },
    safety: {
      ...{ outcome: "allowed", added: 0, removed: 0, widened: 0, unanalyzed: 0, missing_imports: 0 },
      delta_sha256: sha256("delta"),
    },
    checks,
    proof: { session: "s", statement_sha256: sha256("statement"), outcome: "proved" },
    proposer: { actor: revision.actor, key_id: null },
    rebased_from: null,
    ...{ created_at: revision.createdAt, expires_at: null },
    ...over,
  };
}

/** Proposes a new proposal, or a new revision of one, with evidence that `over` changes. */
export async function proposeChange(
  store: Store,
  by: Author,
  terms: ApprovalTerms,
  {
    over = {},
    proposal = null,
    word = "two",
    shown = word,
    title = "a change",
    artifact = "a",
    checks = CHECKS,
  }: {
    readonly over?: Partial<Evidence>;
    readonly proposal?: number | null;
    readonly word?: string;
    /** What the patch says instead of the word. */
    readonly shown?: string;
    readonly title?: string;
    readonly artifact?: string;
    readonly checks?: Parameters<typeof propose>[3]["checks"];
  } = {},
): Promise<Target & { readonly evidence: string }> {
  const revision = await newRevision(store, artifact, word, shown);
  return store.records.write((rows) => {
    const added = proposal === null
      ? addProposal(rows, by, { artifact, title, revision })
      : { proposal: rows.proposal(proposal)!, ...nextRevision(rows, by, proposal, revision) };
    const target = { proposal: added.proposal.number, revision: added.revision.number };
    const evidence = evidenceFor(by.storeId, added.proposal, added.revision, terms, {
      checks: checks.map(({ kind, outcome, document }) => ({
        kind,
        outcome,
        document_sha256: sha256(document),
      })),
      ...over,
    });
    const proposed = propose(rows, by, target, { evidence, checks, signature: null });
    assert.ok(proposed.ok);
    return { ...target, evidence: proposed.evidence };
  });
}

function nextRevision(rows: WritableRows, by: Author, proposal: number, what: NewRevision) {
  const added = addRevision(rows, by, proposal, what);
  assert.ok(added.ok, JSON.stringify(added));
  return added;
}

/** What somebody signs about a revision. */
export function envelopeOf(
  store: Store,
  target: Target,
  key: PrivateKey,
  now: Date,
  over: Partial<ApprovalStatement> = {},
): string {
  return signApproval({
    ...{ format: "veripatch-approval/v1", store: store.records.storeId, proposal: target.proposal },
    ...{ revision: target.revision, evidence_sha256: target.evidence!, decision: "approve", reason: "" },
    ...{ time: now.toISOString(), expires_at: null, review_by: null },
    ...over,
  }, [key]);
}

/** Decides as a key's owner, in a transaction of its own. */
export function decideAs(
  store: Store,
  by: Author,
  target: Target,
  key: PrivateKey,
  terms: ApprovalTerms,
  over: Partial<ApprovalStatement> = {},
): Decided {
  const envelope = envelopeOf(store, target, key, terms.now, over);
  const keyId = key.publicKey.id;
  return store.records.write((rows) => decide(rows, by, target, { envelope, keyId }, terms));
}

/** What was told of each revision, by the log; every step one that the table of states has. */
export function toldStates(store: Store): Map<string, string[]> {
  const told = new Map<string, string[]>();
  const events = store.records.read((rows) => rows.events(0, 1_000_000));
  for (const { kind, payload } of events) {
    const { proposal, revision, from, to } = JSON.parse(payload!);
    const name = `${proposal}.${revision}`;
    if (kind === "revision_created") told.set(name, ["draft"]);
    if (to === undefined) continue;
    assert.equal(told.get(name)!.at(-1), from, `${name} goes on from where it was`);
    told.get(name)!.push(to);
  }
  return told;
}
