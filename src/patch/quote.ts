import type { ByteString } from "../vocabulary/patch.ts";
import { parseRelativePath, PATH_FAULTS, type RelativePath } from "../vocabulary/path.ts";
import { byteStringOfText, displayText, strictText } from "./bytes.ts";
import { refuse, type Refused } from "./refusal.ts";
import { quoted } from "../vocabulary/printable.ts";

/** Characters of a refused path that a message shows. */
const MAX_SHOWN = 300;

const LETTERS: Readonly<Record<string, string>> = {
  a: "\x07",
  b: "\b",
  t: "\t",
  n: "\n",
  v: "\v",
  f: "\f",
  r: "\r",
  '"': '"',
  "\\": "\\",
};

/**
 * A path as git writes it in a header: as it is, or in C-style quotes when it holds anything unusual. A space
 * before a slash is quoted too: git writes it bare but cannot read it back from a section without labels.
 */
export function quotePath(path: string): ByteString {
  const raw = byteStringOfText(path);
  // deno-lint-ignore no-control-regex
  if (!/[\u0000-\u001f"\\\u007f-\u00ff]/.test(raw) && !raw.includes(" /")) return raw;
  let out = '"';
  for (const c of raw) {
    const code = c.charCodeAt(0);
    if (c === '"' || c === "\\") out += `\\${c}`;
    else if (code < 0x20 || code >= 0x7f) out += `\\${code.toString(8).padStart(3, "0")}`;
    else out += c;
  }
  return (out + '"') as ByteString;
}

/**
 * Reads a C-style quoted string that starts at the beginning of `text`.
 * @returns its bytes and what follows the closing quote; undefined when it is not well formed
 */
export function unquote(text: string): { value: ByteString; rest: string } | undefined {
  if (text[0] !== '"') return undefined;
  let out = "";
  for (let i = 1; i < text.length; i++) {
    const c = text[i]!;
    if (c === '"') return { value: out as ByteString, rest: text.slice(i + 1) };
    if (c !== "\\") {
      out += c;
      continue;
    }
    const octal = /^[0-3][0-7]{2}/.exec(text.slice(i + 1, i + 4));
    if (octal) {
      out += String.fromCharCode(parseInt(octal[0], 8));
      i += 3;
      continue;
    }
    const letter = LETTERS[text[i + 1] ?? ""];
    if (letter === undefined) return undefined;
    out += letter;
    i++;
  }
  return undefined;
}

/** A path's bytes from a header, checked as `parseRelativePath` does; not UTF-8 is `path_not_utf8`. */
export function pathOfBytes(raw: ByteString): { ok: true; path: RelativePath } | Refused {
  const text = strictText(raw);
  if (text === undefined) {
    const shown = shortened(displayText(raw));
    return refuse("path_not_utf8", `the path ${quoted(shown, MAX_SHOWN)} is not UTF-8`, shown);
  }
  const parsed = parseRelativePath(text);
  if (!parsed.ok) {
    return refuse(parsed.reason, PATH_FAULTS[parsed.reason], shortened(text));
  }
  return parsed;
}

function shortened(text: string): string {
  return text.length <= MAX_SHOWN ? text : `${text.slice(0, MAX_SHOWN).toWellFormed()}…`;
}
