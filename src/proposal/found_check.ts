import { canonicalJson } from "../vocabulary/canonical_json.ts";
import type { CheckKind, CheckOutcome } from "../vocabulary/proposal.ts";
import { type CheckFinding, MAX_CHECK_FINDINGS } from "../approve/check.ts";

export type Details = Readonly<Record<string, unknown>>;

/** What one check found, as its document will have it. */
export interface FoundCheck {
  readonly kind: CheckKind;
  readonly outcome: CheckOutcome;
  readonly summary: string;
  readonly findings: readonly CheckFinding[];
  readonly details: Details;
}

/** Of findings and details together, in bytes of JSON: a document in a row may have 1 MiB. */
const MAX_BYTES = 800 << 10;
const MAX_TEXT = 4_000;

/**
 * A check within what a document may hold: of too many findings, and too long lists in its details, the first ones stay,
 * and `details.left_out` counts the rest. Outcome and summary are not touched.
 */
export function boundedCheck(check: FoundCheck): FoundCheck {
  for (const most of [MAX_CHECK_FINDINGS, 500, 100, 20, 4, 0]) {
    const leftOut: Record<string, number> = {};
    const cut = <T>(name: string, list: readonly T[]): readonly T[] => {
      if (list.length > most) leftOut[name] = list.length - most;
      return list.slice(0, most);
    };
    const findings = cut("findings", check.findings).map((finding) => ({
      ...finding,
      detail: finding.detail.slice(0, MAX_TEXT).toWellFormed(),
    }));
    const details = Object.fromEntries(
      Object.entries(check.details).map(([name, value]) => [
        name,
        Array.isArray(value) ? cut(name, value) : value,
      ]),
    );
    const told = Object.keys(leftOut).length === 0 ? details : { ...details, left_out: leftOut };
    const bytes = new TextEncoder().encode(canonicalJson({ findings, details: told })).length;
    if (bytes <= MAX_BYTES) {
      return { ...check, summary: check.summary.slice(0, MAX_TEXT).toWellFormed(), findings, details: told };
    }
  }
  return { ...check, findings: [], details: { left_out: { all: 1 } } };
}
