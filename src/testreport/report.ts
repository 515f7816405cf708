import type { ReportFormat, TestCase } from "../vocabulary/test_report.ts";
import { readJunit } from "./junit.ts";
import { readTap } from "./tap.ts";

/** Bytes of a report that are read; a longer one is malformed. */
export const MAX_REPORT_BYTES = 16 * 1024 * 1024;

interface TestReport {
  readonly cases: readonly TestCase[];
  /** Why the report is not whole by its own account (bailed out, not as many tests as planned); null when it is. */
  readonly incomplete: string | null;
}

export type ReportRead =
  | { readonly ok: true; readonly report: TestReport }
  | { readonly ok: false; readonly detail: string };

/**
 * Reads a report that anyone may have written. Never throws; takes time and memory linear in its size.
 * @param bytes at most MAX_REPORT_BYTES, more is refused
 */
export function readReport(format: ReportFormat, bytes: Uint8Array): ReportRead {
  const no = (detail: string): ReportRead => ({ ok: false, detail });
  if (bytes.length > MAX_REPORT_BYTES) return no(`it is longer than ${MAX_REPORT_BYTES} bytes`);
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: format === "junit" }).decode(bytes);
  } catch {
    return no("it is not UTF-8");
  }
  return format === "junit" ? readJunit(text) : readTap(text);
}
