import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { chmod, mkdir, symlink, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { Failure } from "../vocabulary/failure.ts";
import { printablePath } from "../vocabulary/printable.ts";
import { type BlobSink, gitFailed, kill, streamBlobs } from "./git_blobs.ts";
import { findGit, type GitCall, type GitResult, runGit, startGit } from "./git_command.ts";
import { commitNamed } from "./git_names.ts";
import { bareRepository, privateObjects, sameDirectory } from "./git_objects.ts";
import { lookUp, readConfig } from "./git_private.ts";
import { findRepository, type GitRepository } from "./git_repository.ts";
import { type BlobDigest, contentsOf, parseTree } from "./git_tree.ts";
import type { GitTree, History, Told, TreeContents } from "./history.ts";
import { placesInWorkTrees } from "./places.ts";
import { IGNORE_FILE, MAX_IGNORE_FILE_BYTES } from "./ignore.ts";

const LOOKUP = { timeoutMs: 60_000, maxBytes: 256 * 1024 };
/** A million entries of a hundred bytes, and room for long names. */
const LISTING = { timeoutMs: 120_000, maxBytes: 256 << 20 };
/** For all blobs of a tree. */
const BLOBS_MS = 15 * 60_000;
/** Blobs held at once while a tree is written. */
const WRITTEN_AT_ONCE = 64 << 20;
/** What systems take as a link's target. */
const MAX_LINK_BYTES = 4_096;
/** Answers kept on disk by who could write the repository; history is read from its commits alone. */
const CONFIG = { "core.commitGraph": "false" };

/**
 * The repository in a directory: a working tree, a linked one, or a bare repository. Everything but names of commits
 * is read through a private git directory that knows the repository's objects and none of its configuration,
 * replacements, grafts or hooks; nothing is fetched.
 * @param directory where to look; above it, too
 * @param scratch where the private directory is made; the caller removes it with everything in it
 * @param signal ends reading early
 * @throws Failure `usage` `no_repository`; `unavailable` `git_missing`
 */
export async function gitHistory(directory: string, scratch: string, signal?: AbortSignal): Promise<History> {
  if (findGit() === null) {
    throw new Failure("unavailable", "git_missing", "there is no git in PATH", { hint: "install git" });
  }
  const real = await Deno.realPath(directory).catch(() => directory);
  const found = await findRepository(real).catch(() => null);
  const repository = found ?? await bareRepository(real);
  const config = repository === null ? null : await readConfig(repository);
  if (repository === null || config === null) {
    throw new Failure("usage", "no_repository", `${printablePath(directory)} lies in no git repository`, {
      hint: "name a working tree or a bare repository with --repo DIR",
    });
  }
  const own = await privateObjects(repository, config.get("extensions.objectformat") ?? "sha1", scratch);
  return new GitHistory(repository, own, signal);
}

class GitHistory implements History {
  constructor(
    private readonly repository: GitRepository,
    private readonly own: string,
    private readonly signal: AbortSignal | undefined,
  ) {}

  commit(name: string): Promise<Told<string>> {
    return commitNamed(this.repository, name, async (args) => {
      const { code, stdout } = await this.#git(args, LOOKUP);
      return code === 0 ? new TextDecoder().decode(stdout).trim() : null;
    });
  }

  placesOf(file: string, commit: string): Promise<readonly string[]> {
    return placesInWorkTrees(
      resolve(file),
      async (other) =>
        await sameDirectory(other.commonDir, this.repository.commonDir) ||
        await lookUp(other, ["rev-parse", "--verify", "--quiet", `${commit}^{commit}`]) !== null,
    );
  }

  async mergeBase(base: string, head: string): Promise<Told<string>> {
    const no = (reason: string, detail: string) => ({ ok: false, refusal: { reason, detail } }) as const;
    const { code, stdout, stderr } = await this.#git(["merge-base", "--all", base, head], LOOKUP);
    if (code > 1) throw gitFailed(stderr);
    const found = new TextDecoder().decode(stdout).split("\n").filter((line) => line !== "");
    const shallow = await Deno.lstat(join(this.own, "shallow")).catch(() => null) !== null;
    // A base that is an ancestor of head is the one best there can be; of any other, cut history says too little.
    if (shallow && !(found.length === 1 && found[0] === base)) {
      return no(
        "shallow_clone",
        "this is a shallow clone: the history between base and head is cut off (git fetch --unshallow, or fetch-depth: 0)",
      );
    }
    if (found.length === 0) return no("no_merge_base", "base and head have no common ancestor");
    if (found.length > 1) {
      const detail = `base and head have ${found.length} merge bases: merge base into head, and prove again`;
      return no("several_merge_bases", detail);
    }
    return { ok: true, value: found[0]! };
  }

  async tree(commit: string): Promise<Told<GitTree>> {
    const id = await this.#line(["rev-parse", "--verify", "--quiet", "--end-of-options", `${commit}^{tree}`]);
    const { code, stdout, stderr, truncated } = await this.#git(
      ["ls-tree", "-r", "-t", "-z", "--full-tree", id],
      LISTING,
    );
    if (truncated) {
      const detail = `a list of over ${LISTING.maxBytes / 2 ** 20} MiB`;
      return { ok: false, refusal: { reason: "tree_too_large", detail } };
    }
    if (code !== 0) throw gitFailed(stderr);
    return parseTree(stdout, commit, id);
  }

  async contents(tree: GitTree): Promise<Told<TreeContents>> {
    const links = new Set<string>();
    for (const { mode, id } of tree.entries.values()) if (mode === "120000") links.add(id);
    const digests = new Map<string, BlobDigest>();
    let now = { id: "", size: 0, hash: createHash("sha256"), target: null as Uint8Array[] | null };
    await this.#stream(blobIds(tree), true, {
      begin(id, size) {
        now = { id, size, hash: createHash("sha256"), target: isLink(links, id, size) ? [] : null };
      },
      piece(piece) {
        now.hash.update(piece);
        now.target?.push(piece.slice());
      },
      end() {
        const target = now.target === null ? null : Buffer.concat(now.target);
        digests.set(now.id, { size: now.size, sha256: now.hash.digest("hex"), target });
      },
    });
    const own = tree.entries.get(IGNORE_FILE);
    const rules = own === undefined || !own.mode.startsWith("100")
      ? null
      : (await this.blobs(new Map([[own.id, MAX_IGNORE_FILE_BYTES]]))).get(own.id) ??
        new Uint8Array(MAX_IGNORE_FILE_BYTES + 1);
    return contentsOf(tree, digests, rules);
  }

  async blobs(wanted: ReadonlyMap<string, number>): Promise<ReadonlyMap<string, Uint8Array | null>> {
    const found = new Map<string, Uint8Array | null>();
    for await (const [id, bytes] of this.#blobs(wanted)) found.set(id, bytes);
    return found;
  }

  async checkOut(tree: GitTree, directory: string): Promise<void> {
    const files = new Map<string, { path: string; mode: string }[]>();
    for (const { path, mode, id } of tree.entries.values()) {
      if (mode === "040000" || mode === "160000") await mkdir(join(directory, path), { mode: 0o755 });
      else files.set(id, [...files.get(id) ?? [], { path, mode }]);
    }
    const links: { at: string; target: Uint8Array }[] = [];
    for await (const [id, bytes] of this.#blobs(new Map([...files.keys()].map((id) => [id, Infinity])))) {
      for (const { path, mode } of files.get(id)!) {
        const at = join(directory, path);
        if (mode === "120000") links.push({ at, target: bytes! });
        else {
          await writeFile(at, bytes!, { flag: "wx" });
          await chmod(at, mode === "100755" ? 0o755 : 0o644);
        }
      }
    }
    // Last, so that nothing is ever written through one.
    for (const { at, target } of links) {
      await symlink(new TextDecoder("utf-8", { fatal: true }).decode(target), at);
    }
  }

  /** Blobs with their bytes, some at a time; null for those of more than the bytes that are wanted. */
  async *#blobs(wanted: ReadonlyMap<string, number>): AsyncGenerator<[string, Uint8Array | null]> {
    const ids = [...wanted.keys()];
    const sizes = new Map<string, number>();
    await this.#stream(ids, false, { begin: (id, size) => void sizes.set(id, size), piece() {}, end() {} });
    let some: string[] = [], bytes = 0;
    for (const [i, id] of ids.entries()) {
      const size = sizes.get(id)!;
      if (size > wanted.get(id)!) yield [id, null];
      else {
        some.push(id);
        bytes += size;
      }
      if (bytes < WRITTEN_AT_ONCE && i < ids.length - 1) continue;
      yield* await this.#read(some);
      [some, bytes] = [[], 0];
    }
  }

  async #read(ids: readonly string[]): Promise<[string, Uint8Array][]> {
    const found: [string, Uint8Array][] = [];
    let filled = 0;
    await this.#stream(ids, true, {
      begin(id, size) {
        found.push([id, new Uint8Array(size)]);
        filled = 0;
      },
      piece(piece) {
        found.at(-1)![1].set(piece, filled);
        filled += piece.length;
      },
      end() {},
    });
    return found;
  }

  async #stream(ids: readonly string[], contents: boolean, sink: BlobSink): Promise<void> {
    if (ids.length === 0) return;
    const args = ["cat-file", "--buffer", contents ? "--batch" : "--batch-check"];
    const child = startGit(args, this.#call(), "piped");
    if (child === null) throw gitFailed("git is gone");
    const stop = () => kill(child);
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      stop();
    }, BLOBS_MS);
    this.signal?.addEventListener("abort", stop, { once: true });
    try {
      if (this.signal?.aborted) stop();
      await streamBlobs(child, ids, sink, contents);
    } catch (error) {
      this.signal?.throwIfAborted();
      if (late) throw gitFailed(`it did not end within ${BLOBS_MS / 60_000} minutes`);
      throw error;
    } finally {
      clearTimeout(timer);
      this.signal?.removeEventListener("abort", stop);
    }
  }

  async #line(args: readonly string[]): Promise<string> {
    const { code, stdout, stderr } = await this.#git(args, LOOKUP);
    const text = new TextDecoder().decode(stdout).trim();
    if (code === 0 && /^[0-9a-f]{40,64}$/.test(text)) return text;
    throw gitFailed(stderr || `${args[0]} says nothing`);
  }

  async #git(args: readonly string[], bounds: Pick<GitCall, "timeoutMs" | "maxBytes">): Promise<GitResult> {
    const result = await runGit(args, { ...this.#call(), ...bounds });
    this.signal?.throwIfAborted();
    if (result === null) throw gitFailed("git is gone");
    if (result.timedOut) throw gitFailed(`git ${args[0]} did not end in its time`);
    if (result.signal !== null && !result.truncated) {
      throw gitFailed(`git ${args[0]} was ended by ${result.signal}`);
    }
    return result;
  }

  #call(): Pick<GitCall, "cwd" | "env" | "config"> {
    return { cwd: "/", env: { GIT_DIR: this.own, GIT_GRAFT_FILE: "/dev/null" }, config: CONFIG };
  }
}

function isLink(links: ReadonlySet<string>, id: string, size: number): boolean {
  return size <= MAX_LINK_BYTES && links.has(id);
}

function blobIds(tree: GitTree): string[] {
  const ids = new Set<string>();
  for (const { mode, id } of tree.entries.values()) if (mode !== "040000" && mode !== "160000") ids.add(id);
  return [...ids];
}
