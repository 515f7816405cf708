import type { Subjects } from "../../bundle/statement.ts";
import type { VerificationKey } from "../../sign/key.ts";
import { printableLine } from "../../vocabulary/printable.ts";
import { readSummary, type VerificationSummary } from "../verification_summary.ts";
import { judgeFreshness } from "./freshness.ts";
import { judgeSignature, type Trust } from "./signature.ts";
import { invalid, valid, type Verdict } from "./verdict.ts";

/** What the verifier of a summary wants it to be about. Nothing in here comes from the summary. */
export interface SummaryExpected {
  /** Of the bundle at hand. */
  readonly subjects: Subjects;
  /** SHA-256 of the attestation.json at hand: the summary must be about these very bytes. */
  readonly attestation: string;
  readonly now: Date;
  /** Greatest age in milliseconds; null for any. */
  readonly maxAgeMs: number | null;
}

interface SummaryVerified {
  /**
   * Valid only for a confirmed replay. Codes of what is invalid: those of the envelope and the signature, of the
   * statement, `summary_subjects_differ`, `summary_attestation_differs`, those of freshness, and
   * `replay_contradicted`, `replay_inconclusive`.
   */
  readonly verdict: Verdict;
  /** The verifier's keys that signed it. */
  readonly signers: readonly VerificationKey[];
  /** What was signed; null unless enough trusted keys signed it and it is a summary. */
  readonly summary: VerificationSummary | null;
}

/**
 * Verifies a signed summary: enough keys of trusted replayers, about this bundle, fresh enough, and confirmed.
 * @param envelope the bytes of `<bundle>.replay.attestation.json`
 * @param trust keys trusted as replayers; a prover's own key has no place there
 * @throws RangeError on a threshold below 1
 */
export async function verifySummary(
  envelope: Uint8Array,
  trust: Trust,
  expected: SummaryExpected,
): Promise<SummaryVerified> {
  const { verdict, payload, signers } = await judgeSignature(envelope, trust);
  if (payload === null) return { verdict, signers, summary: null };
  const read = readSummary(payload);
  if (!read.ok) {
    const detail = printableLine(read.refusal.detail);
    return { verdict: invalid(read.refusal.reason, detail), signers, summary: null };
  }
  return { verdict: judgeSummary(read.summary, expected), signers, summary: read.summary };
}

function judgeSummary(summary: VerificationSummary, expected: SummaryExpected): Verdict {
  const { subjects, replay } = summary;
  const { now, maxAgeMs } = expected;
  if (subjects.patch !== expected.subjects.patch || subjects.tree !== expected.subjects.tree) {
    return invalid("summary_subjects_differ", "the replay was of another patch or another base");
  }
  if (summary.attestation !== expected.attestation) {
    const detail = summary.attestation === null
      ? "the replay was of an unsigned bundle"
      : "the replay was of another attestation of the same patch";
    return invalid("summary_attestation_differs", detail);
  }
  const issued_at = summary.verifiedAt.toISOString();
  const freshness = judgeFreshness({ issued_at, nonce: null }, { now, maxAgeMs, nonce: null });
  if (freshness.verdict !== "valid") return freshness;
  if (replay.verdict !== "confirmed") {
    return invalid(`replay_${replay.verdict}`, `the replay was ${replay.verdict}: ${replay.reason}`);
  }
  const times = replay.repeat === 1 ? "once" : `${replay.repeat} times`;
  return valid("replay_confirmed", `replayed ${times} at ${issued_at}: red without, green with the patch`);
}
