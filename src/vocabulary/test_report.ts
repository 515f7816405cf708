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
export const TEST_OUTCOMES = ["passed", "failed", "error", "skipped", "xfailed", "xpassed"] as const;
export type TestOutcome = typeof TEST_OUTCOMES[number];

export interface TestCase {
  /** Suites, class and name joined by ` > `; one line, at most 500 characters, distinct within a report. */
  readonly id: string;
  readonly outcome: TestOutcome;
}

/** Changes that make a green worth less than it looks. */
export const TEST_FINDINGS = ["vanished", "newly_skipped", "newly_xfailed", "newly_failing"] as const;
export type TestFindingKind = typeof TEST_FINDINGS[number];

/**
 * What became of one test between two reports. `newly_passing` was expected to fail before, `newly_running` was skipped;
 * `replaced` stood for a file or suite that could not be run, whose own tests are listed now.
 */
export const TEST_CHANGES = [
  ...["fixed", "newly_passing", "newly_running", "added", "replaced"] as const,
  ...["still_passing", "still_failing", "still_skipped", "still_xfailed"] as const,
  ...TEST_FINDINGS,
] as const;
export type TestChange = typeof TEST_CHANGES[number];

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
export const REPORT_VERDICTS: readonly [ReportVerdict, ...ReportVerdict[]] = [
  ...["good", "no_report", "report_malformed", "no_tests_ran", "tests_weakened", "tests_failed"] as const,
];

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
