import { PROOF_ENVELOPE } from "../bundle/claims.ts";
import type { FileFinding, Inventory } from "../bundle/inventory.ts";
import { type ProofStatement, readProofStatement } from "../bundle/statement.ts";
import type { VerificationKey } from "../sign/key.ts";
import type { Refusal } from "../vocabulary/patch.ts";
import { printableLine, refusalText } from "../vocabulary/printable.ts";
import { type FreshnessAsked, judgeFreshness } from "./verdicts/freshness.ts";
import { judgeIntegrity, ofFindings } from "./verdicts/integrity.ts";
import { judgeSignature, type Trust } from "./verdicts/signature.ts";
import { judgeSubject, judgeUnsignedSubject } from "./verdicts/subject.ts";
import { invalid, notChecked, valid, type Verdict } from "./verdicts/verdict.ts";

export interface VerifyInput extends FreshnessAsked {
  readonly inventory: Inventory;
  readonly trust: Trust;
  /**
   * Null when an unsigned bundle is invalid, as it should be. Else what `bundleOf` says against the very files of the
   * inventory (null: they hold together); looked at only when there is no envelope.
   */
  readonly unsigned: { readonly problem: Refusal | null } | null;
}

export interface Verification {
  /** Valid when every verdict is; of an unsigned bundle that was allowed, when it holds together. */
  readonly verdict: "valid" | "invalid";
  readonly signature: Verdict;
  readonly integrity: Verdict;
  readonly subject: Verdict;
  readonly freshness: Verdict;
  /** Everything that is wrong with the files, each with its name. */
  readonly findings: readonly FileFinding[];
  /** The verifier's keys that signed. */
  readonly signers: readonly VerificationKey[];
  /** What was signed; null unless the signature is valid and it is a proof's statement. */
  readonly statement: ProofStatement | null;
}

const nothingBelieved = notChecked("nothing of it is believed without a valid signature");
const UNBELIEVED = { integrity: nothingBelieved, subject: nothingBelieved, freshness: nothingBelieved };

/**
 * Verifies an attested bundle: signature, integrity, subject, freshness, in this order. Only bytes whose signature is
 * valid are parsed. The verifier's keys, clock and wishes decide; the bundle has no say in how it is judged.
 */
export async function verifyAttestation(input: VerifyInput): Promise<Verification> {
  const { inventory, trust } = input;
  const nothing = { findings: inventory.findings, signers: [], statement: null };
  const envelope = inventory.documents.get(PROOF_ENVELOPE);
  if (envelope === undefined) {
    const odd = inventory.files.has(PROOF_ENVELOPE) ||
      inventory.findings.some((finding) => finding.name === PROOF_ENVELOPE);
    if (!odd) return unsigned(input);
    const signature = invalid("envelope_unreadable", `${PROOF_ENVELOPE} cannot be read as an envelope`);
    return whole({ ...nothing, ...UNBELIEVED, signature });
  }
  const { verdict: signature, payload, signers } = await judgeSignature(envelope, trust);
  if (payload === null) return whole({ ...nothing, ...UNBELIEVED, signers, signature });
  const read = readProofStatement(payload);
  if (!read.ok) {
    const detail = printableLine(read.refusal.detail);
    const unread = notChecked("what was signed is no statement of a proof");
    return whole({
      ...nothing,
      signers,
      signature,
      integrity: unread,
      subject: invalid(read.refusal.reason, detail),
      freshness: unread,
    });
  }
  const { statement } = read;
  const { verdict: integrity, findings } = judgeIntegrity(inventory, statement.predicate.files);
  const subject = integrity.verdict === "valid"
    ? judgeSubject(statement, inventory)
    : notChecked("the files are not those that were signed");
  const freshness = judgeFreshness(statement.predicate, input);
  return whole({ signature, integrity, subject, freshness, findings, signers, statement });
}

/** Nobody vouches for an unsigned bundle; where that is allowed, it must at least hold together. */
function unsigned(input: VerifyInput): Verification {
  const { inventory, maxAgeMs, nonce } = input;
  const nothing = { findings: inventory.findings, signers: [], statement: null };
  const signature: Verdict = {
    verdict: "unsigned",
    code: "unsigned",
    detail: `there is no ${PROOF_ENVELOPE}`,
  };
  if (input.unsigned === null) {
    return whole({ ...nothing, ...UNBELIEVED, signature });
  }
  const { problem } = input.unsigned;
  const integrity = inventory.findings.length > 0
    ? ofFindings(inventory.findings)
    : problem !== null
    ? invalid(problem.reason, refusalText(problem))
    : valid("holds_together", "its files agree with each other; nobody vouches for them");
  const freshness = maxAgeMs !== null || nonce !== null
    ? invalid("unsigned", "nobody says when it was issued")
    : { verdict: "unsigned" as const, code: "unsigned", detail: "nobody says when it was issued" };
  const subject = integrity.verdict === "valid"
    ? judgeUnsignedSubject(inventory)
    : notChecked("the files do not hold together");
  return whole({ ...nothing, signature, integrity, subject, freshness }, true);
}

/** Fails closed: whatever is not plainly valid is invalid. */
function whole(parts: Omit<Verification, "verdict">, unsignedAllowed = false): Verification {
  const { signature, integrity, subject, freshness } = parts;
  const passes = ({ verdict }: Verdict) => verdict === "valid" || (unsignedAllowed && verdict === "unsigned");
  const holds = integrity.verdict === "valid" && subject.verdict === "valid" && passes(signature) &&
    passes(freshness);
  return { verdict: holds ? "valid" : "invalid", ...parts };
}
