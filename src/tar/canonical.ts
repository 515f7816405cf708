import { Failure } from "../vocabulary/failure.ts";
import { comparePaths } from "../vocabulary/path.ts";
import { printablePath } from "../vocabulary/printable.ts";
import { BLOCK, tarHeader, type TarMember } from "./header.ts";

/** A member of a canonical tar: owner 0, the one time, fixed modes, a path that stays inside. */
export type CanonicalMember = Omit<TarMember, "uid" | "gid">;

/** Longer pax headers than `tarHeader` writes for the longest path and target a system takes. */
const MAX_PAX_BYTES = 16 * 1024;

const KINDS: Readonly<Record<number, TarMember["kind"]>> = { 0x30: "file", 0x32: "link", 0x35: "directory" };
const MODES = { file: [0o644, 0o755], link: [0o777], directory: [0o755] } as const;

/**
 * Reads a tar that must be, byte for byte, what `tarHeader` writes: each header is read for its name, size, mode and
 * target, made anew from them and compared, so whatever other tars can say (devices, hard links, sparse files, GNU
 * names, owners, times, wrong checksums) is refused without being understood. Paths ascend strictly by
 * `comparePaths`, so none comes twice; padding is zero; two zero blocks end it and nothing follows.
 * @param visit is given each member in order, and its content to be read before it returns; what it leaves is skipped
 * @throws Failure `malformed` `tar_not_canonical`; whatever `source` or `visit` throws
 */
export async function readCanonicalTar(
  source: AsyncIterable<Uint8Array>,
  visit: (member: CanonicalMember, content: AsyncIterable<Uint8Array>) => Promise<void> | void,
): Promise<void> {
  const bytes = new Pulled(source);
  try {
    let last: string | null = null;
    for (;;) {
      const first = await bytes.exactly(BLOCK);
      if (isZero(first)) break;
      const member = await memberOf(first, bytes);
      if (last !== null && comparePaths(last, member.name) >= 0) {
        throw refused(`${printablePath(member.name)} is out of order or comes twice`);
      }
      last = member.name;
      const content = bytes.upTo(member.size);
      await visit(member, content);
      for await (const _ of content);
      if (!isZero(await bytes.exactly(padding(member.size)))) {
        throw refused(`something is hidden behind ${printablePath(member.name)}`);
      }
    }
    if (!isZero(await bytes.exactly(BLOCK))) throw refused("half of its end is there");
    if (!await bytes.ended()) throw refused("something follows its end");
  } finally {
    await bytes.close();
  }
}

/** Bytes from the end of a content of this size to the next block. */
export function padding(size: number): number {
  return (BLOCK - size % BLOCK) % BLOCK;
}

async function memberOf(first: Uint8Array, bytes: Pulled): Promise<CanonicalMember> {
  const isPax = first[156] === 0x78;
  const paxSize = isPax ? octal(first, 124, 12) : 0;
  if (paxSize > MAX_PAX_BYTES) throw refused("a header is too long");
  const pax = isPax ? await bytes.exactly(paxSize + padding(paxSize)) : new Uint8Array();
  const main = isPax ? await bytes.exactly(BLOCK) : first;
  const records = isPax ? recordsOf(pax.subarray(0, paxSize)) : new Map<string, string>();
  const kind = KINDS[main[156]!];
  if (kind === undefined) throw refused("a member is neither a file, a directory nor a link");
  const name = records.get("path") ?? text(main, 0, 100);
  const target = records.get("linkpath") ?? text(main, 157, 100);
  const member: CanonicalMember = {
    kind,
    name: kind === "directory" ? name.replace(/\/$/, "") : name,
    mode: octal(main, 100, 8),
    size: octal(main, 124, 12),
    ...(kind === "link" ? { target } : {}),
  };
  const again = tarHeader({ ...member, uid: 0, gid: 0 });
  const same = again.length === (isPax ? BLOCK + pax.length + BLOCK : BLOCK) &&
    equal(again.subarray(0, BLOCK), first) &&
    (!isPax || equal(again.subarray(BLOCK, BLOCK + pax.length), pax) && equal(again.subarray(-BLOCK), main));
  const shown = printablePath(member.name);
  if (!same) throw refused(`the header of ${shown} is not as pp writes it`);
  if (!staysInside(member.name)) throw refused(`${shown} does not stay inside`);
  if (!(MODES[kind] as readonly number[]).includes(member.mode)) throw refused(`${shown} has an odd mode`);
  if (kind !== "file" && member.size !== 0) throw refused(`${shown} has content`);
  if (kind === "link" && (target === "" || target.includes("\0"))) throw refused(`${shown} leads nowhere`);
  return member;
}

function staysInside(path: string): boolean {
  return !path.includes("\0") &&
    path.split("/").every((part) => part !== "" && part !== "." && part !== "..");
}

/** `length key=value LF`, one after the other; their form is checked by making them anew. */
function recordsOf(bytes: Uint8Array): Map<string, string> {
  const records = new Map<string, string>();
  for (let at = 0; at < bytes.length;) {
    const space = bytes.indexOf(0x20, at);
    const length = space < at || space - at > 5 ? -1 : Number(ascii(bytes.subarray(at, space)));
    if (
      !(length > 0) || !Number.isInteger(length) || at + length <= space + 1 || at + length > bytes.length
    ) {
      throw refused("a pax header cannot be read");
    }
    const record = utf8(bytes.subarray(space + 1, at + length - 1));
    const equals = record.indexOf("=");
    records.set(record.slice(0, equals), record.slice(equals + 1));
    at += length;
  }
  return records;
}

function ascii(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes);
}

function utf8(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw refused("a name is not valid UTF-8", cause);
  }
}

/** A field up to its first NUL. */
function text(block: Uint8Array, at: number, width: number): string {
  const field = block.subarray(at, at + width);
  const end = field.indexOf(0);
  return ascii(end < 0 ? field : field.subarray(0, end));
}

function octal(block: Uint8Array, at: number, width: number): number {
  const digits = text(block, at, width);
  if (!/^[0-7]{1,11}$/.test(digits)) throw refused("a header holds something that is no octal number");
  return Number.parseInt(digits, 8);
}

function isZero(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === 0);
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

function refused(detail: string, cause?: unknown): Failure {
  return new Failure("malformed", "tar_not_canonical", `not a tar as pp writes it: ${detail}`, { cause });
}

/** The bytes of a source, as many at a time as are asked for; never more than a chunk of them is held. */
class Pulled {
  readonly #chunks: AsyncIterator<Uint8Array>;
  #rest: Uint8Array = new Uint8Array();

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#chunks = source[Symbol.asyncIterator]();
  }

  /** @param length small: it is held in memory */
  async exactly(length: number): Promise<Uint8Array> {
    if (await this.#more() && this.#rest.length >= length) return this.#cut(length);
    const whole = new Uint8Array(length);
    let filled = 0;
    for await (const piece of this.upTo(length)) {
      whole.set(piece, filled);
      filled += piece.length;
    }
    return whole;
  }

  /** The next `length` bytes in pieces. Can be left and taken up again. */
  upTo(length: number): AsyncIterableIterator<Uint8Array> {
    let left = length;
    const next = async (): Promise<IteratorResult<Uint8Array>> => {
      if (left === 0) return { done: true, value: undefined };
      if (!await this.#more()) throw refused("it ends too early");
      const piece = this.#cut(Math.min(left, this.#rest.length));
      left -= piece.length;
      return { done: false, value: piece };
    };
    const pieces: AsyncIterableIterator<Uint8Array> = { next, [Symbol.asyncIterator]: () => pieces };
    return pieces;
  }

  async ended(): Promise<boolean> {
    return !await this.#more();
  }

  async close(): Promise<void> {
    await this.#chunks.return?.();
  }

  /** Whether there are more bytes; then some of them are in `#rest`. */
  async #more(): Promise<boolean> {
    while (this.#rest.length === 0) {
      const { done, value } = await this.#chunks.next();
      if (done === true) return false;
      this.#rest = value;
    }
    return true;
  }

  #cut(length: number): Uint8Array {
    const piece = this.#rest.subarray(0, length);
    this.#rest = this.#rest.subarray(length);
    return piece;
  }
}
