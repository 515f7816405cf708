import { randomBytes } from "node:crypto";
import {
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  renameSync,
  rmdirSync,
  unlinkSync,
  writeSync,
} from "node:fs";
import type { FileChange } from "../vocabulary/change.ts";
import type { ManifestEntry } from "../vocabulary/manifest.ts";
import { checkUnchanged, type Found } from "./apply_check.ts";
import { applyFailed } from "./apply_failure.ts";
import { Journal } from "./apply_journal.ts";
import { ancestors, planChanges, type PlannedChange } from "./apply_plan.ts";
import { DirectoryHandles, errorCode, identityOf, sameFile, splitPath } from "./directory_handles.ts";
import { STAGED_PREFIX } from "./ignore.ts";
import { workspaceChanged } from "./problems.ts";
import { isDenied } from "./walk.ts";

/**
 * Puts changes into the directory, all or nothing. First everything touched is compared with the manifest; then new
 * content is written under temporary names and synced; only then are names exchanged, each step noted with its
 * opposite. On any error what was done is undone, last step first. Links are never written through.
 *
 * A file keeps its permission bits and owner, only its executable bits follow the change; a new one gets what the
 * umask leaves. Directories that lose their last file are removed, as git does, unless something ignored is left in
 * them. Hard links, extended attributes and ACLs of a rewritten file are not carried over.
 * @throws Failure of `planChanges`; `workspace_changed` listing every path, nothing written; `workspace_not_writable`,
 *   `apply_failed`, everything put back; `rollback_failed` naming what could not be put back and where it is
 */
export function applyChanges(
  root: string,
  byPath: ReadonlyMap<string, ManifestEntry>,
  changes: readonly FileChange[],
): void {
  const plan = planChanges(byPath, changes);
  if (changes.length === 0) return;
  const directories = new DirectoryHandles(root);
  const journal = new Journal();
  try {
    const found = checkUnchanged(directories, plan, byPath);
    const application = new Application(directories, journal, found);
    try {
      const staged = plan.writes.map((planned) => application.stage(planned));
      for (const planned of plan.deletes) application.remove(planned);
      for (const directory of plan.emptied) application.removeEmptied(directory);
      plan.writes.forEach((planned, i) => application.place(planned, staged[i]!));
      application.sync();
    } catch (error) {
      journal.undo();
      throw applyFailed(error);
    }
    journal.settle();
  } finally {
    directories.close();
  }
}

/** The steps of an application; each notes its opposite before the next begins. */
class Application {
  readonly #id = randomBytes(8).toString("hex");
  readonly #touched = new Set<string>();
  #count = 0;

  constructor(
    readonly directories: DirectoryHandles,
    readonly journal: Journal,
    readonly found: ReadonlyMap<string, Found>,
  ) {}

  /** Writes the new content under a temporary name; returns it. */
  stage({ change, stageIn }: PlannedChange): string {
    if (change.kind !== "write") throw new TypeError("only writes are staged");
    const temporary = this.#temporary(stageIn);
    const executable = change.mode === "100755";
    const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | (constants.O_NOFOLLOW ?? 0);
    const fd = openSync(temporary, flags, executable ? 0o777 : 0o666);
    this.journal.note(`remove ${stageIn}`, () => removeIfThere(temporary));
    try {
      for (let done = 0; done < change.bytes.length;) {
        done += writeSync(fd, change.bytes, done, change.bytes.length - done, null);
      }
      const found = this.found.get(change.path);
      if (found !== undefined) {
        if (found.uid !== Deno.uid() || found.gid !== Deno.gid()) keepOwner(fd, found);
        const readable = (found.mode & 0o444) >> 2;
        const wasExecutable = (found.mode & 0o100) !== 0;
        const kept = found.mode & 0o777;
        fchmodSync(
          fd,
          executable === wasExecutable ? kept : executable ? kept | readable | 0o100 : kept & ~0o111,
        );
      }
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    return temporary;
  }

  remove({ change, stageIn }: PlannedChange): void {
    const backup = this.#temporary(stageIn);
    renameSync(this.#at(change.path), backup);
    this.journal.note(`${change.path} is at ${this.#named(stageIn, backup)}`, () => {
      // Looked up anew: the directory may have been removed and made again.
      renameSync(backup, this.#at(change.path));
    });
    this.journal.later(() => unlinkSync(backup));
    this.#mustBe(change.path, backup);
    this.#touched.add(stageIn);
  }

  /** Removes a directory unless something is left in it. */
  removeEmptied(directory: string): void {
    const at = this.#at(directory);
    const info = Deno.lstatSync(at);
    this.directories.forget(directory);
    this.#touched.delete(directory);
    try {
      rmdirSync(at);
    } catch (error) {
      if (["ENOTEMPTY", "EEXIST", "EBUSY"].includes(errorCode(error))) return;
      throw error;
    }
    this.journal.note(`${directory} (a directory)`, () => {
      const again = this.#at(directory);
      mkdirSync(again, { mode: 0o700 });
      if (info.uid !== Deno.uid() || info.gid !== Deno.gid()) Deno.chownSync(again, info.uid, info.gid);
      Deno.chmodSync(again, (info.mode ?? 0o755) & 0o7777);
    });
  }

  /** Exchanges what is at the path for the staged content. */
  place({ change, before, stageIn }: PlannedChange, staged: string): void {
    for (const directory of [...ancestors(change.path)].reverse()) this.#makeDirectory(directory);
    const at = this.#at(change.path);
    if (before === null) {
      linkOrMove(staged, at);
      this.journal.note(`${change.path} (not there before)`, () => unlinkSync(at));
      return;
    }
    const backup = this.#temporary(stageIn);
    try {
      linkSync(at, backup);
    } catch (error) {
      if (!cannotLink(error)) throw error;
      renameSync(at, backup);
    }
    this.journal.note(`${change.path} is at ${this.#named(stageIn, backup)}`, () => {
      renameSync(backup, at);
      // Renaming a name over another name of the same file leaves both.
      removeIfThere(backup);
    });
    this.journal.later(() => unlinkSync(backup));
    this.#mustBe(change.path, backup);
    renameSync(staged, at);
  }

  /** Brings the exchanged names to the disk; some file systems have nothing to sync for a directory. */
  sync(): void {
    for (const directory of this.#touched) {
      try {
        fsyncSync(this.directories.descriptor(directory));
      } catch (error) {
        if (!["EINVAL", "ENOTSUP", "EOPNOTSUPP"].includes(errorCode(error))) throw error;
      }
    }
  }

  #makeDirectory(directory: string): void {
    const at = this.#at(directory);
    try {
      mkdirSync(at, { mode: 0o777 });
    } catch (error) {
      if (errorCode(error) !== "EEXIST") throw error;
      return;
    }
    this.journal.note(`${directory} (not there before)`, () => {
      this.directories.forget(directory);
      rmdirSync(this.#at(directory));
    });
  }

  /** What is now at a temporary name must be what was checked at the path. */
  #mustBe(path: string, backup: string): void {
    const found = this.found.get(path);
    if (found === undefined || !sameFile(identityOf(Deno.lstatSync(backup)), found.identity)) {
      throw workspaceChanged([path], "nothing was written: a file changed while changes were applied");
    }
  }

  #at(path: string): string {
    const [directory, name] = splitPath(path);
    const inside = this.directories.at(directory);
    this.#touched.add(directory);
    return `${inside}/${name}`;
  }

  #temporary(directory: string): string {
    return `${this.directories.at(directory)}/${STAGED_PREFIX}${this.#id}-${this.#count++}`;
  }

  #named(directory: string, temporary: string): string {
    const [, name] = splitPath(temporary);
    return directory === "" ? name : `${directory}/${name}`;
  }
}

/** As root in somebody's checkout, files stay theirs; without that right they become ours. */
function keepOwner(fd: number, found: Found): void {
  try {
    fchownSync(fd, found.uid, found.gid);
  } catch (error) {
    if (!isDenied(error)) throw error;
  }
}

function cannotLink(error: unknown): boolean {
  return ["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EMLINK"].includes(errorCode(error));
}

/** Moves a file to a name that must be free, which rename alone does not check. */
function linkOrMove(from: string, to: string): void {
  try {
    linkSync(from, to);
  } catch (error) {
    if (!cannotLink(error)) throw error;
    try {
      Deno.lstatSync(to);
    } catch (missing) {
      if (errorCode(missing) !== "ENOENT") throw missing;
      return renameSync(from, to);
    }
    throw error;
  }
  unlinkSync(from);
}

function removeIfThere(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if (errorCode(error) !== "ENOENT") throw error;
  }
}
