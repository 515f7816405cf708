import { MAX_EVIDENCE_FILES } from "../approve/evidence.ts";
import { parsePatch } from "../patch/parse.ts";
import { byteString } from "../patch/bytes.ts";
import { patchStats } from "../patch/stats.ts";
import { addProposal, addRevision, type NewRevision } from "../store/proposal/change.ts";
import { type FoundRevision, requireRevision, revisionName } from "../store/proposal/find.ts";
import type { NotMoved } from "../store/proposal/transition.ts";
import type { Author } from "../store/log/change.ts";
import type { Revision } from "../store/proposals.ts";
import type { HoldOptions, Store, Version } from "../store/store.ts";
import { Failure } from "../vocabulary/failure.ts";
import { refusalText } from "../vocabulary/printable.ts";
import type { CheckedChange } from "./checks.ts";
import { storeResult } from "./store_tree.ts";
import { storedWorkspace } from "./version_workspace.ts";
import { changeOf, type ProposedChange } from "./working_tree.ts";

/** A change that is to become a revision. */
export interface NewDraft {
  readonly base: Version;
  readonly change: ProposedChange;
  readonly instruction: string;
  /** How it was made: plain JSON. */
  readonly source: unknown;
}

const MAX_PATCH_BYTES = 64 << 20;

/**
 * Puts a change into the store as the draft of a new proposal: trees and blobs first, then the rows.
 * @throws Failure `too_many_files` (malformed), `version_unknown` (usage) when the base was pruned meanwhile
 */
export async function draftProposal(
  store: Store,
  by: Author,
  title: string,
  draft: NewDraft,
  options: HoldOptions,
): Promise<FoundRevision> {
  return await stored(store, draft, options, (rows, revision) => {
    const { artifact } = draft.base;
    return addProposal(rows, by, { artifact, title, revision });
  });
}

/**
 * The same as the next revision of a proposal, whose newest one is superseded.
 * @param seen the newest revision, as whoever revises it has seen it
 * @returns or why it cannot be: somebody else was quicker, or it is being applied, applied or rejected
 */
export async function draftRevision(
  store: Store,
  by: Author,
  seen: Pick<Revision, "proposal" | "number">,
  draft: NewDraft,
  options: HoldOptions,
): Promise<{ readonly ok: true; readonly found: FoundRevision } | NotMoved> {
  return await stored(store, draft, options, (rows, revision) => {
    const newest = requireRevision(rows, { proposal: seen.proposal, revision: null });
    if (newest.revision.number !== seen.number) {
      return { ok: false, code: "superseded", state: newest.revision.state } as const;
    }
    const added = addRevision(rows, by, seen.proposal, revision);
    if (!added.ok) return added;
    const found = requireRevision(rows, { proposal: seen.proposal, revision: null });
    return { ok: true, found } as const;
  });
}

async function stored<T>(
  store: Store,
  { base, change, instruction, source }: NewDraft,
  options: HoldOptions,
  add: (rows: Parameters<Parameters<Store["records"]["write"]>[0]>[0], revision: NewRevision) => T,
): Promise<T> {
  const { files, additions, deletions } = patchStats(change.patch);
  if (files > MAX_EVIDENCE_FILES) {
    throw new Failure("malformed", "too_many_files", `the patch changes ${files} files`, {
      hint: `a proposal changes at most ${MAX_EVIDENCE_FILES}; propose it in parts`,
    });
  }
  return await store.keeper.shared(() => {
    const { root, manifest, patch, patchBytes, trees } = storeResult(store, change);
    return Promise.resolve(store.records.write((rows) => {
      if (!rows.hasTree(base.root)) {
        throw new Failure(
          "usage",
          "version_unknown",
          `${base.artifact}@${base.number} is not there any more`,
        );
      }
      return add(rows, {
        ...{ baseVersion: base.number, baseRoot: base.root, baseManifest: base.manifest },
        ...{ resultRoot: root, resultManifest: manifest, patch, patchBytes, trees },
        ...{ files, additions, deletions, instruction, source },
      });
    }));
  }, options);
}

/**
 * The change of a stored revision, read back and made anew: its patch must apply to its base and give exactly its result.
 * @throws Failure `revision_corrupt`, `blob_missing`, `blob_corrupt`, `tree_corrupt` … (malformed)
 */
export async function storedChange(
  store: Store,
  { proposal, revision }: FoundRevision,
): Promise<CheckedChange> {
  const name = revisionName(revision);
  const base = storedWorkspace(store, revision.baseRoot, `${proposal.artifact}@${revision.baseVersion}`);
  const result = storedWorkspace(store, revision.resultRoot, name);
  const parsed = parsePatch(byteString(store.blobs.read(revision.patch, MAX_PATCH_BYTES)));
  const change = parsed.ok ? await changeOf(parsed.patch, base) : parsed;
  const problem = !change.ok
    ? refusalText(change.refusal)
    : base.tree.digest !== revision.baseManifest
    ? "its base is another tree"
    : change.value.result.digest !== revision.resultManifest ||
        result.tree.digest !== revision.resultManifest
    ? "its patch makes another tree than its result"
    : null;
  if (change.ok && problem === null) return { base, result, change: change.value };
  throw new Failure("malformed", "revision_corrupt", `${name} in the store is not sound: ${problem}`, {
    hint: "pp artifact fsck and pp events --verify say what is damaged",
  });
}
