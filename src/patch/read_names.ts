import type { ByteString } from "../vocabulary/patch.ts";
import { unquote } from "./quote.ts";

const MAX_LABEL = 300;
const MAX_MENTIONS = 200;
/** Characters in which a timestamp after a name is looked for. */
const MAX_TIMESTAMP = 80;

/** The path a line of prose is a label for (`File: x`, `### x`, `**x**:`, a lone path), or null. */
export function labelPath(line: string): ByteString | null {
  if (line.length > MAX_LABEL) return null;
  let s = line.trim().replace(/^(?:#{1,6}|>|[-*+]|\d{1,3}[.)])\s+/, "").replaceAll("**", "").trim();
  let named = false;
  const keyword =
    /^(?:(?:new|updated|modified|create|edit|update|in)\s+)?(?:file(?:name|[ _-]?path)?|path)\s*[:=]\s*(\S.*)$/i
      .exec(s);
  if (keyword) {
    s = keyword[1]!;
    named = true;
  }
  s = s.replace(/:$/, "").replace(/\s\((?:new|new file|modified|updated|created|deleted)\)$/i, "");
  const wrapped = /^`([^`]+)`$/.exec(s) ?? /^"([^"]+)"$/.exec(s) ?? /^'([^']+)'$/.exec(s);
  if (wrapped) return wrapped[1] as ByteString;
  if (s === "" || s.includes("`")) return null;
  return named || looksLikePath(s) ? s as ByteString : null;
}

/** The path in a line that announces a whole file: `Here is the updated src/a.py:`, or null. */
export function announcedPath(line: string): ByteString | null {
  if (line.length > MAX_LABEL || !line.trimEnd().endsWith(":")) return null;
  if (!/\b(?:updated|rewritten|full|complete|entire|whole|new|fixed|corrected|contents?)\b/i.test(line)) {
    return null;
  }
  const paths = pathMentions([line]);
  return paths.length === 1 ? paths[0]! : null;
}

/** The path in the info string of a fence: `python src/a.py`, `src/a.py`, `ts title="src/a.ts"`, `py:src/a.py`. */
export function infoPath(info: string): ByteString | null {
  if (info.length > MAX_LABEL) return null;
  for (const word of info.split(/[\s{}]+/)) {
    const bare = word.replace(/^(?:title|path|file|filename|name)=/i, "").replace(/^["']|["']$/g, "");
    const path = /^[A-Za-z0-9+#]+:(.+)$/.exec(bare)?.[1] ?? bare;
    if (looksLikePath(path)) return path as ByteString;
  }
  return null;
}

/** Words that could be paths, in order, each once. */
export function pathMentions(lines: Iterable<string>): ByteString[] {
  const found = new Set<string>();
  for (const line of lines) {
    if (line.length > 10 * MAX_LABEL) continue;
    for (const word of line.match(/[\w@.+\-/]+/g) ?? []) {
      const path = word.replace(/[.\-]+$/, "");
      if (found.size < MAX_MENTIONS && path.length <= MAX_LABEL && looksLikePath(path)) found.add(path);
    }
  }
  return [...found] as ByteString[];
}

function looksLikePath(s: string): boolean {
  return /^[^\s`"'<>|:;,!?(){}=]+$/.test(s) && (/\.[A-Za-z0-9]{1,10}$/.test(s) || s.includes("/")) &&
    !/^[/.]+$/.test(s);
}

/** The name on a `---` or `+++` line: unquoted, without the timestamp some tools add. */
export function labelledName(rest: string): ByteString {
  const quoted = unquote(rest);
  if (quoted) return quoted.value;
  const tab = rest.indexOf("\t");
  if (tab >= 0) return rest.slice(0, tab) as ByteString;
  // Looked for in the end only: searching from every blank of a long line would take quadratic time.
  const from = Math.max(0, rest.length - MAX_TIMESTAMP);
  const stamp = /\s\d{4}-\d\d-\d\d[ T]\d\d:\d\d.{0,40}$/.exec(rest.slice(from));
  return (stamp === null ? rest : rest.slice(0, from + stamp.index)).trimEnd() as ByteString;
}

/**
 * The readings of a file's two header names: without the prefixes git writes, then as they stand.
 * @param old null for a created file
 * @param next null for a deleted one
 */
export function headerNames(
  old: ByteString | null,
  next: ByteString | null,
): { old: ByteString[]; new: ByteString[]; prefixed: boolean } {
  const bare = (name: ByteString, prefix: RegExp) => name.replace(prefix, "") as ByteString;
  const mnemonic = /^[abciow12]\//;
  if (old !== null && next !== null) {
    const both = mnemonic.test(old) && mnemonic.test(next) && old[0] !== next[0];
    const git = old.startsWith("a/") && next.startsWith("b/");
    const strip = git || both && bare(old, mnemonic) === bare(next, mnemonic);
    const readings = (name: ByteString) =>
      strip ? [bare(name, mnemonic), name] : /^[ab]\//.test(name) ? [name, bare(name, mnemonic)] : [name];
    return { old: readings(old), new: readings(next), prefixed: strip };
  }
  const one = old ?? next;
  const prefix = old === null ? /^b\// : /^a\//;
  const readings = one === null ? [] : prefix.test(one) ? [bare(one, prefix), one] : [one];
  return {
    old: old === null ? [] : readings,
    new: next === null ? [] : readings,
    prefixed: readings.length > 1,
  };
}
