import { resolve } from "node:path";
import { withBundleFolder } from "../bundle/open.ts";
import { type ReadBundle, readBundle } from "../bundle/read.ts";
import { unreadableBundle } from "../bundle/refused.ts";
import { printableLine } from "../vocabulary/printable.ts";
import { watched } from "./watched.ts";

/** Characters of one value. */
const MAX_VALUE = 300;

/**
 * Reads a bundle, folder or `.ppb`, that must hold together.
 * @param quiet whether nothing but the result is said
 * @throws Failure `malformed` with the reader's reason
 */
export async function readBundleAt(path: string, quiet: boolean): Promise<ReadBundle> {
  return await watched(quiet, ({ signal }) =>
    withBundleFolder(resolve(path), async (folder) => {
      const read = await readBundle(folder);
      if (!read.ok) throw unreadableBundle(read.refusal);
      return read.bundle;
    }, signal));
}

/** Hostile text on one line, cut where it is long. */
export function shown(text: string): string {
  return printableLine(text.length > MAX_VALUE ? `${text.slice(0, MAX_VALUE).toWellFormed()} …` : text);
}
