/** One element of DER (X.690): its tag and content. */
export interface DerElement {
  readonly tag: number;
  readonly content: Uint8Array;
}

export const DER = {
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  null: 0x05,
  oid: 0x06,
  sequence: 0x30,
  /** `[1] IMPLICIT BIT STRING`: the public key in a OneAsymmetricKey (RFC 5958). */
  publicKey: 0x81,
} as const;

/**
 * Reads a run of elements with single-byte tags and definite lengths in their shortest form, up to 64 KiB each.
 * @returns the elements, or null when the bytes are anything else; linear in the bytes
 */
export function readDer(bytes: Uint8Array): readonly DerElement[] | null {
  const elements: DerElement[] = [];
  for (let at = 0; at < bytes.length;) {
    const tag = bytes[at]!;
    if ((tag & 0x1f) === 0x1f) return null;
    const first = bytes[at + 1];
    if (first === undefined) return null;
    let length = first;
    at += 2;
    if (first >= 0x80) {
      const count = first - 0x80;
      if (count < 1 || count > 2 || at + count > bytes.length) return null;
      length = count === 1 ? bytes[at]! : bytes[at]! * 256 + bytes[at + 1]!;
      if (length < (count === 1 ? 0x80 : 0x100)) return null;
      at += count;
    }
    if (at + length > bytes.length) return null;
    elements.push({ tag, content: bytes.subarray(at, at + length) });
    at += length;
  }
  return elements;
}

/** The elements of the one sequence that the bytes are, or null. */
export function readSequence(bytes: Uint8Array): readonly DerElement[] | null {
  const outer = readDer(bytes);
  if (outer?.length !== 1 || outer[0]!.tag !== DER.sequence) return null;
  return readDer(outer[0]!.content);
}

/** One element; contents of at most 65,535 bytes. */
export function der(tag: number, ...contents: readonly Uint8Array[]): Uint8Array {
  const length = contents.reduce((sum, content) => sum + content.length, 0);
  const size = length < 0x80
    ? [length]
    : length < 0x100
    ? [0x81, length]
    : [0x82, length >> 8, length & 0xff];
  const element = new Uint8Array(1 + size.length + length);
  element.set([tag, ...size]);
  let at = 1 + size.length;
  for (const content of contents) {
    element.set(content, at);
    at += content.length;
  }
  return element;
}

/** Algorithms people may hand us by mistake, by the DER of their object identifier. */
const ALGORITHMS: ReadonlyMap<string, string> = new Map([
  ["2b6570", "Ed25519"],
  ["2b6571", "Ed448"],
  ["2b656e", "X25519"],
  ["2b656f", "X448"],
  ["2a864886f70d010101", "RSA"],
  ["2a864886f70d01010a", "RSA-PSS"],
  ["2a8648ce3d0201", "EC (ECDSA)"],
  ["2a8648ce380401", "DSA"],
  ["608648016503040311", "ML-DSA-44"],
  ["608648016503040312", "ML-DSA-65"],
  ["608648016503040313", "ML-DSA-87"],
]);

/** The name of the algorithm an AlgorithmIdentifier's content names; `unknown` for others, null when it is none. */
export function algorithmOf(identifier: DerElement | undefined): string | null {
  if (identifier?.tag !== DER.sequence) return null;
  const parts = readDer(identifier.content);
  if (parts === null || parts[0]?.tag !== DER.oid) return null;
  const name = ALGORITHMS.get(parts[0].content.toHex()) ?? "unknown";
  // RFC 8410: the parameters of Ed25519 are absent, not even NULL.
  return name === "Ed25519" && parts.length !== 1 ? null : name;
}
