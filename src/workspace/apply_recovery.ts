import {
  closeSync,
  constants,
  fsyncSync,
  mkdirSync,
  openSync,
  renameSync,
  rmdirSync,
  writeSync,
} from "node:fs";
import type { Sha256 } from "../vocabulary/digest.ts";
import { errorCode, systemReason } from "../vocabulary/system_error.ts";
import { linkOrMove, removeIfThere, setAttributes } from "./apply.ts";
import { DirectoryHandles, splitPath } from "./directory_handles.ts";
import { pathState } from "./path_state.ts";
import { stagedName } from "./staged_name.ts";
import type { Exchange, ExchangePath, FileAfter, PathState, Recovered, Step } from "./target.ts";

/**
 * Finishes or takes back an exchange whose process is gone. When every path is as after, only directories left empty
 * and temporary names are still to go. Else every path that is as after is put back as it was: by the file itself where
 * its temporary name is still there, else by its bytes. What is neither was changed by somebody else and is left alone.
 * Nothing is written while any path cannot be looked at; what the system refuses is left for the next time.
 * @param root absolute
 */
export function recoverExchange(
  root: string,
  exchange: Exchange,
  bytesOf: (digest: Sha256) => Uint8Array,
  step: Step = () => {},
): Recovered {
  let directories: DirectoryHandles | null = null;
  try {
    directories = new DirectoryHandles(root);
    return new Recovery(directories, exchange, bytesOf, step).run();
  } catch (error) {
    if (errorCode(error) === "") throw error;
    return { outcome: "unfinished", stuck: [{ path: "", reason: systemReason(error) }] };
  } finally {
    directories?.close();
  }
}

function matches(state: PathState, side: FileAfter | null): boolean {
  if (side === null) return state.kind === "absent";
  return state.kind === "file" && state.sha256 === side.sha256 && state.mode === side.mode;
}

class Recovery {
  readonly #touched = new Set<string>();
  /** Changed by somebody else. */
  readonly #stuck = new Map<string, string>();
  /** Refused by the system. */
  readonly #refused = new Map<string, string>();

  constructor(
    readonly directories: DirectoryHandles,
    readonly exchange: Exchange,
    readonly bytesOf: (digest: Sha256) => Uint8Array,
    readonly step: Step,
  ) {}

  run(): Recovered {
    const states = this.exchange.paths.map(({ path }) => pathState(this.directories, path));
    for (const [index, state] of states.entries()) {
      if (state.kind === "unknown") this.#refused.set(this.exchange.paths[index]!.path, state.reason);
    }
    if (this.#refused.size > 0) return this.#outcome("before");
    if (!this.exchange.paths.every(({ after }, i) => matches(states[i]!, after))) {
      return this.#putBack(states);
    }
    this.#removeDirectories("removed");
    return this.#end("after");
  }

  #putBack(states: readonly PathState[]): Recovered {
    const { paths, directories } = this.exchange;
    const back: { readonly path: ExchangePath; readonly index: number; readonly state: PathState }[] = [];
    for (const [index, path] of paths.entries()) {
      const state = states[index]!;
      if (matches(state, path.before)) continue;
      // Where files cannot be linked, there is nothing at the path for a moment.
      const between = state.kind === "absent" && this.#kept(path, index) !== null;
      if (matches(state, path.after) || between) back.push({ path, index, state });
      else this.#stuck.set(path.path, "is neither as before nor as after: somebody else changed it");
    }
    for (const { path: { path, before } } of back) {
      if (before === null) {
        this.#try(path, () => {
          removeIfThere(this.#at(path));
          this.step(`removed ${path}`);
        });
      }
    }
    this.#removeDirectories("made");
    for (const { path, change, attributes } of shallowFirst(directories)) {
      if (change === "removed") this.#try(path, () => this.#makeDirectory(path, attributes));
    }
    for (const { path, index, state } of back) {
      if (path.before !== null) this.#try(path.path, () => this.#restore(path, index, state));
    }
    return this.#end("before");
  }

  /** The temporary name under which a file as it was still is; null when it is not. */
  #kept(path: ExchangePath, index: number): string | null {
    const name = this.#staged(path, index, "old");
    return path.before !== null && matches(pathState(this.directories, name), path.before) ? name : null;
  }

  #restore(path: ExchangePath, index: number, state: PathState): void {
    const kept = this.#kept(path, index) ?? this.#remake(path, index);
    // Looked at again, as late as can be.
    const now = pathState(this.directories, path.path);
    const same = now.kind === "file" ? matches(state, now) : now.kind === state.kind;
    if (!same) return void this.#stuck.set(path.path, "changed while it was put back");
    if (state.kind === "absent") linkOrMove(this.#at(kept), this.#at(path.path));
    else renameSync(this.#at(kept), this.#at(path.path));
    this.step(`put back ${path.path}`);
  }

  #remake(path: ExchangePath, index: number): string {
    const name = this.#staged(path, index, "new");
    const at = this.#at(name);
    removeIfThere(at);
    const bytes = this.bytesOf(path.before!.sha256);
    const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | (constants.O_NOFOLLOW ?? 0);
    const fd = openSync(at, flags, 0o600);
    try {
      for (let done = 0; done < bytes.length;) {
        done += writeSync(fd, bytes, done, bytes.length - done, null);
      }
      setAttributes(fd, path.before!);
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    this.step(`made ${path.path} again from its backup`);
    return name;
  }

  #makeDirectory(path: string, attributes: Parameters<typeof setAttributes>[1] | null): void {
    try {
      mkdirSync(this.#at(path), { mode: 0o700 });
    } catch (error) {
      if (errorCode(error) !== "EEXIST") throw error;
    }
    if (attributes !== null) setAttributes(this.directories.descriptor(path), attributes);
    this.step(`made the directory ${path} again`);
  }

  /** Those that hold something stay. */
  #removeDirectories(change: "made" | "removed"): void {
    for (const { path, change: which } of shallowFirst(this.exchange.directories).reverse()) {
      if (which !== change) continue;
      try {
        const at = this.#at(path);
        this.directories.forget(path);
        this.#touched.delete(path);
        rmdirSync(at);
      } catch (error) {
        if (["ENOENT", "ENOTDIR", "ENOTEMPTY", "EEXIST", "EBUSY", "ELOOP"].includes(errorCode(error))) {
          continue;
        }
        this.#refused.set(path, systemReason(error));
        continue;
      }
      this.step(`removed the directory ${path}`);
    }
  }

  #end(outcome: "before" | "after"): Recovered {
    for (const [index, path] of this.exchange.paths.entries()) {
      // The only copy of what could not be put back stays where it is.
      if (this.#stuck.has(path.path) || this.#refused.has(path.path)) continue;
      for (const side of ["new", "old"] as const) {
        try {
          removeIfThere(this.#at(this.#staged(path, index, side)));
        } catch (error) {
          if (!["ENOENT", "ENOTDIR"].includes(errorCode(error))) {
            this.#refused.set(path.path, systemReason(error));
          }
        }
      }
    }
    this.step("tidied up");
    for (const directory of this.#touched) {
      try {
        fsyncSync(this.directories.descriptor(directory));
      } catch (error) {
        if (!["EINVAL", "ENOTSUP", "EOPNOTSUPP", "ENOENT", "ENOTDIR"].includes(errorCode(error))) throw error;
      }
    }
    return this.#outcome(outcome);
  }

  #outcome(outcome: "before" | "after"): Recovered {
    const listed = (reasons: ReadonlyMap<string, string>) =>
      [...reasons].map(([path, reason]) => ({ path, reason }));
    if (this.#refused.size > 0) return { outcome: "unfinished", stuck: listed(this.#refused) };
    return { outcome: this.#stuck.size > 0 ? "stuck" : outcome, stuck: listed(this.#stuck) };
  }

  #try(path: string, work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#refused.set(path, systemReason(error));
    }
  }

  #staged({ stageIn }: ExchangePath, index: number, side: "new" | "old"): string {
    return `${stageIn === "" ? "" : `${stageIn}/`}${stagedName(this.exchange.staging, index, side)}`;
  }

  #at(path: string): string {
    const [directory, name] = splitPath(path);
    const inside = this.directories.at(directory);
    this.#touched.add(directory);
    return `${inside}/${name}`;
  }
}

function shallowFirst<T extends { readonly path: string }>(directories: readonly T[]): T[] {
  return [...directories].sort((a, b) => a.path.length - b.path.length);
}
