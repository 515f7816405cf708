import assert from "node:assert/strict";
import fc from "fast-check";
import type { Evidence } from "../../src/approve/evidence.ts";
import type { FileInUse } from "../../src/approve/in_use.ts";
import {
  type ApprovalTerms,
  denyingChecks,
  isApprovalNeeded,
  judgeApprovals,
  type StoredDecision,
  type Subject,
} from "../../src/approve/judge.ts";
import { ruleHash } from "../../src/approve/automatic.ts";
import { type ProposalStatement, signApproval, signProposal } from "../../src/approve/statement.ts";
import type { ApprovalPolicy } from "../../src/policy/policy.ts";
import type { PrivateKey } from "../../src/sign/key.ts";
import { sha256 } from "../../src/vocabulary/digest.ts";
import {
  ANN,
  ANN_TOO,
  BOB,
  decisionBy,
  EVE,
  evidenceOf,
  NOW,
  statementOf,
  STORE,
  subjectOf,
  termsOf,
  trusted,
} from "./fixture.ts";

const TERMS = termsOf();
const SUBJECT = subjectOf(evidenceOf(TERMS));
const later = (seconds: number) => new Date(NOW.getTime() + seconds * 1000);
const outcomeOf = (decisions: readonly StoredDecision[], terms = TERMS, subject = SUBJECT) =>
  judgeApprovals(subject, decisions, terms).outcome;
const refusalOf = (decision: StoredDecision, terms = TERMS, subject = SUBJECT) =>
  judgeApprovals(subject, [decision], terms).decisions[0]!.refusal?.reason ?? null;

Deno.test("judgeApprovals: approvals of as many principals as it takes, keys of one are one voice", () => {
  const two = termsOf({ threshold: 2 });
  const subject = subjectOf(evidenceOf(two));
  const [ann, annToo, bob] = [
    decisionBy(subject, "ann", ANN),
    decisionBy(subject, "ann", ANN_TOO),
    decisionBy(subject, "bob", BOB),
  ];
  assert.equal(outcomeOf([], two, subject), "missing");
  assert.equal(outcomeOf([ann, ann, annToo], two, subject), "missing");
  assert.equal(outcomeOf([ann, annToo, bob], two, subject), "approved");
  const standing = judgeApprovals(subject, [ann], two);
  assert.deepEqual([standing.by, standing.needed, standing.missing], [["ann"], 2, ["1 more of 2 approvers"]]);
  const three = { ...two, threshold: 3 };
  assert.deepEqual(judgeApprovals(subject, [ann, bob], three).missing, [
    "1 more of 3 approvers",
    "the trust file has 0 who could approve it",
  ]);
  assert.equal(judgeApprovals(SUBJECT, [], { ...TERMS, threshold: 0 }).needed, 1);
});

Deno.test("judgeApprovals: one rejection outweighs every approval", () => {
  const all = [decisionBy(SUBJECT, "ann", ANN), decisionBy(SUBJECT, "bob", BOB, { decision: "reject" })];
  assert.equal(outcomeOf(all), "rejected");
  assert.equal(outcomeOf([...all].reverse()), "rejected");
  // Of nobody who is trusted, or of other evidence, it is none.
  assert.equal(outcomeOf([all[0]!, decisionBy(SUBJECT, "eve", EVE, { decision: "reject" })]), "approved");
});

Deno.test("judgeApprovals: what does not count, and why", () => {
  const other = subjectOf(evidenceOf(TERMS, { title: "other" }));
  const good = decisionBy(SUBJECT, "ann", ANN);
  const cases: [string, StoredDecision, string | null][] = [
    ["a good one", good, null],
    ["of other evidence", decisionBy(other, "ann", ANN), "other_evidence"],
    [
      "other evidence under this one's hash",
      { ...decisionBy(other, "ann", ANN), evidence: SUBJECT.hash },
      "statement_differs",
    ],
    ["another store", decisionBy(SUBJECT, "ann", ANN, { store: "0".repeat(32) }), "statement_differs"],
    ["another proposal", decisionBy(SUBJECT, "ann", ANN, { proposal: 2 }), "statement_differs"],
    ["another revision", decisionBy(SUBJECT, "ann", ANN, { revision: 2 }), "statement_differs"],
    ["a rejection told as an approval", {
      ...decisionBy(SUBJECT, "ann", ANN, { decision: "reject" }),
      decision: "approve",
    }, "statement_differs"],
    ["an untrusted key", decisionBy(SUBJECT, "eve", EVE), "statement_untrusted"],
    [
      "an untrusted key told as ann's",
      { ...decisionBy(SUBJECT, "ann", EVE), keyId: ANN.publicKey.id },
      "statement_untrusted",
    ],
    ["signed by bob, told as ann's", decisionBy(SUBJECT, "ann", BOB), "other_signer"],
    ["told with another key", { ...good, keyId: ANN_TOO.publicKey.id }, "other_signer"],
    ["without an envelope", { ...good, envelope: null }, "unsigned"],
    ["no envelope", { ...good, envelope: "{}" }, "envelope_members"],
    [
      "from the future",
      decisionBy(SUBJECT, "ann", ANN, { time: later(600).toISOString() }),
      "from_the_future",
    ],
    ["a clock a little ahead", decisionBy(SUBJECT, "ann", ANN, { time: later(60).toISOString() }), null],
    ["expired", decisionBy(SUBJECT, "ann", ANN, { expires_at: NOW.toISOString() }), "approval_expired"],
    [
      "older than the policy's time",
      decisionBy(SUBJECT, "ann", ANN, {
        time: later(-604_800).toISOString(),
        expires_at: later(604_800).toISOString(),
      }),
      "approval_expired",
    ],
    [
      "a bypass the policy does not allow",
      decisionBy(SUBJECT, "ann", ANN, {
        ...{ decision: "bypass", reason: "fire", review_by: later(60).toISOString() },
      }),
      "bypass_denied",
    ],
  ];
  for (const [what, decision, reason] of cases) {
    assert.equal(refusalOf(decision), reason, what);
    assert.equal(outcomeOf([decision]), reason === null ? "approved" : "missing", what);
  }
});

Deno.test("judgeApprovals: a key that is revoked or runs out takes its approval with it", () => {
  const approval = decisionBy(SUBJECT, "ann", ANN);
  const without = trusted({
    keys: [BOB.publicKey],
    owners: new Map([[BOB.publicKey.id, "bob"]]),
    refused: [{ principal: "ann", key: ANN.publicKey, state: "revoked" }],
  });
  assert.equal(outcomeOf([approval]), "approved");
  assert.equal(outcomeOf([approval], { ...TERMS, trusted: without }), "missing");
});

Deno.test("judgeApprovals: whoever proposed does not approve: not by key, by principal nor by name", () => {
  const own = (proposer: Evidence["proposer"], principal: string, key: typeof ANN, terms = TERMS) => {
    const subject = subjectOf(evidenceOf(TERMS, { proposer }));
    return refusalOf(decisionBy(subject, principal, key), terms, subject);
  };
  assert.equal(own({ actor: "maker", key_id: null }, "ann", ANN), null);
  assert.equal(own({ actor: "maker", key_id: ANN.publicKey.id }, "ann", ANN), "own_proposal");
  assert.equal(own({ actor: "maker", key_id: ANN_TOO.publicKey.id }, "ann", ANN), "own_proposal");
  assert.equal(own({ actor: "ＡNN", key_id: null }, "ann", ANN), "own_proposal");
  assert.equal(own({ actor: "ann", key_id: BOB.publicKey.id }, "ann", ANN), "own_proposal");
  assert.equal(own({ actor: "ann", key_id: null }, "bob", BOB), null);
  // A key of theirs that was revoked meanwhile still says who proposed.
  const refused = [{ principal: "ann", key: EVE.publicKey, state: "revoked" as const }];
  const terms = { ...TERMS, trusted: trusted({ refused }) };
  assert.equal(own({ actor: "maker", key_id: EVE.publicKey.id }, "ann", ANN, terms), "own_proposal");
  // They may reject it.
  const subject = subjectOf(evidenceOf(TERMS, { proposer: { actor: "ann", key_id: null } }));
  assert.equal(
    outcomeOf([decisionBy(subject, "ann", ANN, { decision: "reject" })], TERMS, subject),
    "rejected",
  );
  // An envelope that both signed is nobody's other approval.
  const both = signApproval(statementOf(subject), [ANN, BOB]);
  const decision = { ...decisionBy(subject, "ann", ANN), envelope: both };
  assert.equal(refusalOf(decision, TERMS, subject), "own_proposal");
});

Deno.test("judgeApprovals: nobody approves what the policy denies or what another policy judged", () => {
  const denied = (over: Partial<Evidence>) => {
    const subject = subjectOf(evidenceOf(TERMS, over));
    return judgeApprovals(subject, [decisionBy(subject, "ann", ANN), decisionBy(subject, "bob", BOB)], TERMS);
  };
  const { safety, checks } = SUBJECT.evidence;
  for (
    const over of [
      { safety: { ...safety, outcome: "denied" as const } },
      { policy_sha256: sha256("another") },
    ]
  ) {
    const standing = denied(over);
    assert.equal(standing.outcome, "denied");
    assert.equal(standing.missing.length, 1);
  }
  // What a list marks as denied is what deciding refuses.
  for (const { kind } of checks) {
    const failed = checks.map((check) =>
      check.kind === kind ? { ...check, outcome: "failed" as const } : check
    );
    const standing = denied({ checks: failed });
    assert.equal(standing.outcome === "denied", denyingChecks([kind]).length === 1, kind);
    assert.equal(standing.missing.length, denyingChecks([kind]).length);
  }
});

Deno.test("isApprovalNeeded: always, on findings, never; what the safety policy keeps for a person always is", () => {
  const needed = (
    required: ApprovalPolicy["required"],
    over: Partial<Evidence> = {},
    proofAsked = true,
    inUse: readonly FileInUse[] = [],
  ) => isApprovalNeeded(evidenceOf(TERMS, over), { policy: termsOf({ required }).policy, proofAsked, inUse });
  const { safety, checks } = SUBJECT.evidence;
  const withCheck = (kind: string, outcome: "failed" | "not_run" | "needs_approval") => ({
    checks: checks.map((check) => check.kind === kind ? { ...check, outcome } : check),
  });
  const asks = { safety: { ...safety, outcome: "needs_approval" as const } };
  assert.deepEqual([needed("always"), needed("findings"), needed("never")], [true, false, false]);
  assert.deepEqual([needed("findings", asks), needed("never", asks)], [true, true]);
  const inUse = SUBJECT.evidence.patch.files.map(({ path }) => ({ path, what: "trust file" as const }));
  assert.deepEqual([needed("findings", {}, true, inUse), needed("never", {}, true, inUse)], [true, true]);
  assert.equal(needed("findings", withCheck("syntax", "failed")), true);
  assert.equal(needed("never", withCheck("syntax", "failed")), false);
  assert.equal(needed("findings", withCheck("proof", "not_run")), true);
  assert.equal(needed("findings", withCheck("proof", "not_run"), false), false);
  assert.equal(needed("findings", withCheck("git", "not_run")), false);
  const free = termsOf({ required: "findings" });
  assert.equal(judgeApprovals(subjectOf(evidenceOf(free)), [], free).outcome, "not_needed");
});

Deno.test("judgeApprovals: a bypass that the policy allows forces, with a reason and an early review", () => {
  const terms = termsOf({ bypass: true, review_within: 3_600 });
  const subject = subjectOf(evidenceOf(terms));
  const bypass = (reason: string, seconds: number) =>
    decisionBy(subject, "ann", ANN, { decision: "bypass", reason, review_by: later(seconds).toISOString() });
  assert.equal(outcomeOf([bypass("fire", 3_600)], terms, subject), "forced");
  assert.equal(refusalOf(bypass(" ", 60), terms, subject), "bypass_without_reason");
  assert.equal(refusalOf(bypass("fire", 3_601), terms, subject), "review_too_late");
  // With approvals enough it is not forced any more; a rejection stops it.
  assert.equal(outcomeOf([bypass("fire", 60), decisionBy(subject, "bob", BOB)], terms, subject), "approved");
  const no = decisionBy(subject, "bob", BOB, { decision: "reject" });
  assert.equal(outcomeOf([bypass("fire", 60), no], terms, subject), "rejected");
  const denied = subjectOf(evidenceOf(terms, { safety: { ...subject.evidence.safety, outcome: "denied" } }));
  const forced = decisionBy(denied, "ann", ANN, {
    ...{ decision: "bypass", reason: "fire", review_by: later(60).toISOString() },
  });
  assert.equal(outcomeOf([forced], terms, denied), "denied");
});

Deno.test("judgeApprovals: a clean rebase keeps approvals where the policy says so and nothing grew", () => {
  const terms = termsOf({ keep_on_clean_rebase: true });
  const first = subjectOf(evidenceOf(terms));
  const rebased = (over: Partial<Evidence> = {}, from: Partial<NonNullable<Evidence["rebased_from"]>> = {}) =>
    subjectOf(evidenceOf(terms, {
      revision: 2,
      base_version: 2,
      base: { root: sha256("new root"), manifest: sha256("new") },
      rebased_from: { revision: 1, evidence_sha256: first.hash, clean: true, findings_grew: false, ...from },
      ...over,
    }));
  const approval = decisionBy(first, "ann", ANN);
  const outcome = (subject = rebased(), with_ = terms, decisions = [approval]) =>
    judgeApprovals(subject, decisions, with_, [first]).outcome;
  const { safety, checks, patch } = first.evidence;
  assert.equal(outcome(), "approved");
  assert.equal(outcome(rebased(), { ...terms, policy: termsOf().policy }), "missing");
  assert.equal(outcome(rebased({}, { clean: false })), "missing");
  assert.equal(outcome(rebased({}, { findings_grew: true })), "missing");
  assert.equal(outcome(rebased({}, { evidence_sha256: sha256("other") })), "missing");
  assert.equal(outcome(rebased({ rebased_from: null })), "missing");
  // Whatever the evidence says of itself.
  assert.equal(outcome(rebased({ safety: { ...safety, added: 1 } })), "missing");
  assert.equal(outcome(rebased({ patch: { ...patch, additions: 2 } })), "missing");
  assert.equal(outcome(rebased({ checker: { version: "2", rules_sha256: sha256("other") } })), "missing");
  const worse = checks.map((check) =>
    check.kind === "syntax" ? { ...check, outcome: "failed" as const } : check
  );
  assert.equal(outcome(rebased({ checks: worse })), "missing");
  // The one who rebased proposed: their own approval does not carry over.
  assert.equal(outcome(rebased({ proposer: { actor: "ann", key_id: null } })), "missing");
  // A second rebase stands on the first.
  const second = rebased();
  const third = subjectOf(evidenceOf(terms, {
    revision: 3,
    rebased_from: { revision: 2, evidence_sha256: second.hash, clean: true, findings_grew: false },
  }));
  assert.equal(judgeApprovals(third, [approval], terms, [second, first]).outcome, "approved");
  assert.equal(judgeApprovals(third, [approval], terms, [first]).outcome, "missing");
  // Bypasses and rules do not carry over.
  const bypassing = termsOf({ keep_on_clean_rebase: true, bypass: true });
  const base = subjectOf(evidenceOf(bypassing));
  const forced = decisionBy(base, "ann", ANN, {
    ...{ decision: "bypass", reason: "fire", review_by: later(60).toISOString() },
  });
  const onto = subjectOf(evidenceOf(bypassing, {
    revision: 2,
    rebased_from: { revision: 1, evidence_sha256: base.hash, clean: true, findings_grew: false },
  }));
  assert.equal(judgeApprovals(base, [forced], bypassing).outcome, "forced");
  assert.equal(judgeApprovals(onto, [forced], bypassing, [base]).outcome, "missing");
});

Deno.test("judgeApprovals: a rule's approval counts as long as the rule stands and fits", () => {
  const rule = { name: "small", paths: ["src/**"], max_lines: 5, max_files: 1 };
  const terms = termsOf({ automatic: [rule] });
  const subject = subjectOf(evidenceOf(terms));
  const automatic = (principal: string): StoredDecision => ({
    ...{ id: 1, decision: "automatic", evidence: subject.hash, principal, keyId: null, envelope: null },
  });
  assert.equal(outcomeOf([automatic(ruleHash(rule))], terms, subject), "approved");
  assert.equal(refusalOf(automatic(sha256("other")), terms, subject), "rule_differs");
  const changed = { ...terms, policy: termsOf({ automatic: [{ ...rule, max_lines: 1 }] }).policy };
  assert.equal(refusalOf(automatic(ruleHash(rule)), changed, subject), "rule_differs");
});

Deno.test("judgeApprovals: more of what does not count never changes the outcome, and order never does", () => {
  const junk = fc.constantFrom<StoredDecision>(
    decisionBy(SUBJECT, "eve", EVE),
    decisionBy(SUBJECT, "eve", EVE, { decision: "reject" }),
    decisionBy(SUBJECT, "ann", BOB),
    decisionBy(SUBJECT, "ann", ANN, { revision: 2 }),
    { id: 9, decision: "automatic", evidence: SUBJECT.hash, principal: "x", keyId: null, envelope: null },
  );
  const real = [decisionBy(SUBJECT, "ann", ANN), decisionBy(SUBJECT, "bob", BOB)];
  fc.assert(
    fc.property(fc.subarray(real), fc.array(junk, { maxLength: 4 }), fc.nat(1_000), (some, more, seed) => {
      const mixed = [...some, ...more].sort((a, b) =>
        ((a.id * 7919 + seed) % 101) - ((b.id * 7919 + seed) % 101)
      );
      const { outcome, by } = judgeApprovals(SUBJECT, mixed, TERMS);
      assert.equal(outcome, some.length === 0 ? "missing" : "approved");
      assert.deepEqual([...by].sort(), some.map(({ principal }) => principal).sort());
    }),
    { numRuns: 60 },
  );
});

Deno.test("judgeApprovals: where proposals have to be signed, only a trusted key's signature of this one is one", () => {
  const terms = termsOf({ signed_proposals: true });
  const by = (key: PrivateKey, over: Partial<ProposalStatement> = {}, actor = "maker") => {
    const evidence = evidenceOf(terms, { proposer: { actor, key_id: key.publicKey.id } });
    const statement: ProposalStatement = {
      ...{ format: "veripatch-proposal/v1", store: STORE, proposal: 1, revision: 1 },
      ...{ base_manifest: evidence.base.manifest, result_manifest: evidence.result.manifest },
      ...{ patch_sha256: evidence.patch.sha256, time: NOW.toISOString() },
      ...over,
    };
    return subjectOf(evidence, signProposal(statement, [key]));
  };
  const judged = (subject: Subject, over: Partial<ApprovalTerms> = {}) =>
    judgeApprovals(subject, [decisionBy(subject, "ann", ANN)], { ...terms, ...over });
  assert.equal(judged(by(BOB)).outcome, "approved");
  // A key made for the occasion hides whose proposal it is.
  assert.equal(judged(by(EVE)).outcome, "denied");
  assert.equal(judged(subjectOf(evidenceOf(terms))).outcome, "denied");
  assert.equal(judged({ ...by(BOB), envelope: null }).outcome, "denied");
  assert.equal(judged({ ...by(BOB), envelope: by(ANN).envelope }).outcome, "denied");
  for (
    const other of [
      { store: "cd".repeat(16) },
      { proposal: 2 },
      { revision: 2 },
      ...["base_manifest", "result_manifest", "patch_sha256"].map((name) => ({ [name]: sha256(name) })),
    ]
  ) assert.deepEqual(judged(by(BOB, other)).missing, ["its proposer signed something else"]);
  const without = trusted();
  const keys = without.keys.filter(({ id }) => id !== BOB.publicKey.id);
  assert.equal(judged(by(BOB), { proposers: { ...without, keys } }).outcome, "denied", "revoked since");
  assert.equal(judged(by(ANN_TOO)).outcome, "missing", "one's own, whatever name was given");
});
