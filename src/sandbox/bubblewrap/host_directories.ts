import {
  chmod,
  chown,
  lstat,
  mkdtemp,
  readdir,
  readFile,
  rm,
  rmdir,
  unlink,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { Failure } from "../../vocabulary/failure.ts";
import type { HostUser } from "./host_user.ts";
import { ownerState, thisOwner } from "../owner.ts";
import type { Orphan } from "../sandbox.ts";

const PREFIX = "veripatch-";
const OWNER_FILE = "owner.json";
const MAX_OWNER_BYTES = 4096;
/** Directories whose maker cannot be asked are left alone this long after their session had to be over. */
const GRACE_MS = 60 * 60 * 1000;

interface OwnerRecord {
  readonly owner: string;
  readonly session: string;
  readonly createdAt: string;
  readonly deadline: number;
}

/** Where host backends work unless told otherwise. */
export function defaultTmpRoot(): string {
  return tmpdir();
}

/**
 * Makes `veripatch-<session>-…` below `tmpRoot`, closed to other users except for passing through by `user`, with a
 * file that names this process as its owner.
 */
export async function makeSessionDirectory(
  tmpRoot: string,
  session: string,
  deadline: number,
  user: HostUser | null,
): Promise<string> {
  const name = session.replace(/[^A-Za-z0-9_-]/g, "_").slice(0, 64);
  const path = await mkdtemp(join(tmpRoot, `${PREFIX}${name}-`)).catch((cause) => {
    throw new Failure("unavailable", "tmp_unusable", `no directory can be made in ${tmpRoot}`, {
      hint: "free some space, or point TMPDIR at a directory you can write to",
      cause,
    });
  });
  try {
    const record: OwnerRecord = {
      owner: await thisOwner(),
      session,
      createdAt: new Date().toISOString(),
      deadline,
    };
    await writeFile(join(path, OWNER_FILE), JSON.stringify(record), { mode: 0o600, flag: "wx" });
    if (user !== null) {
      await chown(path, process.getuid!(), user.gid);
      await chmod(path, 0o710);
    }
  } catch (error) {
    await rm(path, { recursive: true, force: true });
    throw error;
  }
  return path;
}

/** Takes a session directory out of the reach of reaping, because the user asked to keep it. */
export async function disown(path: string): Promise<void> {
  await rm(join(path, OWNER_FILE), { force: true });
}

/**
 * What killed processes left in `tmpRoot`. Only real directories that are ours count. A directory whose maker cannot
 * be asked (another boot, host or PID namespace) counts an hour after its session's deadline.
 */
export async function directoryOrphans(
  tmpRoot: string = defaultTmpRoot(),
  now = Date.now(),
): Promise<Orphan[]> {
  const names = await readdir(tmpRoot).catch(() => [] as string[]);
  const orphans: Orphan[] = [];
  for (const name of names.filter((n) => n.startsWith(PREFIX)).sort()) {
    const path = join(tmpRoot, name);
    const orphan = await orphanAt(path, now).catch(() => null);
    if (orphan !== null) orphans.push(orphan);
  }
  return orphans;
}

/** Removes what `directoryOrphans` finds; returns what is gone now. */
export async function reapDirectories(tmpRoot: string = defaultTmpRoot()): Promise<Orphan[]> {
  const reaped: Orphan[] = [];
  for (const orphan of await directoryOrphans(tmpRoot)) {
    if (await removeTree(orphan.id).then(() => true, () => false)) reaped.push(orphan);
  }
  return reaped;
}

async function orphanAt(path: string, now: number): Promise<Orphan | null> {
  const stat = await lstat(path);
  if (!stat.isDirectory() || stat.uid !== process.getuid!()) return null;
  const record = await ownerRecord(join(path, OWNER_FILE));
  if (record === null) {
    // Killed between making the directory and its owner file; anything kept for the user is not empty.
    const empty = (await readdir(path)).length === 0;
    if (!empty || stat.mtimeMs + GRACE_MS > now) return null;
    return { kind: "directory", id: path, session: "", createdAt: stat.mtime.toISOString() };
  }
  const state = await ownerState(record.owner);
  if (state === "alive" || (state === "elsewhere" && record.deadline + GRACE_MS > now)) return null;
  return { kind: "directory", id: path, session: record.session, createdAt: record.createdAt };
}

async function ownerRecord(path: string): Promise<OwnerRecord | null> {
  try {
    const stat = await lstat(path);
    if (!stat.isFile() || stat.size > MAX_OWNER_BYTES) return null;
    const record = JSON.parse(await readFile(path, "utf8"));
    const { owner, session, createdAt, deadline } = record ?? {};
    const whole = typeof owner === "string" && typeof session === "string" && typeof createdAt === "string" &&
      typeof deadline === "number";
    return whole ? { owner, session, createdAt, deadline } : null;
  } catch {
    return null;
  }
}

/**
 * Removes a tree, whatever a command made of it: read-only directories, any depth, files still appearing from
 * processes that are dying. A link is removed, never followed. Nothing there is fine.
 * @throws Failure `unavailable` `leftover` when it cannot be removed
 */
export async function removeTree(path: string): Promise<void> {
  let reason = "";
  for (let attempt = 0; attempt < 8; attempt++) {
    const stat = await lstat(path).catch(() => null);
    if (stat === null) return;
    if (!stat.isDirectory()) {
      await unlink(path);
      return;
    }
    if (await rmdir(path).then(() => true, () => false)) return;
    // rm and chmod walk with file descriptors, so depth and path length do not matter to them.
    const removed = await run("rm", ["-rf", "--", path]);
    if (removed.success) return;
    reason = removed.stderr;
    await run("chmod", ["-R", "u+rwx", "--", path]);
    if (attempt > 0) await new Promise((go) => setTimeout(go, 50 * 2 ** attempt));
  }
  throw new Failure("unavailable", "leftover", `${path} could not be removed`, {
    hint: `remove it by hand: rm -rf ${path}`,
    details: [reason],
  });
}

async function run(program: string, args: string[]): Promise<{ success: boolean; stderr: string }> {
  const command = new Deno.Command(program, {
    args,
    cwd: "/",
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  });
  try {
    const { success, stderr } = await command.output();
    return { success, stderr: new TextDecoder().decode(stderr.subarray(0, 1000)) };
  } catch (error) {
    // A program that is not there is told by an exception, at once or by the promise.
    return { success: false, stderr: error instanceof Error ? error.message : String(error) };
  }
}
