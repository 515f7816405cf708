import { code, plain, plural, table } from "../../bundle/markdown.ts";
import {
  type GateCheck,
  type GateCheckName,
  type GateFinding,
  keepsClosed,
} from "../../verify/gate/check.ts";
import type { GateReport } from "./formats.ts";
import { nextSteps, placeOf, SHOWN_FINDINGS, TITLES } from "./wording.ts";

const MARKS = { pass: "✅", fail: "❌", not_checked: "⬜" } as const;

/** A summary for a job's page or a review comment. Whatever others wrote is code or plain words. */
export function gateMarkdown({ result, names, bundle, owners }: GateReport): string {
  const { checks, verification } = result;
  const open = result.verdict === "open";
  const bad = checks.filter(keepsClosed);
  const codes = checks.flatMap(({ findings }) => findings.map((finding) => finding.code));
  const statement = verification.verdict === "valid" ? verification.statement : null;
  const facts: [string, string][] = [
    [
      "Change",
      `${code(names.head)} (${result.head.slice(0, 12)}) into ${code(names.base)} (${
        result.base.slice(0, 12)
      })`,
    ],
    ["Merge base", result.mergeBase?.slice(0, 12) ?? "none"],
    ["Bundle", code(bundle)],
    ["Policy", result.policy === null ? "none" : code(result.policy.source)],
    ...verification.signers.map((key): [string, string] => [
      "Signed by",
      `${plain(owners.get(key.id) ?? "a trusted key")} (${
        code(key.kind === "ed25519" ? key.id.slice(0, 16) : "HMAC")
      })`,
    ]),
    ...(statement?.predicate.targets ?? []).map(({ name, command }): [string, string] => [
      "Proved",
      `${plain(name)}: ${code(command)}`,
    ]),
  ];
  return [
    `## ${open ? "✅ Gate open" : "❌ Gate closed"}`,
    open
      ? "Exactly this change is proved: signed by trusted keys, admitted by the policy, nothing else in it."
      : `${plural(bad.length, "check")} of ${checks.length} did not pass.`,
    table(["", ""], facts),
    table(["", "Check", "Result"], checks.map(rowOf)),
    ...checks.map(({ id, findings, notes }): [GateCheckName, readonly GateFinding[]] => [
      id,
      findings.length > 1 ? findings : notes,
    ]).filter(([, found]) => found.length > 0).map(([id, found]) => findingList(id, found)),
    ...(open || nextSteps(codes).length === 0
      ? []
      : [`### What to do next\n\n${nextSteps(codes).map((step) => `- ${plain(step)}`).join("\n")}`]),
  ].join("\n\n") + "\n";
}

function rowOf({ id, verdict, required, detail, notes }: GateCheck): string[] {
  const mark = verdict === "not_checked" && !required ? "➖" : notes.length > 0 ? "⚠️" : MARKS[verdict];
  const said = verdict === "not_checked" && required ? `not checked: ${detail}` : detail;
  return [mark, `${TITLES[id]} (${code(id)})`, plain(said)];
}

function findingList(id: GateCheckName, findings: readonly GateFinding[]): string {
  const lines = findings.slice(0, SHOWN_FINDINGS).map((found) => {
    const place = placeOf(found);
    return `- ${place === null ? "" : `${code(place)}: `}${plain(found.detail)} (${found.code})`;
  });
  const more = findings.length > SHOWN_FINDINGS ? [`- and ${findings.length - SHOWN_FINDINGS} more`] : [];
  return `### ${TITLES[id]}\n\n${[...lines, ...more].join("\n")}`;
}
