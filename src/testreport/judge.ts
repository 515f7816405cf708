import { printableLine } from "../vocabulary/printable.ts";
import type { ReportedTests, TestCase, TestFinding } from "../vocabulary/test_report.ts";
import { compareTests, findingsOf, isFailure } from "./compare.ts";
import type { ReportRead } from "./report.ts";

/** Findings named in a sentence; more are counted. */
const NAMED = 3;

/**
 * What the report of one run is worth. Only `good` may be green: the report is whole, a test ran, none failed, and none
 * that counted on the base has lost its say.
 * @param before the base's tests; null when nothing is compared
 * @param stillThere as `compareTests` takes it
 */
export function judgeReport(
  read: ReportRead,
  before: readonly TestCase[] | null,
  stillThere?: (id: string) => boolean,
): ReportedTests {
  if (!read.ok) return { verdict: "report_malformed", detail: read.detail, cases: null, findings: [] };
  const { cases, incomplete } = read.report;
  const findings = before === null ? [] : findingsOf(compareTests(before, cases, stillThere));
  const judged = (verdict: ReportedTests["verdict"], detail: string) => ({
    verdict,
    detail,
    cases,
    findings,
  });
  if (incomplete !== null) return judged("report_malformed", incomplete);
  if (!cases.some(({ outcome }) => outcome !== "skipped")) {
    return judged("no_tests_ran", cases.length === 0 ? "it lists no test" : "every test was skipped");
  }
  if (findings.length > 0) return judged("tests_weakened", sayFindings(findings));
  const failures = cases.filter(({ outcome }) => isFailure(outcome));
  if (failures.length > 0) {
    const named = failures.slice(0, NAMED).map(({ id }) => printableLine(id)).join(", ");
    return judged("tests_failed", `it lists ${failures.length} that failed: ${named}`);
  }
  return judged("good", "");
}

/** There is no report. */
export function noReport(detail: string): ReportedTests {
  return { verdict: "no_report", detail, cases: null, findings: [] };
}

function sayFindings(findings: readonly TestFinding[]): string {
  const named = findings.slice(0, NAMED).map(({ kind, id }) =>
    `${kind.replaceAll("_", " ")}: ${printableLine(id)}`
  );
  const more = findings.length - named.length;
  return named.join("; ") + (more > 0 ? `; and ${more} more` : "");
}
