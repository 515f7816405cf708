import { type ApprovalStatement, MAX_REASON, signApproval } from "../approve/statement.ts";
import type { PrivateKey } from "../sign/key.ts";
import { proposalName } from "../store/names.ts";
import type { Author } from "../store/log/change.ts";
import { decide, type Decided } from "../store/proposal/decide.ts";
import type { Store } from "../store/store.ts";
import { Failure } from "../vocabulary/failure.ts";
import type { ApprovalFlags } from "./approval.ts";
import { notDecided } from "./approval_refused.ts";
import { approvalTerms, approverOf, type LoadedTerms } from "./approval_terms.ts";
import { ALL_FINDINGS, checkLines } from "./check_text.ts";
import { confirmed } from "./confirm.ts";
import { durationMs } from "./duration_asked.ts";
import { EXIT } from "./exit_code.ts";
import { signingKey } from "./key_input.ts";
import { colour, colourDiff, timeText } from "./output.ts";
import { canAsk, type PassphraseFlags } from "./passphrase.ts";
import { decisionJson, revisionJson } from "./revision_json.ts";
import { decisionLines, FORCED, headLines } from "./revision_text.ts";
import { patchText, type RevisionView, revisionView, soundView, targetOf } from "./revision_view.ts";
import { withStore } from "./store_asked.ts";
import type { VerbResult } from "./verb.ts";

export interface DecideFlags extends ApprovalFlags, PassphraseFlags {
  readonly key?: string;
  readonly evidence?: string;
  readonly reason?: string;
  readonly expires?: string;
  readonly reviewWithin?: string;
}

type Kind = ApprovalStatement["decision"];

const DONE: Readonly<Record<Kind, string>> = { approve: "approved", reject: "rejected", bypass: FORCED };

/**
 * `pp approval approve`, `reject` and `bypass`: signs a decision about exactly what was shown. On a terminal the revision
 * is shown and asked about; elsewhere the call names the hash of the evidence that it has seen.
 */
export async function approvalDecide(kind: Kind, text: string, flags: DecideFlags): Promise<VerbResult> {
  const name = proposalName(text);
  const reason = reasonOf(kind, flags.reason);
  if (flags.key === undefined) {
    throw new Failure("usage", "key_missing", "there is no key to sign the decision with", {
      hint: "--key FILE names your private key, env:NAME or - (stdin); pp keygen makes one",
    });
  }
  const shownHash = evidenceNamed(flags.evidence);
  const key = await signingKey(flags.key, flags);
  return await withStore(flags, false, async ({ store, by }) => {
    let terms = await approvalTerms(flags, by.now);
    const principal = approverOf(terms, key.publicKey.id);
    const view = await soundView(store, name, terms);
    if (view.damage !== null) throw view.damage;
    const c = colour(Deno.stderr);
    if (shownHash === null) {
      const lines = [
        ...headLines(view, c),
        "",
        ...checkLines(view.checks, ALL_FINDINGS, c),
        "",
        ...decisionLines(view, c),
        "",
      ];
      const diff = colourDiff(patchText(store, view), c);
      await confirmed(`${[...lines, diff].join("\n")}\n`, `${kind} ${view.name} as ${principal}?`);
      // Somebody took their time to read.
      terms = await approvalTerms(flags, new Date());
    } else if (shownHash !== view.revision.evidence) {
      const { state } = view;
      return notDecided(view.name, { ok: false, code: "evidence_differs", state });
    }
    const deciding = { kind, key, reason, terms, ...timesOf(kind, flags, terms) };
    const decided = decideOn(store, { ...by, now: terms.now }, view, deciding);
    if (!decided.ok) return notDecided(view.name, decided);
    return decidedResult(kind, store, view, decided, terms);
  });
}

export interface Deciding {
  readonly kind: Kind;
  readonly key: PrivateKey;
  readonly reason: string;
  readonly terms: LoadedTerms;
  readonly expiresAt: Date | null;
  readonly reviewBy: Date | null;
}

/**
 * Signs a decision about what is seen and puts it into the store, in one transaction.
 * @throws Failure the view's damage, if it has any
 */
export function decideOn(store: Store, by: Author, view: RevisionView, deciding: Deciding): Decided {
  const { kind, key, reason, terms, expiresAt, reviewBy } = deciding;
  if (view.damage !== null) throw view.damage;
  const target = targetOf(view);
  if (target.evidence === null) {
    return { ok: false, code: "state_differs", state: view.state };
  }
  const envelope = signApproval({
    ...{ format: "veripatch-approval/v1", store: store.records.storeId },
    ...{ proposal: target.proposal, revision: target.revision, evidence_sha256: target.evidence },
    ...{ decision: kind, reason, time: by.now.toISOString() },
    ...{ expires_at: expiresAt?.toISOString() ?? null, review_by: reviewBy?.toISOString() ?? null },
  }, [key]);
  const signed = { envelope, keyId: key.publicKey.id };
  return store.records.write((rows) => decide(rows, by, target, signed, terms));
}

/** Until when a decision counts, and when a bypass has to be looked at: as the policy says, or sooner. */
export function timesOf(
  kind: Kind,
  flags: Pick<DecideFlags, "expires" | "reviewWithin">,
  { policy: { approval }, now }: LoadedTerms,
): Pick<Deciding, "expiresAt" | "reviewBy"> {
  const after = (flag: string, text: string | undefined, seconds: number) => {
    const longest = seconds * 1000;
    const asked = text === undefined ? longest : durationMs(flag, text);
    return new Date(now.getTime() + Math.min(longest, asked));
  };
  return {
    expiresAt: kind === "reject" ? null : after("--expires", flags.expires, approval.expires),
    reviewBy: kind === "bypass" ? after("--review-within", flags.reviewWithin, approval.review_within) : null,
  };
}

function decidedResult(
  kind: Kind,
  store: Store,
  { proposal, revision }: RevisionView,
  decided: Extract<Decided, { readonly ok: true }>,
  terms: LoadedTerms,
): VerbResult {
  const view = revisionView(store, { proposal: proposal.number, revision: revision.number }, terms);
  const c = colour(Deno.stdout);
  const paint = kind === "approve" ? c.green : c.red;
  const lines = [
    `${paint(DONE[kind])}  ${view.name} as ${decided.approval.principal}`,
    `evidence  ${decided.approval.evidence}`,
    ...decisionLines(view, c).slice(-1),
  ];
  if (decided.approval.reviewBy !== null) {
    lines.push(
      `review    due ${timeText(decided.approval.reviewBy)}: pp approval approve or reject by somebody else`,
    );
  }
  return {
    exit: EXIT.yes,
    text: lines.join("\n"),
    json: {
      format: "veripatch-approval-decision/v1",
      ...{ ok: true, decision: decisionJson(decided.approval), ...revisionJson(view) },
    },
  };
}

/** @throws Failure `reason_missing`, `reason_too_long` (usage) */
export function reasonOf(kind: Kind, text: string | undefined): string {
  const reason = (text ?? "").trim();
  if (reason === "" && kind !== "approve") {
    throw new Failure(
      "usage",
      "reason_missing",
      `a ${kind === "reject" ? "rejection" : "bypass"} has a reason`,
      {
        hint: "say it with --reason TEXT",
      },
    );
  }
  if (reason.length <= MAX_REASON && reason.isWellFormed()) return reason;
  throw new Failure("usage", "reason_too_long", `a reason has at most ${MAX_REASON} characters`);
}

function evidenceNamed(text: string | undefined): string | null {
  if (text !== undefined) {
    if (/^[0-9a-f]{64}$/.test(text)) return text;
    throw new Failure(
      "usage",
      "evidence_malformed",
      "--evidence takes the 64 hex digits of the evidence's hash",
      {
        hint: "pp approval show prints it",
      },
    );
  }
  if (canAsk()) return null;
  throw new Failure("usage", "evidence_missing", "there is no terminal to show the proposal on", {
    hint: "look at it with pp approval show, then give the hash it prints with --evidence HASH",
  });
}
