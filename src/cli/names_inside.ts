import { basename, dirname, isAbsolute, join, relative, resolve } from "node:path";

/**
 * The names that a file has inside a directory, relative to it: as it is called, and as the file that links lead to.
 * Empty for one outside. The file, or folders above it, need not be there yet.
 */
export async function namesInside(directory: string, file: string): Promise<readonly string[]> {
  const roots = [resolve(directory), await real(directory)];
  const names = [resolve(file), await real(file), join(await real(dirname(file)), basename(file))];
  return [
    ...new Set(roots.flatMap((root) => names.map((name) => relative(root, name)))),
  ].filter((name) => name !== "" && name !== ".." && !name.startsWith("../") && !isAbsolute(name));
}

/** Where a path leads: links are followed as far as there is something. */
async function real(path: string): Promise<string> {
  const whole = resolve(path);
  for (let there = whole;; there = dirname(there)) {
    const found = await Deno.realPath(there).catch(() => null);
    if (found !== null) return join(found, relative(there, whole));
    if (dirname(there) === there) return whole;
  }
}
