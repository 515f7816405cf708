import { sha256 } from "@noble/hashes/sha2.js";
import { encodeBase64 } from "./base64.ts";
import type { PublicKey } from "./key.ts";
import { blobOf } from "./openssh.ts";

/** `SHA256:…` as `ssh-keygen -l` prints it. */
export function opensshFingerprint(key: PublicKey): string {
  return `SHA256:${encodeBase64(sha256(blobOf(key))).replace(/=+$/, "")}`;
}
