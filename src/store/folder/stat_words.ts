import { type BigIntStats, fstatSync, lstatSync } from "node:fs";
import { insideOf } from "../../workspace/directory_handles.ts";

/** Words that tell one state of a file from another: mode, inode, size, times of change in nanoseconds, device. */
export const STAT_WORDS = 13;
const MODE = 0, SIZE = 3, CTIME = 5, MTIME = 8;
const FORMAT = 0o170000, REGULAR = 0o100000, DIRECTORY = 0o040000;

/** Looks at names in an open directory, never at what a link leads to. */
export interface Stater {
  /**
   * Fills `into` at `at` with STAT_WORDS words.
   * @param path below the open directory; as bytes it ends in a NUL
   * @returns false when there is no such name, or it cannot be looked at
   */
  stat(fd: number, path: string | Uint8Array, into: Uint32Array, at: number): boolean;
  /** The same of what is open. */
  statOpen(fd: number, into: Uint32Array, at: number): boolean;
}

/**
 * statx(2) where the C library has it, which is twice as fast and tells nanoseconds; else what the runtime has.
 * @param root the directory that `stat` is given, by name
 */
export function stater(root: string): Stater {
  return linuxStater() ?? slowStater(root);
}

const NOFOLLOW = 0x100, EMPTY_PATH = 0x1000;
const BASIC = 0x7ff;

function linuxStater(): Stater | null {
  if (Deno.build.os !== "linux") return null;
  try {
    const { symbols } = Deno.dlopen("libc.so.6", {
      statx: { parameters: ["i32", "buffer", "i32", "u32", "buffer"], result: "i32" },
    });
    // struct statx of linux/stat.h, in words.
    const out = new Uint32Array(64);
    const room = new Uint8Array(4_096);
    const encoder = new TextEncoder();
    const encoded = (text: string) => {
      room[encoder.encodeInto(text, room).written] = 0;
      return room;
    };
    const empty = new Uint8Array(1);
    const fill = (fd: number, path: Uint8Array, flags: number, into: Uint32Array, at: number) => {
      if (symbols.statx(fd, path, flags, BASIC, out) !== 0) return false;
      into[at] = out[7]! & 0xffff;
      into[at + 1] = out[8]!;
      into[at + 2] = out[9]!;
      into[at + 3] = out[10]!;
      into[at + 4] = out[11]!;
      into[at + 5] = out[24]!;
      into[at + 6] = out[25]!;
      into[at + 7] = out[26]!;
      into[at + 8] = out[28]!;
      into[at + 9] = out[29]!;
      into[at + 10] = out[30]!;
      into[at + 11] = out[34]!;
      into[at + 12] = out[35]!;
      return true;
    };
    return {
      stat: (fd, path, into, at) =>
        fill(fd, typeof path === "string" ? encoded(path) : path, NOFOLLOW, into, at),
      statOpen: (fd, into, at) => fill(fd, empty, EMPTY_PATH, into, at),
    };
  } catch {
    return null;
  }
}

const slowStater = (root: string): Stater => ({
  stat: (fd, path, into, at) =>
    slowly(() => lstatSync(`${insideOf(fd, root)}/${textOf(path)}`, { bigint: true }), into, at),
  statOpen: (fd, into, at) => slowly(() => fstatSync(fd, { bigint: true }), into, at),
});

function textOf(path: string | Uint8Array): string {
  return typeof path === "string" ? path : new TextDecoder().decode(path.subarray(0, -1));
}

function slowly(look: () => BigIntStats, into: Uint32Array, at: number): boolean {
  try {
    const info = look();
    into[at] = Number(info.mode) & 0xffff;
    const put = (word: number, value: bigint) => {
      into[at + word] = Number(value & 0xffff_ffffn);
      into[at + word + 1] = Number((value >> 32n) & 0xffff_ffffn);
    };
    put(1, info.ino);
    put(3, info.size);
    put(5, info.ctimeNs / 1_000_000_000n);
    into[at + 7] = Number(info.ctimeNs % 1_000_000_000n);
    put(8, info.mtimeNs / 1_000_000_000n);
    into[at + 10] = Number(info.mtimeNs % 1_000_000_000n);
    put(11, info.dev);
    return true;
  } catch {
    return false;
  }
}

/** Of what `stat` filled in. */
export function isRegular(words: Uint32Array, at: number): boolean {
  return (words[at + MODE]! & FORMAT) === REGULAR;
}

export function isDirectory(words: Uint32Array, at: number): boolean {
  return (words[at + MODE]! & FORMAT) === DIRECTORY;
}

export function isExecutable(words: Uint32Array, at: number): boolean {
  return (words[at + MODE]! & 0o100) !== 0;
}

/** Bytes. */
export function sizeOf(words: Uint32Array, at: number): number {
  return words[at + SIZE]! + words[at + SIZE + 1]! * 2 ** 32;
}

/** Whether what was changed last, content or inode, was so before a time in seconds since 1970. */
export function changedBefore(words: Uint32Array, at: number, seconds: number): boolean {
  const ctime = words[at + CTIME]! + words[at + CTIME + 1]! * 2 ** 32;
  const mtime = words[at + MTIME]! + words[at + MTIME + 1]! * 2 ** 32;
  return ctime < seconds && mtime < seconds;
}

export function sameWords(a: Uint32Array, from: number, b: Uint32Array, at: number): boolean {
  for (let i = 0; i < STAT_WORDS; i++) if (a[from + i] !== b[at + i]) return false;
  return true;
}
