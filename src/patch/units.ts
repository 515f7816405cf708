import { Buffer } from "node:buffer";
import type { Level, UnitSet } from "../minimize/minimize.ts";
import type { FileChange } from "../vocabulary/change.ts";
import { Failure } from "../vocabulary/failure.ts";
import type { FileMode } from "../vocabulary/manifest.ts";
import type { ByteString, FilePatch, Patch } from "../vocabulary/patch.ts";
import { comparePaths } from "../vocabulary/path.ts";
import { applyPatch, type FileLookup, type FileState, oldIndex } from "./apply.ts";
import { bytesOf, byteString, displayText } from "./bytes.ts";
import { diffFiles, type FilePair } from "./diff.ts";
import { joinLines, rawLine, splitLines } from "./lines.ts";

export interface Atom {
  readonly path: string;
  /** For people: `create`, `delete`, `rename from x`, `mode 100755`, or the line with its sign, cut to 200. */
  readonly what: string;
}

export interface PatchUnits {
  readonly units: UnitSet;
  readonly atoms: readonly Atom[];
  /**
   * The canonical patch that makes only the kept atoms' changes. Atoms whose requirements are not kept are left
   * out with them. All atoms give the original result, none the empty patch.
   */
  assemble(kept: readonly number[]): Patch;
  /** What applying `assemble(kept)` to the base does, without making the patch: for cache keys and trying it out. */
  changes(kept: readonly number[]): FileChange[];
}

const LEVELS: readonly Level[] = ["file", "hunk", "group", "line"];

/**
 * Splits a patch into the units a minimizer removes: every `-` or `+` line, and one atom each for a creation, a
 * rename, a mode change and a whole deletion.
 * @throws Failure `malformed`, code `patch_does_not_apply`, when the patch does not apply exactly to the base
 */
export function splitPatch(patch: Patch, base: FileLookup): PatchUnits {
  const applied = applyPatch(patch, base);
  if (!applied.ok) {
    throw new Failure(
      "malformed",
      "patch_does_not_apply",
      `the patch does not apply: ${applied.refusal.detail}`,
    );
  }
  const splitter = new Splitter();
  const files = patch.files.map((file) =>
    splitter.add(file, file.oldPath === null ? null : base(file.oldPath) as FileState, applied.changes)
  );
  return {
    units: { atoms: splitter.atoms.length, levels: splitter.levels(), requires: splitter.requires },
    atoms: splitter.atoms,
    assemble(kept) {
      const has = new Set(kept);
      return diffFiles(files.flatMap((f) => f.pair(has) ?? []));
    },
    changes(kept) {
      const has = new Set(kept);
      const changes = files.flatMap((f) => changesOf(f.pair(has)));
      return changes.sort((a, b) => comparePaths(a.path, b.path));
    },
  };
}

function changesOf(pair: FilePair | undefined): FileChange[] {
  if (!pair) return [];
  const { oldPath, newPath, old, new: next } = pair;
  if (newPath === null) return [{ kind: "delete", path: oldPath! }];
  const write: FileChange = { kind: "write", path: newPath, mode: next!.mode, bytes: next!.bytes };
  if (oldPath === null) return [write];
  if (oldPath !== newPath) return [{ kind: "delete", path: oldPath }, write];
  return old!.mode === next!.mode && Buffer.compare(old!.bytes, next!.bytes) === 0 ? [] : [write];
}

class Splitter {
  readonly atoms: Atom[] = [];
  readonly requires: number[][] = [];
  private readonly groups: Record<Level, number[][]> = { file: [], hunk: [], group: [], line: [] };

  add(file: FilePatch, old: FileState | null, changes: readonly FileChange[]): SplitFile {
    const path = (file.newPath ?? file.oldPath)!;
    this.open("file");
    const split = new SplitFile(file, old, changes);
    if (file.newPath === null) {
      split.whole = this.alone(path, "delete", []);
      return split;
    }
    if (file.oldPath === null) split.whole = this.alone(path, "create", []);
    else if (file.oldPath !== file.newPath) split.whole = this.alone(path, `rename from ${file.oldPath}`, []);
    const needs = split.whole === undefined ? [] : [split.whole];
    if (file.oldPath !== null && file.oldMode !== file.newMode) {
      split.mode = this.alone(path, `mode ${file.newMode}`, needs);
    }
    for (const hunk of file.hunks) {
      this.open("hunk");
      let inRun = false, at = oldIndex(hunk);
      for (const line of hunk.lines) {
        if (line.op === " ") {
          inRun = false;
          at++;
          continue;
        }
        if (!inRun) this.open("group");
        inRun = true;
        this.open("line");
        const atom = this.put(path, line.op + displayText(line.text).slice(0, 200), needs);
        if (line.op === "-") split.removals.set(at++, atom);
        else split.insert(at, atom, rawLine(line));
      }
    }
    return split;
  }

  levels(): UnitSet["levels"] {
    return LEVELS.map((level) => ({ level, groups: this.groups[level] }));
  }

  private open(level: Level): void {
    this.groups[level].push([]);
  }

  private alone(path: string, what: string, requires: readonly number[]): number {
    this.open("hunk");
    this.open("group");
    this.open("line");
    return this.put(path, what, requires);
  }

  private put(path: string, what: string, requires: readonly number[]): number {
    const atom = this.atoms.push({ path, what }) - 1;
    this.requires.push([...requires]);
    for (const level of LEVELS) this.groups[level].at(-1)!.push(atom);
    return atom;
  }
}

class SplitFile {
  /** The creation, deletion or rename atom. */
  whole: number | undefined;
  mode: number | undefined;
  /** Old line index to the atom that removes it. */
  readonly removals = new Map<number, number>();
  /** Old line index to the lines that go in before it. */
  private readonly insertions = new Map<number, { atom: number; line: ByteString }[]>();
  private readonly lines: readonly ByteString[];

  constructor(
    private readonly file: FilePatch,
    private readonly old: FileState | null,
    private readonly changes: readonly FileChange[],
  ) {
    this.lines = old && file.newPath !== null ? splitLines(byteString(old.bytes)) : [];
  }

  insert(before: number, atom: number, line: ByteString): void {
    const there = this.insertions.get(before);
    if (there) there.push({ atom, line });
    else this.insertions.set(before, [{ atom, line }]);
  }

  /** The file before and after the kept atoms; undefined when nothing of it is kept. */
  pair(kept: ReadonlySet<number>): FilePair | undefined {
    const { oldPath, newPath, newMode } = this.file;
    if (this.whole !== undefined && !kept.has(this.whole)) return undefined;
    if (newPath === null) return { oldPath, old: this.old, newPath: null, new: null };
    const changed = this.changes.find((c) => c.path === newPath);
    const resultMode = changed?.kind === "write" ? changed.mode : newMode!;
    const keepsMode = this.old !== null && (this.mode === undefined || !kept.has(this.mode));
    const mode: FileMode = keepsMode ? this.old!.mode : resultMode;
    return { oldPath, old: this.old, newPath, new: { mode, bytes: this.content(kept) } };
  }

  private content(kept: ReadonlySet<number>): Uint8Array {
    const out: ByteString[] = [];
    for (let at = 0; at <= this.lines.length; at++) {
      for (const { atom, line } of this.insertions.get(at) ?? []) if (kept.has(atom)) out.push(line);
      const removal = this.removals.get(at);
      if (at < this.lines.length && (removal === undefined || !kept.has(removal))) out.push(this.lines[at]!);
    }
    return bytesOf(joinLines(out));
  }
}
