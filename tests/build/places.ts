import { portable, run } from "./portable.ts";

/** Two folders that the portable file may unpack into: the user's cache, and the one for temporary files. */
export interface Places {
  readonly root: string;
  readonly cache: string;
  readonly temporary: string;
  readonly env: Readonly<Record<string, string>>;
  readonly pp: string;
}

/** A user nobody is: tests run as root take its place where permissions have to hold. */
export const USER = 12345;

/** Argv that runs as an ordinary user, whoever we are. */
export function asUser(argv: readonly string[]): readonly string[] {
  if (Deno.uid() !== 0) return argv;
  return ["setpriv", `--reuid=${USER}`, `--regid=${USER}`, "--clear-groups", ...argv];
}

/** Gives a folder to that user. */
export async function give(path: string): Promise<void> {
  if (Deno.uid() === 0) await Deno.chown(path, USER, USER);
}

/** Fresh places; whoever asks removes `root`. The cache is there and empty. */
export async function freshPlaces(): Promise<Places> {
  const pp = await portable();
  const root = await Deno.realPath(await Deno.makeTempDir({ prefix: "veripatch-test-" }));
  await Deno.chmod(root, 0o755);
  const [cache, temporary] = [`${root}/cache`, `${root}/tmp`];
  for (const place of [cache, temporary]) await Deno.mkdir(place, { mode: 0o700 });
  return { root, cache, temporary, env: { XDG_CACHE_HOME: cache, TMPDIR: temporary }, pp };
}

/** Fresh places, removed afterwards. */
export async function withPlaces(use: (places: Places) => Promise<void>): Promise<void> {
  const places = await freshPlaces();
  try {
    await use(places);
  } finally {
    await Deno.remove(places.root, { recursive: true });
  }
}

let unpacked: Promise<Places> | undefined;

/** Places where the file is unpacked already, for all tests of a file that change nothing there but in `folder`. */
export async function withUnpacked(use: (places: Places, folder: string) => Promise<void>): Promise<void> {
  const places = await (unpacked ??= unpackedPlaces());
  const folder = await Deno.makeTempDir({ dir: places.root });
  try {
    await use(places, folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function unpackedPlaces(): Promise<Places> {
  const places = await freshPlaces();
  globalThis.addEventListener("unload", () => Deno.removeSync(places.root, { recursive: true }));
  const { code, stderr } = await run([places.pp, "--version"], places.env);
  if (code !== 0) throw new Error(stderr);
  return places;
}

/** The one unpacked tree in a cache; null where there is none. */
export async function treeIn(cache: string): Promise<string | null> {
  const base = `${cache}/veripatch/portable`;
  const found = await unpackedIn(base);
  if (found.length > 1) throw new Error(`${base} has ${found.join(", ")}`);
  return found.length === 0 ? null : `${base}/${found[0]}/tree`;
}

/** What lies in a folder that a portable file unpacks into, besides the files that it keeps there for itself. */
export async function unpackedIn(base: string): Promise<string[]> {
  const entries = await Array.fromAsync(Deno.readDir(base)).catch(() => []);
  return entries.map(({ name }) => name).filter((name) => name !== "lock" && name !== "swept").sort();
}

/** Replaces a file's bytes and keeps its size, permissions and time of change as `ls` shows them. */
export async function replaceQuietly(path: string, change: (bytes: Uint8Array) => Uint8Array): Promise<void> {
  const { mtime } = await Deno.stat(path);
  const bytes = await Deno.readFile(path);
  const changed = change(bytes);
  if (changed.length !== bytes.length) throw new Error("the size would tell");
  const file = await Deno.open(path, { write: true });
  await file.write(changed);
  file.close();
  await Deno.utime(path, mtime!, mtime!);
}
