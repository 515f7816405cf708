import { diffFiles, type FilePair } from "../../patch/diff.ts";
import { renderPatch } from "../../patch/render.ts";
import { quotePath } from "../../patch/quote.ts";
import type { FileMode } from "../../vocabulary/manifest.ts";
import type { RelativePath } from "../../vocabulary/path.ts";
import type { Store, Version } from "../store.ts";
import { changedEntries, type ChangedEntry, treeSource } from "./tree.ts";

/** Larger files are named and not compared line by line. */
const MAX_COMPARED = 4 << 20;
const PROBE = 8_000;

export type FileChangeKind = "added" | "removed" | "changed" | "mode";

export interface VersionChange {
  readonly path: string;
  readonly change: FileChangeKind;
  /** What it is, of the newer side where there is one. */
  readonly type: "file" | "link" | "directory";
  /** Bytes before and after; null where there is none. */
  readonly before: number | null;
  readonly after: number | null;
  /** Whether its lines are in the patch. */
  readonly text: boolean;
}

export interface VersionDiff {
  readonly changes: readonly VersionChange[];
  /**
   * A git-style patch, as bytes 0..255 in UTF-16 units. Binary and very large files are noted as git notes binary ones;
   * links are shown with their target as content, as git has them.
   */
  patch(): Iterable<string>;
}

/** What differs between two versions; equal directories are not looked into, equal files not read. */
export function diffVersions(
  store: Store,
  before: Pick<Version, "root">,
  after: Pick<Version, "root">,
): VersionDiff {
  const changed = store.records.read((rows) =>
    changedEntries(before.root, after.root, treeSource((digest) => rows.tree(digest)))
  );
  return {
    changes: changed.map((entry) => ({
      path: entry.path,
      change: kindOf(entry),
      type: typeOf((entry.after ?? entry.before)!.mode),
      before: entry.before === null ? null : entry.before.size,
      after: entry.after === null ? null : entry.after.size,
      text: shownAs(store, entry).kind === "text",
    })),
    *patch() {
      for (const entry of changed) yield* render(store, entry);
    },
  };
}

function kindOf({ before, after }: ChangedEntry): FileChangeKind {
  if (before === null) return "added";
  if (after === null) return "removed";
  return before.sha256 === after.sha256 && before.mode !== "040000" ? "mode" : "changed";
}

function typeOf(mode: string): VersionChange["type"] {
  return mode === "120000" ? "link" : mode === "040000" ? "directory" : "file";
}

type Side = NonNullable<ChangedEntry["before"]>;

type Shown =
  | { readonly kind: "text"; readonly before: Uint8Array | null; readonly after: Uint8Array | null }
  | { readonly kind: "binary" }
  /** Directories have no place in a patch. */
  | { readonly kind: "nothing" };

function shownAs(store: Store, { before, after }: ChangedEntry): Shown {
  const sides = [before, after].filter((side) => side !== null && side.mode !== "040000") as Side[];
  if (sides.length === 0) return { kind: "nothing" };
  if (sides.some((side) => side.size > MAX_COMPARED)) return { kind: "binary" };
  const bytesOf = (side: Side | null): Uint8Array | null => {
    if (side === null || side.mode === "040000") return null;
    if (side.mode === "120000") return new TextEncoder().encode(side.target!);
    return store.blobs.read(side.sha256, MAX_COMPARED);
  };
  const [old, now] = [bytesOf(before), bytesOf(after)];
  if ([old, now].some((bytes) => bytes !== null && bytes.subarray(0, PROBE).includes(0))) {
    return { kind: "binary" };
  }
  return { kind: "text", before: old, after: now };
}

function* render(store: Store, entry: ChangedEntry): Iterable<string> {
  const { path, before, after } = entry;
  const shown = shownAs(store, entry);
  if (shown.kind === "nothing") return;
  if (shown.kind === "binary") {
    yield binaryNote(entry);
    return;
  }
  const isFile = (side: Side | null) => side !== null && side.mode.startsWith("100");
  // A file that becomes a link, or the other way round, goes and comes again, as in git.
  const pieces = isFile(before) === isFile(after) || shown.before === null || shown.after === null
    ? [[before, after, shown.before, shown.after] as const]
    : [[before, null, shown.before, null] as const, [null, after, null, shown.after] as const];
  for (const [x, y, old, now] of pieces) {
    const state = (side: Side | null, bytes: Uint8Array | null) =>
      side === null || bytes === null ? null : { mode: side.mode as FileMode, bytes };
    const pair: FilePair = {
      oldPath: old === null ? null : path as RelativePath,
      old: state(x, old),
      newPath: now === null ? null : path as RelativePath,
      new: state(y, now),
    };
    yield renderPatch(diffFiles([pair]));
  }
}

/** As git writes it; `git apply` refuses it, since the bytes are not there. */
function binaryNote({ path, before, after }: ChangedEntry): string {
  const a = quotePath(`a/${path}`), b = quotePath(`b/${path}`);
  const lines = [`diff --git ${a} ${b}`];
  const gone = after === null || after.mode === "040000", fresh = before === null || before.mode === "040000";
  if (fresh) lines.push(`new file mode ${after!.mode}`);
  else if (gone) lines.push(`deleted file mode ${before.mode}`);
  else if (before.mode !== after.mode) lines.push(`old mode ${before.mode}`, `new mode ${after.mode}`);
  if (fresh || gone || before.sha256 !== after.sha256) {
    lines.push(`Binary files ${fresh ? "/dev/null" : a} and ${gone ? "/dev/null" : b} differ`);
  }
  return `${lines.join("\n")}\n`;
}
