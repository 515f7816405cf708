/**
 * The regular files at or below a path, sorted.
 * @param path relative to `root`, as are the results
 */
export async function filesBelow(root: string, path: string): Promise<string[]> {
  if ((await Deno.stat(`${root}/${path}`)).isFile) return [path];
  const found: string[] = [];
  for await (const { name, isDirectory, isFile } of Deno.readDir(`${root}/${path}`)) {
    if (isFile) found.push(`${path}/${name}`);
    if (isDirectory) found.push(...await filesBelow(root, `${path}/${name}`));
  }
  return found.sort();
}

/** Lays files into a folder. */
export async function writeFiles(folder: string, files: ReadonlyMap<string, Uint8Array>): Promise<void> {
  for (const [path, bytes] of files) {
    await Deno.mkdir(`${folder}/${path}`.replace(/\/[^/]*$/, ""), { recursive: true });
    await Deno.writeFile(`${folder}/${path}`, bytes);
  }
}
