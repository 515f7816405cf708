import { decodeBase64 } from "./base64.ts";
import type { KeyResult } from "./key.ts";
import { refuse } from "./refuse.ts";

const COMMENT = "untrusted comment:";
/** `Ed`, a key number of 8 bytes, the key. */
const LENGTH = 42;

/** Whether a text is a file of minisign's (a key or a signature) or the bare base64 of a public key. */
export function looksLikeMinisign(text: string): boolean {
  return text.trimStart().startsWith(COMMENT) || bareKey(text.trim()) !== null;
}

/**
 * The 32 bytes of the key in a public key file of minisign (https://jedisct1.github.io/minisign/): a comment line and a line of base64, or that
 * line alone, as for `minisign -P`; whether they are a point is not looked at.
 */
export function readMinisignPublic(text: string): KeyResult<Uint8Array> {
  const lines = text.trim().split(/\r?\n/);
  if (lines[0]?.startsWith(COMMENT)) lines.shift();
  const blob = lines.length === 1 ? bareKey(lines[0]!.trim()) : null;
  if (blob !== null) return { ok: true, key: blob.subarray(10) };
  // `Ed`, `Sc` (encrypted) or nothing, `B2`.
  if (/^RW(RTY0Iy|QAAEIy)/.test(lines[0] ?? "")) {
    return refuse("key_is_private", "a minisign secret key where a public key is expected");
  }
  return refuse("key_malformed", "not a minisign public key file");
}

function bareKey(line: string): Uint8Array | null {
  const blob = line.length === LENGTH / 3 * 4 ? decodeBase64(line) : null;
  return blob !== null && blob[0] === 0x45 && blob[1] === 0x64 ? blob : null;
}
