import type { GateCheck, GateFinding } from "../../verify/gate/check.ts";
import { printableLine } from "../../vocabulary/printable.ts";
import { type Colour, colour, colours, count, shownPath } from "../output.ts";
import { signerText } from "../verification_report.ts";
import type { GateReport } from "./formats.ts";
import { nextSteps, placeOf, SHOWN_FINDINGS } from "./wording.ts";

const WIDTH = "verifier_files".length;

/**
 * The checks as a list, what was found, and what to do next.
 * @param stream whose colours are used; null for none
 */
export function gateText(
  { result, bundle, names, owners }: GateReport,
  stream: { isTerminal(): boolean } | null = Deno.stdout,
): string {
  const c = stream === null ? colours(false) : colour(stream);
  const open = result.verdict === "open";
  const codes = result.checks.flatMap(({ findings }) => findings.map(({ code }) => code));
  const commit = (name: string, id: string) => `${printableLine(name)} (${id.slice(0, 12)})`;
  const lines: [label: string, text: string][] = [
    ["bundle", shownPath(bundle, Deno.cwd())],
    ["change", `${commit(names.base, result.base)} <- ${commit(names.head, result.head)}`],
    ["policy", result.policy === null ? c.dim("none") : result.policy.source],
    ...result.verification.signers.map((key): [string, string] => ["signer", signerText(key, owners)]),
  ];
  return [
    ...lines.map(([label, text]) => `${c.bold(label.padEnd(8))} ${text}`),
    "",
    ...result.checks.flatMap((check) => checkLines(check, c)),
    "",
    `${c.bold("gate".padEnd(8))} ${c.bold(open ? c.green("open") : c.red("closed"))}`,
    ...(open ? [] : nextSteps(codes).map((step) => `${c.dim("next".padEnd(8))} ${step}`)),
    "",
  ].join("\n");
}

function checkLines({ id, verdict, required, detail, findings, notes }: GateCheck, c: Colour): string[] {
  const name = id.padEnd(WIDTH);
  if (verdict === "pass") {
    const mark = notes.length > 0 ? c.yellow("!") : c.green("✓");
    return [`${mark} ${name} ${detail}`, ...placed(notes, c)];
  }
  if (verdict === "not_checked") {
    const said = required ? c.yellow(`not checked: ${detail}`) : detail;
    return [required ? `${c.yellow("?")} ${name} ${said}` : c.dim(`- ${name} ${said}`)];
  }
  return [`${c.red("✗")} ${name} ${detail}`, ...(findings.length < 2 ? [] : placed(findings, c))];
}

function placed(findings: readonly GateFinding[], c: Colour): string[] {
  const shown = findings.slice(0, SHOWN_FINDINGS).map((found) => {
    const place = placeOf(found);
    return c.dim(`    ${place === null ? "" : `${place}: `}${found.detail}`);
  });
  const more = findings.length - shown.length;
  return more > 0 ? [...shown, c.dim(`    and ${count(more, "more")}`)] : shown;
}
