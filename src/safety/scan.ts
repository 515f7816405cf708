import type { ParsedSource } from "../syntax/tree.ts";
import type { Dialect } from "./dialect.ts";
import { evaluate } from "./evaluate.ts";
import { lowered } from "./lower/lower.ts";
import { manifestSites } from "./manifests.ts";
import { obfuscations } from "./obfuscation.ts";
import type { Rules } from "./rules.ts";
import { codeOf, type FileScan, type Site, type Unanalyzed } from "./site.ts";

/** Files without code for any program to run: prose, tables, licences. They are only searched for what hides. */
const PROSE =
  /\.(?:md|markdown|rst|adoc|txt|csv|tsv|po|pot)$|(?:^|\/)(?:LICEN[CS]E|COPYING|NOTICE|AUTHORS|CHANGELOG)$/i;

/** Requirements are names of packages that get installed, whatever their file is called. */
const NOT_PROSE = /(?:^|\/)(?:[^/]*require[^/]*|constraints[^/]*|CMakeLists)\.txt$/i;

/**
 * What one file can do. Never throws; what cannot be judged whole says so, beside what was found in it.
 * @param parsed its tree, or why there is none
 */
export function scanFile(path: string, bytes: Uint8Array, parsed: ParsedSource, rules: Rules): FileScan {
  const text = textOf(bytes);
  if (text === null) {
    return { path, language: null, sites: [], unanalyzed: { reason: "not_text", line: null } };
  }
  const prose = PROSE.test(path) && !NOT_PROSE.test(path);
  const hidden = obfuscations(path, text, !prose);
  const manifest = manifestSites(path, bytes, text);
  const known = [...hidden.sites, ...manifest.sites];
  const cut = hidden.whole && manifest.whole ? null : { reason: "too_complex" as const, line: null };
  if (prose) return { path, language: "prose", sites: known, unanalyzed: cut };
  if (manifest.language !== null) {
    const unanalyzed = manifest.broken ? { reason: "does_not_parse" as const, line: null } : cut;
    return { path, language: manifest.language, sites: known, unanalyzed };
  }
  const language = parsed.ok ? parsed.language : null;
  const own = language === null ? undefined : rules.get(language);
  if (!parsed.ok || own === undefined) {
    const reason = parsed.ok ? "unknown_language" : reasonOf(parsed.reason);
    return { path, language, sites: known, unanalyzed: { reason, line: null } };
  }
  const source = lowered(parsed.language, parsed.root, parsed.text);
  if (source === null) {
    return { path, language, sites: known, unanalyzed: { reason: "unknown_language", line: null } };
  }
  const { ok, uses } = evaluate(source, { rules: own, ...dialectOf(parsed.language) });
  const seen = new Set<string>();
  const sites = uses.flatMap((use): Site[] => {
    const key = `${use.at.start} ${use.at.end} ${use.rule.id} ${use.symbol}`;
    if (seen.has(key)) return [];
    seen.add(key);
    return [{
      file: path,
      line: use.at.line,
      function: use.function,
      capability: use.rule.capability,
      rule: use.rule.id,
      symbol: use.symbol,
      shape: use.shape,
      code: codeOf(parsed.text.slice(use.at.start, use.at.end)),
    }];
  });
  return {
    path,
    language,
    sites: [...sites, ...known].sort((a, b) => a.line - b.line),
    unanalyzed: !ok
      ? { reason: "too_complex", line: null }
      : parsed.brokenAt === null
      ? cut
      : { reason: "does_not_parse", line: parsed.brokenAt },
  };
}

function dialectOf(language: string): Omit<Dialect, "rules"> {
  return {
    textsAreCalled: language === "bash" || language === "php",
    ignoreCase: language === "php",
    shell: language === "bash",
    scoping: {
      blocks: !["python", "ruby", "php", "bash"].includes(language),
      classesAreClosed: ["python", "javascript", "typescript", "tsx"].includes(language),
    },
  };
}

function reasonOf(reason: (ParsedSource & { ok: false })["reason"]): Unanalyzed {
  if (reason === "too_many_nodes") return "too_complex";
  return reason === "gave_up" ? "too_complex" : reason;
}

/** The text of a file; null where it is not UTF-8 or holds NUL. */
function textOf(bytes: Uint8Array): string | null {
  if (bytes.includes(0)) return null;
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return null;
  }
}
