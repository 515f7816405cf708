import type { PatchStats } from "../patch/stats.ts";
import type { SessionRecord } from "./record.ts";
import type { Repro, TargetResultsDocument, TestsDocument } from "./schema.ts";

/** What a summary is made from; all of it redacted. */
export interface SummaryFacts {
  readonly record: SessionRecord;
  readonly repro: Repro;
  readonly baseline: TargetResultsDocument;
  /** The text of an output file of the baseline. */
  readonly output: (file: string) => string;
  /** Null when no target names a test report. */
  readonly tests: TestsDocument | null;
  readonly finalStats: PatchStats | null;
}
