import type { ProofPredicate } from "../../bundle/statement.ts";
import { invalid, valid, type Verdict } from "./verdict.ts";

/** How far a signer's clock may be ahead of the verifier's, in milliseconds. */
const CLOCK_SKEW_MS = 5 * 60_000;

/** What the verifier asks of the time of a statement. */
export interface FreshnessAsked {
  readonly now: Date;
  /** Greatest age in milliseconds; null for any. */
  readonly maxAgeMs: number | null;
  /** What must stand in the statement; null when nothing was asked for. */
  readonly nonce: string | null;
}

/**
 * Judges when a statement was issued, and for whom.
 * @returns invalid `issued_at_malformed`, `issued_in_future`, `too_old` or `nonce_differs`, else valid
 */
export function judgeFreshness(
  { issued_at, nonce }: Pick<ProofPredicate, "issued_at" | "nonce">,
  asked: FreshnessAsked,
): Verdict {
  const age = asked.now.getTime() - Date.parse(issued_at);
  if (Number.isNaN(age)) return invalid("issued_at_malformed", "its time of issue is no time");
  if (age < -CLOCK_SKEW_MS) {
    return invalid(
      "issued_in_future",
      `issued at ${issued_at}, which is yet to come here: compare the clocks`,
    );
  }
  if (asked.maxAgeMs !== null && age > asked.maxAgeMs) {
    return invalid("too_old", `issued at ${issued_at}, longer ago than is allowed`);
  }
  if (asked.nonce !== null && nonce !== asked.nonce) {
    const detail = nonce === null ? "it carries no nonce" : "it carries another nonce than the one asked for";
    return invalid("nonce_differs", detail);
  }
  const limits = [
    ...(asked.maxAgeMs === null ? [] : ["within the allowed age"]),
    ...(asked.nonce === null ? [] : ["with your nonce"]),
  ].join(", ");
  return valid("fresh", `issued at ${issued_at}${limits === "" ? ", no age asked for" : `, ${limits}`}`);
}
