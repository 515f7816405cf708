import { type ApplyAsked, applyProposals, type Clearance } from "../../src/apply/apply.ts";
import { capturedTree, type FolderTree, treeAfter } from "../../src/apply/folder_tree.ts";
import type { ApplyPorts } from "../../src/apply/operate.ts";
import { recoverOperations } from "../../src/apply/recover.ts";
import type { FolderStore } from "../../src/store/folder/open.ts";
import { snapshotWorkspace } from "../../src/store/folder/snapshot.ts";
import { flatten, treeSource } from "../../src/store/artifact/tree.ts";
import type { Author } from "../../src/store/log/change.ts";
import { addProposal, propose } from "../../src/store/proposal/change.ts";
import { transition } from "../../src/store/proposal/transition.ts";
import type { Evidence } from "../../src/approve/evidence.ts";
import { CHECKS, evidenceOf, termsOf } from "../approve/fixture.ts";
import { verifyLog } from "../../src/store/log/verify.ts";
import type { RevisionState } from "../../src/store/proposals.ts";
import type { Version } from "../../src/store/store.ts";
import type { FileChange } from "../../src/vocabulary/change.ts";
import { sha256 } from "../../src/vocabulary/digest.ts";
import { bytesOf } from "../../src/patch/bytes.ts";
import { diffFiles, type FilePair } from "../../src/patch/diff.ts";
import { renderPatch } from "../../src/patch/render.ts";
import { patchStats } from "../../src/patch/stats.ts";
import { evidenceFiles } from "../../src/proposal/evidence.ts";
import type { FileMode } from "../../src/vocabulary/manifest.ts";
import { targetFolder } from "../../src/workspace/target_folder.ts";
import type { Step, TargetFolder } from "../../src/workspace/target.ts";
import { parentsOf } from "../../src/vocabulary/path.ts";

export function author(store: FolderStore, actor = "tester"): Author {
  return { storeId: store.records.storeId, actor, now: new Date() };
}

/** What applying needs, on a real store and a real folder. */
export async function portsOf(store: FolderStore, root: string, step?: Step): Promise<ApplyPorts> {
  return {
    store,
    by: () => author(store),
    folder: await targetFolder(root),
    capture: (unknownTrees) =>
      snapshotWorkspace(root, { blobs: store.blobs, store: store.folder, leftOut: new Set(), unknownTrees }),
    ...(step === undefined ? {} : { step }),
  };
}

export const treeOfVersion = (store: FolderStore, root: string): FolderTree =>
  store.records.read((rows) =>
    capturedTree(rows, { root, trees: [], manifest: () => "", files: 0, bytes: 0 })
  );

/**
 * Proposes changes to a version with checks that all passed: what is checked and decided is not these tests'.
 * @returns the proposal's number
 */
export async function proposeChanges(
  store: FolderStore,
  base: Version,
  changes: readonly FileChange[],
  state: "proposed" | "approved" = "approved",
  policyDigest = termsOf().policyDigest,
  lie: {
    /** Changes whose patch stands in for that of the changes. */
    readonly shown?: readonly FileChange[];
    readonly files?: readonly Omit<Evidence["patch"]["files"][number], "additions" | "deletions">[];
  } = {},
): Promise<number> {
  return await store.keeper.shared(() => {
    const tree = treeOfVersion(store, base.root);
    // As a proposal's result is made: directories left empty stay, but where a file takes their place.
    const taken = changes.flatMap(({ kind, path }) => kind === "write" ? [path as string] : []);
    const emptied = [...emptiedBy(tree, changes)].filter((directory) =>
      taken.some((path) => directory === path || directory.startsWith(`${path}/`))
    );
    const after = treeAfter(tree, changes, new Set(emptied));
    const parsed = diffFiles((lie.shown ?? changes).flatMap((change): FilePair[] => {
      const entry = tree.byPath.get(change.path);
      const old = entry === undefined || !entry.mode.startsWith("100")
        ? null
        : { mode: entry.mode as FileMode, bytes: store.blobs.read(entry.sha256, 1 << 26) };
      const now = change.kind === "write" ? change : null;
      return [{ oldPath: old && change.path, old, newPath: now && change.path, new: now }];
    }));
    const patch = bytesOf(renderPatch(parsed));
    const { files, additions, deletions } = patchStats(parsed);
    const writer = store.blobs.writer();
    for (const change of changes) if (change.kind === "write") writer.put(change.bytes, sha256(change.bytes));
    writer.put(patch, sha256(patch));
    writer.flush();
    return Promise.resolve(store.records.write((rows) => {
      const by = author(store, "maker");
      const title = `change ${rows.lastProposal() + 1}`;
      const { proposal, revision } = addProposal(rows, by, {
        ...{ artifact: base.artifact, title },
        revision: {
          ...{ baseVersion: base.number, baseRoot: base.root, baseManifest: base.manifest },
          ...{ resultRoot: after.root, resultManifest: after.digest, trees: after.trees },
          ...{ patch: sha256(patch), patchBytes: patch.length, files, additions, deletions },
          ...{ instruction: "", source: {} },
        },
      });
      const evidence = evidenceOf(termsOf({}, { policyDigest }), {
        ...{ store: store.records.storeId, proposal: proposal.number, artifact: base.artifact, title },
        ...{ base_version: base.number, base: { root: base.root, manifest: base.manifest } },
        result: { root: after.root, manifest: after.digest },
        ...{ instruction_sha256: sha256(""), source_sha256: sha256(revision.source) },
        patch: {
          ...{ sha256: revision.patch, bytes: patch.length, additions, deletions },
          files: lie.files?.map((file) => ({ ...file, additions, deletions })) ?? evidenceFiles(parsed),
        },
        checks: CHECKS.map(({ document, ...check }) => ({ ...check, document_sha256: sha256(document) })),
        // What a proof is worth is not these tests'.
        ...{ proof: null, proposer: { actor: by.actor, key_id: null } },
      });
      const target = { proposal: proposal.number, revision: 1 };
      const proposed = propose(rows, by, target, { evidence, checks: CHECKS, signature: null });
      if (!proposed.ok) throw new Error(proposed.code);
      if (state === "approved") transition(rows, by, { ...target, evidence: proposed.evidence }, state, "");
      return proposal.number;
    }));
  }, {});
}

/** Directories that hold no file any more. */
export function emptiedBy(tree: FolderTree, changes: readonly FileChange[]): ReadonlySet<string> {
  const files = new Set(tree.entries.filter(({ mode }) => mode !== "040000").map(({ path }) => path));
  const before = new Set(parentsOf([...files]));
  for (const change of changes) change.kind === "delete" ? files.delete(change.path) : files.add(change.path);
  const after = new Set(parentsOf([...files]));
  return new Set([...before].filter((path) => !after.has(path)));
}

export const NOT_NEEDED: Clearance = { ok: true, exact: false, forced: false, by: [] };
export const APPROVED: Clearance = { ok: true, exact: true, forced: false, by: ["ann"] };

/** Applies the newest revisions, cleared by whoever calls. */
export async function apply(
  ports: ApplyPorts,
  proposals: readonly number[],
  asked: Partial<ApplyAsked> = {},
) {
  return await applyProposals(ports, {
    proposals: proposals.map((proposal) => ({ proposal, revision: null })),
    ...{ strategy: "manual", dryRun: false, backupsUntil: null, verify: null, clear: () => NOT_NEEDED },
    asShown: () => Promise.resolve(),
    proofHolds: () => Promise.resolve(),
    ...asked,
  });
}

export function recover(store: FolderStore, step?: Step, within = "/") {
  return recoverOperations({
    store,
    within,
    by: () => author(store),
    openFolder: (path): Promise<TargetFolder> => targetFolder(path),
    ...(step === undefined ? {} : { step }),
  });
}

export function logProblems(store: FolderStore) {
  return store.records.read((rows) => verifyLog(rows, store.records.storeId)).problems;
}

export function stateOf(store: FolderStore, proposal: number): RevisionState {
  return store.records.read((rows) => rows.revision(proposal, rows.proposal(proposal)!.lastRevision))!.state;
}

/** Files of a tree by path with their digests. */
export function filesOf(store: FolderStore, root: string): Record<string, string> {
  return store.records.read((rows) =>
    Object.fromEntries(
      flatten(root, treeSource((digest) => rows.tree(digest)))
        .filter(({ mode }) => mode !== "040000").map(({ path, mode, sha256 }) => [path, `${mode} ${sha256}`]),
    )
  );
}
