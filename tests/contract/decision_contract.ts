import assert from "node:assert/strict";
import fc from "fast-check";
import { ruleHash } from "../../src/approve/automatic.ts";
import { mayBecome } from "../../src/approve/states.ts";
import { verifyLog } from "../../src/store/log/verify.ts";
import { addProposal, addRevision, propose } from "../../src/store/proposal/change.ts";
import { type Decided, settle } from "../../src/store/proposal/decide.ts";
import { requireRevision } from "../../src/store/proposal/find.ts";
import { standingOf } from "../../src/store/proposal/standing.ts";
import { type Moved, type Target, transition, withdraw } from "../../src/store/proposal/transition.ts";
import type { RevisionState } from "../../src/store/proposals.ts";
import type { Store } from "../../src/store/store.ts";
import type { Failure } from "../../src/vocabulary/failure.ts";
import { sha256 } from "../../src/vocabulary/digest.ts";
import { ANN, BOB, CHECKS, EVE, NOW, termsOf } from "../approve/fixture.ts";
import { decideAs, evidenceFor, newRevision, proposeChange } from "../store/proposals.ts";
import { addFiles, authorOf, givenStore, type StoreUnderTest } from "./store_contract.ts";

const codeOf = (result: Decided | Moved) =>
  result.ok ? "ok" : "refusal" in result ? result.refusal.reason : result.code;
const failure = (work: () => unknown): string | null => {
  try {
    work();
    return null;
  } catch (error) {
    return (error as Failure).code ?? String(error);
  }
};

/** Registers the cases of proposing, moving and deciding every adapter of a store must pass. */
export function decisionContract(name: string, make: () => Promise<StoreUnderTest>): void {
  const given = givenStore(name, make);
  const makerOf = (store: Store, now = NOW) => authorOf(store, "maker", now);
  const stateOf = (store: Store, { proposal, revision }: { proposal: number; revision: number }) =>
    store.records.read((rows) => rows.revision(proposal, revision))!.state;
  const move = (store: Store, target: Target, to: RevisionState, now = NOW) =>
    store.records.write((rows) => transition(rows, makerOf(store, now), target, to, "why"));
  const kinds = (store: Store) =>
    store.records.read((rows) => rows.events(0, 1_000)).map(({ kind }) => kind)
      .filter((kind) => /proposal|revision|decision/.test(kind));
  const sound = (store: Store) =>
    assert.deepEqual(store.records.read((rows) => verifyLog(rows, store.records.storeId)).problems, []);

  given(
    "a draft is proposed with its checks and evidence, approved, applied; each with its event",
    async (store) => {
      const terms = termsOf();
      const target = await proposeChange(store, makerOf(store), terms);
      assert.deepEqual([target.proposal, target.revision, stateOf(store, target)], [1, 1, "proposed"]);
      const decided = decideAs(store, authorOf(store, "ann"), target, ANN, terms, { reason: "fine" });
      assert.ok(decided.ok);
      assert.deepEqual([decided.standing.outcome, decided.standing.by], ["approved", ["ann"]]);
      assert.equal(decided.approval.reason, "fine");
      assert.deepEqual([move(store, target, "applying"), move(store, target, "applied")], [{ ok: true }, {
        ok: true,
      }]);
      assert.deepEqual(kinds(store), [
        ...[
          "proposal_created",
          "revision_created",
          "proposal_proposed",
          "decision_given",
          "proposal_approved",
        ],
        ...["proposal_applying", "proposal_applied"],
      ]);
      assert.equal(store.records.read((rows) => rows.checks(1, 1)).length, CHECKS.length);
      sound(store);
    },
  );

  given("evidence of something else, or of other checks, is never attached", async (store) => {
    const terms = termsOf();
    const by = makerOf(store);
    const what = await newRevision(store);
    const { proposal, revision } = store.records.write((rows) =>
      addProposal(rows, by, { artifact: "a", title: "t", revision: what })
    );
    const evidence = evidenceFor(by.storeId, proposal, revision, terms);
    const target = { proposal: 1, revision: 1 };
    const other = sha256("other");
    for (
      const wrong of [
        { store: "0".repeat(32) },
        { proposal: 2 },
        { revision: 2 },
        { artifact: "b" },
        { title: "u" },
        { base_version: 2 },
        { base: { ...evidence.base, root: other } },
        { base: { ...evidence.base, manifest: other } },
        { result: { ...evidence.result, root: other } },
        { result: { ...evidence.result, manifest: other } },
        { instruction_sha256: other },
        { source_sha256: other },
        { patch: { ...evidence.patch, sha256: other } },
        { patch: { ...evidence.patch, additions: 7 } },
        { checks: evidence.checks.slice(1) },
        { checks: evidence.checks.map((check) => ({ ...check, outcome: "failed" as const })) },
        { checks: evidence.checks.map((check) => ({ ...check, document_sha256: other })) },
        { proposer: { actor: "somebody", key_id: null } },
        { proposer: { actor: "maker", key_id: other } },
      ]
    ) {
      const attach = () =>
        store.records.write((rows) =>
          propose(rows, by, target, { evidence: { ...evidence, ...wrong }, checks: CHECKS, signature: null })
        );
      assert.equal(failure(attach), "evidence_differs", JSON.stringify(wrong));
    }
    assert.deepEqual([stateOf(store, target), store.records.read((rows) => rows.checks(1, 1))], [
      "draft",
      [],
    ]);
    const done = store.records.write((rows) =>
      propose(rows, by, target, { evidence, checks: [...CHECKS].reverse(), signature: null })
    );
    assert.ok(done.ok);
    const again = store.records.write((rows) =>
      propose(rows, by, target, { evidence, checks: CHECKS, signature: null })
    );
    assert.deepEqual(again, { ok: false, code: "state_differs", state: "proposed" });
    sound(store);
  });

  given(
    "a new revision takes the place of the one before, whose approvals are worth nothing then",
    async (store) => {
      const terms = termsOf();
      const first = await proposeChange(store, makerOf(store), terms);
      assert.ok(decideAs(store, authorOf(store), first, ANN, terms).ok);
      const second = await proposeChange(store, makerOf(store), terms, { proposal: 1, word: "three" });
      assert.deepEqual([stateOf(store, first), stateOf(store, second)], ["superseded", "proposed"]);
      assert.equal(codeOf(move(store, first, "applying")), "superseded");
      assert.equal(codeOf(decideAs(store, authorOf(store), first, BOB, terms)), "superseded");
      assert.equal(codeOf(move(store, second, "applying")), "ok");
      const what = await newRevision(store);
      const late = store.records.write((rows) => addRevision(rows, makerOf(store), 1, what));
      assert.deepEqual(late, { ok: false, code: "state_differs", state: "applying" });
      sound(store);
    },
  );

  given("the state, the evidence and the revision that were seen must still be so", async (store) => {
    const terms = termsOf();
    const target = await proposeChange(store, makerOf(store), terms);
    assert.equal(
      codeOf(move(store, { ...target, evidence: sha256("other") }, "approved")),
      "evidence_differs",
    );
    assert.equal(codeOf(move(store, { ...target, evidence: null }, "rejected")), "evidence_differs");
    assert.equal(codeOf(move(store, target, "applied")), "state_differs");
    assert.equal(failure(() => move(store, { ...target, revision: 2 }, "rejected")), "revision_unknown");
    assert.equal(failure(() => move(store, { ...target, proposal: 2 }, "rejected")), "proposal_unknown");
    assert.ok(decideAs(store, authorOf(store), target, ANN, terms, { decision: "reject", reason: "no" }).ok);
    assert.equal(stateOf(store, target), "rejected");
    assert.equal(codeOf(decideAs(store, authorOf(store), target, BOB, terms)), "state_differs");
    assert.equal(
      failure(() => store.records.read((rows) => requireRevision(rows, { proposal: 9, revision: null }))),
      "proposal_unknown",
    );
    sound(store);
  });

  given(
    "what has expired is written down as such and goes nowhere but to a newer revision",
    async (store) => {
      const terms = termsOf();
      const at = (seconds: number) => new Date(NOW.getTime() + seconds * 1_000);
      const over = { expires_at: at(60).toISOString() };
      const target = await proposeChange(store, makerOf(store), terms, { over });
      assert.equal(codeOf(move(store, target, "stale", at(59))), "ok");
      const second = await proposeChange(store, makerOf(store), terms, { over, proposal: 1 });
      const late = { ...terms, now: at(60) };
      assert.equal(codeOf(decideAs(store, authorOf(store, "ann", at(60)), second, ANN, late)), "expired");
      assert.equal(stateOf(store, second), "expired");
      assert.equal(codeOf(move(store, second, "applying")), "expired");
      assert.equal(
        codeOf(store.records.write((rows) => withdraw(rows, makerOf(store), second, ""))),
        "expired",
      );
      const third = await proposeChange(store, makerOf(store), terms, { over, proposal: 1 });
      const next = await proposeChange(store, makerOf(store, at(90)), terms, { proposal: 1 });
      assert.deepEqual([stateOf(store, third), stateOf(store, next)], ["superseded", "proposed"]);
      assert.ok(kinds(store).filter((kind) => kind === "proposal_expired").length === 2);
      sound(store);
    },
  );

  given("a clock that is set back revives nothing that had run out by the newest event", async (store) => {
    const terms = termsOf();
    const at = (seconds: number) => new Date(NOW.getTime() + seconds * 1_000);
    const over = { expires_at: at(60).toISOString() };
    const [asked, waits, forever] = [
      await proposeChange(store, makerOf(store), terms, { over }),
      await proposeChange(store, makerOf(store), terms, { over: { expires_at: at(71).toISOString() } }),
      await proposeChange(store, makerOf(store), terms),
    ];
    const short = { expires_at: at(60).toISOString() };
    assert.equal(codeOf(decideAs(store, authorOf(store, "ann"), forever, ANN, terms, short)), "ok");
    const standingAt = (now: Date) =>
      store.records.read((rows) =>
        standingOf(rows, store.records.storeId, rows.revision(forever.proposal, 1)!, { ...terms, now })
      ).outcome;
    assert.equal(standingAt(at(59)), "approved");
    await addFiles(store, "other", { f: "1" }, authorOf(store, "tester", at(70)));
    // Nobody wrote down yet that it expired, and the clock says that it did not.
    assert.equal(stateOf(store, asked), "proposed");
    assert.equal(standingAt(at(59)), "missing");
    assert.equal(codeOf(decideAs(store, authorOf(store, "ann", at(1)), asked, ANN, terms)), "expired");
    assert.deepEqual([asked, waits, forever].map((one) => stateOf(store, one)), [
      "expired",
      "proposed",
      "approved",
    ]);
    assert.equal(codeOf(decideAs(store, authorOf(store, "ann", at(2)), waits, ANN, terms)), "ok");
    sound(store);
  });

  given("what had expired is written down before an event of a clock that was set back", async (store) => {
    const terms = termsOf();
    const at = (seconds: number) => new Date(NOW.getTime() + seconds * 1_000);
    const over = (seconds: number) => ({ over: { expires_at: at(seconds).toISOString() } });
    const due = await proposeChange(store, makerOf(store), terms, over(60));
    const approved = await proposeChange(store, makerOf(store), terms, over(61));
    assert.equal(codeOf(decideAs(store, authorOf(store, "ann"), approved, ANN, terms)), "ok");
    const later = await proposeChange(store, makerOf(store), terms, over(90));
    await addFiles(store, "other", { f: "1" }, authorOf(store, "tester", at(70)));
    await addFiles(store, "other", { f: "2" }, authorOf(store, "tester", at(5)));
    const states = () => [due, approved, later].map((one) => stateOf(store, one));
    assert.deepEqual(states(), ["expired", "expired", "proposed"]);
    // What is proposed after the log was far ahead is not behind it for ever.
    await addFiles(store, "other", { f: "3" }, authorOf(store, "tester", at(1_000_000)));
    const anew = await proposeChange(store, makerOf(store, at(6)), terms, { ...over(66), proposal: 1 });
    assert.deepEqual([...states(), stateOf(store, anew)], ["superseded", "expired", "expired", "proposed"]);
    assert.equal(codeOf(decideAs(store, authorOf(store, "ann", at(7)), anew, ANN, terms)), "ok");
    sound(store);
  });

  given(
    "as many principals as it takes; one twice, untrusted ones and the proposer leave nothing behind",
    async (store) => {
      const terms = termsOf({ threshold: 2 });
      const target = await proposeChange(store, makerOf(store), terms);
      const decide = (key: typeof ANN, over = {}) =>
        codeOf(decideAs(store, authorOf(store), target, key, terms, over));
      assert.equal(decide(EVE), "statement_untrusted");
      assert.equal(decide(ANN, { evidence_sha256: sha256("other") }), "statement_differs");
      assert.equal(
        decide(ANN, { decision: "bypass", reason: "x", review_by: NOW.toISOString() }),
        "bypass_denied",
      );
      assert.deepEqual(store.records.read((rows) => rows.lastApproval()), 0);
      assert.equal(decide(ANN), "ok");
      assert.equal(decide(ANN), "already_given");
      assert.equal(stateOf(store, target), "proposed");
      assert.equal(decide(BOB), "ok");
      assert.equal(stateOf(store, target), "approved");
      assert.equal(decide(BOB), "state_differs");
      // Taken back, before it is applied.
      assert.equal(decide(BOB, { decision: "reject", reason: "wait" }), "ok");
      assert.equal(stateOf(store, target), "rejected");
      const own = await proposeChange(store, authorOf(store, "ann"), terms);
      assert.equal(codeOf(decideAs(store, authorOf(store), own, ANN, terms)), "own_proposal");
      sound(store);
    },
  );

  given("a rule decides at once, under its own name; a bypass is seen everywhere", async (store) => {
    const rule = { name: "small", paths: ["src/**"], max_lines: 5, max_files: 1 };
    const terms = termsOf({ automatic: [rule], bypass: true, threshold: 2 });
    const settled = (target: Target) =>
      store.records.write((rows) => settle(rows, makerOf(store), target, terms));
    const target = await proposeChange(store, makerOf(store), terms);
    assert.deepEqual(settled(target)?.by, [ruleHash(rule)]);
    assert.equal(stateOf(store, target), "approved");
    const actors = store.records.read((rows) => rows.events(0, 100)).slice(-2).map(({ actor }) => actor);
    assert.deepEqual(actors, [`rule:${ruleHash(rule)}`, `rule:${ruleHash(rule)}`]);
    const unproved = await proposeChange(store, makerOf(store), terms, { over: { proof: null }, title: "u" });
    assert.equal(settled(unproved), null);
    const review = {
      decision: "bypass" as const,
      reason: "fire",
      review_by: new Date(NOW.getTime() + 60_000).toISOString(),
    };
    const forced = decideAs(store, authorOf(store), unproved, ANN, terms, review);
    assert.ok(forced.ok && forced.standing.outcome === "forced");
    assert.equal(stateOf(store, unproved), "approved");
    assert.deepEqual(store.records.read((rows) => rows.proposals()).map(({ forced }) => forced), [
      true,
      false,
    ]);
    const again = await proposeChange(store, makerOf(store), terms, { title: "v" });
    settled(again);
    assert.equal(codeOf(decideAs(store, authorOf(store), again, ANN, terms, review)), "state_differs");
    sound(store);
  });

  given("nobody bypasses what needs no approval, and nobody approves what is denied", async (store) => {
    const terms = termsOf({ required: "never", bypass: true });
    const review = { decision: "bypass" as const, reason: "fire", review_by: NOW.toISOString() };
    const free = await proposeChange(store, makerOf(store), terms);
    assert.equal(codeOf(decideAs(store, authorOf(store), free, ANN, terms, review)), "nothing_to_bypass");
    const safety = {
      ...{ outcome: "denied" as const, added: 1, removed: 0, widened: 0, unanalyzed: 0, missing_imports: 0 },
      delta_sha256: sha256("d"),
    };
    const denied = await proposeChange(store, makerOf(store), terms, { over: { safety } });
    for (const over of [{}, review]) {
      assert.equal(codeOf(decideAs(store, authorOf(store), denied, ANN, terms, over)), "denied");
    }
    assert.equal(codeOf(decideAs(store, authorOf(store), denied, ANN, terms, { decision: "reject" })), "ok");
    sound(store);
  });

  given("a clean rebase keeps what was approved, where the policy says so", async (store) => {
    const terms = termsOf({ keep_on_clean_rebase: true });
    const first = await proposeChange(store, makerOf(store), terms);
    decideAs(store, authorOf(store), first, ANN, terms);
    const from = { revision: 1, evidence_sha256: first.evidence, clean: true, findings_grew: false };
    const second = await proposeChange(store, makerOf(store), terms, {
      proposal: 1,
      over: { rebased_from: from },
    });
    const standing = store.records.write((rows) => settle(rows, makerOf(store), second, terms));
    assert.deepEqual([standing?.outcome, standing?.by, stateOf(store, second)], [
      "approved",
      ["ann"],
      "approved",
    ]);
    const third = await proposeChange(store, makerOf(store), terms, {
      proposal: 1,
      over: { rebased_from: { ...from, clean: false } },
    });
    assert.equal(store.records.write((rows) => settle(rows, makerOf(store), third, terms)), null);
    sound(store);
  });

  given("whatever is edited in the tables of proposals shows", async (store) => {
    const terms = termsOf();
    const target = await proposeChange(store, makerOf(store), terms);
    decideAs(store, authorOf(store), target, ANN, terms);
    const { revision, approval, proposal } = store.records.read((rows) => ({
      revision: rows.revision(1, 1)!,
      approval: rows.approval(1)!,
      proposal: rows.proposal(1)!,
    }));
    const checks = store.records.read((rows) => rows.checks(1, 1));
    const shown = (change: Record<string, unknown>) =>
      store.records.read((rows) => {
        const edited = new Proxy(rows, {
          get: (of, key) =>
            key in change
              ? change[key as string]
              : typeof of[key as keyof typeof of] === "function"
              ? (of[key as keyof typeof of] as (...args: unknown[]) => unknown).bind(of)
              : of[key as keyof typeof of],
        });
        return [...new Set(verifyLog(edited, store.records.storeId).problems.map(({ code }) => code))];
      });
    assert.deepEqual(shown({}), []);
    for (const field of ["title", "actor", "createdAt", "artifact"]) {
      assert.deepEqual(
        shown({ proposal: () => ({ ...proposal, [field]: "other" }) }),
        ["proposal_edited"],
        field,
      );
    }
    for (const [field, value] of Object.entries(revision)) {
      if (["proposal", "number"].includes(field)) continue;
      const other = typeof value === "number" ? value + 1 : field === "state" ? "applied" : `${value}x`;
      assert.deepEqual(
        shown({ revision: () => ({ ...revision, [field]: other }) }),
        ["proposal_edited"],
        field,
      );
    }
    for (const [field, value] of Object.entries(approval)) {
      const other = typeof value === "number" ? value + 1 : `${value}x`;
      const found = shown({ allApprovals: () => [{ ...approval, [field]: other }] });
      assert.deepEqual(
        found.sort(),
        field === "id" ? ["approval_gone", "approval_unknown"] : ["approval_edited"],
        field,
      );
    }
    for (const field of ["outcome", "document", "kind"]) {
      const edited = checks.map((check, i) => i === 0 ? { ...check, [field]: "other" } : check);
      assert.deepEqual(shown({ checks: () => edited }), ["proposal_edited"], field);
    }
    assert.deepEqual(shown({ checks: () => [] }), ["proposal_edited"]);
    assert.deepEqual(shown({ allApprovals: () => [] }), ["approval_gone"]);
    assert.deepEqual(shown({ allApprovals: () => [approval, { ...approval, id: 2 }] }), ["approval_unknown"]);
    assert.deepEqual(shown({ proposal: () => null }), ["proposal_gone"]);
    assert.deepEqual(shown({ allRevisions: () => [] }), ["proposal_gone"]);
    // A state without its event: somebody approved it by hand.
    store.records.write((rows) =>
      rows.setRevisionState(1, 1, { state: "approved", evidence: target.evidence }, {
        ...{ state: "applying", reason: "", changedAt: NOW.toISOString() },
      })
    );
    assert.deepEqual(shown({}), ["proposal_edited"]);
  });

  given("evidence that is no more what was proposed is judged by nobody", async (store) => {
    const terms = termsOf();
    const target = await proposeChange(store, makerOf(store), terms);
    const revision = store.records.read((rows) => rows.revision(1, 1))!;
    const judged = (over: Partial<typeof revision>) =>
      failure(() =>
        store.records.read((rows) => standingOf(rows, store.records.storeId, { ...revision, ...over }, terms))
      );
    assert.equal(judged({}), null);
    const document = revision.evidenceDocument!.replace('"title":"a change"', '"title":"another"');
    assert.equal(judged({ evidenceDocument: document }), "evidence_corrupt");
    assert.equal(judged({ evidenceDocument: document, evidence: sha256(document) }), "evidence_corrupt");
    assert.equal(judged({ patch: sha256("other") }), "evidence_corrupt");
    assert.equal(judged({ resultRoot: sha256("other") }), "evidence_corrupt");
    // Who can write the table cannot give a revision more time than the evidence that was signed.
    assert.equal(judged({ expiresAt: "2999-01-01T00:00:00.000Z" }), "evidence_corrupt");
    assert.equal(judged({ evidenceDocument: "{}" }), "evidence_corrupt");
    assert.equal(judged({ evidence: null, evidenceDocument: null }), "proposal_draft");
    assert.equal(stateOf(store, target), "proposed");
  });

  given("any order of wishes keeps to the table of states, and the log tells each step", async (store) => {
    const terms = termsOf();
    let n = 0;
    const wish = fc.constantFrom<RevisionState>(
      ...["approved", "rejected", "expired", "stale", "applying", "applied", "failed", "proposed"] as const,
    );
    await fc.assert(
      fc.asyncProperty(fc.array(wish, { maxLength: 12 }), async (wishes) => {
        const target = await proposeChange(store, makerOf(store), terms, { title: `t${++n}` });
        let state: RevisionState = "proposed";
        for (const to of wishes) {
          const moved = move(store, target, to);
          assert.equal(moved.ok, mayBecome(state, to));
          if (moved.ok) state = to;
          assert.equal(stateOf(store, target), state);
        }
        sound(store);
      }),
      { numRuns: 15 },
    );
  });
}
