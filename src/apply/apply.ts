import { hasExpired } from "../approve/states.ts";
import type { MergeStrategy } from "../patch/merge.ts";
import { flatten, treeSource } from "../store/artifact/tree.ts";
import type { Author } from "../store/log/change.ts";
import type { Operation } from "../store/operations.ts";
import { findConflicts, resolutionOf } from "../store/operation/conflict.ts";
import { mergedFile } from "../store/operation/merged_file.ts";
import { type FoundRevision, requireRevision } from "../store/proposal/find.ts";
import { timeReached } from "../store/log/time_reached.ts";
import { expireIfDue, transition } from "../store/proposal/transition.ts";
import type { Revision } from "../store/proposals.ts";
import type { Rows } from "../store/store.ts";
import type { FileChange } from "../vocabulary/change.ts";
import { Failure } from "../vocabulary/failure.ts";
import { keepConflicts } from "./conflicts.ts";
import type { FolderTree } from "./folder_tree.ts";
import { type ApplyPorts, type Decide, operate } from "./operate.ts";
import { type ApplicationPlan, type Incoming, planApplication } from "./plan.ts";

const MAX_BATCH = 100;

/** Whether a revision may be applied by whom it was shown to, and how. */
export type Clearance =
  | {
    readonly ok: true;
    /** Somebody decided on exactly this change to exactly its base: nothing is merged. */
    readonly exact: boolean;
    /** Only by a bypass. */
    readonly forced: boolean;
    /** Who, for people; empty where nobody is needed. */
    readonly by: readonly string[];
  }
  | { readonly ok: false; readonly reason: string; readonly detail: string };

export interface ApplyAsked {
  /** In the order they are applied, each once. */
  readonly proposals: readonly { readonly proposal: number; readonly revision: number | null }[];
  readonly strategy: MergeStrategy;
  readonly dryRun: boolean;
  readonly backupsUntil: string | null;
  /** Throws where what was shown of a revision is not what its result holds. */
  readonly asShown: (found: FoundRevision) => Promise<void>;
  /** Throws where what somebody decided on was proved, and the proof is not there any more, whole and of it. */
  readonly proofHolds: (found: FoundRevision) => Promise<void>;
  /** Judged anew, at the moment of applying. */
  readonly clear: (rows: Rows, revision: Revision, now: Date) => Clearance;
  /** Runs the tests on the folder with the changes; null when nobody asked. */
  readonly verify:
    | ((tree: FolderTree, changes: readonly FileChange[]) => Promise<{ readonly passed: boolean }>)
    | null;
  /** Asks whoever sees the preview; null goes on. */
  readonly confirm?: ((plan: ApplicationPlan) => Promise<boolean>) | null;
}

/** Why nothing was applied. */
export interface ApplyRefusal {
  readonly reason:
    | "not_newest"
    | "state_differs"
    | "expired"
    | "not_cleared"
    | "stale"
    | "overlapping"
    | "conflicts"
    | "tests_failed"
    | "declined";
  readonly proposal: number | null;
  readonly revision: number | null;
  readonly detail: string;
  /** Of a stale one, where the folder is not as in the base. */
  readonly paths: readonly string[];
}

export interface Application {
  /** Null when nothing was done. */
  readonly operation: Operation | null;
  readonly revisions: readonly Revision[];
  readonly plan: ApplicationPlan | null;
  readonly refusal: ApplyRefusal | null;
  /** Where the folder is not as in the base, besides the paths that are changed. */
  readonly drift: readonly string[];
  readonly forced: boolean;
}

/**
 * Puts the newest revisions of proposals into a folder, all or nothing. What was approved goes only into a folder that is
 * exactly its base, or, in a batch, exactly its base but for paths of earlier ones that it does not touch; what needs no
 * approval is merged.
 * @throws Failure as `operate`; `proposal_unknown`, `batch_malformed` (usage)
 */
export async function applyProposals(ports: ApplyPorts, asked: ApplyAsked): Promise<Application> {
  const { store } = ports;
  const folder = ports.folder.root;
  refuseBatch(asked);
  const decide: Decide<Omit<Application, "operation">> = async (tree) => {
    const found = store.records.read((rows) => {
      const revisions = asked.proposals.map((name) => revisionOf(rows, name));
      return { revisions, cleared: cleared(rows, revisions, asked, ports.by()) };
    });
    const { revisions } = found;
    const artifacts = new Set(
      revisions.map(({ proposal }) => store.records.read((rows) => rows.proposal(proposal))!.artifact),
    );
    if (artifacts.size > 1) throw severalArtifacts(artifacts);
    const nothing = { revisions, plan: null, refusal: null, drift: [], forced: false };
    if (!found.cleared.ok) {
      const { refusal } = found.cleared;
      if (refusal.reason === "expired" && !asked.dryRun) markExpired(ports, revisions, refusal);
      return { intent: null, value: { ...nothing, refusal } };
    }
    const { exact, forced } = found.cleared;
    for (const revision of revisions) {
      const proposal = store.records.read((rows) => rows.proposal(revision.proposal))!;
      await asked.asShown({ proposal, revision });
      if (exact) await asked.proofHolds({ proposal, revision });
    }
    const drift = store.records.read((rows) => driftOf(rows, tree, revisions[0]!));
    if (exact) {
      const stale = revisions.find(({ baseManifest }) => baseManifest !== tree.digest);
      if (stale !== undefined) {
        const paths = store.records.read((rows) => driftOf(rows, tree, stale));
        if (!asked.dryRun) markStale(ports, stale);
        return { intent: null, value: { ...nothing, drift: paths, refusal: staleRefusal(stale, paths) } };
      }
    }
    const plan = store.records.read((rows) =>
      planApplication(tree, revisions.map(incomingOf), asked.strategy, {
        trees: treeSource((digest) => rows.tree(digest)),
        bytesOf: (path, file) => mergedFile(store, path, file),
        isTaken: (path) => ports.folder.stateOf(path).kind !== "absent",
        resolved: (conflict) => resolutionOf(rows, folder, conflict),
      })
    );
    const touched = new Set<string>(plan.paths.map(({ path }) => path));
    const value = {
      revisions,
      plan,
      refusal: null,
      drift: drift.filter((path) => !touched.has(path)),
      forced,
    };
    const refuse = (refusal: Omit<ApplyRefusal, "paths">) => ({
      intent: null,
      value: { ...value, refusal: { paths: [], ...refusal } },
    });
    const overlap = exact ? plan.paths.find(({ proposals }) => proposals.length > 1) : undefined;
    if (overlap !== undefined) {
      const names = overlap.proposals.map((proposal) => `P${proposal}`).join(" and ");
      const detail = `${names} change ${overlap.path}: apply the first, then rebase the other`;
      return refuse({ reason: "overlapping", proposal: overlap.proposals.at(-1)!, revision: null, detail });
    }
    if (plan.conflicts.length > 0) {
      if (!asked.dryRun) keepConflicts(ports, revisions.map(incomingOf), plan.conflicts);
      const [{ proposal, revision }] = plan.conflicts as [typeof plan.conflicts[0]];
      const detail = "both the folder and the change touch the same places";
      return refuse({ reason: "conflicts", proposal: proposal, revision: revision, detail });
    }
    const about = { proposal: null, revision: null };
    if (asked.verify !== null && !(await asked.verify(tree, plan.changes)).passed) {
      return refuse({ reason: "tests_failed", ...about, detail: "the tests do not pass with the change" });
    }
    if (asked.dryRun) return { intent: null, value };
    if (asked.confirm != null && !await asked.confirm(plan)) {
      return refuse({ reason: "declined", ...about, detail: "nothing was applied" });
    }
    return {
      value,
      intent: {
        kind: "apply" as const,
        artifact: [...artifacts][0]!,
        changes: plan.changes,
        revisions: revisions.map(({ proposal, number, evidence, state }) => ({
          ...{ proposal, revision: number, evidence: evidence!, from: state },
        })),
        targets: [],
        backupsUntil: asked.backupsUntil,
        // Once more, with what the transaction sees: a key revoked meanwhile is in the trust file that was read, a
        // rejection, an expiry or a newer revision is in the rows.
        guard: (rows) => {
          const again = asked.proposals.map((name) => revisionOf(rows, name));
          const now = cleared(rows, again, asked, ports.by());
          const same = again.every(({ number, evidence, state }, i) =>
            number === revisions[i]!.number && evidence === revisions[i]!.evidence &&
            state === revisions[i]!.state
          );
          if (!now.ok) throw changedMeanwhile(now.refusal.detail);
          if (!same) throw changedMeanwhile("a revision moved");
          // What was open is decided now, by a strategy or by another content.
          findConflicts(rows, ports.by(), { folder, onto: null }, revisions.map(incomingOf), []);
        },
      },
    };
  };
  const { operation, value } = await operate(ports, decide);
  return { operation, ...value };
}

function refuseBatch({ proposals }: ApplyAsked): void {
  const numbers = proposals.map(({ proposal }) => proposal);
  const malformed = (message: string) => new Failure("usage", "batch_malformed", message);
  if (numbers.length === 0) throw malformed("say which proposal is applied");
  if (numbers.length > MAX_BATCH) throw malformed(`at most ${MAX_BATCH} proposals are applied at once`);
  const twice = numbers.find((number, i) => numbers.indexOf(number) !== i);
  if (twice !== undefined) throw malformed(`P${twice} is named twice`);
}

function revisionOf(
  rows: Rows,
  { proposal, revision }: ApplyAsked["proposals"][number],
): Revision & { readonly newest: number } {
  const found = requireRevision(rows, { proposal, revision });
  return { ...found.revision, newest: found.proposal.lastRevision };
}

function incomingOf({ proposal, number, baseRoot, resultRoot }: Revision): Incoming {
  return { proposal, revision: number, baseRoot, resultRoot };
}

function cleared(
  rows: Rows,
  revisions: readonly (Revision & { readonly newest: number })[],
  { clear }: ApplyAsked,
  by: Author,
):
  | { readonly ok: true; readonly exact: boolean; readonly forced: boolean }
  | { readonly ok: false; readonly refusal: ApplyRefusal } {
  let exact = false, forced = false;
  for (const revision of revisions) {
    const { proposal, number } = revision;
    const no = (reason: ApplyRefusal["reason"], detail: string) => {
      return { ok: false, refusal: { reason, proposal, revision: number, detail, paths: [] } } as const;
    };
    if (number !== revision.newest) {
      return no("not_newest", `P${proposal}.${number} was superseded by P${proposal}.${revision.newest}`);
    }
    if (hasExpired(revision, timeReached(rows, by.now))) {
      return no("expired", `P${proposal}.${number} expired ${revision.expiresAt}`);
    }
    if (!["proposed", "approved"].includes(revision.state)) {
      const why = revision.reason === "" ? "" : `: ${revision.reason}`;
      return no("state_differs", `P${proposal}.${number} is ${revision.state}${why}`);
    }
    const clearance = clear(rows, revision, by.now);
    if (!clearance.ok) return no("not_cleared", clearance.detail);
    exact ||= clearance.exact;
    forced ||= clearance.forced;
  }
  return { ok: true, exact, forced };
}

/** Where a folder is not as in a revision's base; directories do not count. */
function driftOf(rows: Rows, tree: FolderTree, { baseRoot }: Revision): readonly string[] {
  const base = new Map(
    flatten(baseRoot, treeSource((digest) => rows.tree(digest)))
      .filter(({ mode }) => mode !== "040000").map((entry) => [entry.path, entry]),
  );
  const paths = new Set<string>();
  for (const { path, mode, sha256 } of tree.entries) {
    if (mode === "040000") continue;
    const was = base.get(path);
    if (was?.sha256 !== sha256 || was.mode !== mode) paths.add(path);
    base.delete(path);
  }
  for (const path of base.keys()) paths.add(path);
  return [...paths].sort();
}

function severalArtifacts(names: ReadonlySet<string>): Failure {
  return new Failure("usage", "several_artifacts", `these are proposals for ${[...names].join(" and ")}`, {
    hint: "apply those for one artifact together",
  });
}

function staleRefusal({ proposal, number, baseVersion }: Revision, paths: readonly string[]): ApplyRefusal {
  const detail = `the folder is not version ${baseVersion}, which was approved as its base`;
  return { reason: "stale", proposal, revision: number, detail, paths };
}

function markStale({ store, by }: ApplyPorts, { proposal, number, evidence }: Revision): void {
  store.records.write((rows) => {
    transition(
      rows,
      by(),
      { proposal, revision: number, evidence },
      "stale",
      "the folder is not as in its base",
    );
  });
}

function markExpired({ store, by }: ApplyPorts, revisions: readonly Revision[], refusal: ApplyRefusal): void {
  const expired = revisions.find(({ proposal }) => proposal === refusal.proposal);
  if (expired !== undefined) store.records.write((rows) => expireIfDue(rows, by(), expired));
}

function changedMeanwhile(detail: string): Failure {
  return new Failure("unavailable", "proposal_moved", `somebody was faster: ${detail}`, {
    hint: "nothing was written; pp proposal show says where it stands",
  });
}
