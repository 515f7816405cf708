import type { Sha256 } from "../../vocabulary/digest.ts";
import type { FileMode } from "../../vocabulary/manifest.ts";
import type { OperationSide } from "../operations.ts";

/** What an operation sees at a path; null where no file is: nothing, a directory or a link. */
export function sideOf(
  entry: { readonly mode: string; readonly size: number; readonly sha256: Sha256 } | null | undefined,
): OperationSide | null {
  if (entry == null || !entry.mode.startsWith("100")) return null;
  return { mode: entry.mode as FileMode, size: entry.size, sha256: entry.sha256 };
}

/** Whether two sides are the same file, or both none. */
export function sameSide(a: OperationSide | null, b: OperationSide | null): boolean {
  return a === null || b === null ? a === b : a.sha256 === b.sha256 && a.mode === b.mode;
}
