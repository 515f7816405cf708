/**
 * A normalized relative POSIX path: UTF-8, no empty, `.` or `..` segment, no leading or trailing slash.
 * Made only by `parseRelativePath`.
 */
export type RelativePath = string & { readonly __relativePath: unique symbol };

export type PathRefusal =
  | "path_empty"
  | "path_absolute"
  | "path_escapes"
  | "path_not_normal"
  | "path_control_character"
  | "path_backslash"
  | "path_too_long"
  | "path_git_directory";

/** What is wrong with a path, for people, to stand behind it. */
export const PATH_FAULTS: Readonly<Record<PathRefusal, string>> = {
  path_empty: "a path cannot be empty",
  path_absolute: "it is absolute; paths are relative to the workspace",
  path_escapes: "it leads out of the workspace",
  path_not_normal: "it has a segment that is empty or a single dot",
  path_control_character: "it has a control character",
  path_backslash: "it has a backslash",
  path_too_long: "it is longer than a file system takes",
  path_git_directory: "it is inside .git, which no patch may write",
};

/** What file systems and a workspace's own walk take; a longer path could be proposed and never be there. */
const MAX_PATH_BYTES = 3_584;
const MAX_NAME_BYTES = 255;
const MAX_PATH_DEPTH = 256;

/**
 * Reads a path from hostile input (patch headers, bundles, proposers).
 * @returns the path, or the reason it is refused; `.git` in any segment and any letter case is refused
 */
export function parseRelativePath(
  text: string,
): { ok: true; path: RelativePath } | { ok: false; reason: PathRefusal } {
  const no = (reason: PathRefusal) => ({ ok: false, reason }) as const;
  if (text === "") return no("path_empty");
  if (new TextEncoder().encode(text).length > MAX_PATH_BYTES) return no("path_too_long");
  // deno-lint-ignore no-control-regex
  if (/[\u0000-\u001f\u007f]/.test(text)) return no("path_control_character");
  if (text.includes("\\")) return no("path_backslash");
  if (text.startsWith("/") || /^[A-Za-z]:\//.test(text)) return no("path_absolute");
  const segments = text.split("/");
  if (segments.length > MAX_PATH_DEPTH || segments.some(isLongName)) return no("path_too_long");
  if (segments.includes("..")) return no("path_escapes");
  if (segments.includes("") || segments.includes(".")) return no("path_not_normal");
  if (segments.some(namesGitDirectory)) return no("path_git_directory");
  return { ok: true, path: text as RelativePath };
}

function isLongName(segment: string): boolean {
  return segment.length > MAX_NAME_BYTES || new TextEncoder().encode(segment).length > MAX_NAME_BYTES;
}

/**
 * Whether some file system takes the segment for `.git`, as git itself checks: short names, trailing dots and
 * spaces and streams of NTFS, characters HFS+ does not see.
 */
function namesGitDirectory(segment: string): boolean {
  const seen = segment.replace(/[\u200c-\u200f\u202a-\u202e\u206a-\u206f\ufeff]/g, "");
  return /^(?:\.git|git~1)[. ]*(?::.*)?$/i.test(seen);
}

/** Every directory above some paths, each once, parents before children; the root is left out. */
export function parentsOf(paths: readonly string[]): readonly string[] {
  const parents = new Set<string>();
  for (const path of paths) {
    for (let slash = path.indexOf("/"); slash >= 0; slash = path.indexOf("/", slash + 1)) {
      parents.add(path.slice(0, slash));
    }
  }
  return [...parents].sort((a, b) => a.length - b.length);
}

/** Orders paths by their UTF-8 bytes, as git and `sort` under LC_ALL=C do. */
export function comparePaths(a: string, b: string): number {
  if (a === b) return 0;
  // UTF-16 order differs from code point order only where surrogates meet U+E000..U+FFFF.
  for (let i = 0; i < a.length && i < b.length; i++) {
    const x = a.charCodeAt(i), y = b.charCodeAt(i);
    if (x === y) continue;
    const xs = x >= 0xd800 && x <= 0xdfff, ys = y >= 0xd800 && y <= 0xdfff;
    return xs === ys ? x - y : xs ? 1 : -1;
  }
  return a.length - b.length;
}
