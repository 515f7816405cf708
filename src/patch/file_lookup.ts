import type { ManifestEntry } from "../vocabulary/manifest.ts";
import type { FileLookup } from "./apply.ts";
import { TreeNames } from "./locate.ts";

/**
 * How applying looks at a base of which only some files were read. Every entry of the manifest is seen; bytes are
 * asked for when they are looked at.
 * @param read bytes of the files that were read, undefined for any other
 * @returns a lookup whose `bytes` throw RangeError for a file that was not read
 */
export function fileLookup(
  entries: ReadonlyMap<string, ManifestEntry>,
  read: (path: string) => Uint8Array | undefined,
): FileLookup {
  const names = new TreeNames(entries);
  return (path) => {
    const entry = entries.get(path);
    if (entry === undefined) return names.isDirectory(path) ? "directory" : null;
    if (entry.mode === "120000") return "link";
    if (entry.mode === "040000") return "directory";
    const mode = entry.mode;
    return {
      mode,
      get bytes() {
        const bytes = read(path);
        if (bytes === undefined) throw new RangeError(`${path} was not read`);
        return bytes;
      },
    };
  };
}
