import { comparePaths, parentsOf } from "../../vocabulary/path.ts";
import { sameBytes } from "../bytes.ts";
import { mergeFile } from "./file.ts";
import type {
  ConflictReason,
  FileMerge,
  MergeStrategy,
  PathMerge,
  ThreeSides,
  TreeConflict,
  TreeEntry,
  TreeMerge,
} from "./merged.ts";

type FileEntry = Extract<TreeEntry, { readonly kind: "file" }>;

/**
 * What a merge makes of one path.
 *
 * A side that did not change it gives way to the other. Two changed files are merged by lines, their modes like a
 * line of their own; a file both sides created is merged over an empty one. `ours` and `theirs` decide every conflict;
 * `union` only those about lines.
 */
export function mergeEntry(sides: ThreeSides, strategy: MergeStrategy): PathMerge {
  const { path, base, ours, theirs } = sides;
  if (sameEntry(ours, theirs) || sameEntry(base, theirs)) return { kind: "unchanged", path };
  if (sameEntry(base, ours)) return { kind: "theirs", path, entry: theirs };
  if (ours?.kind === "file" && theirs?.kind === "file" && (base === null || base.kind === "file")) {
    return mergeFiles(sides, base, ours, theirs, strategy);
  }
  const [reason, detail] = whyNot(sides);
  return settle(sides, reason, detail, strategy);
}

/**
 * Merges the paths of whole trees. Only paths that differ somewhere need to be given; but to find a file in the way of
 * a directory, what stands at and above a path that is created must be among them.
 */
export function mergeTrees(sides: readonly ThreeSides[], strategy: MergeStrategy): TreeMerge {
  const sorted = [...sides].sort((a, b) => comparePaths(a.path, b.path));
  const byPath = new Map(sorted.map((side) => [side.path as string, side]));
  const merged = sorted.map((side) => mergeEntry(side, strategy));
  const files = new Set(sorted.filter((side, i) => standsAsFile(side, merged[i]!)).map((side) => side.path));
  const blocked = new Map<string, string>();
  for (const file of files) {
    const above = parentsOf([file]).find((parent) => files.has(parent as typeof file));
    if (above === undefined) continue;
    // Whoever is not ours, is new: that one is held back.
    blocked.set(isOurs(byPath.get(above)!) ? file : above, isOurs(byPath.get(above)!) ? above : file);
  }
  const paths = merged.map((outcome): PathMerge => {
    const other = blocked.get(outcome.path);
    if (other === undefined) return outcome;
    const detail = `${outcome.path} and ${other} cannot both be files`;
    return conflict(outcome.path, "path_in_the_way", detail);
  });
  const conflicts = paths.flatMap((outcome) => outcome.kind === "conflict" ? outcome.conflicts : []);
  return { paths, conflicts, clean: conflicts.length === 0 };
}

function isOurs({ ours }: ThreeSides): boolean {
  return ours !== null && ours.kind !== "directory";
}

/** Whether something other than a directory is at the path afterwards; a conflict leaves ours. */
function standsAsFile(side: ThreeSides, outcome: PathMerge): boolean {
  const entry = outcome.kind === "merged" || outcome.kind === "theirs" ? outcome.entry : side.ours;
  return entry !== null && entry.kind !== "directory";
}

function mergeFiles(
  sides: ThreeSides,
  base: FileEntry | null,
  ours: FileEntry,
  theirs: FileEntry,
  strategy: MergeStrategy,
): PathMerge {
  const { path } = sides;
  const empty = new Uint8Array();
  const mode = ours.mode === theirs.mode || base?.mode === theirs.mode
    ? ours.mode
    : base?.mode === ours.mode
    ? theirs.mode
    : strategy === "ours"
    ? ours.mode
    : strategy === "theirs"
    ? theirs.mode
    : null;
  const file = merged(base?.bytes ?? empty, ours.bytes, theirs.bytes, strategy);
  const added = base === null;
  const conflicts: TreeConflict[] = file.clean ? [] : file.regions.map((region) => {
    const reason: ConflictReason = added && region.reason === "both_changed" ? "both_added" : region.reason;
    const whole = reason === "not_text" || reason === "too_large";
    return {
      path,
      line: whole ? null : region.line,
      reason,
      detail: whole
        ? WHOLE[reason]
        : `${added ? "both sides added" : "both sides changed"} line ${region.line}`,
      region: whole ? null : { ...region, reason },
    };
  });
  if (mode === null) {
    conflicts.push({
      path,
      line: null,
      reason: "mode_changed",
      detail: `its mode is ${ours.mode} on our side and ${theirs.mode} on theirs`,
      region: null,
    });
  }
  if (conflicts.length > 0) return { kind: "conflict", path, conflicts, file };
  const bytes = file.clean ? file.bytes : ours.bytes;
  if (mode === ours.mode && sameBytes(bytes, ours.bytes)) return { kind: "unchanged", path };
  return { kind: "merged", path, entry: { kind: "file", mode: mode!, bytes } };
}

const WHOLE = {
  not_text: "both sides changed it, and it holds NUL bytes: it is no text",
  too_large: "both sides changed it, and it is too large to be merged by lines",
};

/** `ours` and `theirs` also decide of files that are no text. */
function merged(base: Uint8Array, ours: Uint8Array, theirs: Uint8Array, strategy: MergeStrategy): FileMerge {
  const file = mergeFile(base, ours, theirs, strategy);
  if (file.clean || file.pieces.length > 0 || strategy !== "ours" && strategy !== "theirs") return file;
  return { clean: true, bytes: strategy === "ours" ? ours : theirs };
}

function settle(
  { path, theirs }: ThreeSides,
  reason: ConflictReason,
  detail: string,
  strategy: MergeStrategy,
): PathMerge {
  if (strategy === "ours") return { kind: "unchanged", path };
  if (strategy === "theirs") return { kind: "theirs", path, entry: theirs };
  return conflict(path, reason, detail);
}

function conflict(path: ThreeSides["path"], reason: ConflictReason, detail: string): PathMerge {
  return {
    kind: "conflict",
    path,
    conflicts: [{ path, line: null, reason, detail, region: null }],
    file: null,
  };
}

function whyNot({ base, ours, theirs }: ThreeSides): [ConflictReason, string] {
  if (ours === null) return ["deleted_by_us", "deleted on our side, changed on theirs"];
  if (theirs === null) return ["deleted_by_them", "changed on our side, deleted on theirs"];
  if (ours.kind === "link" && theirs.kind === "link") {
    return ["link_changed", `both sides ${base === null ? "added" : "changed"} the link`];
  }
  return ["type_changed", `a ${ours.kind} on our side, a ${theirs.kind} on theirs`];
}

function sameEntry(a: TreeEntry, b: TreeEntry): boolean {
  if (a === null || b === null) return a === b;
  if (a.kind === "file" && b.kind === "file") return a.mode === b.mode && sameBytes(a.bytes, b.bytes);
  if (a.kind === "link" && b.kind === "link") return sameBytes(a.target, b.target);
  return a.kind === b.kind;
}
