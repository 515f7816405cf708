import { basename, dirname } from "node:path";
import { fileURLToPath } from "node:url";

/** A version that no start has used for so many days is removed; the launcher of the portable file does it. */
export const KEEP_DAYS = 30;

/** What portable files of this user have unpacked beside the version that runs. */
export interface PortableCache {
  readonly folder: string;
  readonly versions: number;
  /** Of all files in the folder, as they are long. */
  readonly bytes: number;
}

/**
 * Looks at the folder that the portable file unpacked itself into. What goes while it looks is not counted.
 * @param root folder of the program, ending in a slash
 * @returns null when the program does not run from such a folder
 */
export async function portableCache(
  root: URL = new URL("../", import.meta.url),
): Promise<PortableCache | null> {
  if (root.protocol !== "file:") return null;
  const tree = fileURLToPath(root).replace(/\/$/, "");
  const version = dirname(tree);
  if (basename(tree) !== "tree" || !isVersion(basename(version))) return null;
  const folder = dirname(version);
  const names = await Array.fromAsync(Deno.readDir(folder)).catch(() => []);
  const versions = names.filter(({ name, isDirectory }) => isDirectory && isVersion(name)).length;
  return { folder, versions, bytes: await bytesBelow(folder) };
}

const isVersion = (name: string) => /^[0-9a-f]{64}$/.test(name);

async function bytesBelow(folder: string): Promise<number> {
  let bytes = 0;
  for (const { name, isDirectory } of await Array.fromAsync(Deno.readDir(folder)).catch(() => [])) {
    const path = `${folder}/${name}`;
    if (isDirectory) bytes += await bytesBelow(path);
    else bytes += (await Deno.lstat(path).catch(() => null))?.size ?? 0;
  }
  return bytes;
}
