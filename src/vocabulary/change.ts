import type { FileMode } from "./manifest.ts";
import type { RelativePath } from "./path.ts";

/** What becomes of one path when a patch is applied: its whole new content, or its removal. */
export type FileChange =
  | {
    readonly kind: "write";
    readonly path: RelativePath;
    readonly mode: FileMode;
    readonly bytes: Uint8Array;
  }
  | { readonly kind: "delete"; readonly path: RelativePath };
