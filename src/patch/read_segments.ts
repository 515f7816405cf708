import type { ByteString } from "../vocabulary/patch.ts";

/** A run of lines of a proposal: what one code fence holds, or the text between fences. */
export interface Segment {
  readonly fenced: boolean;
  /** What follows the opening fence on its line. */
  readonly info: string;
  /** False for a fence the text ends in. */
  readonly closed: boolean;
  readonly lines: readonly ByteString[];
}

export const SEARCH = /^(?:<{5,9}|-{5,9}) ?SEARCH:?\s*$/;
export const DIVIDER = /^={5,9}\s*$/;
export const REPLACE = /^(?:>{5,9}|\+{5,9}) ?REPLACE:?\s*$/;

/**
 * Cuts text at its code fences. Only fences in the first column count (in a diff every line of content has a sign
 * before it), and none between the markers of a SEARCH/REPLACE block.
 */
export function segments(lines: readonly ByteString[]): Segment[] {
  const out: Segment[] = [];
  let current: ByteString[] = [];
  let fence: { mark: string; info: string } | null = null;
  let searching = false;
  const close = (closed: boolean) => {
    if (fence || current.length > 0) {
      out.push({ fenced: fence !== null, info: fence?.info ?? "", closed, lines: current });
    }
    current = [];
  };
  for (const line of lines) {
    if (SEARCH.test(line)) searching = true;
    else if (REPLACE.test(line)) searching = false;
    const mark = searching ? null : /^(`{3,}|~{3,})(.*)$/.exec(line);
    const info = mark === null ? "" : mark[2]!.trim();
    if (mark && !fence && !(mark[1]!.startsWith("`") && info.includes("`"))) {
      close(true);
      fence = { mark: mark[1]!, info };
    } else if (mark && fence && info === "" && mark[1]!.startsWith(fence.mark)) {
      close(true);
      fence = null;
    } else current.push(line);
  }
  close(fence === null);
  return out;
}
