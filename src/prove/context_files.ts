import type { ManifestEntry } from "../vocabulary/manifest.ts";

/** Larger files are not read. */
const MAX_FILE_BYTES = 512 << 10;
/** A file read for its imports is at most this many; evidence beyond them is not followed. */
const MAX_READS = 60;
/** Longer lines are generated or data. */
const MAX_LINE = 2000;
const MAX_SUFFIX_MATCHES = 3;

export interface SourceFile {
  readonly path: string;
  readonly bytes: Uint8Array;
  readonly text: string;
  /** Without their line feeds; no empty one after a last line feed. */
  readonly lines: readonly string[];
}

/** The manifest as something to find files in, and the only door to their bytes. */
export class ContextFiles {
  readonly #cache = new Map<string, Promise<SourceFile | null>>();
  #byName: Map<string, string[]> | undefined;
  #byDirectory: Map<string, string[]> | undefined;

  constructor(
    private readonly entries: ReadonlyMap<string, ManifestEntry>,
    private readonly readBytes: (path: string) => Promise<Uint8Array | null>,
  ) {}

  /** Whether a regular file stands at exactly this path. */
  has(path: string): boolean {
    return this.entries.get(path)?.mode.startsWith("100") ?? false;
  }

  size(path: string): number {
    return this.entries.get(path)?.size ?? 0;
  }

  paths(): Iterable<string> {
    return this.entries.keys();
  }

  /** The path itself, else the few files whose path ends with it; none when there are many. */
  ending(path: string): readonly string[] {
    if (this.has(path)) return [path];
    const name = path.slice(path.lastIndexOf("/") + 1);
    const matches = this.#names().get(name)?.filter((candidate) => candidate.endsWith(`/${path}`)) ?? [];
    return matches.length <= MAX_SUFFIX_MATCHES ? matches : [];
  }

  /** Files directly in a directory, "" for the top. */
  inDirectory(directory: string): readonly string[] {
    this.#byDirectory ??= this.#group(directoryOf);
    return this.#byDirectory.get(directory) ?? [];
  }

  /** Directories whose path is this one or ends with it, fewer segments first. */
  directoriesEnding(directory: string): readonly string[] {
    this.#byDirectory ??= this.#group(directoryOf);
    if (directory === "") return [];
    return [...this.#byDirectory.keys()]
      .filter((candidate) => candidate === directory || candidate.endsWith(`/${directory}`))
      .sort((a, b) => a.length - b.length)
      .slice(0, MAX_SUFFIX_MATCHES);
  }

  /** The text of a file; null when it is not in the manifest, binary, too large, or enough was read already. */
  read(path: string): Promise<SourceFile | null> {
    let file = this.#cache.get(path);
    if (file === undefined) {
      if (!this.has(path) || this.size(path) > MAX_FILE_BYTES || this.#cache.size >= MAX_READS) {
        return Promise.resolve(null);
      }
      file = this.#load(path);
      this.#cache.set(path, file);
    }
    return file;
  }

  async #load(path: string): Promise<SourceFile | null> {
    const bytes = await this.readBytes(path);
    if (bytes === null || bytes.length > MAX_FILE_BYTES || bytes.subarray(0, 8192).includes(0)) return null;
    const text = new TextDecoder().decode(bytes);
    const lines = linesOf(text);
    return lines.some((line) => line.length > MAX_LINE) ? null : { path, bytes, text, lines };
  }

  #names(): Map<string, string[]> {
    this.#byName ??= this.#group((path) => path.slice(path.lastIndexOf("/") + 1));
    return this.#byName;
  }

  #group(key: (path: string) => string): Map<string, string[]> {
    const groups = new Map<string, string[]>();
    for (const path of this.entries.keys()) {
      if (!this.has(path)) continue;
      const group = groups.get(key(path));
      if (group === undefined) groups.set(key(path), [path]);
      else group.push(path);
    }
    return groups;
  }
}

/** Without their line feeds; no empty one after a last line feed. */
export function linesOf(text: string): string[] {
  const lines = text.split("\n");
  if (lines.at(-1) === "") lines.pop();
  return lines;
}

/** The directory that a path lies in; empty at the top. */
export function directoryOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf("/")));
}

/** Joins and normalizes; null when it leaves the workspace. */
export function joined(directory: string, relative: string): string | null {
  const segments: string[] = [];
  for (const segment of `${directory}/${relative}`.split("/")) {
    if (segment === "" || segment === ".") continue;
    if (segment === "..") {
      if (segments.pop() === undefined) return null;
    } else segments.push(segment);
  }
  return segments.join("/");
}

const TEST_DIRECTORY = /(?:^|\/)(?:tests?|__tests__|specs?|testdata)\//;
const TEST_NAME =
  /(?:^|\/)(?:test[_-][^/]*|tests?\.[^/.]+|conftest\.py|[^/]*[_.-](?:test|spec)s?\.[^/.]+|[^/]*Tests?\.[^/.]+|[^/]*\.bats)$/;

/** Whether a path is a test by the habits of the usual languages. */
export function isTest(path: string): boolean {
  return TEST_DIRECTORY.test(path) || TEST_NAME.test(path);
}
