import type { ManifestEntry } from "../vocabulary/manifest.ts";
import type { ByteString } from "../vocabulary/patch.ts";
import { parentsOf, type RelativePath } from "../vocabulary/path.ts";
import { displayText } from "./bytes.ts";
import type { LooseHunk, Notes, RawEdit, RawProposal } from "./proposal.ts";
import { pathOfBytes } from "./quote.ts";
import { MAX_FILE_BYTES, refuse, type Refused } from "./refusal.ts";

export type Entries = ReadonlyMap<string, ManifestEntry>;

/** An edit whose paths are known: `oldPath` is a file of the manifest, `newPath` where the result goes. */
export interface LocatedEdit {
  readonly action: RawEdit["action"];
  readonly oldPath: RelativePath | null;
  readonly newPath: RelativePath | null;
  readonly mode: RawEdit["mode"];
  readonly hunks: readonly LooseHunk[];
  readonly content: ByteString;
}

/** Finds the files a proposal means. A partial path is completed only to change a file, and only where one fits. */
export function locate(
  proposal: RawProposal,
  entries: Entries,
  notes: Notes,
): { ok: true; edits: LocatedEdit[] } | Refused {
  const tree = new TreeNames(entries);
  const located = new Map<string, LocatedEdit>();
  const changes = proposal.edits.some((e) => e.action !== "whole");
  for (const edit of proposal.edits) {
    const found = locateEdit(edit, proposal.mentions, tree, notes);
    if ("ok" in found) return found;
    if (edit.action === "whole" && changes && found.oldPath !== null) {
      notes.add("code_block_ignored");
      continue;
    }
    const path = (found.newPath ?? found.oldPath)!;
    const before = located.get(path);
    if (before && !(before.action === "modify" && found.action === "modify")) {
      return refuse("path_touched_twice", `${path} is touched twice by the proposal`, path);
    }
    if (before && before.hunks.length > 0 && found.hunks.length > 0) notes.add("sections_merged");
    located.set(
      path,
      before
        ? { ...before, mode: found.mode ?? before.mode, hunks: [...before.hunks, ...found.hunks] }
        : found,
    );
  }
  return { ok: true, edits: [...located.values()] };
}

function locateEdit(
  edit: RawEdit,
  mentions: readonly ByteString[],
  tree: TreeNames,
  notes: Notes,
): LocatedEdit | Refused {
  const { action, mode, hunks, content } = edit;
  const names = edit.names.length > 0 ? edit.names : mentioned(mentions, tree, notes);
  if ("ok" in names) return names;
  const readings = readNames(names);
  if ("ok" in readings) return readings;
  const path = readings.find((p) => tree.isFile(p)) ?? readings[0]!;
  const refused = tree.refusal(path);
  if (refused) return refused;
  if (tree.isFile(path)) {
    if (action === "create") return refuse("file_exists", `${path} exists already`, path);
    return finish(path);
  }
  if (action === "create" || action === "whole") return finish(null);
  if (action === "modify" && hunks.length > 0 && hunks.every((h) => h.old.length === 0)) {
    notes.add("creation_assumed");
    return { action: "create", oldPath: null, newPath: path, mode, hunks, content };
  }
  const full = action === "modify" ? readings.flatMap((p) => tree.endingIn(p)) : [];
  const distinct = [...new Set(full)];
  if (distinct.length > 1) {
    return refuse("path_ambiguous", `${path} could be ${distinct.slice(0, 3).join(" or ")}`, path);
  }
  const only = distinct[0];
  if (only === undefined) return refuse("file_missing", `${path} does not exist`, path);
  notes.add("path_completed");
  return tree.refusal(only) ?? finish(only);

  function finish(old: RelativePath | null): LocatedEdit | Refused {
    if (old !== null && tree.size(old) > MAX_FILE_BYTES) {
      return refuse("too_large", `${old} is larger than ${MAX_FILE_BYTES} bytes`, old);
    }
    let newPath: RelativePath | null = old ?? path;
    if (action === "delete") newPath = null;
    if (action === "rename") {
      const to = readNames(edit.to);
      if ("ok" in to) return to;
      newPath = to[0]!;
      const blocked = tree.refusal(newPath);
      if (blocked) return blocked;
      if (tree.isFile(newPath)) return refuse("file_exists", `${newPath} exists already`, newPath);
    }
    return { action, oldPath: old, newPath, mode, hunks, content };
  }
}

/** The one file of the workspace that the prose speaks of. */
function mentioned(mentions: readonly ByteString[], tree: TreeNames, notes: Notes): ByteString[] | Refused {
  const files = new Map<string, ByteString>();
  for (const mention of mentions) {
    const path = pathOfBytes(mention.replace(/^(?:\.\/)+/, "") as ByteString);
    if (!path.ok) continue;
    if (tree.isFile(path.path)) files.set(path.path, mention);
    else {
      const full = tree.endingIn(path.path);
      if (full.length === 1) files.set(full[0]!, mention);
    }
  }
  if (files.size !== 1) {
    return refuse(
      "path_missing",
      "a change names no file, and the text around it does not name exactly one either",
    );
  }
  notes.add("path_inferred");
  return [...files.values()];
}

/** The allowed ones of a name's readings; refused as the likeliest one is. */
function readNames(names: readonly ByteString[]): RelativePath[] | Refused {
  const paths: RelativePath[] = [];
  for (const [i, name] of names.entries()) {
    const parsed = pathOfBytes(name.replace(/^(?:\.\/)+/, "") as ByteString);
    if (parsed.ok) paths.push(parsed.path);
    else if (i === 0) return parsed;
  }
  if (paths.length === 0) return refuse("path_missing", `no path in ${names.map(displayText).join(", ")}`);
  return paths;
}

/** What a manifest says of names, whether it lists directories or not. */
export class TreeNames {
  private byLastSegment: Map<string, RelativePath[]> | null = null;
  private directories: Set<string> | null = null;

  constructor(private readonly entries: Entries) {}

  isFile(path: string): boolean {
    const mode = this.entries.get(path)?.mode;
    return mode === "100644" || mode === "100755";
  }

  size(path: string): number {
    return this.entries.get(path)?.size ?? 0;
  }

  /** Why a path cannot be touched: it is or leads through a link, is a directory, lies below a file. */
  refusal(path: RelativePath): Refused | undefined {
    for (const parent of parentsOf([path])) {
      const mode = this.entries.get(parent)?.mode;
      if (mode === "120000") {
        return refuse("path_through_link", `${path} leads through the link ${parent}`, path);
      }
      if (mode !== undefined && mode !== "040000") {
        return refuse("path_through_file", `${path} lies below ${parent}, which is a file`, path);
      }
    }
    const mode = this.entries.get(path)?.mode;
    if (mode === "120000") {
      return refuse("path_through_link", `${path} is a link; links are never patched`, path);
    }
    if (mode === "040000" || mode === undefined && this.isDirectory(path)) {
      return refuse("path_is_directory", `${path} is a directory`, path);
    }
  }

  /** Files whose path ends in `/path`. */
  endingIn(path: string): RelativePath[] {
    this.byLastSegment ??= this.index();
    const last = path.slice(path.lastIndexOf("/") + 1);
    return (this.byLastSegment.get(last) ?? []).filter((full) => full.endsWith(`/${path}`));
  }

  /** Whether files lie below a path, listed as a directory or not. */
  isDirectory(path: string): boolean {
    this.directories ??= new Set(parentsOf([...this.entries.keys()]));
    return this.directories.has(path);
  }

  private index(): Map<string, RelativePath[]> {
    const byLast = new Map<string, RelativePath[]>();
    for (const path of this.entries.keys()) {
      if (!this.isFile(path)) continue;
      const last = path.slice(path.lastIndexOf("/") + 1), there = byLast.get(last);
      if (there) there.push(path as RelativePath);
      else byLast.set(last, [path as RelativePath]);
    }
    return byLast;
  }
}
