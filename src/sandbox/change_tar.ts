import type { Readable } from "node:stream";
import { pack } from "tar-stream";
import type { FileChange } from "../vocabulary/change.ts";
import type { SandboxUser } from "./docker/limits.ts";

export interface TarDirectory {
  /** Absolute POSIX path. */
  readonly path: string;
  readonly owner: SandboxUser;
}

type Write = Extract<FileChange, { kind: "write" }>;

/**
 * A tar, for the container's root, of some directories and then some files of the workspace.
 * @param directories made anew, parents before children
 */
export function changeTar(
  workdir: string,
  directories: readonly TarDirectory[],
  files: readonly Write[],
  owner: SandboxUser,
): Readable {
  const tar = pack();
  // Files of a patch are newer than the base they change, so that build tools see them.
  const mtime = new Date();
  for (const made of directories) {
    tar.entry({ name: `${made.path.slice(1)}/`, type: "directory", mode: 0o755, mtime, ...made.owner });
  }
  for (const file of files) {
    const mode = file.mode === "100755" ? 0o755 : 0o644;
    tar.entry({ name: `${workdir}/${file.path}`.slice(1), mode, mtime, ...owner }, Buffer.from(file.bytes));
  }
  tar.finalize();
  return tar as unknown as Readable;
}
