import type { FileChange } from "../vocabulary/change.ts";
import type { FileMode } from "../vocabulary/manifest.ts";
import type { ByteString, FilePatch, Patch } from "../vocabulary/patch.ts";
import { comparePaths, parentsOf, type RelativePath } from "../vocabulary/path.ts";
import { bytesOf, byteString } from "./bytes.ts";
import { joinLines, rawLine, splitLines } from "./lines.ts";
import { refuse, type Refused } from "./refusal.ts";

export interface FileState {
  readonly mode: FileMode;
  readonly bytes: Uint8Array;
}

/** What stands at a path of the base. Directories may be told as "directory" or, when unknown, as null. */
export type FileLookup = (path: string) => FileState | "link" | "directory" | null;

/**
 * Applies a patch to a base, exactly: every hunk must be at its stated place with every line as stated. Equal old
 * and new modes change nothing and are not compared with the base; a stated mode change must start from the
 * base's mode.
 * @returns the changes sorted by path, or the first refusal: `file_missing`, `file_exists`, `path_is_directory`,
 *   `path_through_link`, `path_through_file`, `path_touched_twice`, `mode_mismatch`, `hunk_mismatch`,
 *   `deletion_leaves_content`
 */
export function applyPatch(
  patch: Patch,
  base: FileLookup,
): { ok: true; changes: FileChange[] } | Refused {
  const clash = pathClash(patch);
  if (clash) return clash;
  const changes: FileChange[] = [];
  for (const file of patch.files) {
    const refused = applyFile(file, base, changes);
    if (refused) return refused;
  }
  return { ok: true, changes: changes.sort((a, b) => comparePaths(a.path, b.path)) };
}

/** Refuses a path that two files of the patch touch, and a written path that lies below another written one. */
export function pathClash(patch: Patch): Refused | undefined {
  const touched = new Set<string>(), written = new Set<string>();
  for (const file of patch.files) {
    for (const path of new Set([file.oldPath, file.newPath])) {
      if (path === null) continue;
      if (touched.has(path)) {
        return refuse("path_touched_twice", `${path} is touched twice by the patch`, path);
      }
      touched.add(path);
    }
    if (file.newPath !== null) written.add(file.newPath);
  }
  for (const path of written) {
    for (const parent of parentsOf([path])) {
      if (written.has(parent)) {
        return refuse(
          "path_through_file",
          `${path} lies below ${parent}, which the patch makes a file`,
          path,
        );
      }
    }
  }
}

/** Whether a path can be written or read in the base at all: nothing above it is a link or a file, it is no link. */
export function checkPath(path: RelativePath, base: FileLookup): Refused | undefined {
  for (const parent of parentsOf([path])) {
    const there = base(parent);
    if (there === "link") {
      return refuse("path_through_link", `${path} leads through the link ${parent}`, path);
    }
    if (there !== null && there !== "directory") {
      return refuse("path_through_file", `${path} lies below ${parent}, which is a file`, path);
    }
  }
  const there = base(path);
  if (there === "link") {
    return refuse("path_through_link", `${path} is a link; links are never patched`, path);
  }
  if (there === "directory") return refuse("path_is_directory", `${path} is a directory`, path);
}

function applyFile(file: FilePatch, base: FileLookup, changes: FileChange[]): Refused | undefined {
  const { oldPath, newPath, oldMode, newMode } = file;
  for (const path of [oldPath, newPath]) {
    const refused = path === null ? undefined : checkPath(path, base);
    if (refused) return refused;
  }
  let old: FileState | null = null;
  if (oldPath !== null) {
    old = base(oldPath) as FileState | null;
    if (old === null) return refuse("file_missing", `${oldPath} does not exist`, oldPath);
    if (newPath !== null && oldMode !== newMode && old.mode !== oldMode) {
      return refuse("mode_mismatch", `${oldPath} has mode ${old.mode}, the patch says ${oldMode}`, oldPath);
    }
  }
  if (newPath !== null && newPath !== oldPath && base(newPath) !== null) {
    return refuse("file_exists", `${newPath} exists already`, newPath);
  }
  const content = applyHunks(file, old === null ? "" as ByteString : byteString(old.bytes));
  if (typeof content !== "string") return content;
  if (oldPath !== null && oldPath !== newPath) changes.push({ kind: "delete", path: oldPath });
  if (newPath === null) {
    if (content === "") return;
    return refuse(
      "deletion_leaves_content",
      `the patch deletes ${oldPath} but not all of its lines`,
      oldPath!,
    );
  }
  const mode = old !== null && oldMode === newMode ? old.mode : newMode!;
  const bytes = file.hunks.length === 0 && old !== null ? old.bytes : bytesOf(content);
  changes.push({ kind: "write", path: newPath, mode, bytes });
}

function applyHunks(file: FilePatch, content: ByteString): ByteString | Refused {
  if (file.hunks.length === 0) return content;
  const lines = splitLines(content), out: ByteString[] = [];
  let at = 0;
  for (const hunk of file.hunks) {
    const from = oldIndex(hunk);
    const wrong = (why: string) =>
      refuse(
        "hunk_mismatch",
        `the hunk at line ${hunk.oldStart} of ${file.oldPath} ${why}`,
        file.oldPath ?? undefined,
      );
    if (from < at || from > lines.length) return wrong("is out of place");
    for (; at < from; at++) out.push(lines[at]!);
    if (newIndex(hunk) !== out.length) return wrong("states a wrong new line number");
    for (const line of hunk.lines) {
      const raw = rawLine(line);
      if (line.op !== "+" && lines[at++] !== raw) return wrong(`does not match line ${at}`);
      if (line.op !== "-") out.push(raw);
    }
    if (at - from !== hunk.oldCount || out.length - newIndex(hunk) !== hunk.newCount) {
      return wrong("is miscounted");
    }
  }
  for (; at < lines.length; at++) out.push(lines[at]!);
  for (let i = 0; i < out.length - 1; i++) {
    if (!out[i]!.endsWith("\n")) {
      return refuse(
        "hunk_mismatch",
        `line ${i + 1} of ${file.newPath} lacks its line feed`,
        file.newPath ?? undefined,
      );
    }
  }
  return joinLines(out);
}

/** 0-based index of a hunk's first old line. */
export function oldIndex(hunk: { oldStart: number; oldCount: number }): number {
  return hunk.oldCount === 0 ? hunk.oldStart : hunk.oldStart - 1;
}

/** 0-based index of a hunk's first new line. */
export function newIndex(hunk: { newStart: number; newCount: number }): number {
  return hunk.newCount === 0 ? hunk.newStart : hunk.newStart - 1;
}
