import type { ChangeCheck, TreeScan } from "../safety/check.ts";
import { compareSites } from "../safety/delta.ts";
import { deltaDocument, siteDocument } from "../safety/document.ts";
import { ABOUT, CAPABILITIES } from "../safety/capability.ts";
import type { ImportFinding } from "../safety/imports/resolve.ts";
import { type SafetyJudgement, UNANALYZED_TEXT } from "../safety/judge.ts";
import { shownShape } from "../safety/shape.ts";
import type { Site } from "../safety/site.ts";
import { printablePath } from "../vocabulary/printable.ts";
import { shown } from "./bundle_input.ts";
import { bytesText, type Colour, count, placeText, seconds } from "./output.ts";

/** Rows of one list in text; the documents have all. */
const MAX_ROWS = 60;

export interface ScanFacts {
  readonly scan: TreeScan;
  readonly elapsedMs: number;
}

export interface DiffFacts {
  readonly check: ChangeCheck;
  readonly judgement: SafetyJudgement;
  readonly lines: { readonly files: number; readonly additions: number; readonly deletions: number };
  readonly policy: { readonly source: string | null; readonly digest: string };
  /** Whether the folder is the base that a bundle records; null where there is no bundle. */
  readonly recordedBase: boolean | null;
}

function rows<T>(list: readonly T[], row: (one: T) => string[]): string[] {
  const more = list.length - MAX_ROWS;
  return [
    ...list.slice(0, MAX_ROWS).flatMap(row),
    ...(more > 0 ? [`    and ${more} more (--json has all)`] : []),
  ];
}

function use({ symbol, shape }: Site): string {
  return shown(
    symbol === "[computed]" ? `a computed name${shownShape(shape)}` : `${symbol}${shownShape(shape)}`,
  );
}

function place({ file, line }: { readonly file: string; readonly line: number }): string {
  return `${printablePath(file)}:${line}`;
}

function within({ function: name }: Site, c: Colour): string {
  return name === "<file>" ? "" : c.dim(` in ${shown(name)}`);
}

/** What a folder can do, for people: by capability, then by file. */
export function scanText({ scan, elapsedMs }: ScanFacts, c: Colour): string {
  const sites = scan.files.flatMap((file) => file.sites).sort(compareSites);
  const unanalyzed = scan.files.filter((file) => file.unanalyzed !== null);
  const lines: string[] = [];
  for (const capability of CAPABILITIES) {
    const own = sites.filter((site) => site.capability === capability);
    if (own.length === 0) continue;
    lines.push(`${c.bold(capability)} ${c.dim(ABOUT[capability])}`);
    lines.push(...rows(own, (site) => [`    ${place(site)}  ${use(site)}${within(site, c)}`]), "");
  }
  const missing = scan.imports.filter(({ verdict }) => verdict === "missing");
  if (missing.length > 0) lines.push(...importRows("imports that are not there", missing, c), "");
  if (unanalyzed.length > 0) {
    lines.push(`${c.bold(c.yellow("unanalyzed"))} ${c.dim("nobody knows what these can do")}`);
    lines.push(
      ...rows(unanalyzed, ({ path, unanalyzed: why }) => [
        `    ${placeText(path, why!.line)}  ${UNANALYZED_TEXT[why!.reason]}`,
      ]),
      "",
    );
  }
  if (sites.length === 0) lines.push("Nothing that a rule speaks of was found.", "");
  lines.push(
    c.dim(
      `${count(scan.files.length, "file")}, ${bytesText(scan.bytes)}, ${count(sites.length, "site")}, ` +
        `${unanalyzed.length} unanalyzed, ${seconds(elapsedMs)}`,
    ),
  );
  return lines.join("\n");
}

function importRows(title: string, list: readonly ImportFinding[], c: Colour): string[] {
  return [
    c.bold(title),
    ...rows(list, (one) => [`    ${place(one)}  ${shown(one.specifier)} ${c.dim(shown(one.why))}`]),
  ];
}

/** What a change newly enables, for people; what the policy objects to comes last, beside the verdict. */
export function diffText({ check, judgement, lines, policy, recordedBase }: DiffFacts, c: Colour): string {
  const { delta, missingImports, unknownImports } = check;
  const text: string[] = [];
  const section = (title: string, about: string, body: string[]) => {
    if (body.length > 0) text.push(`${title} ${c.dim(about)}`, ...body, "");
  };
  const siteRow = (site: Site) => [
    `    ${site.capability.padEnd(13)} ${place(site)}  ${use(site)}${within(site, c)}`,
    `    ${" ".repeat(13)} ${c.dim(shown(site.code))}`,
  ];
  section(c.bold(c.red("added")), "newly able to", rows(delta.added, siteRow));
  section(
    c.bold(c.red("widened")),
    "the same place, and more than before",
    rows(delta.widened, ({ before, after }) => [
      ...siteRow(after).slice(0, 1),
      `    ${" ".repeat(13)} ${c.dim(`before: ${use(before)}`)}`,
    ]),
  );
  section(
    c.bold(c.yellow("unanalyzed")),
    "nobody knows what these can do",
    rows(delta.unanalyzed, ({ path, reason, line }) => [
      `    ${placeText(path, line)}  ${UNANALYZED_TEXT[reason]}`,
    ]),
  );
  section(
    c.bold(c.yellow("missing imports")),
    "lead nowhere, and did not before",
    importRows("", missingImports, c).slice(1),
  );
  section(
    "unknown imports",
    "nobody can say where they lead",
    rows(unknownImports, (one) => [`    ${place(one)}  ${shown(one.specifier)} ${c.dim(shown(one.why))}`]),
  );
  const quiet = (site: Site) => siteRow(site).slice(0, 1);
  section(c.green("removed"), "no longer able to", rows(delta.removed, quiet));
  section(
    c.green("narrowed"),
    "the same place, and less than before",
    rows(delta.narrowed, ({ after }) => quiet(after)),
  );
  section(
    "moved",
    "the same use, elsewhere",
    rows(
      delta.moved,
      (
        { before, after },
      ) => [`    ${after.capability.padEnd(13)} ${place(before)} -> ${place(after)}  ${use(after)}`],
    ),
  );
  const paint = { allowed: c.green, needs_approval: c.yellow, denied: c.red }[judgement.outcome];
  const words = { allowed: "allowed", needs_approval: "needs approval", denied: "denied" }[judgement.outcome];
  text.push(
    `change   ${count(check.changed.length, "file")}, +${lines.additions} -${lines.deletions}`,
    ...(recordedBase === false
      ? [c.yellow("base     is not the tree that the bundle records; the patch fits it all the same")]
      : []),
    `policy   ${policy.source === null ? "built-in default" : printablePath(policy.source)}`,
    ...rows(judgement.reasons, ({ outcome, path, line, detail, rule }) => [
      `${outcome === "denied" ? "denied  " : "approval"} ${path === null ? "" : `${placeText(path, line)} `}${
        shown(detail)
      }${rule === null ? "" : c.dim(` (${rule})`)}`,
    ]),
    `verdict  ${c.bold(paint(words))}`,
  );
  return text.join("\n");
}

/** The same as `scanText` for programs, whole. */
export function scanDocument({ scan, elapsedMs }: ScanFacts): unknown {
  const sites = scan.files.flatMap((file) => file.sites).sort(compareSites);
  return {
    format: "veripatch-safety-scan/v1",
    files: scan.files.length,
    bytes: scan.bytes,
    elapsed_ms: Math.round(elapsedMs),
    capabilities: Object.fromEntries(
      CAPABILITIES.map((
        capability,
      ) => [capability, sites.filter((site) => site.capability === capability).length]),
    ),
    sites: sites.map(siteDocument),
    imports: scan.imports,
    unanalyzed: scan.files.flatMap(({ path, unanalyzed }) =>
      unanalyzed === null ? [] : [{ path, ...unanalyzed }]
    ),
  };
}

/** The same as `diffText` for programs, whole. */
export function diffDocument({ check, judgement, lines, policy, recordedBase }: DiffFacts): unknown {
  const { delta, missingImports, unknownImports, changed } = check;
  return {
    format: "veripatch-safety-diff/v1",
    outcome: judgement.outcome,
    reasons: judgement.reasons,
    policy,
    recorded_base: recordedBase,
    changed,
    additions: lines.additions,
    deletions: lines.deletions,
    ...deltaDocument(delta),
    missing_imports: missingImports,
    unknown_imports: unknownImports,
  };
}
