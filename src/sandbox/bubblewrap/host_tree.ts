import {
  chmodSync,
  closeSync,
  constants,
  fchmodSync,
  futimesSync,
  mkdirSync,
  openSync,
  symlinkSync,
  utimesSync,
  writeSync,
} from "node:fs";
import { chmod, chown, lstat, mkdir, open, unlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { FileChange } from "../../vocabulary/change.ts";
import { Failure, interrupted } from "../../vocabulary/failure.ts";
import { asHostUser, type HostUser } from "./host_user.ts";
import { removeTree } from "./host_directories.ts";
import { readTar } from "../tar_reader.ts";

/**
 * Fills an empty directory nobody else can write to from a workspace tar. Entries go below `root` and nowhere else:
 * paths are checked, a path never leads through a link or file, nothing is written over, and files are 644 or 755.
 * Modification times are kept for files and directories.
 * @throws Failure `malformed` `tar_refused`; `interrupted`; `unavailable` `disk_write`; what the source throws
 */
export async function extractTree(
  root: string,
  source: AsyncIterable<Uint8Array>,
  signal?: AbortSignal,
): Promise<void> {
  const directories = new Map<string, Date | null>();
  const enter = (path: string) => {
    const segments = path.split("/");
    for (let n = 1; n <= segments.length; n++) {
      const parent = segments.slice(0, n).join("/");
      if (directories.has(parent)) continue;
      mkdirSync(join(root, parent), { mode: 0o755 });
      chmodSync(join(root, parent), 0o755);
      directories.set(parent, null);
    }
  };

  await readTar(source, async (item, content) => {
    const path = join(root, item.path);
    try {
      const slash = item.path.lastIndexOf("/");
      if (slash > 0) enter(item.path.slice(0, slash));
      if (item.kind === "directory") {
        enter(item.path);
        directories.set(item.path, item.modified);
      } else if (item.kind === "link") symlinkSync(item.target, path);
      else {
        // "wx" is O_EXCL: it neither writes over a file nor follows a link.
        const file = openSync(path, "wx", 0o644);
        try {
          for await (const chunk of content) writeAll(file, chunk);
          fchmodSync(file, (item.mode & 0o100) !== 0 ? 0o755 : 0o644);
          futimesSync(file, item.modified, item.modified);
        } finally {
          closeSync(file);
        }
      }
    } catch (error) {
      throw explained(error, item.path);
    }
  }, signal);

  for (const [path, modified] of [...directories].reverse()) {
    if (modified !== null) utimesSync(join(root, path), modified, modified);
  }
}

/**
 * Lays changes over a tree in which nothing runs yet, deletions first. A write replaces a file, link or directory and
 * makes missing directories; a delete takes files and links only, and a missing one is fine.
 * @param user who owns what is written; null for ourselves
 * @throws Failure `bug` `change_unsafe` when a path leads through a file or link
 */
export async function applyChanges(
  root: string,
  changes: readonly FileChange[],
  user: HostUser | null,
): Promise<void> {
  const own = async (path: string) => {
    if (user !== null) await chown(path, user.uid, user.gid);
  };
  for (const change of changes) {
    if (change.kind !== "delete" || await parentOf(root, change.path) === null) continue;
    const path = join(root, change.path);
    const stat = await lstat(path).catch(() => null);
    if (stat !== null && !stat.isDirectory()) await unlink(path);
  }
  for (const change of changes) {
    if (change.kind !== "write") continue;
    const made: string[] = [];
    await parentOf(root, change.path, async (directory) => {
      await mkdir(directory, { mode: 0o755 });
      made.push(directory);
    });
    for (const directory of made) {
      await chmod(directory, 0o755);
      await own(directory);
    }
    const path = join(root, change.path);
    await removeTree(path);
    await writeFile(path, change.bytes, { flag: "wx" });
    await chmod(path, change.mode === "100755" ? 0o755 : 0o644);
    await own(path);
  }
}

/**
 * A regular file of a tree in which nothing runs any more, as `PristineCopy.read` gives it. Hostile: whoever ran here
 * may have left links and pipes, which are neither followed nor waited for.
 */
export async function readFileOf(root: string, path: string, maxBytes: number): Promise<Uint8Array | null> {
  const segments = path.split("/");
  for (let n = 1; n < segments.length; n++) {
    const stat = await lstat(join(root, ...segments.slice(0, n))).catch(() => null);
    if (stat === null || !stat.isDirectory()) return null;
  }
  let file;
  try {
    file = await open(join(root, path), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch {
    return null;
  }
  try {
    const stat = await file.stat();
    if (!stat.isFile()) return null;
    const buffer = new Uint8Array(Math.min(stat.size, maxBytes) + 1);
    let filled = 0;
    while (filled < buffer.length) {
      const { bytesRead } = await file.read(buffer, filled, buffer.length - filled, filled);
      if (bytesRead === 0) break;
      filled += bytesRead;
    }
    return buffer.subarray(0, filled);
  } finally {
    await file.close();
  }
}

/** Copies a tree as the user who will use it: cheap where the file system can share blocks. */
export async function copyTree(
  from: string,
  to: string,
  user: HostUser | null,
  signal: AbortSignal,
): Promise<void> {
  let said = "";
  // The second form is for a cp that is not GNU's.
  for (const flags of [["-a", "--reflink=auto"], ["-a"]]) {
    if (signal.aborted) throw interrupted(signal.reason);
    const child = new Deno.Command("cp", {
      args: [...flags, "--", `${from}/.`, to],
      stdin: "null",
      stdout: "null",
      stderr: "piped",
      ...asHostUser(user),
    }).spawn();
    const onAbort = () => {
      try {
        child.kill("SIGKILL");
      } catch {
        // It ended in the same moment.
      }
    };
    signal.addEventListener("abort", onAbort, { once: true });
    const { success, stderr } = await child.output();
    signal.removeEventListener("abort", onAbort);
    if (signal.aborted) throw interrupted(signal.reason);
    if (success) return;
    said ||= new TextDecoder().decode(stderr).slice(0, 2000);
  }
  throw new Failure("unavailable", "copy_failed", `the workspace could not be copied to ${to}`, {
    hint: "check free space of the temporary directory and that the sandbox user may pass through it",
    details: said.trim().split("\n").slice(0, 10),
  });
}

/** Walks to the directory of a path without following links; `make` is called for a missing one, else null. */
async function parentOf(
  root: string,
  path: string,
  make?: (directory: string) => Promise<void>,
): Promise<string | null> {
  let at = root;
  for (const segment of path.split("/").slice(0, -1)) {
    at = join(at, segment);
    const stat = await lstat(at).catch(() => null);
    if (stat === null) {
      if (make === undefined) return null;
      await make(at);
    } else if (!stat.isDirectory()) {
      throw new Failure("bug", "change_unsafe", `${path} leads through ${segment}, which is no directory`);
    }
  }
  return at;
}

function writeAll(file: number, chunk: Uint8Array): void {
  for (let at = 0; at < chunk.length;) at += writeSync(file, chunk, at, chunk.length - at);
}

function explained(error: unknown, path: string): unknown {
  const code = (error as { code?: unknown }).code;
  if (code === "EEXIST" || code === "ENOTDIR" || code === "ELOOP" || code === "EISDIR") {
    return new Failure(
      "malformed",
      "tar_refused",
      `workspace stream refused: ${path} is there twice, or below a file`,
      {
        cause: error,
      },
    );
  }
  if (typeof code === "string" && /^E[A-Z]+$/.test(code)) {
    return new Failure("unavailable", "disk_write", `the workspace copy could not be written at ${path}`, {
      hint: "check free space of the temporary directory, or point TMPDIR elsewhere",
      cause: error,
    });
  }
  return error;
}
