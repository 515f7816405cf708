import { Buffer } from "node:buffer";
import { SHA256_BYTES } from "../vocabulary/digest.ts";
import { EntryTable, modeCode, PathColumn, withRoom } from "../vocabulary/entry_table.ts";
import { comparePaths } from "../vocabulary/path.ts";
import type { Identity } from "./directory_handles.ts";
import { workspaceChanged } from "./problems.ts";

/** Something that goes into the tar, as it was when it was looked at. */
export type WalkedEntry =
  | { readonly kind: "directory"; readonly path: string }
  | { readonly kind: "link"; readonly path: string; readonly target: string }
  | { readonly kind: "file"; readonly path: string; readonly executable: boolean; readonly seen: Identity };

const [FILE, EXECUTABLE, LINK, DIRECTORY] = (["100644", "100755", "120000", "040000"] as const).map(modeCode);
/** Numbers that tell a file from another: device, inode, times. */
const SEEN = 4;

/** What a walk found, sorted by `comparePaths`, in columns: no entry is kept as an object. */
export class WalkedTree implements Iterable<WalkedEntry> {
  readonly #paths = new PathColumn();
  #modes = new Uint8Array(256);
  #sizes = new Float64Array(256);
  #seen = new Float64Array(256 * SEEN);
  readonly #targets = new Map<number, string>();
  #last = "";

  get length(): number {
    return this.#paths.length;
  }

  /** @throws Failure `workspace_changed` when it does not come after the last one, as a name that was listed twice */
  add(entry: WalkedEntry): void {
    const { path } = entry;
    if (comparePaths(this.#last, path) >= 0) {
      throw workspaceChanged([path], "a directory changed while the workspace was read");
    }
    this.#last = path;
    const i = this.#paths.length;
    this.#paths.push(path);
    this.#modes = withRoom(this.#modes, i + 1);
    this.#sizes = withRoom(this.#sizes, i + 1);
    this.#seen = withRoom(this.#seen, (i + 1) * SEEN);
    if (entry.kind === "file") {
      const { dev, ino, size, mtimeMs, ctimeMs } = entry.seen;
      this.#modes[i] = entry.executable ? EXECUTABLE! : FILE!;
      this.#sizes[i] = size;
      this.#seen.set([dev, ino ?? NaN, mtimeMs, ctimeMs], i * SEEN);
    } else if (entry.kind === "link") {
      this.#modes[i] = LINK!;
      this.#sizes[i] = Buffer.byteLength(entry.target);
      this.#targets.set(i, entry.target);
    } else {
      this.#modes[i] = DIRECTORY!;
    }
  }

  at(i: number): WalkedEntry {
    const path = this.#paths.at(i), mode = this.#modes[i];
    if (mode === DIRECTORY) return { kind: "directory", path };
    if (mode === LINK) return { kind: "link", path, target: this.#targets.get(i)! };
    const [dev, ino, mtimeMs, ctimeMs] = this.#seen.subarray(i * SEEN, (i + 1) * SEEN) as unknown as [
      number,
      number,
      number,
      number,
    ];
    const seen = { dev, ino: Number.isNaN(ino) ? null : ino, size: this.#sizes[i]!, mtimeMs, ctimeMs };
    return { kind: "file", path, executable: mode === EXECUTABLE, seen };
  }

  *[Symbol.iterator](): Generator<WalkedEntry, undefined> {
    for (let i = 0; i < this.length; i++) yield this.at(i);
  }

  /** Bytes of all files. */
  get bytes(): number {
    let sum = 0;
    for (let i = 0; i < this.length; i++) if (!this.#targets.has(i)) sum += this.#sizes[i]!;
    return sum;
  }

  /** @param digests SHA256_BYTES for each entry: of nothing for a directory, of its target for a link */
  withDigests(digests: Buffer): EntryTable {
    if (digests.length !== this.length * SHA256_BYTES) throw new RangeError("a digest for each entry");
    return new EntryTable({
      paths: this.#paths,
      modes: this.#modes,
      sizes: this.#sizes,
      digests,
      targets: this.#targets,
    });
  }
}
