import { Buffer } from "node:buffer";
import { createHash, randomBytes } from "node:crypto";
import { closeSync, openSync, readFileSync, renameSync, rmSync, writeSync } from "node:fs";
import type { Sha256 } from "../../vocabulary/digest.ts";
import { openFile, statOpen } from "../../workspace/directory_handles.ts";
import { CACHE } from "./place.ts";
import type { Scan } from "./scan.ts";
import { changedBefore, sameWords, STAT_WORDS } from "./stat_words.ts";

const MAGIC = "veripatch-stat/v1\n";
/** Words of a row: those of a stat, then the digest of a file or of a directory's tree. */
const ROW = STAT_WORDS + 8;
const DIGEST_BYTES = 32;
const HEAD = MAGIC.length + DIGEST_BYTES + 8;
/**
 * Seconds something must have rested before it was looked at. What was changed just then could be changed again without
 * a trace in its times, as git's racy-clean rule has it; file systems tell times by up to two seconds.
 */
const REST_SECONDS = 2;
const MAX_BYTES = 1 << 28;
const [FILE, EXECUTABLE, DIRECTORY, LINK] = [..."fxdl"].map((kind) => kind.charCodeAt(0));

/**
 * What was in a workspace: how each file looked and which digest it had, how each directory looked and what it listed. A
 * row that had not rested is all zeros and equal to nothing. It is only there to save time: without it, or when it is
 * damaged, everything is looked at and read again.
 */
export class StatCache {
  #rows: Map<string, number> | null = null;
  #children: Map<string, number[]> | null = null;

  constructor(
    /** Digest of the rules by which things were left out. */
    readonly rules: Sha256,
    /** Sorted by `comparePaths`. */
    readonly paths: readonly string[],
    /** Of each path: `f`, `x` for a file that may be executed, `d` or `l`, as a character code. */
    readonly kinds: Uint8Array,
    /** Of each link, by its place. */
    readonly targets: ReadonlyMap<number, string>,
    readonly words: Uint32Array,
    /** `words`, in hexadecimal: of many digests it is cheaper to ask for all at once. */
    readonly hex: string,
  ) {}

  /** Where a path is among the entries; -1 when it is not. @param guess where it may be */
  find(path: string, guess: number): number {
    if (this.paths[guess] === path) return guess;
    this.#rows ??= new Map(this.paths.map((known, i) => [known, i]));
    return this.#rows.get(path) ?? -1;
  }

  isFile(i: number): boolean {
    return this.kinds[i] === FILE || this.kinds[i] === EXECUTABLE;
  }

  isDirectory(i: number): boolean {
    return this.kinds[i] === DIRECTORY;
  }

  /** Whether it looks as it did. */
  same(i: number, words: Uint32Array, at: number): boolean {
    return this.words[i * ROW] !== 0 && sameWords(this.words, i * ROW, words, at);
  }

  digest(i: number): Sha256 {
    const from = (i * ROW + STAT_WORDS) * 8;
    return this.hex.slice(from, from + 2 * DIGEST_BYTES);
  }

  /** What a directory listed, as places among the entries, in order. */
  children(directory: string): readonly number[] {
    if (this.#children === null) {
      this.#children = new Map();
      let last = "", list: number[] = [];
      this.#children.set("", list);
      for (const [i, path] of this.paths.entries()) {
        const slash = path.lastIndexOf("/");
        // What a directory lists mostly follows one another.
        if (Math.max(0, slash) !== last.length || !path.startsWith(last)) {
          last = path.slice(0, Math.max(0, slash));
          const known = this.#children.get(last);
          list = known ?? [];
          if (known === undefined) this.#children.set(last, list);
        }
        list.push(i);
      }
    }
    return this.#children.get(directory) ?? [];
  }
}

function placeOf(store: string, root: string): string {
  return `${store}/${CACHE}/${createHash("sha256").update(root).digest("hex")}.stat`;
}

/** What is known of a workspace; null when nothing is, or it cannot be used. */
export function loadStatCache(store: string, root: string): StatCache | null {
  try {
    const fd = openFile(placeOf(store, root));
    try {
      const { isFile, info } = statOpen(fd);
      if (!isFile || info.size > MAX_BYTES) return null;
      return parse(readFileSync(fd));
    } finally {
      closeSync(fd);
    }
  } catch {
    return null;
  }
}

/**
 * `magic`, digest of the rules, row count as 8 bytes, rows, then for each row its kind (`f`, `x`, `d` or `l`) and path,
 * ending in NUL, and a link's target, ending in NUL; SHA-256 of all before. Numbers in the machine's order.
 */
function parse(file: Buffer): StatCache | null {
  const end = file.length - DIGEST_BYTES;
  if (end < HEAD || file.toString("latin1", 0, MAGIC.length) !== MAGIC) return null;
  const digest = createHash("sha256").update(file.subarray(0, end)).digest();
  if (!digest.equals(file.subarray(end))) return null;
  const rules = file.toString("hex", MAGIC.length, MAGIC.length + DIGEST_BYTES);
  const count = Number(file.readBigUInt64LE(MAGIC.length + DIGEST_BYTES));
  const names = HEAD + count * ROW * 4;
  if (names > end) return null;
  const words = new Uint32Array(count * ROW);
  new Uint8Array(words.buffer).set(file.subarray(HEAD, names));
  const parts = file.toString("utf8", names, end).split("\0");
  parts.pop();
  const paths: string[] = [];
  const kinds = new Uint8Array(count);
  const targets = new Map<number, string>();
  for (let i = 0; i < parts.length; i++) {
    const kind = parts[i]!.charCodeAt(0);
    kinds[paths.length] = kind;
    if (kind === LINK) targets.set(paths.length, parts[i + 1]!);
    paths.push(parts[i]!.slice(1));
    if (kind === LINK) i++;
  }
  const hex = file.toString("hex", HEAD, names);
  return paths.length === count ? new StatCache(rules, paths, kinds, targets, words, hex) : null;
}

/**
 * Keeps what was seen and read, for the next time. Not synced: a cache that is lost or cut off is one that is not there.
 * @param digests for each file of the scan
 * @param trees for each directory, by its path
 * @param scannedAt when the scan began, milliseconds since 1970
 */
export function saveStatCache(
  store: string,
  root: string,
  scan: Scan,
  digests: readonly (Sha256 | null)[],
  trees: ReadonlyMap<string, Sha256>,
  scannedAt: number,
): void {
  const settled = Math.floor(scannedAt / 1000) - REST_SECONDS;
  const rows = new Uint32Array(scan.entries.length * ROW);
  const bytes = Buffer.from(rows.buffer);
  const names: string[] = [];
  for (const [i, entry] of scan.entries.entries()) {
    const kind = entry.kind === "file" ? entry.executable ? "x" : "f" : entry.kind === "link" ? "l" : "d";
    names.push(kind, entry.path, "\0");
    if (entry.kind === "link") names.push(entry.target, "\0");
    const from = entry.at;
    if (from < 0 || !changedBefore(scan.words, from, settled)) continue;
    const at = i * ROW;
    for (let word = 0; word < STAT_WORDS; word++) rows[at + word] = scan.words[from + word]!;
    const digest = entry.kind === "file" ? digests[i]! : trees.get(entry.path)!;
    bytes.write(digest, (at + STAT_WORDS) * 4, "hex");
  }
  const head = Buffer.alloc(HEAD);
  head.write(MAGIC, "latin1");
  head.write(scan.rules, MAGIC.length, "hex");
  head.writeBigUInt64LE(BigInt(scan.entries.length), MAGIC.length + DIGEST_BYTES);
  const parts: Uint8Array[] = [head, bytes, Buffer.from(names.join(""))];
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  parts.push(hash.digest());
  const place = placeOf(store, root);
  const temporary = `${place}.${randomBytes(6).toString("hex")}.tmp`;
  try {
    const fd = openSync(temporary, "wx", 0o600);
    try {
      for (const part of parts) {
        for (let done = 0; done < part.length;) done += writeSync(fd, part, done);
      }
    } finally {
      closeSync(fd);
    }
    renameSync(temporary, place);
  } catch {
    // Only time is lost.
    rmSync(temporary, { force: true });
  }
}
