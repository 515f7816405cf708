import { type Sha256, sha256 } from "../vocabulary/digest.ts";
import { gapLine } from "./captured_text.ts";

interface RecordedStream {
  readonly total_bytes: number;
  readonly kept_bytes: number;
  readonly sha256: Sha256;
  readonly redacted: boolean;
}

const NOTHING = sha256("");

/**
 * How an output file differs from what is recorded of its stream; null when they agree. Redacted text agrees with
 * whatever is recorded, as nothing but the secret could tell. Of other text the size is checked, and the digest when
 * nothing was left out and all of it was UTF-8.
 */
export function outputProblem(
  { total_bytes, kept_bytes, sha256: digest, redacted }: RecordedStream,
  bytes: Uint8Array | null,
  hash: Sha256 | null,
): string | null {
  if (kept_bytes > total_bytes) return "more was kept than printed";
  if ((bytes !== null) !== (kept_bytes > 0)) return "a file is there exactly when output was kept";
  if ((total_bytes === 0) !== (digest === NOTHING)) return "its digest is not that of its stream";
  if (bytes === null) return redacted ? "nothing is there to be redacted" : null;
  const text = utf8(bytes);
  if (text === null) return "not valid UTF-8";
  if (redacted) return null;
  const gap = kept_bytes < total_bytes ? gapLine(total_bytes - kept_bytes) : "";
  if (!text.includes(gap)) return "does not say what was left out";
  const size = bytes.length - gap.length;
  const replaced = text.split("\ufffd").length - 1;
  // U+FFFD has three bytes and stands for one to three of the stream.
  if (kept_bytes > size || kept_bytes < size - 2 * replaced) return "not of the size that was kept";
  return gap !== "" || replaced > 0 || hash === digest ? null : "not the stream that is recorded";
}

function utf8(bytes: Uint8Array): string | null {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return null;
  }
}
