import { bytesOf } from "../patch/bytes.ts";
import { patchStats } from "../patch/stats.ts";
import type { PolicyConfig } from "../policy/policy.ts";
import { BaseFiles } from "../prove/base_files.ts";
import type { SessionPorts } from "../prove/ports.ts";
import { objectionsTo } from "../prove/proposal.ts";
import { refusalsOf, touchedBy } from "../prove/protection.ts";
import { type ChangeCheck, checkChange, type CheckPorts, type Tree } from "../safety/check.ts";
import { judgeSafety, type SafetyJudgement } from "../safety/judge.ts";
import type { SyntaxTrees } from "../syntax/tree.ts";
import type { FileMode } from "../vocabulary/manifest.ts";
import type { Refusal } from "../vocabulary/patch.ts";
import type { CheckKind, CheckOutcome } from "../vocabulary/proposal.ts";
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
}

export interface ChangePorts extends Pick<SessionPorts, "gitAgrees" | "findSecrets"> {
  readonly safety: CheckPorts;
}

/** What one check found: plain JSON. */
export interface FoundCheck {
  readonly kind: CheckKind;
  readonly outcome: CheckOutcome;
  readonly document: Readonly<Record<string, unknown>>;
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
  { config, keptOut }: CheckPlan,
  ports: ChangePorts,
): Promise<FoundCheck> {
  const objections = await objectionsTo(patch, config.policy, keptOut, ports.findSecrets);
  const touched = touchedBy(patch, config.policy, files);
  const said = new Set(objections.map(({ path }) => path));
  const refusals: Refusal[] = [
    ...objections,
    ...refusalsOf(touched.denied.filter(({ path }) => !said.has(path))),
  ];
  const outcome = refusals.length > 0 ? "failed" : touched.allowed.length > 0 ? "needs_approval" : "passed";
  return {
    kind: "patch",
    outcome,
    document: {
      refusals: refusals.map(({ reason, path, detail }) => ({ reason, path: path ?? null, detail })),
      protected_touched: touched.allowed.map(({ path, rule, about }) => ({ path, rule, about })),
    },
  };
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
  const outcome = { agrees: "passed", disagrees: "failed", timed_out: "failed", no_git: "not_run" } as const;
  const detail = said.verdict === "disagrees" ? said.detail : null;
  return { kind: "git", outcome: outcome[said.verdict], document: { verdict: said.verdict, detail } };
}

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
  return { kind: "syntax", outcome, document: { files: found } };
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
  return {
    kind: "imports",
    outcome: missingImports.length > 0 ? "failed" : "passed",
    document: { missing: missingImports, unknown: unknownImports },
  };
}

function safetyCheck({ delta }: ChangeCheck, { outcome, reasons }: SafetyJudgement): FoundCheck {
  const of = { allowed: "passed", needs_approval: "needs_approval", denied: "failed" } as const;
  const { added, removed, widened, narrowed, moved, unanalyzed } = delta;
  const counts = {
    ...{ added: added.length, removed: removed.length, widened: widened.length },
    ...{ narrowed: narrowed.length, moved: moved.length, unanalyzed: unanalyzed.length },
  };
  return { kind: "safety", outcome: of[outcome], document: { outcome, reasons, counts } };
}
