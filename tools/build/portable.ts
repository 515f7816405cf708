import { gunzipSync, gzipSync } from "node:zlib";
import { createHash } from "node:crypto";
import { padding } from "../../src/tar/canonical.ts";
import { BLOCK, tarHeader } from "../../src/tar/header.ts";
import { KEEP_DAYS } from "../../src/portable_cache.ts";
import { VERSION } from "../../src/version.ts";
import { joinedBytes } from "../../src/vocabulary/joined_bytes.ts";
import { step } from "../log.ts";
import { cacheDirectory } from "../system.ts";
import { PERMISSIONS, V8_FLAGS } from "./permissions.ts";
import { byPath } from "./program.ts";
import type { Target } from "./runtime.ts";

/** A user's limit, and ours; fewer bytes mean less waiting everywhere. */
const MAX_BYTES = 60_000_000;

/** SHA-256 as lower-case hex digits. */
export function sha256Of(bytes: Uint8Array | string): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/**
 * One executable: the launcher, and after it a tar of the runtime and the program, compressed with gzip because that is
 * what every Debian has.
 * @param runtime the deno of the target
 * @param program its files, portable.js among them
 * @throws Error when the result is larger than 60 MB
 */
export async function portableFile(
  target: Target,
  runtime: Uint8Array,
  program: ReadonlyMap<string, Uint8Array>,
): Promise<Uint8Array> {
  const all: (readonly [string, Uint8Array])[] = [["deno", runtime], ...program];
  const list = all.sort(byPath).map(([path, bytes]) => `${sha256Of(bytes)}  ${path}\n`).join("");
  const files = new Map<string, Uint8Array>([["files.sha256", new TextEncoder().encode(list)], ...program]);
  const payload = [await compressedRuntime(runtime), gzipSync(tarOf(files), { level: 9 })];
  const bytes = [runtime, ...files.values()].reduce((sum, { length }) => sum + length, 0);
  const header = await launcherFor(target, sha256Of(list), [...files.keys()], Math.ceil(bytes / 1e6));
  const file = joinedBytes([new TextEncoder().encode(header), ...payload]);
  if (file.length > MAX_BYTES) {
    throw new Error(`the portable file has ${file.length} bytes, over ${MAX_BYTES}`);
  }
  return file;
}

/** Starts the unpacked program from a folder that only root can write to. */
export async function startScript(): Promise<string> {
  return await filled("start.sh");
}

async function filled(name: "launcher.sh" | "start.sh"): Promise<string> {
  return (await Deno.readTextFile(new URL(name, import.meta.url)))
    .replaceAll("@VERSION@", VERSION)
    .replaceAll("@KEEP_DAYS@", String(KEEP_DAYS))
    .replaceAll("@FLAGS@", [V8_FLAGS, ...PERMISSIONS].join(" "));
}

async function launcherFor(target: Target, id: string, paths: string[], megabytes: number): Promise<string> {
  const folders = new Set(paths.flatMap((path) => {
    const parts = path.split("/").slice(0, -1);
    return parts.map((_, i) => parts.slice(0, i + 1).join("/"));
  }));
  const globs = ["", ...[...folders].sort().map((folder) => `/${folder}`)]
    .map((folder) => ` \\\n    "$1/tree${folder}"/*`).join("");
  const template = (await filled("launcher.sh"))
    .replaceAll("@UNAME@", target.uname)
    .replaceAll("@ID@", id)
    .replaceAll("@MEGABYTES@", String(megabytes))
    .replaceAll("@GLOBS@", globs);
  // Its own length is written in it.
  const length = (digits: number) => template.replace("@HEADER_BYTES@", "0".repeat(digits)).length;
  const bytes = length(String(length(4)).length);
  const header = template.replace("@HEADER_BYTES@", String(bytes));
  if (new TextEncoder().encode(header).length !== bytes || /@[A-Z_]+@/.test(header)) {
    throw new Error("the launcher could not be filled in");
  }
  return header;
}

/** Members without an end: another part may follow. */
function membersOf(files: ReadonlyMap<string, Uint8Array>, mode: number): Uint8Array[] {
  const parts: Uint8Array[] = [];
  for (const [name, bytes] of files) {
    parts.push(tarHeader({ kind: "file", name, mode, uid: 0, gid: 0, size: bytes.length }));
    parts.push(bytes, new Uint8Array(padding(bytes.length)));
  }
  return parts;
}

function tarOf(files: ReadonlyMap<string, Uint8Array>): Uint8Array {
  return joinedBytes([...membersOf(files, 0o644), new Uint8Array(2 * BLOCK)]);
}

/**
 * The first part of the tar, compressed by itself: that takes most of a build's time and changes with the runtime alone,
 * so it is kept. What was kept is used only when it expands to exactly the part.
 */
async function compressedRuntime(runtime: Uint8Array): Promise<Uint8Array> {
  const part = joinedBytes(membersOf(new Map([["deno", runtime]]), 0o755));
  const directory = `${cacheDirectory()}/build`;
  const kept = `${directory}/runtime-${sha256Of(part)}.gz`;
  const before = await Deno.readFile(kept).catch(() => null);
  if (before !== null && expandsTo(before, part)) return before;
  step("compressing the runtime");
  const compressed = gzipSync(part, { level: 9 });
  await Deno.mkdir(directory, { recursive: true });
  const temporary = await Deno.makeTempFile({ dir: directory, prefix: "runtime-" });
  await Deno.writeFile(temporary, compressed);
  await Deno.rename(temporary, kept);
  return compressed;
}

function expandsTo(compressed: Uint8Array, part: Uint8Array): boolean {
  try {
    return sha256Of(gunzipSync(compressed, { maxOutputLength: part.length })) === sha256Of(part);
  } catch {
    return false;
  }
}
