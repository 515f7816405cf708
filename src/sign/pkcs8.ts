import { algorithmOf, DER, readDer, readSequence } from "./der.ts";
import { type KeyResult, type PrivateKey, privateKeyOf } from "./key.ts";
import { otherAlgorithm } from "./pem.ts";
import { refuse } from "./refuse.ts";

/** An unencrypted PKCS#8 key (RFC 8410, RFC 5958) in DER; a public key in it must be the seed's. */
export function readPkcs8(bytes: Uint8Array): KeyResult<PrivateKey> {
  const malformed = refuse("key_malformed", "the private key is not an Ed25519 PKCS#8 key in DER");
  const parts = readSequence(bytes);
  const [version, identifier, octets, ...rest] = parts ?? [];
  const algorithm = algorithmOf(identifier);
  if (version?.tag !== DER.integer || version.content.length !== 1 || algorithm === null) return malformed;
  if (algorithm !== "Ed25519") return otherAlgorithm(algorithm);
  if (octets?.tag !== DER.octetString) return malformed;
  const inner = readDer(octets.content);
  if (inner?.length !== 1 || inner[0]!.tag !== DER.octetString || inner[0]!.content.length !== 32) {
    return malformed;
  }
  const made = privateKeyOf(inner[0]!.content);
  if (!made.ok || (version.content[0] === 0 && rest.length === 0)) return made;
  const [published, ...more] = rest;
  if (version.content[0] !== 1 || published?.tag !== DER.publicKey || more.length > 0) return malformed;
  const same = published.content.length === 33 && published.content[0] === 0 &&
    published.content.subarray(1).toHex() === made.key.publicKey.raw.toHex();
  return same ? made : refuse("key_malformed", "the public key in the file is not that of its private key");
}
