import { MAX_FILE_BYTES } from "../../patch/refusal.ts";
import { Failure } from "../../vocabulary/failure.ts";
import { printablePath } from "../../vocabulary/printable.ts";
import type { OperationSide } from "../operations.ts";
import type { Store } from "../store.ts";

/**
 * The bytes of a file that takes part in a merge, in a folder and in a rebase alike.
 * @throws Failure `file_too_large` (malformed): over `MAX_FILE_BYTES`; `blob_missing`, `blob_corrupt` (malformed)
 */
export function mergedFile(
  { blobs }: Pick<Store, "blobs">,
  path: string,
  { sha256, size }: Pick<OperationSide, "sha256" | "size">,
): Uint8Array {
  if (size <= MAX_FILE_BYTES) return blobs.read(sha256, MAX_FILE_BYTES);
  throw new Failure("malformed", "file_too_large", `${printablePath(path)} is too large to be merged`, {
    hint: `files are merged up to ${MAX_FILE_BYTES >> 20} MiB; propose the change anew against what is there`,
  });
}
