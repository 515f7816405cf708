/** Three-way merge: of a file's lines, of trees, and what a person says of the conflicts. */
export { mergeFile } from "./merge/file.ts";
export { mergeEntry, mergeTrees } from "./merge/trees.ts";
export { resolveFile, resolveRegions } from "./merge/resolve.ts";
export type { MergeLabels } from "./merge/mark.ts";
export type * from "./merge/merged.ts";
