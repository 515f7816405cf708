import { printableLine } from "./printable.ts";

type StrictJson = { readonly ok: true; readonly value: unknown } | {
  readonly ok: false;
  readonly detail: string;
  /** It has more values than are read; it may be sound otherwise. */
  readonly tooMany?: true;
};

/**
 * Parses JSON as RFC 8259 has it and stricter: valid UTF-8 without a byte order mark, no key twice in an object
 * (however it is escaped), nesting of at most `maxDepth`, at most `maxValues` members and
 * items. Time and memory are linear; never throws.
 */
export function parseStrictJson(bytes: Uint8Array, maxDepth: number, maxValues = Infinity): StrictJson {
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return { ok: false, detail: "not valid UTF-8" };
  }
  const problem = structureProblem(text, maxDepth, maxValues);
  if (problem !== null) return { ok: false, ...problem };
  try {
    return { ok: true, value: JSON.parse(text) };
  } catch (error) {
    return { ok: false, detail: `not JSON: ${printableLine((error as Error).message.slice(0, 200))}` };
  }
}

/**
 * Looks for nesting that is too deep and keys that come twice. Text that is no JSON may pass; of text that is JSON,
 * every key is seen.
 */
function structureProblem(
  text: string,
  maxDepth: number,
  maxValues: number,
): { readonly detail: string; readonly tooMany?: true } | null {
  /** Keys so far of each open object, null for an open array. */
  const open: (Set<string> | null)[] = [];
  let expectsKey = false;
  let values = 0;
  // The runtime skips what is between them sooner than a loop would.
  const marks = /["{}[\],]/g;
  while (marks.test(text)) {
    const i = marks.lastIndex - 1;
    const c = text[i];
    if ((c === "," || c === "{" || c === "[") && ++values > maxValues) {
      return { detail: `more than ${maxValues} values`, tooMany: true };
    }
    if (c === "{" || c === "[") {
      if (open.length === maxDepth) return { detail: `nested deeper than ${maxDepth}` };
      open.push(c === "{" ? new Set() : null);
      expectsKey = c === "{";
    } else if (c === "}" || c === "]") {
      open.pop();
      expectsKey = false;
    } else if (c === ",") {
      expectsKey = open.at(-1) instanceof Set;
    } else if (c === '"') {
      const end = stringEnd(text, i);
      if (end === -1) return { detail: "a string does not end" };
      if (expectsKey) {
        const keys = open.at(-1)!;
        const key = decodedKey(text.slice(i, end));
        if (key === null) return { detail: "a key is malformed" };
        if (keys.has(key)) return { detail: `key ${printableLine(key.slice(0, 80))} comes twice` };
        keys.add(key);
        expectsKey = false;
      }
      marks.lastIndex = end;
    }
  }
  return null;
}

/** The index after the closing quote, or -1. */
function stringEnd(text: string, start: number): number {
  // Strings are most of a document: they are searched by the runtime, and only backslashes before a quote are counted.
  for (let quote = start;;) {
    quote = text.indexOf('"', quote + 1);
    if (quote === -1) return -1;
    let escapes = 0;
    while (text[quote - 1 - escapes] === "\\") escapes++;
    if (escapes % 2 === 0) return quote + 1;
  }
}

function decodedKey(quoted: string): string | null {
  if (!quoted.includes("\\")) return quoted.slice(1, -1);
  try {
    return JSON.parse(quoted);
  } catch {
    return null;
  }
}
