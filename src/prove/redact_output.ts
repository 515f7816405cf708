import type { Redact } from "../vocabulary/redaction.ts";
import type { CapturedOutput } from "../vocabulary/verification.ts";
import { withoutCutLines } from "../vocabulary/captured_output.ts";
import { withoutEscapes } from "./evidence_text.ts";

/** A captured stream as a proposer may see it. */
export interface RedactedOutput {
  /** Head, a line about what is missing, tail. */
  readonly text: string;
  /** Bytes of the stream that are not in the text. */
  readonly missing: number;
}

/**
 * All that was captured of a stream, redacted before anything is cut out of it. Escape sequences go first, because
 * they can stand inside a secret; lines that the capture itself cut are left out.
 */
export async function redactedOutput(
  captured: CapturedOutput,
  redact: Redact,
  name: string,
): Promise<RedactedOutput> {
  const { head, tail, totalBytes } = withoutCutLines(captured);
  const missing = totalBytes - head.length - tail.length;
  const text = missing === 0
    ? decoded(concatenated(head, tail))
    : `${decoded(head)}${gapLine(missing)}${decoded(tail)}`;
  return { text: (await redact(withoutEscapes(text), name)).text, missing };
}

/** Head and tail of a redacted text of more than `maxBytes`, with what is missing between them named. */
export function excerpt({ text, missing }: RedactedOutput, maxBytes: number): string {
  const bytes = new TextEncoder().encode(text);
  if (bytes.length <= maxBytes) return text;
  const half = Math.floor(maxBytes / 2);
  const head = bytes.subarray(0, half), tail = bytes.subarray(bytes.length - half);
  return `${decoded(head)}${gapLine(missing + bytes.length - 2 * half)}${decoded(tail)}`;
}

function gapLine(bytes: number): string {
  return `\n[… ${bytes} bytes left out …]\n`;
}

function decoded(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

function concatenated(head: Uint8Array, tail: Uint8Array): Uint8Array {
  if (tail.length === 0) return head;
  const both = new Uint8Array(head.length + tail.length);
  both.set(head);
  both.set(tail, head.length);
  return both;
}
