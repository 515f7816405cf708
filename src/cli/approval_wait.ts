import { setTimeout as sleep } from "node:timers/promises";
import { proposalName } from "../store/names.ts";
import type { RevisionState } from "../store/proposals.ts";
import { interrupted } from "../vocabulary/failure.ts";
import type { ApprovalFlags } from "./approval.ts";
import { approvalTerms, type ApprovalTermsFlags } from "./approval_terms.ts";
import { durationMs } from "./duration_asked.ts";
import { EXIT } from "./exit_code.ts";
import { colour } from "./output.ts";
import { revisionJson } from "./revision_json.ts";
import { decisionLines, headLines } from "./revision_text.ts";
import { type RevisionView, revisionView } from "./revision_view.ts";
import { withStore } from "./store_asked.ts";
import type { VerbResult } from "./verb.ts";

const POLL_MS = 250;

export interface WaitFlags extends ApprovalFlags, ApprovalTermsFlags {
  readonly timeout?: string;
}

const EXITS: Readonly<Partial<Record<RevisionState, number>>> = {
  applied: EXIT.yes,
  applying: EXIT.yes,
  rejected: EXIT.no,
  superseded: EXIT.no,
  stale: EXIT.no,
  failed: EXIT.no,
  expired: EXIT.noAnswer,
};

/**
 * `pp approval wait`: looks at the store until the revision is decided. It is the revision that is the newest at the
 * start; a newer one is no answer about it.
 */
export async function approvalWait(text: string, flags: WaitFlags): Promise<VerbResult> {
  const asked = proposalName(text);
  const timeout = flags.timeout === undefined ? Infinity : durationMs("--timeout", flags.timeout);
  return await withStore(flags, false, async ({ store, by, signal, counter }) => {
    const first = revisionView(store, asked, await approvalTerms(flags, by.now));
    const name = { proposal: first.proposal.number, revision: first.revision.number };
    const end = performance.now() + timeout;
    const live = Deno.stderr.isTerminal();
    let view = first;
    if (exitOf(view) === null && !live && flags.json !== true) counter.say(waitingFor(view));
    for (let exit = exitOf(view);; exit = exitOf(view)) {
      if (view.damage !== null) throw view.damage;
      if (exit !== null) return waited(view, exit, false);
      const left = end - performance.now();
      if (left <= 0) return waited(view, EXIT.noAnswer, true);
      if (live) counter.show(waitingFor(view));
      await sleep(Math.min(POLL_MS, left), undefined, { signal }).catch(() => {});
      if (signal.aborted) throw interrupted(signal.reason);
      view = revisionView(store, name, await approvalTerms(flags, new Date()));
    }
  });
}

const waitingFor = ({ name }: RevisionView) => `waiting for a decision on ${name} …`;

/** The answer of a revision; null while there is none. What only the table says is approved is not. */
function exitOf({ state, standing }: RevisionView): number | null {
  if (state === "proposed") return standing?.outcome === "not_needed" ? EXIT.yes : null;
  if (state === "approved") {
    const counts = standing !== null && ["approved", "forced", "not_needed"].includes(standing.outcome);
    return counts ? EXIT.yes : EXIT.denied;
  }
  return EXITS[state] ?? null;
}

function waited(view: RevisionView, exit: number, timedOut: boolean): VerbResult {
  const c = colour(Deno.stdout);
  const [head] = headLines(view, c);
  const lines = [head!, ...decisionLines(view, c)];
  if (timedOut) lines.push("nobody decided in time");
  return {
    exit,
    text: lines.join("\n"),
    json: { format: "veripatch-approval-wait/v1", timed_out: timedOut, exit, ...revisionJson(view) },
  };
}
