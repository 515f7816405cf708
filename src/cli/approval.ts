import { stateAt } from "../approve/states.ts";
import { proposalName } from "../store/names.ts";
import { revisionName } from "../store/proposal/find.ts";
import { timeReached } from "../store/log/time_reached.ts";
import { requestApproval } from "../store/proposal/request.ts";
import { type ProposalSummary, REVISION_STATES, type RevisionState } from "../store/proposals.ts";
import type { Rows } from "../store/store.ts";
import { Failure } from "../vocabulary/failure.ts";
import { printableLine } from "../vocabulary/printable.ts";
import { approvalTerms, type ApprovalTermsFlags } from "./approval_terms.ts";
import { notDecided } from "./approval_refused.ts";
import { forcedList } from "./approval_forced.ts";
import { listRow } from "./cells.ts";
import { ALL_FINDINGS, checkLines } from "./check_text.ts";
import { EXIT } from "./exit_code.ts";
import { terminalColumns } from "./help_layout.ts";
import { moreThan, wholeNumber } from "./number_asked.ts";
import { type Colour, colour, colourDiff, timeText } from "./output.ts";
import { revisionJson, summaryJson } from "./revision_json.ts";
import { decisionLines, fileLines, headLines, marksText, standingLine, stateText } from "./revision_text.ts";
import { patchText, type RevisionView, revisionView, soundView, targetOf } from "./revision_view.ts";
import { type StoreFlags, withStore } from "./store_asked.ts";
import type { VerbResult } from "./verb.ts";

export interface ApprovalFlags extends StoreFlags, ApprovalTermsFlags {}

export interface ListFlags extends StoreFlags {
  readonly state?: string;
  readonly all?: boolean;
  readonly forced?: boolean;
  readonly limit?: string;
}

const MOST_LISTED = 100_000;

/** `pp approval list`: what waits for a decision, newest first. */
export async function approvalList(flags: ListFlags): Promise<VerbResult> {
  const state = flags.state === undefined ? flags.all === true ? null : "proposed" : stateNamed(flags.state);
  const limit = flags.limit === undefined ? MOST_LISTED : wholeNumber("--limit", flags.limit, 1);
  if (flags.forced === true) {
    if (flags.state !== undefined || flags.all === true) {
      throw new Failure(
        "usage",
        "forced_alone",
        "--forced lists bypasses in any state: leave out --state and --all",
      );
    }
    return await forcedList(flags, limit);
  }
  return await withStore(flags, false, ({ store, by }) => {
    const some = store.records.read((rows) => listed(rows, state, limit + 1, by.now));
    const found = some.slice(0, limit), more = some.length > limit;
    const c = colour(Deno.stdout);
    const nothing = state === null ? "no proposals" : `no proposal is ${state}`;
    return Promise.resolve({
      exit: EXIT.yes,
      text: found.length === 0 ? nothing : summaryLines(found, c),
      ...(more ? { note: moreThan(limit) } : {}),
      json: {
        format: "veripatch-approval-list/v1",
        store: store.records.storeId,
        proposals: found.map(({ summary, state }) => summaryJson(summary, state)),
        more,
      },
    });
  });
}

/** A proposal in a list, with its state as it is now. */
export interface Listed {
  readonly summary: ProposalSummary;
  readonly state: RevisionState;
}

/** Proposals whose newest revision is in a state now; all with null. What has expired counts as expired. */
export function listed(
  rows: Pick<Rows, "proposals" | "lastEvent">,
  state: RevisionState | null,
  limit: number,
  now: Date,
): readonly Listed[] {
  const reached = timeReached(rows, now);
  // What waits may have expired since; what is asked for as expired may not have been written down yet.
  const asked = state === "expired" ? (["expired", "proposed", "approved"] as const) : [state];
  return asked
    .flatMap((one) =>
      rows.proposals(one === null ? { limit } : state === "expired" ? { state: one } : { state: one })
    )
    .map((summary) => ({
      summary,
      state: stateAt(summary.revision, reached),
    }))
    .filter((each) => state === null || each.state === state)
    .sort((a, b) => b.summary.proposal.number - a.summary.proposal.number)
    .slice(0, limit);
}

function summaryLines(found: readonly Listed[], c: Colour): string {
  const columns = terminalColumns();
  return found.map((each) => summaryLine(each, columns, c)).join("\n");
}

function summaryLine({ summary, state }: Listed, columns: number | null, c: Colour): string {
  const { proposal, revision } = summary;
  const size = `+${revision.additions} -${revision.deletions}`;
  const until = revision.expiresAt === null || !["proposed", "approved"].includes(state)
    ? ""
    : c.dim(`  until ${timeText(revision.expiresAt)}`);
  const head = `${c.bold(revisionName(revision).padEnd(7))} ${stateText(state, c)}${
    marksText(summary, state, c)
  }  `;
  const text = `${proposal.artifact}@${revision.baseVersion}  ${size}  ${printableLine(revision.actor)}  ${
    printableLine(proposal.title)
  }`;
  return listRow(head, text, until, columns);
}

/** `pp approval show`: everything an approval is bound to, and the diff. */
export async function approvalShow(
  text: string,
  flags: ApprovalFlags & { readonly diff?: boolean },
): Promise<VerbResult> {
  const name = proposalName(text);
  return await withStore(flags, false, async ({ store, by }) => {
    const terms = await approvalTerms(flags, by.now);
    const view = await soundView(store, name, terms);
    const patch = flags.diff === false ? null : patchText(store, view);
    const c = colour(Deno.stdout);
    return {
      exit: view.damage === null ? EXIT.yes : EXIT.malformed,
      text: [...shownText(view, patch, c), ...nextLines(view, terms.policyDigest)].join("\n"),
      json: { format: "veripatch-approval-show/v1", ...revisionJson(view), patch },
    };
  });
}

/** What can be done about it now. */
function nextLines({ name, state, standing, trust, evidence }: RevisionView, policyDigest: string): string[] {
  const proposal = name.replace(/\..*/, "");
  const step = (text: string) => ["", `next      ${text}`];
  if (state === "approved") return step(`pp apply ${proposal}`);
  if (state !== "proposed") return [];
  switch (standing?.outcome) {
    case "not_needed":
      return step(`pp apply ${proposal}`);
    case "denied":
      if (standing.missing.length === 1 && evidence!.policy_sha256 !== policyDigest) {
        return step(`the same with --policy FILE, the policy that judged it`);
      }
      return step(`only another revision can be approved: pp propose … --revise ${proposal}`);
    case "missing":
      // The second thing that is missing are people who could approve it.
      return standing.missing.length > 1
        ? step(
          `${
            trust.file === null ? "pp trust init FILE, then " : ""
          }pp trust add NAME PUBLIC.pem --role approver --trust FILE`,
        )
        : step(`pp approval approve ${name} --key KEY, or reject it with --reason TEXT`);
    default:
      return [];
  }
}

/** All of a revision for people. */
function shownText(view: RevisionView, patch: string | null, c: Colour): string[] {
  const part = (lines: readonly string[]) => lines.length === 0 ? [] : ["", ...lines];
  return [
    ...headLines(view, c),
    ...part(checkLines(view.checks, ALL_FINDINGS, c)),
    ...part(fileLines(view, c)),
    ...part(decisionLines(view, c)),
    ...part(patch === null ? [] : colourDiff(patch.replace(/\n$/, ""), c).split("\n")),
  ];
}

/** `pp approval request`: lets rules decide, else says what is missing and tells those who follow the log. */
export async function approvalRequest(text: string, flags: ApprovalFlags): Promise<VerbResult> {
  const name = proposalName(text);
  return await withStore(flags, false, async ({ store, by }) => {
    const terms = await approvalTerms(flags, by.now);
    const before = revisionView(store, name, terms);
    const asked = store.records.write((rows) => requestApproval(rows, by, targetOf(before), terms));
    if (!asked.ok) return notDecided(before.name, asked);
    const view = revisionView(
      store,
      { proposal: before.proposal.number, revision: before.revision.number },
      terms,
    );
    const c = colour(Deno.stdout);
    const waits = asked.standing.outcome === "missing";
    const next = waits ? `\nnext      pp approval show ${view.name}, then pp approval approve or reject` : "";
    return {
      exit: asked.standing.outcome === "denied" ? EXIT.denied : EXIT.yes,
      text: [...headLines(view, c), "", standingLine({ ...view, standing: asked.standing }, c)].join("\n") +
        next,
      json: { format: "veripatch-approval-request/v1", ...revisionJson(view) },
    };
  });
}

function stateNamed(text: string): RevisionState {
  const state = REVISION_STATES.find((word) => word === text);
  if (state !== undefined) return state;
  throw new Failure("usage", "state_unknown", `--state takes ${REVISION_STATES.join(", ")}`);
}
