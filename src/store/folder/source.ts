import { createHash } from "node:crypto";
import { closeSync, readSync } from "node:fs";
import { openFile } from "../../workspace/directory_handles.ts";
import type { Source } from "../artifact/upkeep.ts";
import { scanWorkspace } from "./scan.ts";

const CHUNK = 1 << 20;

/**
 * Files of a workspace by size and digest. Only those of a size that is asked for are read, each once.
 * @param root absolute, without links
 */
export async function workspaceSource(root: string): Promise<Source> {
  const bySize = new Map<number, string[]>();
  for (const entry of (await scanWorkspace(root, new Set())).pieces) {
    if (entry.kind !== "file") continue;
    const same = bySize.get(entry.size);
    if (same === undefined) bySize.set(entry.size, [entry.path]);
    else same.push(entry.path);
  }
  const digests = new Map<string, string>();
  const read = new Set<number>();
  return (digest, size) => {
    if (!read.has(size)) {
      read.add(size);
      for (const path of bySize.get(size) ?? []) {
        const hash = createHash("sha256");
        for (const chunk of chunksOf(`${root}/${path}`)) hash.update(chunk);
        digests.set(hash.digest("hex"), path);
      }
    }
    const path = digests.get(digest);
    return path === undefined ? null : chunksOf(`${root}/${path}`);
  };
}

/** Whoever takes the bytes checks their digest again. */
function* chunksOf(path: string): Generator<Uint8Array> {
  const fd = openFile(path);
  try {
    for (;;) {
      const chunk = new Uint8Array(CHUNK);
      const length = readSync(fd, chunk, 0, chunk.length, null);
      if (length === 0) return;
      yield chunk.subarray(0, length);
    }
  } finally {
    closeSync(fd);
  }
}
