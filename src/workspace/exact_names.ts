import { isUtf8 } from "node:buffer";
import { printablePath } from "../vocabulary/printable.ts";

const MAX_DIRECTORIES = 64;
const MAX_OUTPUT = 16 << 20;

/**
 * The names in some directories that are not valid UTF-8, byte for byte as `\xNN`. The runtime replaces what it
 * cannot decode, so `find` is asked; without it the replaced names are shown.
 * @param places directory path relative to `root` and the name as the runtime shows it
 */
export async function exactNames(
  root: string,
  places: readonly { readonly directory: string; readonly name: string }[],
): Promise<string[]> {
  const byDirectory = new Map<string, string[]>();
  for (const { directory, name } of places) {
    byDirectory.set(directory, [...(byDirectory.get(directory) ?? []), name]);
  }
  const out: string[] = [];
  for (const [directory, names] of byDirectory) {
    const exact = out.length < MAX_DIRECTORIES ? await invalidNames(`${root}/${directory}`) : [];
    const prefix = directory === "" ? "" : `${printablePath(directory)}/`;
    for (const name of exact.length > 0 ? exact : names.map(printablePath)) out.push(prefix + name);
  }
  return out;
}

async function invalidNames(directory: string): Promise<string[]> {
  try {
    const found = await new Deno.Command("find", {
      args: [directory, "-mindepth", "1", "-maxdepth", "1", "-printf", "%f\\0"],
      stdin: "null",
      stderr: "null",
      signal: AbortSignal.timeout(10_000),
    }).output();
    if (found.stdout.length > MAX_OUTPUT) return [];
    const names: string[] = [];
    for (let start = 0, end; (end = found.stdout.indexOf(0, start)) >= 0; start = end + 1) {
      const name = found.stdout.subarray(start, end);
      if (!isUtf8(name)) names.push(escaped(name));
    }
    return names.sort();
  } catch {
    return [];
  }
}

function escaped(bytes: Uint8Array): string {
  return Array.from(bytes, (b) => {
    return b >= 0x20 && b < 0x7f && b !== 0x5c
      ? String.fromCharCode(b)
      : `\\x${b.toString(16).padStart(2, "0")}`;
  }).join("");
}
