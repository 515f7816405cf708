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
import { errorCode, isDenied } from "../vocabulary/system_error.ts";
import { checkUnchanged, type Found } from "./apply_check.ts";
import { applyFailed } from "./apply_failure.ts";
import { Journal } from "./apply_journal.ts";
import { ancestors, planChanges, type PlannedChange } from "./apply_plan.ts";
import { DirectoryHandles, identityOf, sameContent, splitPath } from "./directory_handles.ts";
import { stagedName } from "./staged_name.ts";
import type { Attributes, ExchangeOptions, Step } from "./target.ts";
import { workspaceChanged } from "./problems.ts";

export interface ApplyOptions extends ExchangeOptions {
  /** Part of every temporary name; random when left out. */
  readonly staging?: string;
  readonly step?: Step;
}

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
  options: ApplyOptions = {},
): void {
  const plan = planChanges(byPath, changes, options.mayGo);
  if (changes.length === 0) return;
  const directories = new DirectoryHandles(root);
  const journal = new Journal();
  try {
    const found = checkUnchanged(directories, plan, byPath);
    const application = new Application(directories, journal, found, options);
    try {
      const staged = plan.writes.map((planned) => application.stage(planned));
      for (const planned of plan.deletes) application.remove(planned);
      for (const directory of plan.emptied) application.removeEmptied(directory);
      plan.writes.forEach((planned, i) => application.place(planned, staged[i]!));
      application.sync();
    } catch (error) {
      journal.undo();
      throw applyFailed(error, application.at);
    }
    journal.settle(options.step);
  } finally {
    directories.close();
  }
}

/** The steps of an application; each notes its opposite before the next begins. */
class Application {
  readonly #staging: string;
  readonly #step: Step;
  readonly #touched = new Set<string>();
  /** The path that is worked on. */
  at: string | undefined;

  constructor(
    readonly directories: DirectoryHandles,
    readonly journal: Journal,
    readonly found: ReadonlyMap<string, Found>,
    readonly options: ApplyOptions,
  ) {
    this.#staging = options.staging ?? randomBytes(8).toString("hex");
    this.#step = options.step ?? (() => {});
  }

  /** Writes the new content under a temporary name; returns it. */
  stage({ change, stageIn, index }: PlannedChange): string {
    if (change.kind !== "write") throw new TypeError("only writes are staged");
    this.at = change.path;
    const temporary = this.#temporary(stageIn, index, "new");
    const executable = change.mode === "100755";
    const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | (constants.O_NOFOLLOW ?? 0);
    const fd = openSync(temporary, flags, executable ? 0o777 : 0o666);
    this.journal.note(`remove ${stageIn}`, () => removeIfThere(temporary));
    this.#step(`made a temporary name for ${change.path}`);
    try {
      for (let done = 0; done < change.bytes.length;) {
        done += writeSync(fd, change.bytes, done, change.bytes.length - done, null);
      }
      const found = this.found.get(change.path);
      const asked = this.options.attributes?.get(change.path);
      if (asked !== undefined) setAttributes(fd, asked);
      else if (found !== undefined) {
        const readable = (found.mode & 0o444) >> 2;
        const wasExecutable = (found.mode & 0o100) !== 0;
        const kept = found.mode & 0o777;
        const permissions = executable === wasExecutable
          ? kept
          : executable
          ? kept | readable | 0o100
          : kept & ~0o111;
        setAttributes(fd, { permissions, uid: found.uid, gid: found.gid });
      }
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    this.#step(`wrote what becomes of ${change.path}`);
    return temporary;
  }

  remove({ change, stageIn, index }: PlannedChange): void {
    this.at = change.path;
    const backup = this.#temporary(stageIn, index, "old");
    renameSync(this.#at(change.path), backup);
    this.journal.note(`${change.path} is at ${this.#named(stageIn, backup)}`, () => {
      // Looked up anew: the directory may have been removed and made again.
      renameSync(backup, this.#at(change.path));
    });
    this.journal.later(() => unlinkSync(backup));
    this.#mustBe(change.path, backup);
    this.#touched.add(stageIn);
    this.#step(`removed ${change.path}`);
  }

  /** Removes a directory unless something is left in it. */
  removeEmptied(directory: string): void {
    this.at = directory;
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
    this.#step(`removed the directory ${directory}`);
  }

  /** Exchanges what is at the path for the staged content. */
  place({ change, before, stageIn, index }: PlannedChange, staged: string): void {
    for (const directory of [...ancestors(change.path)].reverse()) this.#makeDirectory(directory);
    this.at = change.path;
    const at = this.#at(change.path);
    if (before === null) {
      linkOrMove(staged, at);
      this.journal.note(`${change.path} (not there before)`, () => unlinkSync(at));
      this.#step(`placed ${change.path}`);
      return;
    }
    const backup = this.#temporary(stageIn, index, "old");
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
    this.#step(`kept what was at ${change.path}`);
    this.journal.later(() => unlinkSync(backup));
    this.#mustBe(change.path, backup);
    renameSync(staged, at);
    this.#step(`placed ${change.path}`);
  }

  /** Brings the exchanged names to the disk; some file systems have nothing to sync for a directory. */
  sync(): void {
    for (const directory of this.#touched) {
      this.at = directory === "" ? undefined : directory;
      try {
        fsyncSync(this.directories.descriptor(directory));
      } catch (error) {
        if (!["EINVAL", "ENOTSUP", "EOPNOTSUPP"].includes(errorCode(error))) throw error;
      }
    }
    this.#step("synced");
  }

  #makeDirectory(directory: string): void {
    this.at = directory;
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
    const asked = this.options.attributes?.get(directory);
    if (asked !== undefined) setAttributes(this.directories.descriptor(directory), asked);
    this.#step(`made the directory ${directory}`);
  }

  /** What is now at a temporary name must be what was checked at the path. */
  #mustBe(path: string, backup: string): void {
    const found = this.found.get(path);
    // A number of a file that was removed is given to the next one.
    if (found === undefined || !sameContent(identityOf(Deno.lstatSync(backup)), found.identity)) {
      throw workspaceChanged([path], "nothing was written: a file changed while changes were applied");
    }
  }

  #at(path: string): string {
    const [directory, name] = splitPath(path);
    const inside = this.directories.at(directory);
    this.#touched.add(directory);
    return `${inside}/${name}`;
  }

  #temporary(directory: string, index: number, side: "new" | "old"): string {
    return `${this.directories.at(directory)}/${stagedName(this.#staging, index, side)}`;
  }

  #named(directory: string, temporary: string): string {
    const [, name] = splitPath(temporary);
    return directory === "" ? name : `${directory}/${name}`;
  }
}

/**
 * Gives what is open the owner, as far as we may, and the permissions it is to have. As root in somebody's checkout,
 * files stay theirs. What becomes ours is not run as its owner was; another group than it had gets what everybody gets.
 */
export function setAttributes(fd: number, { permissions, uid, gid }: Attributes): void {
  if (tryOwner(fd, uid, gid)) return fchmodSync(fd, permissions);
  const ours = permissions & ~0o4000;
  // -1 leaves the user as it is.
  if (tryOwner(fd, -1, gid)) return fchmodSync(fd, ours);
  fchmodSync(fd, (ours & ~0o2070) | ((ours & 0o007) << 3));
}

function tryOwner(fd: number, uid: number, gid: number): boolean {
  try {
    fchownSync(fd, uid, gid);
    return true;
  } catch (error) {
    // EINVAL: a user namespace that does not know them.
    if (isDenied(error) || ["EINVAL", "ENOSYS", "ENOTSUP", "EOPNOTSUPP"].includes(errorCode(error))) {
      return false;
    }
    throw error;
  }
}

function cannotLink(error: unknown): boolean {
  return ["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EMLINK"].includes(errorCode(error));
}

/** Moves a file to a name that must be free, which rename alone does not check. */
export function linkOrMove(from: string, to: string): void {
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

export function removeIfThere(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if (errorCode(error) !== "ENOENT") throw error;
  }
}
