import { dirname, join } from "node:path";
import type { FileChange } from "../vocabulary/change.ts";
import { Failure } from "../vocabulary/failure.ts";
import type { GitVerdict } from "../vocabulary/git_verdict.ts";
import type { FileMode } from "../vocabulary/manifest.ts";
import { parseRelativePath } from "../vocabulary/path.ts";
import { printable, printablePath } from "../vocabulary/printable.ts";
import { type GitResult, runGit } from "./git_command.ts";

export interface BaseFile {
  readonly mode: FileMode;
  readonly bytes: Uint8Array;
}

const MAX_DETAIL = 2_000;
const TIMEOUT_MS = 60_000;
const MAX_LISTED_FILES = 100_000;

/**
 * Asks git what a patch makes of the files it touches, and compares: bytes, executable bits, created and deleted
 * files, and nothing else touched. Works in a private directory that is removed again.
 * @param patch a canonical patch
 * @param base every file the patch touches, and as many more as the caller likes
 * @param expected what our own application made of it
 * @param scratch where the private directory is made; the system's temporary directory when left out
 * @returns `timed_out` when git does not end in time
 * @throws Failure `bug` for a path that is not a relative path; `unavailable` `git_not_started`, `git_died`
 */
export async function gitAgrees(
  patch: Uint8Array,
  base: ReadonlyMap<string, BaseFile>,
  expected: readonly FileChange[],
  scratch?: string,
  timeoutMs = TIMEOUT_MS,
): Promise<GitVerdict> {
  if (patch.length === 0) {
    return expected.length === 0 ? { verdict: "agrees" } : disagrees("an empty patch changes nothing");
  }
  const own = await Deno.makeTempDir({
    prefix: "veripatch-",
    ...(scratch === undefined ? {} : { dir: scratch }),
  });
  try {
    const tree = join(own, "tree");
    const file = join(own, "patch");
    await Deno.mkdir(tree);
    await Deno.writeFile(file, patch);
    for (const [path, { mode, bytes }] of base) await writeBase(tree, path, mode, bytes);
    for (const check of [["--check"], []]) {
      const result = await apply(own, tree, timeoutMs, [...check, file]);
      if (result === null) return { verdict: "no_git" };
      if (result.timedOut) return { verdict: "timed_out" };
      if (result.signal !== null) throw gitDied(result.signal);
      if (result.code !== 0) {
        return disagrees(result.stderr.replaceAll(`${own}/`, "") || `git apply ended with ${result.code}`);
      }
    }
    const differences = await compare(tree, after(base, expected));
    return differences.length === 0 ? { verdict: "agrees" } : disagrees(differences.join("; "));
  } finally {
    await Deno.remove(own, { recursive: true });
  }
}

function gitDied(signal: string): Failure {
  return new Failure("unavailable", "git_died", `git apply was ended by ${signal}`, {
    hint: "run again; if it happens again, mend the installation of git, or take it out of PATH",
  });
}

function disagrees(detail: string): GitVerdict {
  const text = printable(detail);
  return {
    verdict: "disagrees",
    detail: text.length > MAX_DETAIL ? `${text.slice(0, MAX_DETAIL)}…` : text,
  };
}

async function writeBase(tree: string, path: string, mode: FileMode, bytes: Uint8Array): Promise<void> {
  if (!parseRelativePath(path).ok) {
    throw new Failure("bug", "path_refused", `${printablePath(path)} is no path of a workspace`);
  }
  const at = join(tree, path);
  await Deno.mkdir(dirname(at), { recursive: true });
  await Deno.writeFile(at, bytes, { createNew: true });
  await Deno.chmod(at, mode === "100755" ? 0o755 : 0o644);
}

function apply(
  own: string,
  tree: string,
  timeoutMs: number,
  args: readonly string[],
): Promise<GitResult | null> {
  return runGit(["apply", "--whitespace=nowarn", ...args], {
    cwd: tree,
    env: { GIT_DIR: join(own, "none"), GIT_CEILING_DIRECTORIES: own },
    config: { "core.autocrlf": "false", "core.eol": "lf", "core.filemode": "true" },
    timeoutMs,
    maxBytes: 64 * 1024,
  });
}

function after(
  base: ReadonlyMap<string, BaseFile>,
  expected: readonly FileChange[],
): ReadonlyMap<string, BaseFile> {
  const files = new Map(base);
  for (const change of expected) {
    if (change.kind === "delete") files.delete(change.path);
    else files.set(change.path, { mode: change.mode, bytes: change.bytes });
  }
  return files;
}

async function compare(tree: string, expected: ReadonlyMap<string, BaseFile>): Promise<string[]> {
  const left = new Map(expected);
  const differences: string[] = [];
  const list = async (directory: string) => {
    for await (const { name, isDirectory } of Deno.readDir(join(tree, directory))) {
      if (differences.length >= MAX_LISTED_FILES) return;
      const path = directory === "" ? name : `${directory}/${name}`;
      if (isDirectory) {
        await list(path);
        continue;
      }
      const want = left.get(path);
      left.delete(path);
      const difference = want === undefined ? "git leaves a file" : await differs(join(tree, path), want);
      if (difference !== null) differences.push(`${path}: ${difference}`);
    }
  };
  await list("");
  for (const path of left.keys()) differences.push(`${path}: git leaves no file`);
  return differences;
}

async function differs(at: string, want: BaseFile): Promise<string | null> {
  const info = await Deno.lstat(at);
  if (!info.isFile) return "git makes something that is no regular file";
  const mode = ((info.mode ?? 0) & 0o100) !== 0 ? "100755" : "100644";
  if (mode !== want.mode) return `git gives mode ${mode}, we ${want.mode}`;
  if (info.size !== want.bytes.length) return `git makes ${info.size} bytes, we ${want.bytes.length}`;
  const bytes = await Deno.readFile(at);
  return bytes.every((byte, i) => byte === want.bytes[i]) ? null : "git makes other bytes";
}
