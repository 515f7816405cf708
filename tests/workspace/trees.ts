import { Buffer } from "node:buffer";
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { directoryWorkspace } from "../../src/workspace/directory.ts";
import type { FileChange } from "../../src/vocabulary/change.ts";
import type { Exchange } from "../../src/workspace/target.ts";
import { Failure } from "../../src/vocabulary/failure.ts";
import type { FileMode } from "../../src/vocabulary/manifest.ts";
import { parseRelativePath, type RelativePath } from "../../src/vocabulary/path.ts";
import type { TarPlacement } from "../../src/vocabulary/tar_placement.ts";

export const PLACEMENT: TarPlacement = { uid: 1000, gid: 1000, prefix: "" };

/** Runs `body` with an empty directory and removes it afterwards, also what nobody may enter. */
export async function inTempDir(body: (directory: string) => Promise<void>): Promise<void> {
  const directory = await Deno.realPath(await Deno.makeTempDir({ prefix: "workspace-test-" }));
  try {
    await body(directory);
  } finally {
    execFileSync("chmod", ["-R", "u+rwX", directory], { stdio: "ignore" });
    await Deno.remove(directory, { recursive: true });
  }
}

/** Writes text files, with their directories. */
export function writeFiles(root: string, files: Record<string, string>): void {
  for (const [path, text] of Object.entries(files)) {
    Deno.mkdirSync(join(root, path, ".."), { recursive: true });
    Deno.writeTextFileSync(join(root, path), text);
  }
}

/** The whole tar of a directory. */
export async function tarOf(root: string, placement: TarPlacement = PLACEMENT): Promise<Uint8Array> {
  return concat(await Array.fromAsync((await directoryWorkspace(root)).tar(placement)));
}

export function concat(chunks: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(chunks.reduce((sum, chunk) => sum + chunk.length, 0));
  let at = 0;
  for (const chunk of chunks) {
    out.set(chunk, at);
    at += chunk.length;
  }
  return out;
}

/** Unpacks with the system's tar, an independent reader. */
export function untar(tar: Uint8Array, into: string): void {
  Deno.mkdirSync(into, { recursive: true });
  execFileSync("tar", ["-x", "-p", "--no-same-owner", "-C", into], { input: tar, maxBuffer: 1 << 28 });
}

/** What one line of `tar -tv` says, times in UTC. */
export function listTar(tar: Uint8Array): string[] {
  const options = { input: tar, env: { ...Deno.env.toObject(), TZ: "UTC", LC_ALL: "C.UTF-8" } };
  return execFileSync("tar", ["-tv", "--numeric-owner", "--full-time"], options).toString().trim().split(
    "\n",
  );
}

/** Path, type, mode, link target and content of everything below a directory, git's and bundles' directories too. */
export function snapshot(root: string): Record<string, string> {
  const seen: Record<string, string> = {};
  const visit = (directory: string) => {
    for (const { name } of Deno.readDirSync(join(root, directory))) {
      const path = directory === "" ? name : `${directory}/${name}`;
      const info = Deno.lstatSync(join(root, path));
      const mode = ((info.mode ?? 0) & 0o7777).toString(8);
      if (info.isSymlink) seen[path] = `link ${Deno.readLinkSync(join(root, path))}`;
      else if (info.isDirectory) {
        seen[path] = `directory ${mode}`;
        visit(path);
      } else if (!info.isFile) seen[path] = "special";
      else {
        seen[path] = `file ${mode} ${info.uid} ${
          Buffer.from(Deno.readFileSync(join(root, path))).toString("latin1")
        }`;
      }
    }
  };
  visit("");
  return seen;
}

export function path(text: string): RelativePath {
  const parsed = parseRelativePath(text);
  if (!parsed.ok) throw new Error(`${text}: ${parsed.reason}`);
  return parsed.path;
}

export function write(name: string, text: string, mode: FileMode = "100644"): FileChange {
  return { kind: "write", path: path(name), mode, bytes: new TextEncoder().encode(text) };
}

export function remove(name: string): FileChange {
  return { kind: "delete", path: path(name) };
}

/** The failure a promise rejects with; anything else is an error of the test. */
export async function failureOf(promise: Promise<unknown>): Promise<Failure> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof Failure) return error;
    throw error;
  }
  throw new Error("no failure");
}

export interface ChildAnswer {
  readonly uid: number;
  readonly failure: { kind: string; code: string; details: string[]; message: string } | null;
}

/**
 * Sends or changes a workspace in a child process without root's rights, so that permissions are real.
 * @param what `tar`, changes for `apply`, or an exchange to recover, of which the failure tells
 */
export async function asNobody(
  root: string,
  what: "tar" | readonly FileChange[] | { readonly recover: Exchange },
): Promise<ChildAnswer> {
  const input = what === "tar" || "recover" in what ? what : what.map((change) => {
    return change.kind === "write" ? { ...change, bytes: [...change.bytes] } : change;
  });
  const script = new URL("./as_nobody.ts", import.meta.url).pathname;
  const { stdout, stderr, success } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-q", "-A", script, root, JSON.stringify(input)],
  }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
  return JSON.parse(new TextDecoder().decode(stdout));
}
