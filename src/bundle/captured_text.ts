import { withoutCutLines } from "../vocabulary/captured_output.ts";
import type { CapturedOutput } from "../vocabulary/verification.ts";

interface CapturedText {
  readonly text: string;
  /** Bytes of the stream that are shown in it. */
  readonly kept: number;
}

/**
 * A captured stream as text, not redacted yet: head, a line that says what was left out, tail; lines cut by the gap are
 * left out with it. Bytes that are no UTF-8 become U+FFFD. Empty when nothing of the stream is shown.
 */
export function capturedText(output: CapturedOutput): CapturedText {
  const { head, tail, totalBytes } = withoutCutLines(output);
  const kept = head.length + tail.length;
  if (kept === 0) return { text: "", kept };
  const decode = (bytes: Uint8Array) => new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
  return { text: decode(head) + (kept < totalBytes ? gapLine(totalBytes - kept) : "") + decode(tail), kept };
}

/** Stands where the middle of a stream was left out. */
export function gapLine(bytes: number): string {
  return `\n[${bytes} bytes left out here]\n`;
}
