import { type Envelope, parseEnvelope, PAYLOAD_TYPE } from "../../sign/dsse.ts";
import type { VerificationKey } from "../../sign/key.ts";
import { distinctKeys, signaturesByRuntime } from "../../sign/sign_runtime.ts";
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

/** The payload is there only when enough trusted keys signed it. */
interface SignatureJudged {
  readonly verdict: Verdict;
  readonly payload: Uint8Array | null;
  /** Trusted keys that signed. */
  readonly signers: readonly VerificationKey[];
}

/**
 * Judges an envelope by the verifier's own keys: each key says which algorithm it is, the envelope has no say. A
 * signature counts for the key it names, or for any when it names none; one that is by another key than it names spoils
 * the whole. Signatures by unknown keys count for nothing.
 * @throws RangeError on a threshold below 1
 */
export async function judgeSignature(bytes: Uint8Array, trust: Trust): Promise<SignatureJudged> {
  if (!Number.isInteger(trust.threshold) || trust.threshold < 1) {
    throw new RangeError(`a threshold of ${trust.threshold} would believe anybody`);
  }
  const no = (code: string, detail: string, more: Partial<SignatureJudged> = {}): SignatureJudged => ({
    verdict: invalid(code, detail),
    payload: null,
    signers: [],
    ...more,
  });
  const parsed = parseEnvelope(bytes);
  if (!parsed.ok) return no(parsed.refusal.reason, printableLine(parsed.refusal.detail));
  const { envelope } = parsed;
  if (envelope.payloadType !== PAYLOAD_TYPE) {
    return no("payload_type_unknown", `its payloadType is not ${PAYLOAD_TYPE}`);
  }
  const tries = new Tries(envelope.payload.length);
  const signers: VerificationKey[] = [];
  for (const key of await distinctKeys(trust.keys)) {
    const made = await signaturesOf(envelope, key, tries);
    if (made.broken && key.kind === "ed25519") {
      return no("signature_broken", `a signature that names key ${shortId(key)} is not by that key`);
    }
    if (made.good) signers.push(key);
  }
  if (await isMisnamed(envelope, trust.keys)) {
    return no("keyid_mismatch", "a trusted key signed it under the name of another key");
  }
  const voices = new Set(signers.map((key) => trust.owners.get(key.id) ?? key));
  if (voices.size >= trust.threshold) {
    const detail = `signed by ${signers.map((key) => named(key, trust.owners.get(key.id))).join(", ")}`;
    return { verdict: valid("signed", detail), payload: envelope.payload, signers };
  }
  const refused = await refusedSigner(envelope, trust, tries);
  if (refused !== null) {
    const detail = `signed by ${named(refused.key, refused.principal)}, whose key is ${
      STATES[refused.state]
    }`;
    return no(`key_${refused.state}`, detail, { signers });
  }
  if (signers.length > 0) {
    const detail = `${voices.size} of the ${trust.threshold} signers that are needed signed it`;
    return no("threshold_not_met", detail, { signers });
  }
  return no("not_by_trusted_key", "no trusted key signed this statement");
}

/**
 * Tries, of all keys together, of signatures that name no single key. A hostile envelope has many of them and a long
 * payload, which is hashed anew in each.
 */
class Tries {
  #left: number;

  constructor(payloadBytes: number) {
    this.#left = Math.min(MAX_TRIES, Math.floor(MAX_TRIED_BYTES / Math.max(1, payloadBytes)));
  }

  take(): boolean {
    return this.#left-- > 0;
  }
}

const MAX_TRIES = 1_024;
const MAX_TRIED_BYTES = 1 << 27;

/**
 * Of the signatures that name a key or none: whether one is by it, and whether one that names it is not; with that the
 * looking ends. What is left untried has not signed.
 */
async function signaturesOf(
  envelope: Envelope,
  key: VerificationKey,
  tries: Tries,
): Promise<{ readonly good: boolean; readonly broken: boolean }> {
  let good = false;
  const seen = new Set<string>();
  for (const signature of envelope.signatures) {
    const { keyid, sig } = signature;
    if (keyid !== null && keyid !== key.id) continue;
    // The label of HMAC secrets names none of them.
    const names = keyid !== null && key.kind === "ed25519";
    if (!names && (good || !tries.take())) continue;
    const bytes = sig.join();
    if (seen.has(bytes)) continue;
    seen.add(bytes);
    const fits = (await signaturesByRuntime({ ...envelope, signatures: [signature] }, [key])).length > 0;
    if (!fits && names) return { good, broken: true };
    good ||= fits;
  }
  return { good, broken: false };
}

/** Whether a trusted key made a signature that names a key the verifier does not know. */
async function isMisnamed(envelope: Envelope, keys: readonly VerificationKey[]): Promise<boolean> {
  const known = new Set<string | null>([null, ...keys.map((key) => key.id)]);
  const signatures = envelope.signatures.filter(({ keyid }) => !known.has(keyid));
  return signatures.length > 0 && (await signaturesByRuntime({ ...envelope, signatures }, keys)).length > 0;
}

/** The first key that does not count and signed it, which says why nobody did. */
async function refusedSigner(envelope: Envelope, { refused }: Trust, tries: Tries) {
  for (const each of refused) {
    if ((await signaturesOf(envelope, each.key, tries)).good) return each;
  }
  return null;
}

const STATES = { revoked: "revoked", expired: "no longer valid", not_yet_valid: "not valid yet" } as const;

function named(key: VerificationKey, owner: string | undefined): string {
  return owner === undefined ? shortId(key) : `${printableLine(owner)} (${shortId(key)})`;
}

function shortId({ kind, id }: VerificationKey): string {
  return kind === "ed25519" ? `ed25519 ${id.slice(0, 16)}` : "the shared HMAC secret";
}
