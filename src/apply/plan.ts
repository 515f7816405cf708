import { mergeTrees } from "../patch/merge.ts";
import type { FileMerge, MergeStrategy, PathMerge, ThreeSides, TreeEntry } from "../patch/merge.ts";
import { changedEntries, type TreeSource } from "../store/artifact/tree.ts";
import { sameSide, sideOf } from "../store/operation/side.ts";
import type { OperationSide } from "../store/operations.ts";
import type { FileChange } from "../vocabulary/change.ts";
import { type Sha256, sha256 } from "../vocabulary/digest.ts";
import { Failure } from "../vocabulary/failure.ts";
import { comparePaths, parentsOf, parseRelativePath, type RelativePath } from "../vocabulary/path.ts";
import { printablePath } from "../vocabulary/printable.ts";
import type { FolderTree } from "./folder_tree.ts";

/** One revision that goes into a folder. */
export interface Incoming {
  readonly proposal: number;
  readonly revision: number;
  readonly baseRoot: Sha256;
  readonly resultRoot: Sha256;
}

/** What a plan reads. */
export interface PlanSources {
  readonly trees: TreeSource;
  readonly bytesOf: (path: string, file: Pick<OperationSide, "sha256" | "size">) => Uint8Array;
  /** Whether something is at a path that is no part of the workspace, such as an ignored file. */
  readonly isTaken: (path: RelativePath) => boolean;
  /** What somebody said a conflict is to become; undefined when nobody did, null for no file. */
  readonly resolved: (conflict: PlannedConflict) => OperationSide | null | undefined;
}

/** How a path came to what it becomes. */
export type How = "taken" | "merged" | "resolved" | "there_already";

export interface PlannedPath {
  readonly path: RelativePath;
  readonly how: How;
  /** In the folder as it is; null where no file is. */
  readonly before: OperationSide | null;
  readonly after: OperationSide | null;
  /** Of which proposals, in order. */
  readonly proposals: readonly number[];
}

export interface PlannedConflict {
  readonly proposal: number;
  readonly revision: number;
  readonly path: RelativePath;
  readonly regions: readonly {
    readonly line: number | null;
    readonly reason: string;
    readonly detail: string;
  }[];
  readonly base: OperationSide | null;
  readonly ours: OperationSide | null;
  readonly theirs: OperationSide | null;
  /** With `both`, one side after the other, where lines can be put together. */
  readonly merge: FileMerge | null;
}

export interface ApplicationPlan {
  /** What becomes of the folder; empty when there are conflicts. */
  readonly changes: readonly FileChange[];
  readonly paths: readonly PlannedPath[];
  readonly conflicts: readonly PlannedConflict[];
}

interface Current {
  readonly side: OperationSide | null;
  /** Kept while it is not in the store. */
  readonly bytes: Uint8Array | null;
  readonly how: How;
  readonly proposals: readonly number[];
}

/**
 * What revisions, one after the other, make of a folder. A path that is as in a revision's base takes its result, one
 * that is as in its result stays; any other is merged over the base. Nothing is written.
 * @throws Failure `link_in_the_way` (denied): links are neither made nor replaced
 */
export function planApplication(
  folder: FolderTree,
  revisions: readonly Incoming[],
  strategy: MergeStrategy,
  sources: PlanSources,
): ApplicationPlan {
  const planner = new Planner(folder, strategy, sources);
  for (const revision of revisions) planner.take(revision);
  return planner.plan();
}

class Planner {
  readonly #current = new Map<string, Current>();
  readonly #conflicts: PlannedConflict[] = [];

  constructor(
    readonly folder: FolderTree,
    readonly strategy: MergeStrategy,
    readonly sources: PlanSources,
  ) {}

  take(incoming: Incoming): void {
    const sides = new Map<string, ThreeSides>();
    const known = new Map<string, { base: OperationSide | null; theirs: OperationSide | null }>();
    const changed = changedEntries(incoming.baseRoot, incoming.resultRoot, this.sources.trees);
    const going = new Set(changed.filter(({ after }) => sideOf(after) === null).map(({ path }) => path));
    for (const { path, before, after } of changed) {
      if (before?.mode === "120000" || after?.mode === "120000") throw linkInTheWay(path);
      const base = sideOf(before), theirs = sideOf(after);
      if (base === null && theirs === null) continue;
      const relative = pathOf(path);
      known.set(path, { base, theirs });
      const ours = this.#now(path);
      if (sameSide(ours, theirs)) this.#keep(path, incoming, "there_already");
      else if (theirs !== null && this.#isStranger(relative)) {
        const detail = "something that is no part of the workspace is there";
        this.#conflicts.push({
          ...{ proposal: incoming.proposal, revision: incoming.revision, path: relative, base, ours, theirs },
          ...{ regions: [{ line: null, reason: "path_in_the_way", detail }], merge: null },
        });
      } else if (sameSide(ours, base) && !this.#blocked(relative, theirs, going)) {
        this.#set(path, { side: theirs, bytes: null, how: "taken", proposals: [incoming.proposal] });
      } else sides.set(path, this.#sides(relative, base, theirs));
    }
    // Whatever stands where a new file needs a directory has its say.
    for (const path of [...sides.keys()]) {
      for (const above of parentsOf([path])) {
        if (sides.has(above) || this.#entry(above) === null) continue;
        const ours = this.#entry(above);
        if (ours?.kind === "directory") continue;
        sides.set(above, { path: pathOf(above), base: ours, ours, theirs: ours });
      }
    }
    if (sides.size === 0) return;
    for (const outcome of mergeTrees([...sides.values()], this.strategy).paths) {
      const { base, theirs } = known.get(outcome.path) ?? { base: null, theirs: null };
      if (!known.has(outcome.path) && outcome.kind === "unchanged") continue;
      this.#merged(incoming, outcome, base, theirs);
    }
  }

  plan(): ApplicationPlan {
    if (this.#conflicts.length > 0) return { changes: [], paths: [], conflicts: this.#conflicts };
    const changes: FileChange[] = [], paths: PlannedPath[] = [];
    for (const [text, current] of [...this.#current].sort(([a], [b]) => comparePaths(a, b))) {
      const path = pathOf(text);
      const before = this.#inFolder(text);
      const after = current.side;
      const how = sameSide(before, after) ? "there_already" : current.how;
      paths.push({ path, how, before, after, proposals: current.proposals });
      if (how === "there_already") continue;
      if (after === null) changes.push({ kind: "delete", path });
      else {
        const bytes = current.bytes ?? this.sources.bytesOf(text, after);
        changes.push({ kind: "write", path, mode: after.mode, bytes });
      }
    }
    return { changes, paths, conflicts: [] };
  }

  #merged(
    incoming: Incoming,
    outcome: PathMerge,
    base: OperationSide | null,
    theirs: OperationSide | null,
  ): void {
    const { path } = outcome;
    if (outcome.kind === "unchanged") return this.#keep(path, incoming, "merged");
    if (outcome.kind !== "conflict") return this.#setEntry(path, incoming, outcome.entry, "merged");
    const ours = this.#now(path);
    const conflict: PlannedConflict = {
      ...{ proposal: incoming.proposal, revision: incoming.revision, path, base, ours, theirs },
      regions: outcome.conflicts.map(({ line, reason, detail }) => ({ line, reason, detail })),
      merge: outcome.file,
    };
    const resolved = this.sources.resolved(conflict);
    if (resolved === undefined) this.#conflicts.push(conflict);
    else {
      const proposals = [...this.#proposals(path), incoming.proposal];
      this.#set(path, { side: resolved, bytes: null, how: "resolved", proposals });
    }
  }

  #setEntry(path: string, incoming: Incoming, entry: TreeEntry, how: How): void {
    const proposals = [...this.#proposals(path), incoming.proposal];
    if (entry === null) return this.#set(path, { side: null, bytes: null, how, proposals });
    if (entry.kind !== "file") throw linkInTheWay(path);
    const { mode, bytes } = entry;
    const side = { mode, size: bytes.length, sha256: sha256(bytes) };
    this.#set(path, { side, bytes, how, proposals });
  }

  #keep(path: string, { proposal }: Incoming, how: How): void {
    const now = this.#current.get(path);
    const proposals = [...this.#proposals(path), proposal];
    this.#set(path, { side: this.#now(path), bytes: now?.bytes ?? null, how: now?.how ?? how, proposals });
  }

  #set(path: string, current: Current): void {
    const earlier = this.#proposals(path).filter((proposal) => !current.proposals.includes(proposal));
    this.#current.set(path, { ...current, proposals: [...earlier, ...current.proposals] });
  }

  #proposals(path: string): readonly number[] {
    return this.#current.get(path)?.proposals ?? [];
  }

  /** Something is in the way of a file that is to come: a file or link above it, or a directory that keeps files. */
  #blocked(path: RelativePath, theirs: OperationSide | null, going: ReadonlySet<string>): boolean {
    if (theirs === null) return false;
    const isFile = (above: string) => {
      const entry = this.#entry(above);
      return entry !== null && entry.kind !== "directory" && !going.has(above);
    };
    if (parentsOf([path]).some(isFile)) return true;
    if (this.#entry(path)?.kind !== "directory") return false;
    const inside = `${path}/`;
    return [...this.folder.byPath.keys(), ...this.#current.keys()].some((other) =>
      other.startsWith(inside) && !going.has(other) &&
      !["directory", undefined].includes(this.#entry(other)?.kind)
    );
  }

  #sides(path: RelativePath, base: OperationSide | null, theirs: OperationSide | null): ThreeSides {
    const entry = (side: OperationSide | null): TreeEntry =>
      side === null ? null : { kind: "file", mode: side.mode, bytes: this.sources.bytesOf(path, side) };
    return {
      path,
      base: entry(base),
      ours: this.#entry(path),
      theirs: entry(theirs),
    };
  }

  /** Whether something is there that is no part of the workspace: it is neither read nor written. */
  #isStranger(path: RelativePath): boolean {
    return !this.#current.has(path) && !this.folder.byPath.has(path) && this.sources.isTaken(path);
  }

  /** At a path as it is by now. */
  #entry(path: string): TreeEntry {
    const current = this.#current.get(path);
    if (current !== undefined) {
      if (current.side === null) return null;
      const bytes = current.bytes ?? this.sources.bytesOf(path, current.side);
      return { kind: "file", mode: current.side.mode, bytes };
    }
    const entry = this.folder.byPath.get(path);
    if (entry === undefined) return null;
    if (entry.mode === "040000") return { kind: "directory" };
    if (entry.mode === "120000") return { kind: "link", target: new TextEncoder().encode(entry.target) };
    return { kind: "file", mode: entry.mode, bytes: this.sources.bytesOf(path, entry) };
  }

  #now(path: string): OperationSide | null {
    const current = this.#current.get(path);
    return current === undefined ? this.#inFolder(path) : current.side;
  }

  #inFolder(path: string): OperationSide | null {
    return sideOf(this.folder.byPath.get(path));
  }
}

export function pathOf(text: string): RelativePath {
  const parsed = parseRelativePath(text);
  if (parsed.ok) return parsed.path;
  throw new Failure("denied", "path_refused", `${printablePath(text)} is never written: ${parsed.reason}`);
}

function linkInTheWay(path: string): Failure {
  return new Failure("denied", "link_in_the_way", `${printablePath(path)} is, or becomes, a link`, {
    hint: "nothing was written; links are neither made nor replaced",
  });
}
