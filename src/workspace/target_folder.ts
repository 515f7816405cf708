import type { FileChange } from "../vocabulary/change.ts";
import { type Sha256, sha256 } from "../vocabulary/digest.ts";
import { Failure } from "../vocabulary/failure.ts";
import type { ManifestEntry } from "../vocabulary/manifest.ts";
import { parentsOf, type RelativePath } from "../vocabulary/path.ts";
import { printablePath } from "../vocabulary/printable.ts";
import { isDenied } from "../vocabulary/system_error.ts";
import { applyChanges } from "./apply.ts";
import { checkUnchanged, type Found } from "./apply_check.ts";
import { type ApplyPlan, planChanges, type PlannedChange } from "./apply_plan.ts";
import { recoverExchange } from "./apply_recovery.ts";
import { DirectoryHandles } from "./directory_handles.ts";
import { pathState } from "./path_state.ts";
import { unreadable } from "./problems.ts";
import { realDirectory } from "./real_directory.ts";
import type {
  Attributes,
  Exchange,
  ExchangeDirectory,
  ExchangeOptions,
  ExchangePath,
  PathState,
  Recovered,
  Step,
  TargetFolder,
} from "./target.ts";

/**
 * A folder that changes are put into.
 * @param path may be relative or reached through links
 * @throws Failure `workspace_missing` (usage)
 */
export async function targetFolder(path: string): Promise<TargetFolder> {
  const root = await realDirectory(path, "name the folder the changes are to go into with --workspace DIR");
  return new DirectoryTarget(root);
}

class DirectoryTarget implements TargetFolder {
  constructor(readonly root: string) {}

  async hold<T>(work: () => Promise<T>): Promise<{ readonly result: T } | null> {
    // The folder itself is locked: that leaves nothing in it, and holds for every store.
    using lock = await Deno.open(this.root, { read: true }).catch((error) => {
      throw isDenied(error) ? unreadable([this.root]) : error;
    });
    if (!await lock.tryLock(true)) return null;
    try {
      return { result: await work() };
    } finally {
      // Closing alone would leave the lock to a child that another thread starts at this moment.
      lock.unlockSync();
    }
  }

  prepare(
    entries: ReadonlyMap<string, ManifestEntry>,
    changes: readonly FileChange[],
    staging: string,
    options: ExchangeOptions = {},
  ): Exchange {
    const plan = planChanges(entries, changes, options.mayGo);
    const directories = new DirectoryHandles(this.root);
    try {
      const found = checkUnchanged(directories, plan, entries);
      const planned = [...plan.deletes, ...plan.writes].sort((a, b) => a.index - b.index);
      const made = parentsOf(plan.writes.map(({ change }) => change.path)).filter((path) =>
        !isThere(directories, path)
      );
      return {
        staging,
        paths: planned.map((one) => exchangePath(one, found.get(one.change.path))),
        directories: [
          ...made.map((path): ExchangeDirectory => ({
            path,
            change: "made",
            attributes: options.attributes?.get(path) ?? null,
          })),
          ...goingDirectories(directories, plan).map((path): ExchangeDirectory => ({
            path,
            change: "removed",
            attributes: attributesOf(Deno.lstatSync(directories.at(path) + "/.")),
          })),
        ],
      };
    } finally {
      directories.close();
    }
  }

  exchange(
    entries: ReadonlyMap<string, ManifestEntry>,
    changes: readonly FileChange[],
    staging: string,
    options: ExchangeOptions = {},
    step?: Step,
  ): void {
    applyChanges(this.root, entries, changes, {
      ...options,
      staging,
      ...(step === undefined ? {} : { step }),
    });
  }

  recover(exchange: Exchange, bytesOf: (digest: Sha256) => Uint8Array, step?: Step): Recovered {
    return recoverExchange(this.root, exchange, bytesOf, step);
  }

  stateOf(path: RelativePath): PathState {
    const directories = new DirectoryHandles(this.root);
    try {
      return pathState(directories, path);
    } finally {
      directories.close();
    }
  }
}

function exchangePath({ change, before, stageIn }: PlannedChange, found: Found | undefined): ExchangePath {
  if (before?.mode === "120000") {
    throw new Failure(
      "denied",
      "link_in_the_way",
      `${printablePath(change.path)} is a link: it is left alone`,
      {
        hint: "nothing was written; remove the link by hand, or leave its path out of the change",
      },
    );
  }
  const isFile = before?.mode === "100644" || before?.mode === "100755";
  return {
    path: change.path,
    stageIn,
    before: isFile && found !== undefined
      ? {
        mode: before.mode as "100644" | "100755",
        size: before.size,
        sha256: before.sha256,
        permissions: found.mode & 0o7777,
        uid: found.uid,
        gid: found.gid,
      }
      : null,
    after: change.kind === "delete"
      ? null
      : { mode: change.mode, size: change.bytes.length, sha256: sha256(change.bytes) },
  };
}

/** Those left empty in which nothing is that the workspace leaves out, such as a cache; deepest first. */
function goingDirectories(directories: DirectoryHandles, { deletes, emptied }: ApplyPlan): string[] {
  const gone = new Set<string>(deletes.map(({ change }) => change.path));
  const going: string[] = [];
  for (const directory of emptied) {
    const names = [...Deno.readDirSync(`${directories.at(directory)}/.`)];
    if (names.some(({ name }) => !gone.has(`${directory}/${name}`))) continue;
    gone.add(directory);
    going.push(directory);
  }
  return going;
}

function attributesOf({ mode, uid, gid }: Deno.FileInfo): Attributes {
  return { permissions: (mode ?? 0o755) & 0o7777, uid: uid ?? 0, gid: gid ?? 0 };
}

function isThere(directories: DirectoryHandles, path: string): boolean {
  try {
    directories.at(path);
    return true;
  } catch {
    return false;
  }
}
