import { closeSync, constants, openSync } from "node:fs";
import { insideOf, openDirectory } from "../../workspace/directory_handles.ts";

const DIRECTORY = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_DIRECTORY ?? 0);

/**
 * Directories of one tree, each opened from the one above and never through a link. Only those above the last path asked
 * for are open: cheap when paths are asked for in order, and no tree has too many.
 */
export class DirectoryCursor {
  readonly #open: { name: string; fd: number; inside: string }[] = [];

  /** @param path of its root, absolute, without links */
  constructor(readonly path: string) {
    const fd = openDirectory(path);
    this.#open.push({ name: "", fd, inside: insideOf(fd, path) });
  }

  /** Descriptor of the root. */
  get root(): number {
    return this.#open[0]!.fd;
  }

  /**
   * @param directory relative, "" for the root
   * @returns its descriptor and a prefix for lookups in it, until the next call
   * @throws the system's error, ELOOP or ENOTDIR when a link or file is in the way
   */
  directory(directory: string): { readonly fd: number; readonly inside: string } {
    const segments = directory === "" ? [] : directory.split("/");
    let depth = 1;
    while (depth < this.#open.length && this.#open[depth]!.name === segments[depth - 1]) depth++;
    for (const { fd } of this.#open.splice(depth)) closeSync(fd);
    for (const segment of segments.slice(depth - 1)) {
      const at = `${this.#open.at(-1)!.inside}/${segment}`;
      const fd = openSync(at, DIRECTORY);
      this.#open.push({ name: segment, fd, inside: insideOf(fd, at) });
    }
    return this.#open.at(-1)!;
  }

  /** A name for a file under which it is reached through the open directories. */
  at(path: string): string {
    const slash = path.lastIndexOf("/");
    return `${this.directory(path.slice(0, Math.max(0, slash))).inside}/${path.slice(slash + 1)}`;
  }

  close(): void {
    for (const { fd } of this.#open.splice(0)) closeSync(fd);
  }
}
