import type { FileChange } from "../../vocabulary/change.ts";
import { Failure } from "../../vocabulary/failure.ts";
import { joinedBytes } from "../../vocabulary/joined_bytes.ts";
import { readTar } from "../tar_reader.ts";

export type FakeNode =
  | { readonly kind: "file"; readonly bytes: Uint8Array; readonly executable: boolean }
  | { readonly kind: "link"; readonly target: string }
  | { readonly kind: "directory" };

/** What a program of the fake sees of its copy. Paths are relative to the workspace, or absolute below its workdir. */
export interface FakeFiles {
  /** Through links; undefined when there is no such file. */
  read(path: string): Uint8Array | undefined;
  readText(path: string): string | undefined;
  /** Through links. Missing directories are made; an existing file keeps its executable bit unless given. */
  write(path: string, content: Uint8Array | string, executable?: boolean): void;
  /** The file or link itself; false when there is none. */
  remove(path: string): boolean;
  /** Every path, sorted. */
  paths(): string[];
}

const MAX_LINKS = 40;

/** A directory tree in memory. A clone shares the nodes, which never change, so a checkout costs one map. */
export class FakeTree implements FakeFiles {
  readonly #nodes: Map<string, FakeNode>;

  constructor(readonly workdir: string, nodes: Iterable<[string, FakeNode]> = []) {
    this.#nodes = new Map(nodes);
  }

  /** Reads a workspace tar whole. @throws as `readTar` */
  static async fromTar(
    workdir: string,
    source: AsyncIterable<Uint8Array>,
    signal?: AbortSignal,
  ): Promise<FakeTree> {
    const tree = new FakeTree(workdir);
    await readTar(source, async (item, content) => {
      tree.#makeParents(item.path);
      if (item.kind === "directory") tree.#nodes.set(item.path, { kind: "directory" });
      else if (item.kind === "link") tree.#nodes.set(item.path, { kind: "link", target: item.target });
      else {
        const executable = (item.mode & 0o100) !== 0;
        tree.#nodes.set(item.path, { kind: "file", bytes: await gather(content), executable });
      }
    }, signal);
    return tree;
  }

  clone(): FakeTree {
    return new FakeTree(this.workdir, this.#nodes);
  }

  /**
   * Lays changes over, deletions first: a write replaces a link or a directory and makes directories; a delete of
   * nothing is fine.
   * @throws Failure `bug` `change_unsafe` when a path leads through a file or link
   */
  apply(changes: readonly FileChange[]): void {
    for (const change of changes) {
      if (change.kind !== "delete" || this.#nodes.get(change.path)?.kind === "directory") continue;
      this.#nodes.delete(change.path);
    }
    for (const change of changes) {
      if (change.kind === "delete") continue;
      this.#makeParents(change.path);
      if (this.#nodes.get(change.path)?.kind === "directory") {
        for (const path of [...this.#nodes.keys()]) {
          if (path.startsWith(`${change.path}/`)) this.#nodes.delete(path);
        }
      }
      const executable = change.mode === "100755";
      this.#nodes.set(change.path, { kind: "file", bytes: change.bytes.slice(), executable });
    }
  }

  /**
   * The place a path of a command names, links followed; the last segment only when `follow`.
   * @returns the key in the tree (empty for the workspace itself), null outside of it or in a loop of links
   */
  resolve(path: string, follow = true): string | null {
    let rest = (path.startsWith("/") ? path : `${this.workdir}/${path}`).split("/");
    const root = this.workdir.split("/").filter((s) => s !== "");
    let at: string[] = [];
    for (let links = 0; rest.length > 0;) {
      const segment = rest.shift()!;
      if (segment === "" || segment === ".") continue;
      if (segment === "..") {
        at.pop();
        continue;
      }
      at.push(segment);
      const node = this.#at(at, root);
      if (node?.kind !== "link" || (rest.every((s) => s === "") && !follow)) continue;
      if (++links > MAX_LINKS) return null;
      at.pop();
      if (node.target.startsWith("/")) at = [];
      rest = [...node.target.split("/"), ...rest];
    }
    return root.every((s, i) => at[i] === s) ? at.slice(root.length).join("/") : null;
  }

  /** The node at a resolved key. */
  node(key: string | null): FakeNode | undefined {
    if (key === null) return undefined;
    return key === "" ? { kind: "directory" } : this.#nodes.get(key);
  }

  put(key: string, node: FakeNode): void {
    this.#nodes.set(key, node);
  }

  /** Whether the directory a key lies in exists. */
  hasParent(key: string): boolean {
    const slash = key.lastIndexOf("/");
    return slash < 0 || this.#nodes.get(key.slice(0, slash))?.kind === "directory";
  }

  /** Names directly inside a directory, sorted. */
  children(key: string): string[] {
    const prefix = key === "" ? "" : `${key}/`;
    const names: string[] = [];
    for (const path of this.#nodes.keys()) {
      if (path.startsWith(prefix) && !path.slice(prefix.length).includes("/")) {
        names.push(path.slice(prefix.length));
      }
    }
    return names.sort();
  }

  read(path: string): Uint8Array | undefined {
    const node = this.node(this.resolve(path));
    return node?.kind === "file" ? node.bytes : undefined;
  }

  readText(path: string): string | undefined {
    const bytes = this.read(path);
    return bytes === undefined ? undefined : new TextDecoder().decode(bytes);
  }

  write(path: string, content: Uint8Array | string, executable?: boolean): void {
    const key = this.resolve(path);
    if (key === null || key === "") throw new RangeError(`${path} is not in the workspace`);
    const old = this.node(key);
    if (old?.kind === "directory") throw new RangeError(`${path} is a directory`);
    this.#makeParents(key);
    const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content.slice();
    const kept = old?.kind === "file" && old.executable;
    this.#nodes.set(key, { kind: "file", bytes, executable: executable ?? kept });
  }

  remove(path: string): boolean {
    const key = this.resolve(path, false);
    const node = this.node(key);
    if (key === null || node === undefined || node.kind === "directory") return false;
    return this.#nodes.delete(key);
  }

  paths(): string[] {
    return [...this.#nodes.keys()].sort();
  }

  #at(segments: readonly string[], root: readonly string[]): FakeNode | undefined {
    if (segments.length <= root.length || !root.every((s, i) => segments[i] === s)) return undefined;
    return this.#nodes.get(segments.slice(root.length).join("/"));
  }

  #makeParents(path: string): void {
    const segments = path.split("/").slice(0, -1);
    for (let n = 1; n <= segments.length; n++) {
      const parent = segments.slice(0, n).join("/");
      const node = this.#nodes.get(parent);
      if (node === undefined) this.#nodes.set(parent, { kind: "directory" });
      else if (node.kind !== "directory") {
        throw new Failure("bug", "change_unsafe", `${path} leads through the ${node.kind} ${parent}`);
      }
    }
  }
}

async function gather(content: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  return joinedBytes(await Array.fromAsync(content));
}
