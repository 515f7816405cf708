/** What a runner writes: JUnit XML as most of them understand it, or TAP 13 or 14. */
export type ReportFormat = "junit" | "tap";

/** Where a proof target leaves its machine-readable test report. */
export interface ReportSource {
  readonly format: ReportFormat;
  /** Relative to the workspace; `-` is the command's stdout. */
  readonly path: string;
}

/** The name of stdout in a ReportSource. */
export const STDOUT = "-";

/**
 * How one test ended. `xfailed` failed as it was marked to, `xpassed` passed although it was marked to fail; `error` is
 * a failure outside of the test itself: collection, set-up, a file that does not load.
 */
export type TestOutcome = "passed" | "failed" | "error" | "skipped" | "xfailed" | "xpassed";

export interface TestCase {
  /** Suites, class and name joined by ` > `; one line, at most 500 characters, distinct within a report. */
  readonly id: string;
  readonly outcome: TestOutcome;
}

/** What became of one test between two reports. */
export type TestChange =
  | "fixed"
  /** It was expected to fail and passes. */
  | "newly_passing"
  /** It was skipped and runs, without failing in a way that counts. */
  | "newly_running"
  | "still_passing"
  | "still_failing"
  | "still_skipped"
  | "still_xfailed"
  | "added"
  /** It stood for a file or suite that could not be run, whose own tests are listed now. */
  | "replaced"
  | "newly_failing"
  | "vanished"
  | "newly_skipped"
  | "newly_xfailed";

/** Changes that make a green worth less than it looks. */
export const TEST_FINDINGS = ["vanished", "newly_skipped", "newly_xfailed", "newly_failing"] as const;
export type TestFindingKind = typeof TEST_FINDINGS[number];

export interface TestFinding {
  readonly kind: TestFindingKind;
  readonly id: string;
}

/** `good`, or the first reason why a run that exits 0 is still not green. */
export type ReportVerdict =
  | "good"
  /** There is none, or what is there was there before the command ran. */
  | "no_report"
  /** It cannot be read, or says itself that it is not whole. */
  | "report_malformed"
  | "no_tests_ran"
  /** A test that counted before does not count any more. */
  | "tests_weakened"
  /** It lists failures although the command exits 0. */
  | "tests_failed";

/** What the report of one run says. */
export interface ReportedTests {
  readonly verdict: ReportVerdict;
  /** For people; empty when good. */
  readonly detail: string;
  /** Null when there is no report that can be read. */
  readonly cases: readonly TestCase[] | null;
  /** Against the report of the base, where there is one to compare with. */
  readonly findings: readonly TestFinding[];
}
