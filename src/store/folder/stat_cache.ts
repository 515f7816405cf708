import { Buffer } from "node:buffer";
import { createHash, randomBytes } from "node:crypto";
import { closeSync, openSync, readFileSync, renameSync, rmSync, writeSync } from "node:fs";
import type { Sha256 } from "../../vocabulary/digest.ts";
import { openFile, statOpen } from "../../workspace/directory_handles.ts";
import { CACHE } from "./place.ts";
import type { Scan } from "./scan.ts";
import { changedBefore, sameWords, STAT_WORDS } from "./stat_words.ts";

const MAGIC = "veripatch-stat/v1\n";
/** Words of a row: those of a stat, then the digest. */
const ROW = STAT_WORDS + 8;
const DIGEST_BYTES = 32;
/**
 * Seconds a file must have rested before it was looked at. One that was changed just then could be changed again without
 * a trace in its times, as git's racy-clean rule has it; file systems tell times by up to two seconds.
 */
const REST_SECONDS = 2;
const MAX_BYTES = 1 << 30;

/**
 * Digests of a workspace's files by how they looked when they were read. It is only there to save time: without it, or
 * when it is damaged, files are read again.
 */
export class StatCache {
  constructor(readonly names: readonly string[], readonly rows: Uint32Array) {}

  /**
   * Digests of scanned files that look as they did, by their place in `scan.entries`.
   * @returns for each entry its digest, null for what has to be read
   */
  match(scan: Scan): (Sha256 | null)[] {
    const bytes = Buffer.from(this.rows.buffer, this.rows.byteOffset, this.rows.byteLength);
    const digests: (Sha256 | null)[] = new Array(scan.entries.length).fill(null);
    // Both are sorted alike: most names meet at once, the rest by a map.
    let rest: Map<string, number> | null = null;
    let next = 0;
    for (const [i, entry] of scan.entries.entries()) {
      if (entry.kind !== "file") continue;
      let row = next;
      if (this.names[row] !== entry.path) {
        rest ??= new Map(this.names.map((name, n) => [name, n]));
        row = rest.get(entry.path) ?? -1;
        if (row < 0) continue;
      }
      next = row + 1;
      if (!sameWords(this.rows, row * ROW, scan.words, entry.at)) continue;
      const from = (row * ROW + STAT_WORDS) * 4;
      digests[i] = bytes.toString("hex", from, from + DIGEST_BYTES);
    }
    return digests;
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

/** `magic`, row count as 8 bytes, rows, names ending in NUL, SHA-256 of all before. Numbers in the machine's order. */
function parse(file: Buffer): StatCache | null {
  const head = MAGIC.length + 8;
  const end = file.length - DIGEST_BYTES;
  if (end < head || file.toString("latin1", 0, MAGIC.length) !== MAGIC) return null;
  const digest = createHash("sha256").update(file.subarray(0, end)).digest();
  if (!digest.equals(file.subarray(end))) return null;
  const count = Number(file.readBigUInt64LE(MAGIC.length));
  const names = head + count * ROW * 4;
  if (names > end) return null;
  const rows = new Uint32Array(count * ROW);
  new Uint8Array(rows.buffer).set(file.subarray(head, names));
  const list = file.toString("utf8", names, end).split("\0");
  list.pop();
  return list.length === count ? new StatCache(list, rows) : null;
}

/**
 * Keeps what was read, for the next time. Not synced: a cache that is lost or cut off is one that is not there.
 * @param digests for each entry of the scan
 * @param scannedAt when the scan began, milliseconds since 1970
 */
export function saveStatCache(
  store: string,
  root: string,
  scan: Scan,
  digests: readonly (Sha256 | null)[],
  scannedAt: number,
): void {
  const settled = Math.floor(scannedAt / 1000) - REST_SECONDS;
  const rows = new Uint32Array(scan.entries.length * ROW);
  const bytes = Buffer.from(rows.buffer);
  const names: string[] = [];
  for (const [i, entry] of scan.entries.entries()) {
    const digest = digests[i];
    if (entry.kind !== "file" || digest === null || digest === undefined) continue;
    if (!changedBefore(scan.words, entry.at, settled)) continue;
    const at = names.length * ROW;
    for (let word = 0; word < STAT_WORDS; word++) rows[at + word] = scan.words[entry.at + word]!;
    bytes.write(digest, (at + STAT_WORDS) * 4, "hex");
    names.push(entry.path);
  }
  const head = Buffer.alloc(MAGIC.length + 8);
  head.write(MAGIC, "latin1");
  head.writeBigUInt64LE(BigInt(names.length), MAGIC.length);
  const parts: Uint8Array[] = [
    head,
    bytes.subarray(0, names.length * ROW * 4),
    Buffer.from(names.map((name) => `${name}\0`).join("")),
  ];
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
