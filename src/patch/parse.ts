import type { FileMode } from "../vocabulary/manifest.ts";
import type { ByteString, FilePatch, Hunk, HunkLine, Patch } from "../vocabulary/patch.ts";
import type { RelativePath } from "../vocabulary/path.ts";
import { newIndex, oldIndex, pathClash } from "./apply.ts";
import { displayText } from "./bytes.ts";
import { sortFiles } from "./diff.ts";
import { type ExtendedHeader, gitHeaderNames, takeHeaderLine } from "./header.ts";
import { pathOfBytes, unquote } from "./quote.ts";
import { MAX_PATCH_BYTES, MAX_PATCH_LINES, refuse, type Refused } from "./refusal.ts";

/**
 * Reads a git-style unified diff, strictly: nothing but `diff --git` sections, exact counts, hunks in order,
 * `a/` and `b/` before names. The empty text is the empty patch. Where no line states a mode it is 100644.
 * @param text at most 64 MiB and a million lines, else `too_large`
 * @returns the patch, files sorted, or the first refusal: `binary_patch`, `submodule`, `device_or_link_mode`,
 *   `mode_not_allowed`, `copy_not_allowed`, `path_*`, `malformed_header`, `malformed_hunk`, `hunk_count_wrong`,
 *   `hunks_overlap`, `garbage`
 */
export function parsePatch(text: ByteString): { ok: true; patch: Patch } | Refused {
  if (text.length > MAX_PATCH_BYTES) return refuse("too_large", `the patch has ${text.length} bytes`);
  if (text === "") return { ok: true, patch: { files: [] } };
  const lines = text.split("\n", MAX_PATCH_LINES + 2) as ByteString[];
  if (lines.length > MAX_PATCH_LINES + 1) {
    return refuse("too_large", `the patch has over ${MAX_PATCH_LINES} lines`);
  }
  if (lines.pop() !== "") return refuse("malformed_hunk", "the last line of the patch has no line feed");
  const reader = new PatchReader(lines);
  const files: FilePatch[] = [];
  while (!reader.atEnd()) {
    const file = reader.file();
    if ("ok" in file) return file;
    files.push(file);
  }
  const patch = { files: sortFiles(files) };
  return pathClash(patch) ?? { ok: true, patch };
}

class PatchReader {
  private at = 0;

  constructor(private readonly lines: readonly ByteString[]) {}

  atEnd(): boolean {
    return this.at >= this.lines.length;
  }

  file(): FilePatch | Refused {
    const start = this.line();
    if (!start?.startsWith("diff --git ")) {
      return refuse(
        "garbage",
        `line ${this.at + 1} is not "diff --git …": ${displayText(start!).slice(0, 80)}`,
      );
    }
    this.at++;
    const header: ExtendedHeader = { created: false, deleted: false };
    for (;;) {
      const taken = this.atEnd() ? false : takeHeaderLine(this.line()!, header);
      if (taken === false) break;
      if (taken !== true) return taken;
      this.at++;
    }
    let labels: { old: ByteString; new: ByteString } | undefined;
    if (this.line()?.startsWith("--- ")) {
      if (!this.lines[this.at + 1]?.startsWith("+++ ")) {
        return this.malformed("a --- line without its +++ line");
      }
      labels = { old: labelName(this.line()!), new: labelName(this.lines[this.at + 1]!) };
      this.at += 2;
    }
    const paths = this.paths(start.slice("diff --git ".length), header, labels);
    if ("ok" in paths) return paths;
    const hunks = this.hunks();
    if ("ok" in hunks) return hunks;
    return this.finish(header, paths, hunks, labels !== undefined);
  }

  private paths(
    names: string,
    header: ExtendedHeader,
    labels: { old: ByteString; new: ByteString } | undefined,
  ): { oldPath: RelativePath; newPath: RelativePath } | Refused {
    const { renameFrom, renameTo, created, deleted } = header;
    const renamed = renameFrom !== undefined || renameTo !== undefined;
    if (renamed && (renameFrom === undefined || renameTo === undefined || created || deleted)) {
      return this.malformed("contradicting rename lines");
    }
    const pair = gitHeaderNames(names).find(([one, two]) =>
      one.startsWith("a/") && two.startsWith("b/") &&
      (renamed ? one === `a/${renameFrom}` && two === `b/${renameTo}` : one.slice(2) === two.slice(2))
    );
    if (!pair || created && deleted) return this.malformed("a diff --git line that names no one file");
    if (
      labels &&
      (labels.old !== (created ? "/dev/null" : pair[0]) || labels.new !== (deleted ? "/dev/null" : pair[1]))
    ) return this.malformed("--- and +++ lines that contradict the diff --git line");
    const oldPath = pathOfBytes(pair[0].slice(2) as ByteString);
    if (!oldPath.ok) return oldPath;
    const newPath = pathOfBytes(pair[1].slice(2) as ByteString);
    if (!newPath.ok) return newPath;
    if (renamed && oldPath.path === newPath.path) return this.malformed("a rename to the same name");
    return { oldPath: oldPath.path, newPath: newPath.path };
  }

  private finish(
    header: ExtendedHeader,
    paths: { oldPath: RelativePath; newPath: RelativePath },
    hunks: Hunk[],
    labelled: boolean,
  ): FilePatch | Refused {
    const { created, deleted, indexMode } = header;
    if (labelled !== hunks.length > 0) return this.malformed("--- and +++ lines must come with hunks");
    if (created && hunks.some((h) => h.oldCount > 0) || deleted && hunks.some((h) => h.newCount > 0)) {
      return this.malformed("hunks that contradict the creation or deletion");
    }
    if ((created || deleted) && hunks.length > 1) {
      return this.malformed("more than one hunk for a whole file");
    }
    const one = !created && !deleted && (header.oldMode === undefined) !== (header.newMode === undefined);
    const modes = {
      old: header.oldMode ?? indexMode ?? "100644",
      new: header.newMode ?? indexMode ?? "100644",
    };
    if (one || created && header.oldMode || deleted && header.newMode) {
      return this.malformed("half a mode change");
    }
    if (
      hunks.length === 0 && !created && !deleted && paths.oldPath === paths.newPath && modes.old === modes.new
    ) return this.malformed("a section that changes nothing");
    return {
      oldPath: created ? null : paths.oldPath,
      newPath: deleted ? null : paths.newPath,
      oldMode: created ? null : modes.old as FileMode,
      newMode: deleted ? null : modes.new as FileMode,
      hunks,
    };
  }

  private hunks(): Hunk[] | Refused {
    const hunks: Hunk[] = [];
    let oldAt = 0, shift = 0;
    const ended = { old: false, new: false };
    while (this.line()?.startsWith("@@")) {
      const hunk = this.hunk(ended);
      if ("ok" in hunk) return hunk;
      if (oldIndex(hunk) < oldAt) {
        return refuse("hunks_overlap", `line ${this.at}: hunks overlap or are out of order`);
      }
      if (newIndex(hunk) !== oldIndex(hunk) + shift) {
        return refuse(
          "hunk_count_wrong",
          `line ${this.at}: the new line number does not follow from the old one`,
        );
      }
      oldAt = oldIndex(hunk) + hunk.oldCount;
      shift += hunk.newCount - hunk.oldCount;
      hunks.push(hunk);
    }
    return hunks;
  }

  private hunk(ended: { old: boolean; new: boolean }): Hunk | Refused {
    const head = /^@@ -(\d{1,9})(?:,(\d{1,9}))? \+(\d{1,9})(?:,(\d{1,9}))? @@(?: .*)?$/.exec(this.line()!);
    if (!head) return this.malformedHunk("a hunk header that cannot be read");
    this.at++;
    const [oldStart, oldCount, newStart, newCount] = [head[1], head[2] ?? "1", head[3], head[4] ?? "1"].map(
      Number,
    ) as [
      number,
      number,
      number,
      number,
    ];
    if (oldCount > 0 && oldStart === 0 || newCount > 0 && newStart === 0) {
      return this.malformedHunk("line number 0");
    }
    const lines: HunkLine[] = [];
    let oldLeft = oldCount, newLeft = newCount, changes = 0;
    while (oldLeft > 0 || newLeft > 0) {
      const line = this.line();
      const op = line?.[0];
      if (op !== " " && op !== "-" && op !== "+") {
        return refuse("hunk_count_wrong", `line ${this.at + 1}: the hunk is shorter than its header says`);
      }
      this.at++;
      const newline = !this.line()?.startsWith("\\ ");
      if (!newline) this.at++;
      if (op !== "+") oldLeft--;
      if (op !== "-") newLeft--;
      if (oldLeft < 0 || newLeft < 0) {
        return refuse(
          "hunk_count_wrong",
          `line ${this.at}: the hunk does not have the lines its header says`,
        );
      }
      if (op !== "+" && ended.old || op !== "-" && ended.new) {
        return this.malformedHunk("a line after the file's end");
      }
      if (!newline && op !== "+") ended.old = true;
      if (!newline && op !== "-") ended.new = true;
      if (op !== " ") changes++;
      lines.push({ op, text: line!.slice(1) as ByteString, newline });
    }
    if (changes === 0) return this.malformedHunk("a hunk that changes nothing");
    return { oldStart, oldCount, newStart, newCount, lines };
  }

  private line(): ByteString | undefined {
    return this.lines[this.at];
  }

  private malformed(what: string): Refused {
    return refuse("malformed_header", `line ${Math.min(this.at + 1, this.lines.length)}: ${what}`);
  }

  private malformedHunk(what: string): Refused {
    return refuse("malformed_hunk", `line ${Math.min(this.at + 1, this.lines.length)}: ${what}`);
  }
}

/** The name on a --- or +++ line: unquoted, or up to the tab that may end it. */
function labelName(line: string): ByteString {
  const rest = line.slice(4);
  const quoted = unquote(rest);
  if (quoted && /^\t?$/.test(quoted.rest)) return quoted.value;
  const tab = rest.indexOf("\t");
  return (tab < 0 ? rest : rest.slice(0, tab)) as ByteString;
}
