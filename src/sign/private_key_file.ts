import type { KeyResult, PrivateKey } from "./key.ts";
import { isPublic, MAX_KEY_BYTES, OTHER_LABELS, textOf, tooLarge, unknown } from "./key_file.ts";
import { readEncryptedPkcs8 } from "./encrypted_pem.ts";
import { readOpensshPrivate } from "./openssh_private.ts";
import { otherAlgorithm, readPem } from "./pem.ts";
import { readPkcs8 } from "./pkcs8.ts";
import { refuse } from "./refuse.ts";

/**
 * Reads a private key: PEM of PKCS#8 (RFC 8410), encrypted or not, or of OpenSSH.
 * @param options.passphrase opens an encrypted key; it is not looked at for one that is not
 * @returns the key, or a refusal: `key_encrypted` when a passphrase is needed, `passphrase_wrong`, `key_not_ed25519`,
 * `key_is_public`, `key_malformed`, `key_unknown`, `key_cipher_unknown`, `key_too_large`; what was read is never in it
 */
export function readSigningKey(
  bytes: Uint8Array,
  options: { readonly passphrase?: string } = {},
): KeyResult<PrivateKey> {
  if (bytes.length > MAX_KEY_BYTES) return tooLarge();
  const text = textOf(bytes);
  if (text === null) {
    return refuse("key_unknown", "not a private key in PEM; convert DER: openssl pkey -inform DER");
  }
  const begin = /^\s*-----BEGIN ([A-Z0-9 ]{1,64})-----/.exec(text);
  if (begin === null) {
    return isPublic(text)
      ? refuse("key_is_public", "a public key where a private key is expected")
      : refuse("key_unknown", unknown(text, "private"));
  }
  const label = begin[1]!;
  if (label === "PUBLIC KEY" || label === "CERTIFICATE") {
    return refuse("key_is_public", "a public key where a private key is expected");
  }
  const other = OTHER_LABELS.get(label);
  if (other !== undefined) return otherAlgorithm(other);
  const block = readPem(text);
  if (block === null) return refuse("key_malformed", "not one whole PEM block");
  switch (label) {
    case "PRIVATE KEY":
      return readPkcs8(block.der);
    case "ENCRYPTED PRIVATE KEY":
      if (options.passphrase === undefined) return refuse("key_encrypted", "the private key is encrypted");
      return readEncryptedPkcs8(block.der, options.passphrase);
    case "OPENSSH PRIVATE KEY":
      return readOpensshPrivate(block.der, options.passphrase);
    default:
      return refuse("key_unknown", unknown(text, "private"));
  }
}
