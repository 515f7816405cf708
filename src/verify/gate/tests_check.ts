import type { ReadBundle } from "../../bundle/read.ts";
import type { ProofPredicate } from "../../bundle/statement.ts";
import type { Patch } from "../../vocabulary/patch.ts";
import { configuredTargets, sameArgv } from "../../policy/commands.ts";
import type { PolicyConfig } from "../../policy/policy.ts";
import { protectedFindings } from "../../policy/protected.ts";
import type { BaseFiles } from "../../prove/base_files.ts";
import { refusalsOf, touchedBy } from "../../prove/protection.ts";
import { printableLine, printablePath, quoted } from "../../vocabulary/printable.ts";
import { fail, finding, findingOf, type GateCheck, type GateFinding, pass } from "./check.ts";

interface TestsInput {
  readonly patch: Patch;
  readonly config: PolicyConfig;
  /** The merge base, with the files that the patch touches loaded. */
  readonly base: BaseFiles;
  /** What was signed and is believed. */
  readonly predicate: ProofPredicate;
  readonly bundle: ReadBundle;
}

/**
 * Whether tests still mean what they meant: the patch leaves alone what decides about green unless the verifier's policy
 * lets it, every test report the policy names was read, and no test was lost.
 */
export function testsCheck({ patch, config, base, predicate, bundle }: TestsInput): GateCheck {
  const { allowed, denied } = touchedBy(patch, config.policy, base);
  const reports = reportsRead(config, predicate, bundle);
  // What its own session flagged counts too, unless it is what the verifier's policy was asked about just now.
  const flagged = predicate.findings.filter(({ code, path }) =>
    code !== "protected_touched" || path === null
  );
  const findings = [
    ...refusalsOf(denied).map(findingOf),
    ...reports.findings,
    ...flagged.map(({ code, path }) => finding(code, `the session flagged ${printableLine(code)}`, path)),
  ];
  if (findings.length > 0) return fail("tests", findings);
  const notes = protectedFindings(allowed).map(({ code, path, rule, detail }) =>
    finding(code, `${printableLine(detail)} (${rule})`, path)
  );
  const [first] = allowed;
  const more = allowed.length > 1 ? ` (and ${allowed.length - 1} more)` : "";
  const touches = first === undefined
    ? "the patch leaves tests, their configuration and hooks alone"
    : `the policy lets the patch touch ${printablePath(first.path)}, which is protected${more}`;
  return pass("tests", [touches, ...reports.said].join("; "), notes);
}

/** What became of the tests of every target for which the policy names a report. */
function reportsRead(
  config: PolicyConfig,
  predicate: ProofPredicate,
  bundle: ReadBundle,
): { readonly findings: readonly GateFinding[]; readonly said: readonly string[] } {
  const wanted = configuredTargets(config);
  const findings: GateFinding[] = [];
  const said: string[] = [];
  for (const { name, argv, report } of wanted.ok ? wanted.targets : []) {
    if (report === undefined) continue;
    const proved = predicate.targets.filter((target) => sameArgv(target.argv, argv));
    const found = bundle.tests?.targets.find((tests) =>
      proved.some((target) => target.name === tests.target) &&
      tests.report.format === report.format && tests.report.path === report.path
    );
    if (found === undefined || found.after === null || found.tests.length === 0) {
      const detail = `${
        quoted(name, 80)
      }: the policy wants its test report (${report.format}), and there is none`;
      findings.push(finding("report_missing", detail));
      continue;
    }
    for (const { kind, id } of found.findings) {
      findings.push(finding("tests_weakened", `${printableLine(id)}: ${kind.replaceAll("_", " ")}`));
    }
    const { counts } = found;
    said.push(
      counts === null
        ? `${printableLine(name)} lists ${found.tests.length} tests, with nothing to compare them to`
        : `${printableLine(name)} fixed ${counts.fixed}, kept ${counts.still_passing} passing, lost none`,
    );
  }
  return { findings, said };
}
