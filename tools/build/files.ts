/** Paths of all regular files below a folder, relative to it and sorted; `""` when it is a file itself. */
export async function filesBelow(path: string): Promise<string[]> {
  if ((await Deno.stat(path)).isFile) return [""];
  const found: string[] = [];
  for await (const { name, isDirectory, isFile } of Deno.readDir(path)) {
    if (isFile) found.push(name);
    if (isDirectory) found.push(...(await filesBelow(`${path}/${name}`)).map((below) => `${name}/${below}`));
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
