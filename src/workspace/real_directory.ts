import { resolve } from "node:path";
import { Failure } from "../vocabulary/failure.ts";
import { printablePath } from "../vocabulary/printable.ts";

/**
 * A directory's absolute path without links.
 * @param named may be relative or reached through links
 * @param hint what to do when there is none
 * @throws Failure `workspace_missing` (usage)
 */
export async function realDirectory(named: string, hint: string): Promise<string> {
  try {
    const real = await Deno.realPath(resolve(named));
    if (!(await Deno.stat(real)).isDirectory) throw new Error("not a directory");
    return real;
  } catch (cause) {
    const message = `${printablePath(named)} is not a directory that can be read`;
    throw new Failure("usage", "workspace_missing", message, { hint, cause });
  }
}
