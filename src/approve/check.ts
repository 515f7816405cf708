import type { CheckKind, CheckOutcome } from "../vocabulary/proposal.ts";
import { CHECK_KINDS, CHECK_OUTCOMES } from "../vocabulary/proposal.ts";
import { canonicalJson } from "../vocabulary/canonical_json.ts";
import { checked, count, exactly, listOf, nullable, oneOf, text } from "../vocabulary/shape.ts";
import { parseStrictJson } from "../vocabulary/strict_json.ts";

export const CHECK_FORMAT = "veripatch-check/v1";
/** More are counted in the summary; a page holds no more either. */
export const MAX_CHECK_FINDINGS = 2_000;

/** One line of what a check has to say. */
export interface CheckFinding {
  readonly level: "info" | "warning" | "error";
  /** Stable snake_case. */
  readonly code: string;
  readonly path: string | null;
  readonly line: number | null;
  /** One sentence for people; may hold what a hostile file says. */
  readonly detail: string;
}

/** What a check found, the same for every kind, so that whoever decides sees them all alike. */
export interface CheckDocument {
  readonly format: typeof CHECK_FORMAT;
  readonly kind: CheckKind;
  readonly outcome: CheckOutcome;
  /** One sentence. */
  readonly summary: string;
  readonly findings: readonly CheckFinding[];
  /** More for machines, such as the whole delta; any JSON. */
  readonly details: unknown;
}

const finding = exactly({
  level: oneOf("info", "warning", "error"),
  code: text(100),
  path: nullable(text(4_096)),
  line: nullable(count),
  detail: text(4_096),
});
const shape = exactly({
  format: oneOf(CHECK_FORMAT),
  kind: oneOf(...CHECK_KINDS),
  outcome: oneOf(...CHECK_OUTCOMES),
  summary: text(4_096),
  findings: listOf(finding, 0, MAX_CHECK_FINDINGS),
  details: (value: unknown) => value,
});

/** RFC 8785 JSON of a check. @throws RangeError for what `readCheck` would refuse */
export function checkDocument(check: Omit<CheckDocument, "format">): string {
  const document = canonicalJson({ format: CHECK_FORMAT, ...check });
  if (readCheck(document) === null) throw new RangeError(`a ${check.kind} check that cannot be read again`);
  return document;
}

/** Reads a check's document; null for what is none. Never throws. */
export function readCheck(document: string): CheckDocument | null {
  const json = parseStrictJson(new TextEncoder().encode(document), 32, 400_000);
  if (!json.ok) return null;
  const read = checked(shape, json.value);
  return read.ok ? read.value as CheckDocument : null;
}
