import type { Refusal } from "../../vocabulary/patch.ts";
import { printableLine, printablePath } from "../../vocabulary/printable.ts";
import type { Verdict } from "../verdicts/verdict.ts";

/** Everything a gate looks at, in the order in which it is told. */
export const GATE_CHECKS = [
  "bundle",
  "signature",
  "integrity",
  "subject",
  "freshness",
  "proved",
  "verifier_files",
  "policy",
  "patch",
  "targets",
  "conditions",
  "base",
  "head",
  "tests",
  "replay",
] as const;
export type GateCheckName = typeof GATE_CHECKS[number];

/** One thing that speaks against letting a change in. */
export interface GateFinding {
  /** Stable snake_case. */
  readonly code: string;
  /** For people; hostile parts already printable. */
  readonly detail: string;
  /** The file it is about, relative to the repository, as it is; null when it is about none. */
  readonly path: string | null;
  /** 1-based; null when it is about no line. */
  readonly line: number | null;
}

export interface GateCheck {
  readonly id: GateCheckName;
  /** `not_checked`: it was not asked for, or what it needs did not pass. */
  readonly verdict: "pass" | "fail" | "not_checked";
  /** Whether the gate stays closed unless it passes. */
  readonly required: boolean;
  readonly detail: string;
  /** At least one exactly when it failed. */
  readonly findings: readonly GateFinding[];
  /** What a reviewer should know although it passed: only the verifier's own policy lets it. */
  readonly notes: readonly GateFinding[];
}

/** Findings kept of one check; the rest are counted in its detail. */
const MAX_FINDINGS = 200;

/** A check that passed. @param notes what a reviewer should know all the same */
export function pass(
  id: GateCheckName,
  detail: string,
  notes: readonly GateFinding[] = [],
): GateCheck {
  return { id, verdict: "pass", required: true, detail, findings: [], notes: notes.slice(0, MAX_FINDINGS) };
}

/** @param required false only for what nobody asked for */
export function notChecked(id: GateCheckName, detail: string, required = true): GateCheck {
  return { id, verdict: "not_checked", required, detail, findings: [], notes: [] };
}

/**
 * @param findings at least one
 * @param summary said instead of the first finding
 */
export function fail(id: GateCheckName, findings: readonly GateFinding[], summary?: string): GateCheck {
  const [first] = findings;
  if (first === undefined) throw new RangeError(`${id} fails for no reason`);
  const place = first.path === null ? "" : `${printablePath(first.path)}: `;
  const more = findings.length === 1 ? "" : ` (and ${findings.length - 1} more)`;
  const detail = (summary ?? place + first.detail) + more;
  return {
    id,
    verdict: "fail",
    required: true,
    detail,
    findings: findings.slice(0, MAX_FINDINGS),
    notes: [],
  };
}

/** Whether a check keeps the gate closed: one that has to pass and could not be made does. */
export function keepsClosed({ verdict, required }: GateCheck): boolean {
  return verdict === "fail" || (verdict === "not_checked" && required);
}

/** Passes when nothing was found. */
export function judged(id: GateCheckName, findings: readonly GateFinding[], detail: string): GateCheck {
  return findings.length === 0 ? pass(id, detail) : fail(id, findings);
}

/** One thing that speaks against a change. @param code stable snake_case @param detail printable @param line 1-based */
export function finding(
  code: string,
  detail: string,
  path: string | null = null,
  line: number | null = null,
): GateFinding {
  return { code, detail, path, line };
}

/** A refusal as a finding; it may quote what others wrote. */
export function findingOf({ reason, path, detail }: Refusal): GateFinding {
  return finding(reason, printableLine(detail), path ?? null);
}

/** One of the four verdicts on an attestation, as a check of the gate: only a plainly valid one passes. */
export function ofVerdict(id: GateCheckName, { verdict, code, detail }: Verdict): GateCheck {
  if (verdict === "valid") return pass(id, detail);
  if (verdict === "not_checked") return notChecked(id, detail);
  return fail(id, [finding(code, detail)]);
}
