import { Buffer } from "node:buffer";
import { privateKeys } from "./redact_pem.ts";

/** Files that hold secrets by custom, by their names without the directory. */
const NAMES: readonly (readonly [RegExp, string])[] = [
  [/^id_(?:rsa|dsa|ecdsa|ed25519)(?:_sk)?$/, "private key of SSH"],
  [/^\.env(?:\.(?!example$|sample$|template$|dist$|defaults$)[\w.-]+)?$/, "environment file"],
  [/\.(?:p12|pfx|jks|keystore|kdbx)$/i, "store of keys"],
  [/^(?:\.netrc|\.pgpass|\.git-credentials|\.htpasswd)$/, "passwords"],
];
const FRAME = Buffer.from("PRIVATE KEY");
/** Larger files are no key files. */
const LOOKED_AT = 256 << 10;

/**
 * Why a file looks like one with a secret, by its name or because a private key is written in it; null when it does not.
 * A quick look for a warning, not the scan of `secretRedactor`.
 * @param path of a workspace
 */
export function secretFile(path: string, bytes: Uint8Array): string | null {
  const name = path.slice(path.lastIndexOf("/") + 1);
  const named = NAMES.find(([pattern]) => pattern.test(name));
  if (named !== undefined) return named[1];
  if (bytes.length > LOOKED_AT) return null;
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return view.includes(FRAME) && privateKeys(view.toString("latin1")).length > 0 ? "private key" : null;
}
