import { baselineOf, casesOf, compareTests, findingsOf } from "../testreport/compare.ts";
import { Failure } from "../vocabulary/failure.ts";
import type { ReportSource, TestCase } from "../vocabulary/test_report.ts";
import { TEST_CHANGES } from "../vocabulary/test_report.ts";
import type { ReportedTests } from "../vocabulary/test_report.ts";
import type { SessionRecord } from "./record.ts";
import type { Redactor } from "./redactor.ts";
import type { TestsDocument } from "./schema.ts";

type TargetTests = TestsDocument["targets"][number];
type Row = TargetTests["tests"][number];

/**
 * tests.json: every test of the targets that name a report, before and after; null when none does. Before is all runs
 * of the base together, after the last confirmation, or else the last attempt that was run.
 */
export async function testsDocument(
  record: SessionRecord,
  redactor: Redactor,
): Promise<TestsDocument | null> {
  const targets: TargetTests[] = [];
  for (const { name, report } of record.targets) {
    if (report !== undefined) targets.push(await targetTests(record, name, report, redactor));
  }
  return targets.length === 0 ? null : { format: "veripatch-tests/v1", targets };
}

async function targetTests(
  record: SessionRecord,
  target: string,
  { format, path }: ReportSource,
  redactor: Redactor,
): Promise<TargetTests> {
  const bases = casesOf([...record.baseline, ...record.baseAgain], target);
  const before = baselineOf(bases);
  const last = lastRun(record, target);
  const cases = last?.tests.cases ?? null;
  const tests = await redactedRows(rowsOf(before, cases, last?.tests ?? null), redactor);
  const compared = before !== null && cases !== null;
  return {
    target,
    report: { format, path },
    base_reports: bases.length,
    after: last === null || cases === null ? null : last.of,
    counts: compared ? countedBy(TEST_CHANGES, tests.flatMap(({ change }) => change ?? [])) : null,
    findings: findingsOf(tests.flatMap(({ change, ...row }) => change === null ? [] : [{ ...row, change }]))
      .map(({ kind, id }) => ({ kind, id })),
    tests,
  };
}

/** What the report after the patch said, where a patched run came so far. */
function lastRun(
  record: SessionRecord,
  target: string,
): { readonly tests: ReportedTests; readonly of: NonNullable<TargetTests["after"]> } | null {
  const confirmation = record.confirmation.at(-1);
  const attempt = record.attempts.findLast((a) => a.verification !== null);
  const run = confirmation ?? attempt?.verification;
  const tests = run?.targets.find((t) => t.target === target)?.tests;
  if (tests === undefined) return null;
  return confirmation === undefined
    ? { tests, of: { of: "attempt", attempt: attempt!.attempt } }
    : { tests, of: { of: "confirmation", attempt: null } };
}

function rowsOf(
  before: readonly TestCase[] | null,
  after: readonly TestCase[] | null,
  judged: ReportedTests | null,
): Row[] {
  if (before !== null && after !== null) {
    // The run itself knew which files were still there; what it did not miss is not missed here.
    const vanished = new Set(judged?.findings.flatMap(({ kind, id }) => kind === "vanished" ? [id] : []));
    return compareTests(before, after, (id) => !vanished.has(id)).map((row) => ({ ...row }));
  }
  return [
    ...(before ?? []).map(({ id, outcome }) => ({ id, before: outcome, after: null, change: null })),
    ...(after ?? []).map(({ id, outcome }) => ({ id, before: null, after: outcome, change: null })),
  ];
}

/** All names are redacted at one go; what two names have become then is told apart by a number. */
async function redactedRows(rows: readonly Row[], redactor: Redactor): Promise<Row[]> {
  if (rows.length === 0) return [];
  const names = (await redactor.text(rows.map(({ id }) => id).join("\n"), "tests.txt")).split("\n");
  if (names.length !== rows.length) {
    throw new Failure("bug", "redaction_lost_lines", "redacting the names of tests changed their number");
  }
  const taken = new Set(rows.flatMap(({ id }, i) => names[i] === id ? [id] : []));
  return rows.map((row, i) => {
    if (names[i] === row.id) return row;
    let id = names[i]! === "" ? "(redacted)" : names[i]!;
    for (let n = 2; taken.has(id); n++) id = `${names[i]} #${n}`;
    taken.add(id);
    return { ...row, id, redacted: true as const };
  });
}

/** How often each name is there; every name has its member. */
export function countedBy<K extends string>(names: readonly K[], found: readonly K[]): Record<K, number> {
  const counts = Object.fromEntries(names.map((name) => [name, 0])) as Record<K, number>;
  for (const name of found) counts[name]++;
  return counts;
}
