import type { Evidence } from "./evidence.ts";

/** A file inside the folder that a call judges by: whoever changes it decides what is approved from then on. */
export interface FileInUse {
  /** Relative to the folder; one file may be there under several names. */
  readonly path: string;
  readonly what: "trust file" | "policy";
}

/** The files in use among some paths. Neither case counts nor how a character is composed: for some systems it does not. */
export function filesInUse(paths: Iterable<string>, inUse: readonly FileInUse[]): readonly FileInUse[] {
  const touched = new Set([...paths].map(plain));
  return inUse.filter(({ path }) => touched.has(plain(path)));
}

/** Every path that a change is about, also those that its renames leave. */
export function pathsOf({ patch }: Pick<Evidence, "patch">): string[] {
  return patch.files.flatMap(({ path, old_path }) => old_path === null ? [path] : [path, old_path]);
}

function plain(path: string): string {
  return path.normalize("NFC").toLowerCase();
}
