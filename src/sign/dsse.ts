import type { Refusal } from "../vocabulary/patch.ts";
import { parseStrictJson } from "../vocabulary/strict_json.ts";
import { decodeBase64, encodeBase64 } from "./base64.ts";
import { refuse } from "./refuse.ts";

/** What our envelopes hold: an in-toto statement. */
export const PAYLOAD_TYPE = "application/vnd.in-toto+json";

/** Bytes of a payload. */
export const MAX_PAYLOAD_BYTES = 16 * 2 ** 20;
/** Signatures of one envelope. */
export const MAX_SIGNATURES = 64;
/** Bytes of one signature; post-quantum ones fit. */
const MAX_SIGNATURE_BYTES = 8_192;
/** UTF-16 code units of a payload type or key id. */
const MAX_NAME_LENGTH = 512;
/** The payload in base64, the most signatures in base64 with their ids, and blanks between. */
export const MAX_ENVELOPE_BYTES = Math.ceil(MAX_PAYLOAD_BYTES / 3) * 4 + 2 ** 20;

export interface EnvelopeSignature {
  /** A hint which key it is, believed by nobody. Null when there is none. */
  readonly keyid: string | null;
  readonly sig: Uint8Array;
}

/** A DSSE envelope as read: nothing in it is verified. */
export interface Envelope {
  readonly payloadType: string;
  readonly payload: Uint8Array;
  readonly signatures: readonly EnvelopeSignature[];
}

type EnvelopeParse =
  | { readonly ok: true; readonly envelope: Envelope }
  | { readonly ok: false; readonly refusal: Refusal };

/**
 * The bytes that are signed: `"DSSEv1" SP LEN(type) SP type SP LEN(payload) SP payload`, lengths in bytes as decimal
 * numbers (https://github.com/secure-systems-lab/dsse/blob/v1.0.0/protocol.md).
 * @param payloadType well-formed Unicode; it is encoded in UTF-8
 */
export function preAuthEncoding(payloadType: string, payload: Uint8Array): Uint8Array<ArrayBuffer> {
  const encoder = new TextEncoder();
  const type = encoder.encode(payloadType);
  const head = encoder.encode(`DSSEv1 ${type.length} ${payloadType} ${payload.length} `);
  const encoded = new Uint8Array(head.length + payload.length);
  encoded.set(head);
  encoded.set(payload, head.length);
  return encoded;
}

/**
 * Reads a DSSE envelope (https://github.com/secure-systems-lab/dsse/blob/v1.0.0/envelope.md), stricter than it has to
 * be: UTF-8 without byte order mark, no key twice, only `payload`, `payloadType` and `signatures` with `sig` and
 * perhaps `keyid`, base64 in its one canonical spelling (standard or URL-safe, padded), 1 to 64 signatures, a payload
 * of 1 byte to 16 MiB. An empty key id is none.
 * @returns the envelope, or why it is refused; never throws
 */
export function parseEnvelope(bytes: Uint8Array): EnvelopeParse {
  if (bytes.length > MAX_ENVELOPE_BYTES) {
    return refuse("envelope_too_large", `the envelope has more than ${MAX_ENVELOPE_BYTES} bytes`);
  }
  // An envelope is an object with a list of objects: three deep.
  const json = parseStrictJson(bytes, 3, 8 * MAX_SIGNATURES);
  if (!json.ok) return refuse("envelope_not_json", `the envelope is ${asProblem(json.detail)}`);
  const envelope = record(json.value, ["payload", "payloadType", "signatures"], []);
  if (envelope === null) {
    return refuse(
      "envelope_members",
      "an envelope has exactly the members payload, payloadType and signatures",
    );
  }
  const { payload: encoded, payloadType, signatures } = envelope;
  if (!isName(payloadType) || payloadType === "") {
    return refuse("envelope_payload_type", `payloadType is not a text of 1 to ${MAX_NAME_LENGTH} characters`);
  }
  const payload = typeof encoded === "string" ? decodeBase64(encoded) : null;
  if (payload === null) return refuse("envelope_base64", "payload is not canonical padded base64");
  if (payload.length === 0) return refuse("envelope_payload_empty", "payload is empty: nothing is signed");
  if (payload.length > MAX_PAYLOAD_BYTES) {
    return refuse("envelope_too_large", `payload has more than ${MAX_PAYLOAD_BYTES} bytes`);
  }
  if (!Array.isArray(signatures) || signatures.length === 0 || signatures.length > MAX_SIGNATURES) {
    return refuse("envelope_signatures", `signatures is not a list of 1 to ${MAX_SIGNATURES} signatures`);
  }
  const read: EnvelopeSignature[] = [];
  for (const [i, entry] of signatures.entries()) {
    const signature = record(entry, ["sig"], ["keyid"]);
    if (signature === null) {
      return refuse("envelope_members", `signatures[${i}] has other members than sig and keyid`);
    }
    const { keyid = "", sig: text } = signature;
    if (!isName(keyid)) {
      return refuse("envelope_keyid", `signatures[${i}].keyid is not a text of at most ${MAX_NAME_LENGTH}`);
    }
    const sig = typeof text === "string" ? decodeBase64(text) : null;
    if (sig === null) {
      return refuse("envelope_base64", `signatures[${i}].sig is not canonical padded base64`);
    }
    if (sig.length === 0 || sig.length > MAX_SIGNATURE_BYTES) {
      return refuse("envelope_sig_length", `signatures[${i}].sig has ${sig.length} bytes`);
    }
    read.push({ keyid: keyid === "" ? null : keyid, sig });
  }
  return { ok: true, envelope: { payloadType, payload, signatures: read } };
}

/**
 * The one way we write an envelope: keys sorted, two spaces of indentation, a line feed at the end, standard padded
 * base64, no `keyid` where there is none.
 */
export function renderEnvelope({ payloadType, payload, signatures }: Envelope): Uint8Array {
  const document = {
    payload: encodeBase64(payload),
    payloadType,
    signatures: signatures.map(({ keyid, sig }) => ({
      ...(keyid === null ? {} : { keyid }),
      sig: encodeBase64(sig),
    })),
  };
  return new TextEncoder().encode(`${JSON.stringify(document, null, 2)}\n`);
}

/** `not JSON: …` and `not valid UTF-8` are said as they are, the rest as what is wrong with the JSON. */
function asProblem(detail: string): string {
  return detail.startsWith("not ") ? detail : `not strict JSON: ${detail}`;
}

/** An object with all of `required`, perhaps some of `optional` and nothing else; else null. */
function record(
  value: unknown,
  required: readonly string[],
  optional: readonly string[],
): Readonly<Record<string, unknown>> | null {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return null;
  const keys = Object.keys(value);
  if (!required.every((key) => keys.includes(key))) return null;
  if (!keys.every((key) => required.includes(key) || optional.includes(key))) return null;
  return value as Record<string, unknown>;
}

/** Text that UTF-8 can hold: of a lone surrogate the signed bytes would not be certain. */
function isName(value: unknown): value is string {
  return typeof value === "string" && value.length <= MAX_NAME_LENGTH && value.isWellFormed();
}
