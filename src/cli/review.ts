import type { PrivateKey } from "../sign/key.ts";
import { Failure, interrupted } from "../vocabulary/failure.ts";
import { type ApprovalFlags, listed } from "./approval.ts";
import { decideOn, timesOf } from "./approval_decide.ts";
import { notDecided } from "./approval_refused.ts";
import { approvalTerms, approverOf } from "./approval_terms.ts";
import { EXIT } from "./exit_code.ts";
import { fullScreen } from "./full_screen.ts";
import { signingKey } from "./key_input.ts";
import { colour, count } from "./output.ts";
import type { PassphraseFlags } from "./passphrase.ts";
import { draw, fitted, openedAs, press, type Review, type Wish } from "./review_screen.ts";
import { patchText, soundView } from "./revision_view.ts";
import { type StoreUse, withStore } from "./store_asked.ts";
import type { VerbResult } from "./verb.ts";

export interface ReviewFlags extends ApprovalFlags, PassphraseFlags {
  readonly key?: string;
}

const TICK_MS = 1_000;
const MOST = 10_000;

/** `pp review`: the queue of proposals that wait, each with its diff, findings and tests, to be decided on. */
export async function runReview(flags: ReviewFlags): Promise<VerbResult> {
  if (!Deno.stdin.isTerminal() || !Deno.stdout.isTerminal()) {
    throw new Failure("usage", "no_terminal", "there is no terminal to review on", {
      hint: "pp approval list, show, approve and reject do the same without one",
    });
  }
  const key = flags.key === undefined ? null : await signingKey(flags.key, flags);
  return await withStore(flags, false, async (use) => {
    const as = key === null ? null : approverOf(await approvalTerms(flags, use.by.now), key.publicKey.id);
    const done = await reviewing(use, flags, key, as);
    return {
      exit: EXIT.yes,
      text: done.length === 0
        ? "nothing was decided"
        : `${done.join("\n")}\n${count(done.length, "decision")}`,
      json: { format: "veripatch-review/v1", decisions: done },
    };
  });
}

/** @returns what was decided, one line each */
async function reviewing(
  { store, by, signal }: StoreUse,
  flags: ReviewFlags,
  key: PrivateKey | null,
  as: string | null,
): Promise<string[]> {
  const c = colour(Deno.stdout);
  const done: string[] = [];
  const queue = () => store.records.read((rows) => listed(rows, "proposed", MOST, new Date()));
  let review: Review = { items: queue(), selected: 0, opened: null, question: null, message: "", as };
  const screen = fullScreen(signal);
  const grant = async (wish: Wish): Promise<void> => {
    if (wish.kind === "open") {
      const { proposal, revision } = wish.item.summary;
      const name = { proposal: proposal.number, revision: revision.number };
      const view = await soundView(store, name, await approvalTerms(flags, new Date()));
      review = { ...review, opened: openedAs(view, patchText(store, view), screen.size()) };
    } else if (wish.kind === "refresh") review = { ...review, items: queue() };
    else if (wish.kind === "decide") {
      const { view } = review.opened!;
      const terms = await approvalTerms(flags, new Date());
      const { decision: kind, reason } = wish;
      const deciding = { kind, key: key!, reason, terms, ...timesOf(kind, {}, terms) };
      const decided = decideOn(store, { ...by, now: terms.now }, view, deciding);
      if (decided.ok) {
        const more = decided.standing.outcome === "missing" ? `; ${decided.standing.missing[0]}` : "";
        const line = `${kind === "approve" ? "approved" : "rejected"} ${view.name} as ${as}${more}`;
        done.push(line);
        review = { ...review, items: queue(), opened: null, message: line };
      } else {
        const message = notDecided(view.name, decided).text.split("\n")[0]!;
        const now = await soundView(
          store,
          { proposal: view.revision.proposal, revision: view.revision.number },
          terms,
        );
        review = { ...review, items: queue(), message, opened: { ...review.opened!, view: now } };
      }
    }
  };
  try {
    for (;;) {
      review = fitted(review, screen.size());
      screen.show(draw(review, screen.size(), c));
      const event = await screen.next(TICK_MS);
      if (event.kind === "end") throw interrupted(signal.reason);
      if (event.kind === "tick" && review.opened === null) review = { ...review, items: queue() };
      if (event.kind !== "key") continue;
      const pressed = press(review, event.key, screen.size());
      review = pressed.review;
      if (pressed.wish?.kind === "quit") return done;
      if (pressed.wish?.kind === "interrupt") throw interrupted();
      if (pressed.wish !== null) {
        await grant(pressed.wish).catch((error) => {
          // What one proposal cannot be shown for is no reason to end the review.
          if (!(error instanceof Failure)) throw error;
          review = { ...review, message: error.message };
        });
      }
    }
  } finally {
    screen.leave();
  }
}
