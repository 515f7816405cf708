import type { PristineCopy } from "../sandbox/sandbox.ts";
import { baselineOf, casesOf } from "../testreport/compare.ts";
import { judgeReport, noReport } from "../testreport/judge.ts";
import { MAX_REPORT_BYTES, readReport } from "../testreport/report.ts";
import type { FileChange } from "../vocabulary/change.ts";
import { Failure } from "../vocabulary/failure.ts";
import type { ManifestEntry } from "../vocabulary/manifest.ts";
import { parentsOf, parseRelativePath, type RelativePath } from "../vocabulary/path.ts";
import type { ProofTarget } from "../vocabulary/session.ts";
import { type ReportedTests, type ReportSource, STDOUT, type TestCase } from "../vocabulary/test_report.ts";
import type { CommandResult, VerificationResult } from "../vocabulary/verification.ts";

/** What the test reports of a verification are held against. */
export interface ReportRules {
  /** Reports that are part of the base: deleted in every copy, as they would pass for new ones. */
  readonly stale: readonly FileChange[];
  /** The base's tests, by target; a target without a readable report of the base is not compared. */
  readonly before: ReadonlyMap<string, readonly TestCase[]>;
  /** Whether an entry of a report names a file that is part of the base. */
  readonly fileNamed: (id: string) => RelativePath | null;
}

/** Paths of reports: no patch may write them, or it could bring its own. */
export function reportPaths(targets: readonly ProofTarget[]): readonly string[] {
  return targets.flatMap(({ report }) => report === undefined || report.path === STDOUT ? [] : [report.path]);
}

/**
 * The rules for one verification.
 * @param bases verifications of the base so far that a patched tree is held against; none for the base itself
 * @param winner the green attempt, which stands in where the base left no report: what it listed may not get lost on
 *   the way to a smaller patch
 * @throws Failure `report_path_unusable` when no command could leave a report there
 */
export function reportRules(
  targets: readonly ProofTarget[],
  entries: ReadonlyMap<string, ManifestEntry>,
  workdir: string,
  bases: readonly VerificationResult[],
  winner: VerificationResult | null = null,
): ReportRules {
  const before = new Map<string, readonly TestCase[]>();
  for (const { name, report } of targets) {
    if (report === undefined) continue;
    const tests = baselineOf(casesOf(bases, name)) ??
      baselineOf(casesOf(winner === null ? [] : [winner], name));
    if (tests !== null) before.set(name, tests);
  }
  return {
    stale: reportPaths(targets).flatMap((path) => staleAt(path, entries)),
    before,
    fileNamed: (id) => {
      // `node --test` lists a file that does not load under its path, and one that does not at all.
      const name = id.split(" > ").at(-1)!.replace(/ #\d+$/, "");
      if (!name.startsWith(`${workdir}/`)) return null;
      const path = name.slice(workdir.length + 1);
      const parsed = parseRelativePath(path);
      return parsed.ok && entries.get(path)?.mode.startsWith("100") === true ? parsed.path : null;
    },
  };
}

function staleAt(path: string, entries: ReadonlyMap<string, ManifestEntry>): FileChange[] {
  const above = parentsOf([path]).find((p) => (entries.get(p)?.mode ?? "040000") !== "040000");
  const taken = above ?? (entries.get(path)?.mode === "040000" ? path : undefined);
  if (taken !== undefined) {
    const what = taken === path ? "is a directory" : "is no directory";
    throw new Failure("malformed", "report_path_unusable", `no report can be at ${path}: ${taken} ${what}`, {
      hint: "name a path in a directory of its own, or one that the command makes",
    });
  }
  const parsed = parseRelativePath(path);
  return entries.has(path) && parsed.ok ? [{ kind: "delete", path: parsed.path }] : [];
}

/** Whether something is already where the command is to leave its report. */
export async function isTaken(copy: PristineCopy, report: ReportSource): Promise<boolean> {
  return report.path !== STDOUT && await copy.read(pathOf(report), 0) !== null;
}

/**
 * What the report of a command that exited is worth.
 * @param taken what `isTaken` said before it ran
 * @param deleted files the patch takes away
 */
export async function reportedTests(
  copy: PristineCopy,
  target: string,
  report: ReportSource,
  result: CommandResult,
  rules: ReportRules,
  taken: boolean,
  deleted: ReadonlySet<string>,
): Promise<ReportedTests> {
  if (taken) return noReport(`${report.path} was there before the command ran`);
  const found = report.path === STDOUT
    ? wholeStdout(result)
    : await copy.read(pathOf(report), MAX_REPORT_BYTES);
  if (found === null) return noReport(`the command left no file ${report.path}`);
  if (found === "cut") {
    const detail = "stdout is longer than limits.output_bytes, so that its middle is not known";
    return judgeReport({ ok: false, detail }, null);
  }
  if (found.length === 0) {
    return noReport(report.path === STDOUT ? "nothing was printed" : "the file is empty");
  }
  return judgeReport(readReport(report.format, found), rules.before.get(target) ?? null, (id) => {
    const path = rules.fileNamed(id);
    return path !== null && !deleted.has(path);
  });
}

function wholeStdout({ stdout }: CommandResult): Uint8Array | "cut" {
  return stdout.head.length === stdout.totalBytes ? stdout.head : "cut";
}

function pathOf({ path }: ReportSource): RelativePath {
  const parsed = parseRelativePath(path);
  if (!parsed.ok) throw new Failure("bug", "report_path_unchecked", `no path of a report: ${parsed.reason}`);
  return parsed.path;
}
