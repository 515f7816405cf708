import { parseRelativePath } from "../vocabulary/path.ts";
import { quoted } from "../vocabulary/printable.ts";
import { type ReportFormat, type ReportSource, STDOUT } from "../vocabulary/test_report.ts";

/** Longest path of a report, in characters. */
export const MAX_REPORT_PATH = 512;

/** What no command of a proof should write over. */
const NEVER = /^(?:\.pp-artifacts(?:\/|$)|pp\.(?:ya?ml|json)$)/i;

type Read = { readonly ok: true; readonly report: ReportSource } | {
  readonly ok: false;
  readonly detail: string;
};

/**
 * The report a target names. TAP is read from stdout unless a path is given.
 * @param path relative to the workspace, `-` for stdout; undefined when left out
 */
export function reportSource(format: ReportFormat, path: string | undefined): Read {
  const no = (detail: string): Read => ({ ok: false, detail });
  if (path === undefined && format === "junit") {
    return no("a junit report needs its path, such as report.xml");
  }
  if (path === undefined || path === STDOUT) return { ok: true, report: { format, path: STDOUT } };
  if (path.length > MAX_REPORT_PATH) return no(`its path has more than ${MAX_REPORT_PATH} characters`);
  const parsed = parseRelativePath(path);
  if (!parsed.ok) {
    return no(`${quoted(path, 60)} is no path inside the workspace (${parsed.reason.replaceAll("_", " ")})`);
  }
  return NEVER.test(path)
    ? no(`${quoted(path, 60)} is kept for bundles and policies`)
    : { ok: true, report: { format, path } };
}

/** Reads `--report`: `junit:report.xml`, `tap`, `tap:out.tap`, `tap:-`. */
export function parseReportFlag(text: string): Read {
  const colon = text.indexOf(":");
  const format = colon < 0 ? text : text.slice(0, colon);
  if (format !== "junit" && format !== "tap") {
    return { ok: false, detail: `a report is junit or tap, not ${quoted(format, 20)}` };
  }
  return reportSource(format, colon < 0 ? undefined : text.slice(colon + 1));
}
