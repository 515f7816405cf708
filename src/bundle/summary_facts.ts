import type { PatchStats } from "../patch/stats.ts";
import type { SessionRecord } from "./record.ts";
import type { Repro, TargetResultsDocument } from "./schema.ts";

/** What a summary is made from; all of it redacted. */
export interface SummaryFacts {
  readonly record: SessionRecord;
  readonly repro: Repro;
  readonly baseline: TargetResultsDocument;
  /** The text of an output file of the baseline. */
  readonly output: (file: string) => string;
  readonly finalStats: PatchStats | null;
}
