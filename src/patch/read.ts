import type { FileMode, ManifestEntry } from "../vocabulary/manifest.ts";
import type { ByteString, Patch } from "../vocabulary/patch.ts";
import type { RelativePath } from "../vocabulary/path.ts";
import { applyPatch, type FileLookup, type FileState } from "./apply.ts";
import { bytesOf, byteString } from "./bytes.ts";
import { diffFiles, type FilePair } from "./diff.ts";
import { fileLookup } from "./file_lookup.ts";
import { type Entries, locate, type LocatedEdit } from "./locate.ts";
import type { Budget } from "./match.ts";
import type { Notes, RawProposal } from "./proposal.ts";
import { MAX_FILE_BYTES, MAX_PATCH_BYTES, refuse, type Refused } from "./refusal.ts";
import { renderPatch } from "./render.ts";
import { applyLoosely, inHabitOf } from "./resolve_file.ts";

export { readProposal } from "./read_proposal.ts";
export type { RawProposal } from "./proposal.ts";

/** Line comparisons spent on finding places before a proposal is refused as too large. */
const MAX_COMPARISONS = 50_000_000;

/**
 * The files whose bytes `resolveProposal` will ask for.
 * @param entries the base manifest by path
 * @returns existing files, each once, or why the proposal's paths cannot be taken: `path_*`, `file_missing`,
 *   `file_exists`, `too_large`
 */
export function pathsNeeded(
  proposal: RawProposal,
  entries: ReadonlyMap<string, ManifestEntry>,
): { ok: true; paths: RelativePath[] } | Refused {
  const exact = exactPaths(proposal, entries);
  if (exact) return { ok: true, paths: exact };
  if (proposal.exact && proposal.edits.length === 0) return { ok: true, paths: [] };
  const located = locate(proposal, entries, new Set());
  if (!located.ok) return located;
  return { ok: true, paths: [...new Set(located.edits.flatMap((e) => e.oldPath ?? []))] };
}

/**
 * Turns a proposal into the canonical patch that makes it true of the base. A proposal that applies exactly is
 * taken as it is; else every change must fit exactly one place, step by step more loosely, and the outcome is
 * compared with the base afresh.
 * @param read bytes of a path `pathsNeeded` named
 * @returns the patch and the looser steps taken (`["exact"]` for none), or a refusal: `hunk_not_found`,
 *   `hunk_ambiguous`, `hunks_overlap`, `no_op`, `not_text`, `deletion_leaves_content`, and those of `pathsNeeded`
 */
export function resolveProposal(
  proposal: RawProposal,
  entries: ReadonlyMap<string, ManifestEntry>,
  read: (path: string) => Uint8Array | undefined,
): { ok: true; patch: Patch; notes: string[] } | Refused {
  const lookup = fileLookup(entries, read);
  const needed = pathsNeeded(proposal, entries);
  if (!needed.ok) return needed;
  const unread = needed.paths.find((p) => read(p) === undefined);
  if (unread !== undefined) return refuse("file_missing", `${unread} could not be read`, unread);
  const exact = proposal.exact && (exactPaths(proposal, entries) || proposal.edits.length === 0)
    ? resolveExactly(proposal.exact, lookup)
    : undefined;
  if (exact?.ok) return finish(exact.pairs, [...proposal.exactNotes], lookup);
  if (exact && (MEANT_EXACTLY.has(exact.refusal.reason) || proposal.edits.length === 0)) return exact;
  const notes: Notes = new Set(proposal.notes);
  const located = locate(proposal, entries, notes);
  if (!located.ok) return located;
  const budget: Budget = { left: MAX_COMPARISONS };
  const pairs: FilePair[] = [];
  for (const edit of located.edits) {
    const pair = resolveEdit(edit, lookup, budget, notes);
    if ("ok" in pair) return pair;
    pairs.push(pair);
  }
  return finish(pairs, notes.size === 0 ? ["exact"] : [...notes], lookup);
}

/** Refusals of an exact patch that no looser reading changes. */
const MEANT_EXACTLY = new Set(["file_exists", "path_through_link", "path_is_directory", "path_through_file"]);

/** The old paths of an exact patch, if all of them are files; a looser reading must find them otherwise. */
function exactPaths(proposal: RawProposal, entries: Entries): RelativePath[] | undefined {
  if (!proposal.exact) return undefined;
  const paths = proposal.exact.files.flatMap((f) => f.oldPath ?? []);
  const readable = paths.every((p) => {
    const entry = entries.get(p);
    return (entry?.mode === "100644" || entry?.mode === "100755") && entry.size <= MAX_FILE_BYTES;
  });
  return readable ? paths : undefined;
}

function resolveExactly(patch: Patch, lookup: FileLookup): { ok: true; pairs: FilePair[] } | Refused {
  const applied = applyPatch(patch, lookup);
  if (!applied.ok) return applied;
  const written = new Map<string, FileState>();
  for (const c of applied.changes) if (c.kind === "write") written.set(c.path, c);
  return {
    ok: true,
    pairs: patch.files.map((f) => ({
      oldPath: f.oldPath,
      old: f.oldPath === null ? null : lookup(f.oldPath) as FileState,
      newPath: f.newPath,
      new: f.newPath === null ? null : written.get(f.newPath)!,
    })),
  };
}

function resolveEdit(
  edit: LocatedEdit,
  lookup: FileLookup,
  budget: Budget,
  notes: Notes,
): FilePair | Refused {
  const { oldPath, newPath } = edit;
  const old = oldPath === null ? null : lookup(oldPath) as FileState;
  const content = newContent(edit, old, budget, notes);
  if (typeof content !== "string") return content;
  if (newPath === null) {
    if (content !== "") {
      return refuse(
        "deletion_leaves_content",
        `${oldPath} is to be deleted but not all of its lines`,
        oldPath!,
      );
    }
    return { oldPath, old, newPath, new: null };
  }
  const mode: FileMode = edit.mode ?? old?.mode ?? "100644";
  return { oldPath, old, newPath, new: { mode, bytes: bytesOf(content) } };
}

function newContent(
  edit: LocatedEdit,
  old: FileState | null,
  budget: Budget,
  notes: Notes,
): ByteString | Refused {
  const before = old === null ? "" as ByteString : byteString(old.bytes);
  if (edit.action === "whole") return old === null ? edit.content : inHabitOf(edit.content, before);
  if (edit.action === "delete" && edit.hunks.length === 0) {
    if (before !== "") notes.add("deletion_by_header");
    return "" as ByteString;
  }
  return applyLoosely(before, edit.hunks, (edit.oldPath ?? edit.newPath)!, budget, notes);
}

function finish(
  pairs: readonly FilePair[],
  notes: string[],
  lookup: FileLookup,
): { ok: true; patch: Patch; notes: string[] } | Refused {
  const patch = diffFiles(pairs);
  if (patch.files.length === 0) return refuse("no_op", "the proposal changes nothing");
  const withLines = new Set(patch.files.filter((f) => f.hunks.length > 0).map((f) => f.newPath ?? f.oldPath));
  for (const pair of pairs) {
    const path = (pair.newPath ?? pair.oldPath)!;
    if (withLines.has(path) && (pair.old?.bytes.includes(0) || pair.new?.bytes.includes(0))) {
      return refuse("not_text", `${path} holds NUL bytes; it is no text`, path);
    }
  }
  const applied = applyPatch(patch, lookup);
  if (!applied.ok) return applied;
  if (renderPatch(patch).length > MAX_PATCH_BYTES) {
    return refuse("too_large", "the resulting patch is over 64 MiB");
  }
  return { ok: true, patch, notes };
}
