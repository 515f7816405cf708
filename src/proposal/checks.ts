import type { CheckFinding } from "../approve/check.ts";
import { type FileInUse, filesInUse } from "../approve/in_use.ts";
import { bytesOf } from "../patch/bytes.ts";
import { patchStats } from "../patch/stats.ts";
import type { PolicyConfig } from "../policy/policy.ts";
import { BaseFiles } from "../prove/base_files.ts";
import type { SessionPorts } from "../prove/ports.ts";
import { objectionsTo } from "../prove/proposal.ts";
import { refusalsOf, touchedBy } from "../prove/protection.ts";
import { type ChangeCheck, checkChange, type CheckPorts, type Tree } from "../safety/check.ts";
import { deltaDocument } from "../safety/document.ts";
import type { ImportFinding } from "../safety/imports/resolve.ts";
import { judgeSafety, type SafetyJudgement } from "../safety/judge.ts";
import type { SyntaxTrees } from "../syntax/tree.ts";
import type { FileMode } from "../vocabulary/manifest.ts";
import type { Refusal } from "../vocabulary/patch.ts";
import type { FoundCheck } from "./found_check.ts";
import type { StoredWorkspace } from "./version_workspace.ts";
import type { ProposedChange } from "./working_tree.ts";

/** A change whose base and result are in the store. */
export interface CheckedChange {
  readonly base: StoredWorkspace;
  readonly result: StoredWorkspace;
  readonly change: ProposedChange;
}

export interface CheckPlan {
  readonly config: PolicyConfig;
  /** Paths no patch may touch, whatever the policy says. */
  readonly keptOut: readonly string[];
  /** Files that whoever judges reads trust and policy from: a person decides on a change of them. */
  readonly inUse: readonly FileInUse[];
}

export interface ChangePorts extends Pick<SessionPorts, "gitAgrees" | "findSecrets"> {
  readonly safety: CheckPorts;
}

export interface ChangeFindings {
  /** Of kinds patch, git, syntax, imports and safety. */
  readonly checks: readonly FoundCheck[];
  readonly safety: ChangeCheck;
  readonly judgement: SafetyJudgement;
}

/** Whether a changed file parses. */
export interface SyntaxFinding {
  readonly path: string;
  readonly verdict: "valid" | "broken" | "not_checked";
  /** 1-based, of the first place that does not parse. */
  readonly line: number | null;
  /** Why it was not checked. */
  readonly reason: string | null;
  /** Whether it was broken before as well. */
  readonly broken_before: boolean;
}

/** Larger files are not parsed. */
const MAX_PARSED = 16 << 20;

/**
 * Everything that can be found out about a change without running it, judged on the whole resulting files.
 * @throws Failure `blob_missing`, `blob_corrupt` (malformed); whatever a port throws
 */
export async function checkProposal(
  checked: CheckedChange,
  plan: CheckPlan,
  ports: ChangePorts,
): Promise<ChangeFindings> {
  const { base, result, change } = checked;
  const files = new BaseFiles(base, base.tree.entries);
  await files.load(change.patch.files.flatMap(({ oldPath }) => oldPath ?? []));
  const patch = await patchCheck(change, files, plan, ports);
  const git = await gitCheck(change, files, ports);
  const renames = new Map(
    change.patch.files.flatMap(({ oldPath, newPath }) =>
      oldPath !== null && newPath !== null && oldPath !== newPath ? [[oldPath, newPath] as const] : []
    ),
  );
  const safety = await checkChange(treeOf(base), treeOf(result), ports.safety, renames);
  const syntax = await syntaxCheck(change, files, ports.safety.trees);
  const { additions, deletions } = patchStats(change.patch);
  const judgement = judgeSafety(
    { delta: safety.delta, missingImports: safety.missingImports, diffLines: additions + deletions },
    plan.config.policy.safety,
  );
  return {
    checks: [patch, git, syntax, importsCheck(safety), safetyCheck(safety, judgement)],
    safety,
    judgement,
  };
}

/** A stored tree as the safety check looks at it. */
function treeOf(workspace: StoredWorkspace): Tree {
  const read = (path: string) => {
    const { sha256, size } = workspace.entry(path)!;
    return Promise.resolve(workspace.bytes(sha256, size));
  };
  return { entries: workspace.tree.entries, read };
}

/** The policy's rules for what a patch may write, as a session has them. */
async function patchCheck(
  { patch }: ProposedChange,
  files: BaseFiles,
  { config, keptOut, inUse }: CheckPlan,
  ports: ChangePorts,
): Promise<FoundCheck> {
  const objections = await objectionsTo(patch, config.policy, keptOut, ports.findSecrets);
  const touched = touchedBy(patch, config.policy, files);
  const said = new Set(objections.map(({ path }) => path));
  const refusals: Refusal[] = [
    ...objections,
    ...refusalsOf(touched.denied.filter(({ path }) => !said.has(path))),
  ];
  const denied = new Set(refusals.map(({ path }) => path));
  const paths = patch.files.flatMap(({ oldPath, newPath }) => [oldPath ?? [], newPath ?? []].flat());
  const used = filesInUse(paths, inUse).filter(({ path }) => !denied.has(path));
  const asks = used.length + touched.allowed.length;
  const outcome = refusals.length > 0 ? "failed" : asks > 0 ? "needs_approval" : "passed";
  const findings: CheckFinding[] = [
    ...refusals.map(({ reason, path = null, detail }) =>
      ({ level: "error", code: reason, path, line: null, detail }) as const
    ),
    ...touched.allowed.map(({ path, rule, about }): CheckFinding =>
      ({
        ...{ level: "warning", code: "protected_touched", path, line: null },
        detail: `a protected file (${about}; ${rule}), as the policy allows`,
      }) as const
    ),
    ...used.map(({ path, what }): CheckFinding => ({
      ...{ level: "warning", code: "file_in_use_touched", path, line: null },
      detail: `the ${what} in use: what is approved from then on is judged by what this makes of it`,
    })),
  ];
  const summary = refusals.length > 0
    ? `the policy lets no patch do this: ${[...new Set(refusals.map(({ reason }) => reason))].join(", ")}`
    : used.length > 0
    ? `the ${used[0]!.what} in use is touched`
    : touched.allowed.length > 0
    ? `protected files are touched: ${touched.allowed.length}`
    : "the policy lets a patch write all of it";
  return { kind: "patch", outcome, summary, findings, details: {} };
}

async function gitCheck(
  { patch, rendered, changes }: ProposedChange,
  files: BaseFiles,
  ports: ChangePorts,
): Promise<FoundCheck> {
  const touched = new Map<string, { mode: FileMode; bytes: Uint8Array }>();
  for (const { oldPath } of patch.files) {
    const state = oldPath === null ? null : files.lookup(oldPath);
    if (oldPath !== null && state !== null && typeof state === "object") touched.set(oldPath, state);
  }
  const said = await ports.gitAgrees(bytesOf(rendered), touched, changes);
  const [outcome, summary] = GIT_SAYS[said.verdict];
  const findings: CheckFinding[] = said.verdict !== "disagrees"
    ? []
    : [{ level: "error", code: "git_disagrees", path: null, line: null, detail: said.detail }];
  return { kind: "git", outcome, summary, findings, details: { verdict: said.verdict } };
}

const GIT_SAYS = {
  agrees: ["passed", "git apply takes the same bytes to the same effect"],
  disagrees: ["failed", "git apply reads the patch differently"],
  timed_out: ["failed", "git apply did not end in its time"],
  no_git: ["not_run", "there is no git to ask"],
} as const;

/** A file that parsed before and no longer does fails; one that never did is for a person to judge. */
async function syntaxCheck(
  { patch, changes }: ProposedChange,
  files: BaseFiles,
  trees: SyntaxTrees,
): Promise<FoundCheck> {
  const oldPaths = new Map(patch.files.map(({ oldPath, newPath }) => [newPath, oldPath]));
  const found: SyntaxFinding[] = [];
  for (const change of changes) {
    if (change.kind !== "write") continue;
    const verdict = await parsed(change.path, change.bytes, trees);
    const oldPath = oldPaths.get(change.path) ?? null;
    const before = verdict.verdict !== "broken" || oldPath === null ? undefined : files.read(oldPath);
    const was = before === undefined ? null : await parsed(oldPath!, before, trees);
    found.push({ path: change.path, ...verdict, broken_before: was?.verdict === "broken" });
  }
  const broken = found.filter(({ verdict }) => verdict === "broken");
  const outcome = broken.some(({ broken_before }) => !broken_before)
    ? "failed"
    : broken.length > 0
    ? "needs_approval"
    : found.some(({ verdict }) => verdict === "valid")
    ? "passed"
    : "not_run";
  const findings = broken.map(({ path, line, broken_before }): CheckFinding => ({
    ...{ level: broken_before ? "warning" : "error", code: "does_not_parse", path, line },
    detail: broken_before ? "does not parse, and did not before" : "does not parse any more",
  }));
  const of = (verdict: SyntaxFinding["verdict"]) => found.filter((one) => one.verdict === verdict).length;
  const summary = `${of("valid")} valid, ${broken.length} broken, ${of("not_checked")} not checked`;
  return { kind: "syntax", outcome, summary, findings, details: { files: found } };
}

async function parsed(
  path: string,
  bytes: Uint8Array,
  trees: SyntaxTrees,
): Promise<Pick<SyntaxFinding, "verdict" | "line" | "reason">> {
  if (bytes.length > MAX_PARSED) return { verdict: "not_checked", line: null, reason: "too_large" };
  const tree = await trees.tree(path, bytes);
  if (!tree.ok) return { verdict: "not_checked", line: null, reason: tree.reason };
  const { brokenAt } = tree;
  return { verdict: brokenAt === null ? "valid" : "broken", line: brokenAt, reason: null };
}

function importsCheck({ missingImports, unknownImports }: ChangeCheck): FoundCheck {
  const finding = ({ file, line, specifier, why, verdict }: ImportFinding): CheckFinding => ({
    ...{ level: verdict === "missing" ? "error" : "info", code: `import_${verdict}`, path: file, line },
    detail: `${JSON.stringify(specifier)}: ${why}`,
  });
  return {
    kind: "imports",
    outcome: missingImports.length > 0 ? "failed" : "passed",
    summary: missingImports.length > 0
      ? `${missingImports.length} newly lead nowhere`
      : unknownImports.length > 0
      ? `none is missing; of ${unknownImports.length} nobody can say where they lead`
      : "all resolve",
    findings: [...missingImports, ...unknownImports].map(finding),
    details: { missing: missingImports, unknown: unknownImports },
  };
}

function safetyCheck({ delta }: ChangeCheck, { outcome, reasons }: SafetyJudgement): FoundCheck {
  const of = { allowed: "passed", needs_approval: "needs_approval", denied: "failed" } as const;
  const { added, widened, unanalyzed } = delta;
  return {
    kind: "safety",
    outcome: of[outcome],
    summary: `${outcome.replace("_", " ")}: ${added.length} added, ${widened.length} widened, ` +
      `${unanalyzed.length} not analyzed`,
    findings: reasons.map(({ outcome, code, path, line, detail, rule }): CheckFinding => ({
      ...{ level: outcome === "denied" ? "error" : "warning", code, path, line },
      detail: rule === null ? detail : `${detail} (${rule})`,
    })),
    details: { ...deltaDocument(delta), outcome, reasons },
  };
}
