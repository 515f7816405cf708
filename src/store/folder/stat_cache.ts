import { Buffer } from "node:buffer";
import { createHash, randomBytes } from "node:crypto";
import { closeSync, openSync, readFileSync, renameSync, rmSync, writeSync } from "node:fs";
import { type Sha256, SHA256_BYTES } from "../../vocabulary/digest.ts";
import { encodedEntry } from "../../vocabulary/manifest.ts";
import { openFile, statOpen } from "../../workspace/directory_handles.ts";
import { CACHE } from "./place.ts";
import { manifestEntry, type Scan } from "./scan.ts";
import { changedBefore, sameWords, sizeOf, STAT_WORDS } from "./stat_words.ts";

const MAGIC = "veripatch-stat/v2\n";
const RULES = 20, COUNT = RULES + SHA256_BYTES, LINES = COUNT + 4, HEAD = LINES + 4;
/** Words of a row: those of a stat, its directory's row and one, where its line begins, and its path in it. */
const ROW = STAT_WORDS + 3;
const PARENT = STAT_WORDS, LINE = STAT_WORDS + 1, PATH = STAT_WORDS + 2;
/** The directory that has no row. */
export const ROOT = -1;
/**
 * Seconds something must have rested before it was looked at. What was changed just then could be changed again without
 * a trace in its times, as git's racy-clean rule has it; file systems tell times by up to two seconds.
 */
const REST_SECONDS = 2;
const MAX_BYTES = 1 << 28;
const LINES_AT_ONCE = 1 << 16;
/** Room for what looks different, before more is made. */
const SPARE_STATS = 1_024;
const DIGIT = { zero: 0x30, four: 0x34, seven: 0x37 };

/** What a cache is made of. */
interface Remembered {
  /** Digest of the rules by which things were left out. */
  readonly rules: Sha256;
  readonly count: number;
  /** The rows, and room after them. */
  readonly words: Uint32Array;
  /** The encoding of a manifest: a line ending in NUL for each row. */
  readonly lines: Buffer;
  /** Of each link its target, of each directory its tree, by rows. */
  readonly extras: ReadonlyMap<number, string>;
}

/**
 * What was in a workspace: how each file looked and which digest it had, how each directory looked and what it listed. A
 * row that had not rested is all zeros and equal to nothing. Rows are sorted by path, so that what is below a directory
 * is in rows that follow each other. It is only there to save time: without it, or when it is damaged, everything is
 * looked at and read again.
 */
export class StatCache {
  /** Of the root and then of each row: where in `#children` those of the directory begin. */
  readonly #firsts: Uint32Array;
  readonly #children: Uint32Array;
  /** Of the root and then of each row: the row after the last one below it. */
  readonly #ends: Uint32Array;

  /** The lines; a plain array hands out parts of it sooner than a Buffer. */
  readonly #bytes: Uint8Array;

  constructor(readonly remembered: Remembered) {
    const { count, lines } = remembered;
    this.#bytes = new Uint8Array(lines.buffer, lines.byteOffset, lines.length);
    const firsts = new Uint32Array(count + 2);
    for (let i = 0; i < count; i++) firsts[this.#word(i, PARENT) + 1]!++;
    for (let i = 1; i < firsts.length; i++) firsts[i]! += firsts[i - 1]!;
    const next = firsts.slice();
    const children = new Uint32Array(count);
    for (let i = 0; i < count; i++) children[next[this.#word(i, PARENT)]!++] = i;
    const ends = new Uint32Array(count + 1);
    for (let i = count - 1; i >= 0; i--) {
      const own = Math.max(ends[i + 1]!, i + 1), parent = this.#word(i, PARENT);
      ends[i + 1] = own;
      ends[parent] = Math.max(ends[parent]!, own);
    }
    this.#firsts = firsts;
    this.#children = children;
    this.#ends = ends;
  }

  get rules(): Sha256 {
    return this.remembered.rules;
  }

  /** Where the words of a row are, among `remembered.words`. */
  at(row: number): number {
    return row * ROW;
  }

  isFile(row: number): boolean {
    return this.#digit(row, 1) === DIGIT.zero;
  }

  isExecutable(row: number): boolean {
    return this.#digit(row, 3) === DIGIT.seven;
  }

  isDirectory(row: number): boolean {
    return this.#digit(row, 1) === DIGIT.four;
  }

  /** Whether it looks as it did. */
  same(row: number, words: Uint32Array, at: number): boolean {
    return this.#word(row, 0) !== 0 && sameWords(this.remembered.words, row * ROW, words, at);
  }

  path(row: number): string {
    return this.remembered.lines.toString("utf8", this.#word(row, PATH), this.#end(row) - 1);
  }

  /** The path and a NUL. */
  pathBytes(row: number): Uint8Array {
    return this.#bytes.subarray(this.#word(row, PATH), this.#end(row));
  }

  /** Of a file. */
  digest(row: number): Sha256 {
    const end = this.#word(row, PATH) - 1;
    return this.remembered.lines.toString("latin1", end - 2 * SHA256_BYTES, end);
  }

  /** The target of a link, the tree of a directory. */
  extra(row: number): string {
    return this.remembered.extras.get(row)!;
  }

  /** What a directory listed, in order. */
  children(row: number): Uint32Array {
    return this.#children.subarray(this.#firsts[row + 1]!, this.#firsts[row + 2]!);
  }

  /** The rows of everything below a directory. */
  below(row: number): { readonly from: number; readonly to: number } {
    const first = this.children(row)[0];
    return first === undefined ? { from: 0, to: 0 } : { from: first, to: this.#ends[row + 1]! };
  }

  /** How many files and links there are among rows, and bytes of the files. */
  counted(
    from: number,
    to: number,
  ): { readonly files: number; readonly links: number; readonly bytes: number } {
    let files = 0, links = 0, bytes = 0;
    for (let row = from; row < to; row++) {
      if (this.isFile(row)) {
        files++;
        bytes += sizeOf(this.remembered.words, row * ROW);
      } else if (!this.isDirectory(row)) links++;
    }
    return { files, links, bytes };
  }

  /** The lines of rows, as they are in the encoding of a manifest. */
  lines(from: number, to: number): Uint8Array {
    return from === to
      ? new Uint8Array()
      : this.remembered.lines.subarray(this.#word(from, LINE), this.#end(to - 1));
  }

  /** The row of a row's directory. */
  parent(row: number): number {
    return this.#word(row, PARENT) - 1;
  }

  /** @returns where the path begins in a row's line */
  pathOffset(row: number): number {
    return this.#word(row, PATH) - this.#word(row, LINE);
  }

  lineBytes(row: number): number {
    return this.#end(row) - this.#word(row, LINE);
  }

  #word(row: number, word: number): number {
    return this.remembered.words[row * ROW + word]!;
  }

  #end(row: number): number {
    const { count, lines } = this.remembered;
    return row + 1 < count ? this.#word(row + 1, LINE) : lines.length;
  }

  #digit(row: number, at: number): number {
    return this.remembered.lines[this.#word(row, LINE) + at]!;
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
 * `magic` and two zeros, digest of the rules, row count and bytes of the lines as 4 bytes each, rows, lines, then for each
 * link its target and for each directory its tree, ending in NUL; SHA-256 of all before. Numbers in the machine's order.
 */
function parse(file: Buffer): StatCache | null {
  const end = file.length - SHA256_BYTES;
  if (end < HEAD || file.toString("latin1", 0, MAGIC.length) !== MAGIC) return null;
  const digest = createHash("sha256").update(file.subarray(0, end)).digest();
  if (!digest.equals(file.subarray(end))) return null;
  const rules = file.toString("hex", RULES, COUNT);
  const count = file.readUInt32LE(COUNT);
  const from = HEAD + count * ROW * 4, to = from + file.readUInt32LE(LINES);
  if (to > end) return null;
  const words = new Uint32Array(count * ROW + SPARE_STATS * STAT_WORDS);
  new Uint8Array(words.buffer).set(file.subarray(HEAD, from));
  const lines = file.subarray(from, to);
  const texts = file.toString("utf8", to, end).split("\0");
  texts.pop();
  const extras = new Map<number, string>();
  for (let i = 0, next = 0; i < count; i++) {
    const line = words[i * ROW + LINE]!, path = words[i * ROW + PATH]!;
    const after = i + 1 < count ? words[(i + 1) * ROW + LINE]! : lines.length;
    // Lines are handed to the system as they are.
    if (words[i * ROW + PARENT]! > i || line >= path || path >= after || lines[after - 1] !== 0) return null;
    if (lines[line + 1] !== DIGIT.zero) extras.set(i, texts[next++]!);
  }
  return extras.size === texts.length ? new StatCache({ rules, count, words, lines, extras }) : null;
}

/**
 * Keeps what was seen and read, for the next time. Not synced: a cache that is lost or cut off is one that is not there.
 * @param digests for each file of the scan
 * @param trees for each directory that is a piece of its own, by its path
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
  const { cache, pieces } = scan;
  const rested = Math.floor(scannedAt / 1000) - REST_SECONDS;
  const count = pieces.reduce(
    (sum, piece) => sum + (piece.kind === "settled" ? piece.to - piece.from : 1),
    0,
  );
  const rows = new Uint32Array(count * ROW);
  const lines: Uint8Array[] = [], extras: string[] = [];
  let some = "";
  const flush = () => {
    lines.push(Buffer.from(some));
    some = "";
  };
  /** Their rows and one. */
  const directories = new Map([["", 0]]);
  let i = 0, bytes = 0;
  for (const [k, piece] of pieces.entries()) {
    const { path } = piece;
    if (piece.kind === "settled") {
      const own = directories.get(path)!, { from, to } = piece;
      flush();
      lines.push(cache!.lines(from, to));
      for (let row = from; row < to; row++, i++) {
        const at = i * ROW, parent = cache!.parent(row);
        rows.set(scan.words.subarray(cache!.at(row), cache!.at(row) + STAT_WORDS), at);
        rows[at + PARENT] = parent < from ? own : i - row + parent + 1;
        rows[at + LINE] = bytes;
        rows[at + PATH] = bytes + cache!.pathOffset(row);
        if (!cache!.isFile(row)) extras.push(cache!.extra(row), "\0");
        bytes += cache!.lineBytes(row);
      }
      continue;
    }
    const at = i++ * ROW, line = encodedEntry(manifestEntry(piece, digests[k]!));
    some += line;
    if (some.length > LINES_AT_ONCE) flush();
    rows[at + PARENT] = directories.get(path.slice(0, Math.max(0, path.lastIndexOf("/"))))!;
    rows[at + LINE] = bytes;
    rows[at + PATH] = bytes + line.length - path.length - 1;
    bytes += line.length - path.length + Buffer.byteLength(path);
    if (piece.kind === "directory") directories.set(path, i);
    if (piece.kind !== "file") {
      extras.push(piece.kind === "link" ? piece.target : trees.get(path)!, "\0");
    }
    if (piece.at >= 0 && changedBefore(scan.words, piece.at, rested)) {
      rows.set(scan.words.subarray(piece.at, piece.at + STAT_WORDS), at);
    }
  }
  flush();
  const head = Buffer.alloc(HEAD);
  head.write(MAGIC, "latin1");
  head.write(scan.rules, RULES, "hex");
  head.writeUInt32LE(count, COUNT);
  head.writeUInt32LE(bytes, LINES);
  const place = placeOf(store, root);
  write(place, [head, new Uint8Array(rows.buffer), ...lines, Buffer.from(extras.join(""))]);
}

function write(place: string, parts: readonly Uint8Array[]): void {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  const temporary = `${place}.${randomBytes(6).toString("hex")}.tmp`;
  try {
    const fd = openSync(temporary, "wx", 0o600);
    try {
      for (const part of [...parts, hash.digest()]) {
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
