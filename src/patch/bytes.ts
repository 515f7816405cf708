import { Buffer } from "node:buffer";
import type { ByteString } from "../vocabulary/patch.ts";

/** The bytes as a string of code units 0..255; any bytes, linear time. */
export function byteString(bytes: Uint8Array): ByteString {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1") as ByteString;
}

/** The bytes a ByteString stands for, in a buffer of their own. Code units above 255 are cut to their low byte. */
export function bytesOf(s: ByteString): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Buffer.from(s, "latin1"));
}

/** The UTF-8 encoding of ordinary text; lone surrogates become U+FFFD. */
export function byteStringOfText(text: string): ByteString {
  return Buffer.from(text, "utf8").toString("latin1") as ByteString;
}

/** For people only: decodes UTF-8, with U+FFFD for what is not. */
export function displayText(s: ByteString): string {
  return new TextDecoder().decode(bytesOf(s));
}

/** Decodes UTF-8 strictly; undefined when the bytes are something else. Keeps a byte order mark. */
export function strictText(s: ByteString): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytesOf(s));
  } catch {
    return undefined;
  }
}

/** Whether two byte sequences are the same. */
export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a === b || a.length === b.length && Buffer.compare(a, b) === 0;
}
