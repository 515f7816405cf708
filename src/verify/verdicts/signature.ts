import { type Envelope, parseEnvelope, PAYLOAD_TYPE } from "../../sign/dsse.ts";
import { sameKey, type VerificationKey } from "../../sign/key.ts";
import { signaturesBy } from "../../sign/sign.ts";
import type { TrustedKeys } from "../../sign/trust_file.ts";
import { printableLine } from "../../vocabulary/printable.ts";
import { invalid, valid, type Verdict } from "./verdict.ts";

/** Whom the verifier believes. Nothing in here comes from the bundle. */
export interface Trust {
  readonly keys: readonly VerificationKey[];
  /** How many have to have signed, at least 1: owners where those are known, else distinct keys. */
  readonly threshold: number;
  /** Whose a key is, by its id; several keys of one owner are one voice. */
  readonly owners: ReadonlyMap<string, string>;
  /** Keys that would count at another time or were revoked; they only make the verdict say why. */
  readonly refused: TrustedKeys["refused"];
}

type RefusedKey = Trust["refused"][number];

/** The payload is there only when enough trusted keys signed it. */
export interface SignatureJudged {
  readonly verdict: Verdict;
  readonly payload: Uint8Array | null;
  /** Trusted keys that signed. */
  readonly signers: readonly VerificationKey[];
  /** A known key signed that does not count now. */
  readonly refused: RefusedKey | null;
}

/**
 * Judges an envelope by the verifier's own keys: each key says which algorithm it is, the envelope has no say. A
 * signature counts for the key it names, or for any when it names none; one that is by another key than it names spoils
 * the whole. Signatures by unknown keys count for nothing.
 * @throws RangeError on a threshold below 1
 */
export function judgeSignature(bytes: Uint8Array, trust: Trust): SignatureJudged {
  if (!Number.isInteger(trust.threshold) || trust.threshold < 1) {
    throw new RangeError(`a threshold of ${trust.threshold} would believe anybody`);
  }
  const no = (code: string, detail: string, more: Partial<SignatureJudged> = {}): SignatureJudged => ({
    verdict: invalid(code, detail),
    payload: null,
    signers: [],
    refused: null,
    ...more,
  });
  const parsed = parseEnvelope(bytes);
  if (!parsed.ok) return no(parsed.refusal.reason, printableLine(parsed.refusal.detail));
  const { envelope } = parsed;
  if (envelope.payloadType !== PAYLOAD_TYPE) {
    return no("payload_type_unknown", `its payloadType is not ${PAYLOAD_TYPE}`);
  }
  const trusted = distinct(trust.keys).map((key) => ({ key, made: signaturesOf(envelope, key) }));
  const broken = trusted.find(({ key, made }) => key.kind === "ed25519" && made.broken)?.key;
  if (broken !== undefined) {
    return no("signature_broken", `a signature that names key ${shortId(broken)} is not by that key`);
  }
  const signers = trusted.filter(({ made }) => made.good).map(({ key }) => key);
  if (isMisnamed(envelope, trust.keys)) {
    return no("keyid_mismatch", "a trusted key signed it under the name of another key");
  }
  const voices = new Set(signers.map((key) => trust.owners.get(key.id) ?? key));
  if (voices.size >= trust.threshold) {
    const detail = `signed by ${signers.map((key) => named(key, trust.owners.get(key.id))).join(", ")}`;
    return { verdict: valid("signed", detail), payload: envelope.payload, signers, refused: null };
  }
  const refused = trust.refused.find(({ key }) => signaturesOf(envelope, key).good) ?? null;
  if (refused !== null) {
    const detail = `signed by ${named(refused.key, refused.principal)}, whose key is ${
      STATES[refused.state]
    }`;
    return no(`key_${refused.state}`, detail, { signers, refused });
  }
  if (signers.length > 0) {
    const detail = `${voices.size} of the ${trust.threshold} signers that are needed signed it`;
    return no("threshold_not_met", detail, { signers });
  }
  return no("not_by_trusted_key", "no trusted key signed this statement");
}

/** Of the signatures that name a key or none: whether one is by it, and whether one that names it is not. */
function signaturesOf(envelope: Envelope, key: VerificationKey): { good: boolean; broken: boolean } {
  const found = { good: false, broken: false };
  for (const signature of envelope.signatures) {
    const { keyid } = signature;
    if (keyid !== null && keyid !== key.id) continue;
    const fits = signaturesBy({ ...envelope, signatures: [signature] }, [key]).length > 0;
    found.good ||= fits;
    found.broken ||= !fits && keyid !== null;
  }
  return found;
}

/** Whether a trusted key made a signature that names a key the verifier does not know. */
function isMisnamed(envelope: Envelope, keys: readonly VerificationKey[]): boolean {
  const known = new Set<string | null>([null, ...keys.map((key) => key.id)]);
  const signatures = envelope.signatures.filter(({ keyid }) => !known.has(keyid));
  return signatures.length > 0 && signaturesBy({ ...envelope, signatures }, keys).length > 0;
}

/** A key given twice is one key. */
function distinct(keys: readonly VerificationKey[]): readonly VerificationKey[] {
  return keys.filter((key, i) => !keys.slice(0, i).some((other) => sameKey(key, other)));
}

const STATES = { revoked: "revoked", expired: "no longer valid", not_yet_valid: "not valid yet" } as const;

function named(key: VerificationKey, owner: string | undefined): string {
  return owner === undefined ? shortId(key) : `${printableLine(owner)} (${shortId(key)})`;
}

function shortId({ kind, id }: VerificationKey): string {
  return kind === "ed25519" ? `ed25519 ${id.slice(0, 16)}` : "the shared HMAC secret";
}
