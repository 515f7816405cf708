import { ABOUT, CAPABILITIES } from "../safety/capability.ts";
import type { ChangeCheck, TreeScan } from "../safety/check.ts";
import type { ImportFinding } from "../safety/imports/resolve.ts";
import { type SafetyJudgement, UNANALYZED_TEXT } from "../safety/judge.ts";
import { shownShape } from "../safety/shape.ts";
import type { Site } from "../safety/site.ts";
import { sha256 } from "../vocabulary/digest.ts";
import { printableLine } from "../vocabulary/printable.ts";
import { VERSION } from "../version.ts";

type Level = "error" | "warning" | "note";

interface Result {
  readonly ruleId: string;
  readonly level: Level;
  readonly message: string;
  readonly file: string;
  readonly line: number | null;
  /** What makes it the same result in the next run. */
  readonly identity: readonly string[];
  readonly state?: "new" | "updated";
}

const OTHER_RULES: Readonly<Record<string, string>> = {
  unanalyzed: "nobody knows what this file can do",
  missing_import: "imports what is not there",
};

/** SARIF 2.1.0 (OASIS) of what a folder can do: every site a note. */
export function scanSarif(scan: TreeScan): unknown {
  return document([
    ...scan.files.flatMap(({ sites }) => sites.map((site) => siteResult(site, "note"))),
    ...scan.files.flatMap(({ path, unanalyzed }) =>
      unanalyzed === null
        ? []
        : [unanalyzedResult(path, unanalyzed.line, UNANALYZED_TEXT[unanalyzed.reason], "warning")]
    ),
    ...scan.imports.filter(({ verdict }) => verdict === "missing").map((one) => importResult(one, "warning")),
  ]);
}

/** The same of what a change newly enables; what the policy denies is an error, all else a warning. */
export function diffSarif({ delta, missingImports }: ChangeCheck, { reasons }: SafetyJudgement): unknown {
  const denied = (path: string, line: number | null, term: string) =>
    reasons.some((reason) =>
      reason.outcome === "denied" && reason.path === path && reason.line === line &&
      (reason.code === term || reason.detail.startsWith(`${term} `))
    );
  const level = (path: string, line: number | null, term: string): Level =>
    denied(path, line, term) ? "error" : "warning";
  const newly = (site: Site, state: "new" | "updated") => ({
    ...siteResult(site, level(site.file, site.line, site.capability)),
    state,
  });
  return document([
    ...delta.added.map((site) => newly(site, "new")),
    ...delta.widened.map(({ after }) => newly(after, "updated")),
    ...delta.unanalyzed.map(({ path, reason, line }) =>
      unanalyzedResult(path, line, UNANALYZED_TEXT[reason], level(path, line, "unanalyzed"))
    ),
    ...missingImports.map((one) => importResult(one, level(one.file, one.line, "missing_import"))),
  ]);
}

function siteResult(site: Site, level: Level): Result {
  const { capability, symbol, shape, file, line, function: name } = site;
  const where = name === "<file>" ? "" : ` in ${name}`;
  return {
    ...{ ruleId: capability, level, file, line },
    message: `${ABOUT[capability]}: ${symbol}${shownShape(shape)}${where}`,
    identity: [file, name, capability, symbol, shownShape(shape)],
  };
}

function unanalyzedResult(file: string, line: number | null, message: string, level: Level): Result {
  return { ruleId: "unanalyzed", level, message, file, line, identity: [file, "unanalyzed"] };
}

function importResult({ file, line, specifier, why }: ImportFinding, level: Level): Result {
  return {
    ...{ ruleId: "missing_import", level, file, line },
    message: `imports ${specifier}: ${why}`,
    identity: [file, "missing_import", specifier],
  };
}

function document(results: readonly Result[]): unknown {
  const ids = [...CAPABILITIES, ...Object.keys(OTHER_RULES)];
  const about = (id: string) => (ABOUT as Readonly<Record<string, string>>)[id] ?? OTHER_RULES[id]!;
  return {
    $schema: "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
    version: "2.1.0",
    runs: [{
      tool: {
        driver: {
          name: "veripatch",
          semanticVersion: VERSION,
          rules: ids.map((id) => ({ id, name: id, shortDescription: { text: about(id) } })),
        },
      },
      columnKind: "utf16CodeUnits",
      originalUriBaseIds: { ROOT: { description: { text: "the folder that was looked at" } } },
      results: results.map((result) => ({
        ruleId: result.ruleId,
        ruleIndex: ids.indexOf(result.ruleId),
        level: result.level,
        message: { text: printableLine(result.message) },
        locations: [{
          physicalLocation: {
            artifactLocation: { uri: uriOf(result.file), uriBaseId: "ROOT" },
            ...(result.line === null ? {} : { region: { startLine: result.line } }),
          },
        }],
        partialFingerprints: { "veripatchSite/v1": sha256(JSON.stringify(result.identity)) },
        ...(result.state === undefined ? {} : { baselineState: result.state }),
      })),
    }],
  };
}

/** A relative reference (RFC 3986); what no URI can hold is percent-encoded, lone surrogates replaced. */
function uriOf(path: string): string {
  const encoded = path.toWellFormed().split("/").map(encodeURIComponent).join("/");
  // A first segment with a colon would be taken for a scheme; encodeURIComponent has seen to that.
  return encoded;
}
