import { Buffer } from "node:buffer";

export const BLOCK = 512;
/** 1980-01-01, the oldest time a zip file can hold, so that no tool trips over it. */
const TAR_MTIME_SECONDS = 315_532_800;

const MAX_OCTAL_SIZE = 0o77777777777;
const MAX_OCTAL_ID = 0o7777777;
const TYPE = { file: "0", link: "2", directory: "5", pax: "x" } as const;

export interface TarMember {
  readonly kind: "file" | "link" | "directory";
  /** With the prefix, without a trailing slash. */
  readonly name: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  /** Target of a link. */
  readonly target?: string;
}

/**
 * The header blocks of one member: a ustar header, after a pax header where ustar cannot hold a name, target, size
 * or id. The same member always gives the same bytes.
 */
export function tarHeader(member: TarMember): Uint8Array {
  const name = member.kind === "directory" ? `${member.name}/` : member.name;
  const target = member.target ?? "";
  const records: string[] = [];
  if (!fits(name)) records.push(record("path", name));
  if (!fits(target)) records.push(record("linkpath", target));
  if (member.size > MAX_OCTAL_SIZE) records.push(record("size", String(member.size)));
  if (member.uid > MAX_OCTAL_ID) records.push(record("uid", String(member.uid)));
  if (member.gid > MAX_OCTAL_ID) records.push(record("gid", String(member.gid)));

  const header = { ...member, name, target, size: member.size > MAX_OCTAL_SIZE ? 0 : member.size };
  if (records.length === 0) return block(header, TYPE[member.kind]);
  const body = Buffer.from(records.join(""));
  const padded = Math.ceil(body.length / BLOCK) * BLOCK;
  const out = new Uint8Array(BLOCK + padded + BLOCK);
  const pax = {
    kind: "file",
    name: "pax_header",
    mode: 0o644,
    uid: 0,
    gid: 0,
    size: body.length,
    target: "",
  };
  out.set(block(pax, TYPE.pax), 0);
  out.set(body, BLOCK);
  out.set(block(header, TYPE[member.kind]), BLOCK + padded);
  return out;
}

/** Plain printable ASCII of at most 100 bytes is what every reader takes from a ustar header. */
function fits(text: string): boolean {
  return text.length <= 100 && /^[\x20-\x7e]*$/.test(text);
}

/** `length key=value LF`, where the length counts its own digits. */
function record(key: string, value: string): string {
  const rest = Buffer.byteLength(key) + Buffer.byteLength(value) + 3;
  let length = rest + String(rest).length;
  if (rest + String(length).length !== length) length = rest + String(length).length;
  return `${length} ${key}=${value}\n`;
}

/** What every header has in common. Made once: a tar of small files is mostly headers. */
const COMMON = new Uint8Array(BLOCK);
octal(COMMON, 136, 12, TAR_MTIME_SECONDS);
COMMON.fill(0x20, 148, 156);
ascii(COMMON, 257, "ustar\x0000");
octal(COMMON, 329, 8, 0);
octal(COMMON, 337, 8, 0);

function block(member: Omit<TarMember, "kind"> & { target: string }, type: string): Uint8Array {
  const out = COMMON.slice();
  ascii(out, 0, member.name.slice(0, 100));
  octal(out, 100, 8, member.mode);
  octal(out, 108, 8, Math.min(member.uid, MAX_OCTAL_ID));
  octal(out, 116, 8, Math.min(member.gid, MAX_OCTAL_ID));
  octal(out, 124, 12, member.size);
  ascii(out, 156, type);
  ascii(out, 157, member.target.slice(0, 100));
  let sum = 0;
  for (let i = 0; i < BLOCK; i++) sum += out[i]!;
  octal(out, 148, 7, sum);
  return out;
}

/** Beyond ASCII a `?`: the pax header before it has the real text. */
function ascii(out: Uint8Array, at: number, text: string): void {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    out[at + i] = code < 0x80 ? code : 0x3f;
  }
}

/** Digits padded to `width` with a NUL at the end. */
function octal(out: Uint8Array, at: number, width: number, value: number): void {
  out[at + width - 1] = 0;
  ascii(out, at, value.toString(8).padStart(width - 1, "0"));
}
