import { type CheckDocument, readCheck } from "../approve/check.ts";
import type { Check, CheckOutcome } from "../store/proposals.ts";
import { printableLine } from "../vocabulary/printable.ts";
import { type Colour, placeText } from "./output.ts";

/** A check of a revision, with its document read. */
export interface CheckView<T extends ShownCheck = ShownCheck> {
  readonly row: T;
  /** Null where its document is none that is known. */
  readonly document: CheckDocument | null;
}

type ShownCheck = Pick<Check, "kind" | "outcome" | "document">;

export function checkView<T extends ShownCheck>(row: T): CheckView<T> {
  return { row, document: readCheck(row.document) };
}

/** Which findings of a check are shown; the rest is counted, but for `info` that is not asked for. */
export interface ShownFindings {
  readonly most: number;
  readonly info: boolean;
}

/** For whoever decides. */
export const ALL_FINDINGS: ShownFindings = { most: 200, info: true };
/** For whoever proposed, beside the rest of it. */
export const FEW_FINDINGS: ShownFindings = { most: 20, info: false };

/** One line of each check, then what it found. */
export function checkLines(checks: readonly CheckView[], shown: ShownFindings, c: Colour): string[] {
  const wide = outcomeWidth(checks.map(({ row }) => row.outcome));
  return checks.flatMap((check) => [checkLine(check, wide, c), ...findingLines(check, shown, c)]);
}

function outcomeWidth(outcomes: readonly CheckOutcome[]): number {
  return Math.max(0, ...outcomes.map((outcome) => outcome.length));
}

/** The outcome of a check in its colour, as wide as the widest beside it. */
function outcomeText(outcome: CheckOutcome, wide: number, c: Colour): string {
  const paint = { passed: c.green, failed: c.red, needs_approval: c.yellow, not_run: c.dim }[outcome];
  return paint(outcome.replaceAll("_", " ").padEnd(wide));
}

function checkLine({ row, document }: CheckView, wide: number, c: Colour): string {
  const summary = document === null ? "its document cannot be read" : printableLine(document.summary);
  return `${row.kind.padEnd(8)} ${outcomeText(row.outcome, wide, c)}  ${summary}`.trimEnd();
}

function findingLines({ document }: CheckView, { most, info }: ShownFindings, c: Colour): string[] {
  const findings = (document?.findings ?? []).filter(({ level }) => info || level !== "info");
  const lines = findings.slice(0, most).map(({ level, path, line, detail, code }) => {
    const paint = { info: c.dim, warning: c.yellow, error: c.red }[level];
    const place = path === null ? "" : `${placeText(path, line)}  `;
    return `  ${paint(level)}  ${place}${printableLine(detail)}${c.dim(`  ${printableLine(code)}`)}`;
  });
  const more = findings.length - most;
  if (more > 0) lines.push(`  and ${more} more (--json has all)`);
  return lines;
}
