/** How many fenced blocks and how many opening braces are tried; keeps hostile text linear. */
const MAX_TRIES = 16;

export interface FencedBlock {
  /** What stands behind the opening fence, trimmed. */
  readonly info: string;
  readonly body: string;
}

/**
 * The first closed fenced code blocks of a text (CommonMark's rule: the closing fence is at least as long as the
 * opening one). One pass; at most 16 blocks.
 */
export function fencedBlocks(text: string): FencedBlock[] {
  const blocks: FencedBlock[] = [];
  let open: { fence: string; info: string; from: number } | null = null;
  for (let at = 0; at <= text.length && blocks.length < MAX_TRIES;) {
    const newline = text.indexOf("\n", at);
    const end = newline === -1 ? text.length : newline;
    // A fence line is short; looking at its start only keeps long lines cheap.
    const line = text.slice(at, Math.min(end, at + 200)).trim();
    const fence = /^(`{3,}|~{3,})/.exec(line)?.[1];
    if (fence !== undefined) {
      if (open === null) {
        open = { fence, info: line.slice(fence.length).trim(), from: end + 1 };
      } else if (line === fence && fence[0] === open.fence[0] && fence.length >= open.fence.length) {
        blocks.push({ info: open.info, body: text.slice(open.from, Math.max(open.from, at)) });
        open = null;
      }
    }
    at = end + 1;
  }
  return blocks;
}

/**
 * The first top-level `{…}` of a text that parses as a JSON object and is wanted. At most 16 opening braces are
 * tried, each in one pass, so the work is linear in the text. Never throws.
 */
export function firstObject(
  text: string,
  wanted: (object: Record<string, unknown>) => boolean,
): Record<string, unknown> | null {
  const start = /\{\s*"/g;
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    const match = start.exec(text);
    if (match === null) return null;
    const end = balancedEnd(text, match.index);
    if (end === -1) continue;
    const object = parseObject(text.slice(match.index, end));
    if (object !== null && wanted(object)) return object;
    if (object !== null) start.lastIndex = end;
  }
  return null;
}

/** The text as a JSON object, or null when it is none. Never throws. */
export function parseObject(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? value as Record<string, unknown>
      : null;
  } catch {
    return null;
  }
}

/** The index behind the brace that closes the one at `start`, or -1. Braces within JSON strings do not count. */
function balancedEnd(text: string, start: number): number {
  let depth = 0, inString = false;
  for (let i = start; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (inString) {
      if (c === BACKSLASH) i++;
      else if (c === QUOTE) inString = false;
    } else if (c === QUOTE) inString = true;
    else if (c === OPEN) depth++;
    else if (c === CLOSE && --depth === 0) return i + 1;
  }
  return -1;
}

const QUOTE = 0x22, BACKSLASH = 0x5c, OPEN = 0x7b, CLOSE = 0x7d;
