import type { Sha256 } from "../vocabulary/digest.ts";
import { soundPointByRuntime } from "./ed25519_runtime.ts";
import type { KeyResult, PublicKey } from "./key.ts";
import { readPublicBytes } from "./key_file.ts";
import { spkiOf } from "./pem.ts";

/** `readPublicKey` by the runtime's Web Crypto, for whoever would not wait for the library to load and to warm up. */
export async function readPublicKeyByRuntime(bytes: Uint8Array): Promise<KeyResult<PublicKey>> {
  const read = readPublicBytes(bytes);
  if (!read.ok) return read;
  const raw = await soundPointByRuntime(read.key);
  if (raw === null) {
    const { publicKeyOf } = await import("./key.ts");
    return publicKeyOf(read.key);
  }
  const id = new Uint8Array(await crypto.subtle.digest("SHA-256", spkiOf(raw))).toHex() as Sha256;
  return { ok: true, key: { kind: "ed25519", raw, id } };
}
