import { canonicalJson } from "../../vocabulary/canonical_json.ts";
import { sha256 } from "../../vocabulary/digest.ts";
import { REVISION_STATES, type RevisionState } from "../../vocabulary/proposal.ts";
import type { Approval, Proposal, Revision } from "../proposals.ts";
import {
  DECISION_GIVEN,
  decisionPayload,
  PROPOSAL_CREATED,
  PROPOSAL_PROPOSED,
  PROPOSAL_WITHDRAWN,
  proposalPayload,
  proposedPayload,
  REVISION_CREATED,
  revisionPayload,
} from "../proposal/payload.ts";
import type { Rows } from "../store.ts";
import type { AddProblem, Told } from "./problem.ts";

/** What was told last of where a revision stands. */
interface ToldState {
  readonly state: RevisionState;
  readonly reason: unknown;
  readonly time: string;
}

/** What the log tells of proposals, their revisions and checks, and of decisions. */
export function toldOfProposals(rows: Rows): Told {
  const proposals = new Map<unknown, string>();
  const revisions = new Map<string, string>();
  const proposed = new Map<string, string>();
  const states = new Map<string, ToldState>();
  const decisions = new Map<unknown, string>();
  return {
    see({ kind, payload: text, time, actor }, payload) {
      const key = `${payload.proposal}.${payload.revision}`;
      const told = `${text}\n${time}\n${actor}`;
      if (kind === PROPOSAL_CREATED) return void proposals.set(payload.proposal, told);
      if (kind === DECISION_GIVEN) return void decisions.set(payload.id, `${text}\n${time}`);
      if (kind === REVISION_CREATED) {
        revisions.set(key, told);
        return void states.set(key, { state: "draft", reason: "", time });
      }
      const state = stateOf(kind);
      if (state === null) return;
      states.set(key, { state, reason: payload.reason, time });
      if (state === "proposed" && kind === PROPOSAL_PROPOSED && payload.from === "draft") {
        const { from: _from, to: _to, reason: _reason, ...facts } = payload;
        proposed.set(key, canonicalJson(facts));
      }
    },
    compare(whole, add) {
      compareProposals(rows, proposals, whole, add);
      compareRevisions(rows, { revisions, proposed, states }, whole, add);
      compareDecisions(rows, decisions, whole, add);
    },
  };
}

/** The state an event tells of; null for other events. */
function stateOf(kind: string): RevisionState | null {
  if (kind === PROPOSAL_WITHDRAWN) return "rejected";
  return REVISION_STATES.find((state) => kind === `proposal_${state}`) ?? null;
}

function compareProposals(rows: Rows, told: Map<unknown, string>, whole: boolean, add: AddProblem): void {
  for (let number = 1; number <= rows.lastProposal(); number++) {
    const proposal = rows.proposal(number);
    const said = told.get(number);
    told.delete(number);
    if (proposal === null) add("proposal_gone", null, `P${number} is not there`);
    else if (said === undefined) {
      if (whole) add("proposal_unknown", null, `no event tells of P${number}`);
    } else if (said !== proposalAs(proposal)) {
      add("proposal_edited", null, `P${number} is not as the log says`);
    }
  }
  for (const number of told.keys()) add("proposal_gone", null, `P${number} is not there`);
}

function compareRevisions(
  rows: Rows,
  { revisions, proposed, states }: {
    readonly revisions: Map<string, string>;
    readonly proposed: Map<string, string>;
    readonly states: Map<string, ToldState>;
  },
  whole: boolean,
  add: AddProblem,
): void {
  for (const { proposal, number } of rows.allRevisions()) {
    const key = `${proposal}.${number}`;
    const revision = rows.revision(proposal, number)!;
    const said = revisions.get(key);
    revisions.delete(key);
    if (said === undefined) {
      if (whole) add("proposal_unknown", null, `no event tells of P${key}`);
    } else if (said !== revisionAs(revision)) {
      add("proposal_edited", null, `P${key} is not as the log says`);
    }
    const state = states.get(key);
    if (state !== undefined && !sameState(revision, state)) {
      add("proposal_edited", null, `P${key} is ${revision.state}, and ${state.state} in the log`);
    }
    const { evidence, evidenceDocument: document } = revision;
    if ((document === null ? null : sha256(document)) !== evidence) {
      add("proposal_edited", null, `the evidence of P${key} has another hash`);
    }
    const facts = proposed.get(key);
    const checks = rows.checks(proposal, number);
    if (facts === undefined) {
      if (whole && (evidence !== null || checks.length > 0)) {
        add("proposal_unknown", null, `no event tells that P${key} was proposed`);
      }
    } else if (facts !== canonicalJson(proposedPayload(revision, checks))) {
      add("proposal_edited", null, `evidence, checks or signature of P${key} are not as the log says`);
    }
  }
  for (const key of revisions.keys()) add("proposal_gone", null, `P${key} is not there`);
}

function compareDecisions(rows: Rows, told: Map<unknown, string>, whole: boolean, add: AddProblem): void {
  for (const approval of rows.allApprovals()) {
    const said = told.get(approval.id);
    told.delete(approval.id);
    if (said === undefined) {
      if (whole) add("approval_unknown", null, `no event tells of decision ${approval.id}`);
    } else if (said !== approvalAs(approval)) {
      add("approval_edited", null, `decision ${approval.id} is not as the log says`);
    }
  }
  for (const id of told.keys()) add("approval_gone", null, `decision ${id} is not there`);
}

function sameState({ state, reason, changedAt }: Revision, told: ToldState): boolean {
  return state === told.state && reason === told.reason && changedAt === told.time;
}

function proposalAs(proposal: Proposal): string {
  return `${canonicalJson(proposalPayload(proposal))}\n${proposal.createdAt}\n${proposal.actor}`;
}

function revisionAs(revision: Revision): string {
  return `${canonicalJson(revisionPayload(revision))}\n${revision.createdAt}\n${revision.actor}`;
}

function approvalAs(approval: Approval): string {
  return `${canonicalJson(decisionPayload(approval))}\n${approval.createdAt}`;
}
