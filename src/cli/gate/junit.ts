import { type GateCheck, type GateFinding, keepsClosed } from "../../verify/gate/check.ts";
import { printable } from "../../vocabulary/printable.ts";
import type { GateReport } from "./formats.ts";
import { placeOf, TITLES } from "./wording.ts";

/** JUnit XML as CI servers read it: a test case for each check; what keeps the gate closed is a failure. */
export function gateJunit({ result }: GateReport): string {
  const failures = result.checks.filter(keepsClosed).length;
  const skipped =
    result.checks.filter(({ verdict, required }) => verdict === "not_checked" && !required).length;
  const counts = `tests="${result.checks.length}" failures="${failures}" errors="0" skipped="${skipped}"`;
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name="pp gate" ${counts}>`,
    `  <testsuite name="pp gate" ${counts}>`,
    ...result.checks.map(caseOf),
    "  </testsuite>",
    "</testsuites>",
    "",
  ].join("\n");
}

function caseOf(check: GateCheck): string {
  const { id, verdict, detail, findings, notes } = check;
  const open = `    <testcase classname="pp.gate" name="${xml(`${id}: ${TITLES[id]}`)}" time="0"`;
  if (verdict === "pass") {
    return notes.length === 0
      ? `${open}/>`
      : `${open}><system-out>${xml(linesOf(notes))}</system-out></testcase>`;
  }
  if (!keepsClosed(check)) return `${open}><skipped message="${xml(detail)}"/></testcase>`;
  const type = findings[0]?.code ?? "not_checked";
  const message = verdict === "not_checked" ? `not checked: ${detail}` : detail;
  return `${open}><failure type="${xml(type)}" message="${xml(message)}">${
    xml(linesOf(findings))
  }</failure></testcase>`;
}

function linesOf(findings: readonly GateFinding[]): string {
  return findings.map((found) => {
    const place = placeOf(found);
    return `${place === null ? "" : `${place}: `}${found.detail} (${found.code})`;
  }).join("\n");
}

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&apos;",
};

/** Text for XML 1.0: marks escaped, characters it does not have made visible. */
function xml(text: string): string {
  return printable(text).replace(/[\ufffe\uffff]/g, "\ufffd").replace(/[&<>"']/g, (mark) => ENTITIES[mark]!);
}
