import { ANYTHING } from "./shape.ts";
import { codeOf, type Site } from "./site.ts";

/** Characters that reorder or hide what is read: bidirectional controls, characters without width, tags. */
const HIDING =
  /[\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff\u{e0000}-\u{e007f}]|(?:[\u00ad\u034f\u115f\u1160\u3164\uffa0])/gu;
const BIDI = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/u;
/** Emoji are joined by characters without width. */
const JOINS_EMOJI = /\p{Extended_Pictographic}[\ufe0f\u{1f3fb}-\u{1f3ff}]?$/u;

/** Letters that look like Latin ones. */
const WORD = /[\p{L}\p{Nl}_$][\p{L}\p{M}\p{N}_$]*/gu;
const LATIN = /[A-Za-z]/;
const LOOKALIKE =
  /[\p{Script=Cyrillic}\p{Script=Greek}\p{Script=Armenian}\p{Script=Cherokee}]|[\uff21-\uff3a\uff41-\uff5a]|[\u{1d400}-\u{1d7ff}]/u;
const GREEK_SIGNS = /^[A-Za-z_\d]*[αβγδεθλμπσφωΔΩΣ]{1,2}[A-Za-z_\d]*$/u;

/** Letters that some languages read as the plain ones: Python runs a name in full width. */
const DISGUISED =
  /[\u{ff21}-\u{ff3a}\u{ff41}-\u{ff5a}\u{1d400}-\u{1d7ff}\u24b6-\u24e9\u2090-\u209c\u1d2c-\u1d6a]/gu;

/** Java reads these escapes before anything else: one in a comment or a string ends it. */
const ENDING_ESCAPE = /(?<!\\)(?:\\\\)*\\u+00(?:0[aAdD]|2[2aAfF7]|5[cC])/g;

/** Long runs of the characters of base64 and hex; shorter ones are digests and keys. */
const ENCODED =
  /[A-Za-z0-9+/_=-]{240,}|(?:\\x[0-9a-fA-F]{2}|\\u[0-9a-fA-F]{4}|\\[0-7]{3}){40,}|(?:0x[0-9a-fA-F]{1,2}\s*,\s*){80,}/g;
const MIN_ENTROPY = 4;
const MIN_HEX_ENTROPY = 3.2;
const MAX_SITES = 200;
/** Characters shown of a line to each side of what hides in it. */
const MAX_BESIDE = 80;

export interface Obfuscations {
  readonly sites: readonly Site[];
  /** False when there is more than is listed. */
  readonly whole: boolean;
}

/**
 * What in a text hides from its reader, whatever the language: characters that reorder or are not seen, identifiers of
 * mixed alphabets, long encoded strings. Linear in the text.
 * @param code whether it is source code; prose may mix alphabets
 */
export function obfuscations(file: string, text: string, code: boolean): Obfuscations {
  const sites: Site[] = [];
  let whole = true;
  const add = (at: number, rule: string, symbol: string, shown: string) => {
    if (sites.length >= MAX_SITES) {
      whole = false;
      return;
    }
    sites.push({
      ...{ file, line: lineAt(at), function: "<file>", capability: "obfuscation", rule, symbol },
      shape: { positional: [ANYTHING], options: [] },
      code: codeOf(shown),
    });
  };
  let counted = 0, line = 1;
  function lineAt(at: number): number {
    for (
      let next = text.indexOf("\n", counted);
      next >= 0 && next < at;
      next = text.indexOf("\n", next + 1)
    ) {
      line++;
      counted = next + 1;
    }
    return line;
  }
  // Every pattern is gone through on its own, and lines are counted from the start for each.
  const each = (pattern: RegExp, found: (match: RegExpExecArray) => void) => {
    counted = 0;
    line = 1;
    for (const match of text.matchAll(pattern)) found(match);
  };
  if (/[^\0-\x7f]/.test(text)) {
    each(HIDING, ({ 0: character, index }) => {
      if (character === "\ufeff" && index === 0) return;
      if (character === "\u200d" && JOINS_EMOJI.test(text.slice(Math.max(0, index - 4), index))) return;
      const name = `U+${character.codePointAt(0)!.toString(16).toUpperCase().padStart(4, "0")}`;
      add(index, BIDI.test(character) ? "bidi-control" : "invisible-character", name, lineOf(text, index));
    });
    if (code) {
      each(WORD, ({ 0: word, index }) => {
        if (word.length > 200) return;
        if ((word.match(DISGUISED)?.length ?? 0) > 1 && !/[^\0-\x7f]/.test(word.normalize("NFKC"))) {
          add(index, "disguised-letters", word, lineOf(text, index));
          return;
        }
        if (!LATIN.test(word) || !LOOKALIKE.test(word) || GREEK_SIGNS.test(word)) return;
        add(index, "mixed-alphabets", word, lineOf(text, index));
      });
    }
  }
  if (!code) return { sites, whole };
  if (file.endsWith(".java")) {
    each(ENDING_ESCAPE, ({ 0: escape, index }) => add(index, "ending-escape", escape, lineOf(text, index)));
  }
  each(ENCODED, ({ 0: run, index }) => {
    const hex = /^[0-9a-fA-F]+$/.test(run);
    if (!/^[\\0]/.test(run) && entropy(run.slice(0, 2_000)) < (hex ? MIN_HEX_ENTROPY : MIN_ENTROPY)) return;
    // Its length is what tells it from another of the same beginning.
    add(index, "encoded-text", `${run.slice(0, 16)}… (${run.length})`, run);
  });
  return { sites, whole };
}

/** What stands around a place in its line. Bounded, for a line may be as long as the file. */
function lineOf(text: string, at: number): string {
  const before = text.slice(Math.max(0, at - MAX_BESIDE), at);
  const after = text.slice(at, at + MAX_BESIDE);
  const end = after.indexOf("\n");
  return before.slice(before.lastIndexOf("\n") + 1) + (end < 0 ? after : after.slice(0, end));
}

/** Bits a character, by how often each occurs (Shannon). */
function entropy(text: string): number {
  const counts = new Map<string, number>();
  for (const c of text) counts.set(c, (counts.get(c) ?? 0) + 1);
  let bits = 0;
  for (const n of counts.values()) bits -= (n / text.length) * Math.log2(n / text.length);
  return bits;
}
