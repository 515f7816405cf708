import type { Readable } from "node:stream";
import { pack } from "tar-stream";
import type { TarSource } from "../../src/sandbox/sandbox.ts";
import type { TarPlacement } from "../../src/vocabulary/tar_placement.ts";

/** A tree to stream in. Missing parent directories are added; entries keep their order. */
export type TarEntry =
  | { readonly path: string; readonly kind: "file"; readonly text: string; readonly mode?: number }
  | {
    readonly path: string;
    readonly kind: "pattern";
    readonly size: number;
    readonly chunk: (offset: number, length: number) => Uint8Array;
  }
  | { readonly path: string; readonly kind: "link"; readonly target: string }
  | { readonly path: string; readonly kind: "directory"; readonly mode?: number };

export function file(path: string, text: string, mode = 0o644): TarEntry {
  return { path, kind: "file", text, mode };
}

export function link(path: string, target: string): TarEntry {
  return { path, kind: "link", target };
}

export function directory(path: string): TarEntry {
  return { path, kind: "directory" };
}

const CHUNK = 64 * 1024;

/** A tar source of these entries, made while it is read, with the owner and prefix the sandbox asks for. */
export function tarOf(entries: readonly TarEntry[]): TarSource {
  return (options: TarPlacement) => stream(entries, options);
}

async function* stream(entries: readonly TarEntry[], { uid, gid, prefix }: TarPlacement) {
  const tar = pack();
  const common = { uid, gid, mtime: new Date(0) };
  const made = new Set<string>();

  const addDirectory = (path: string, mode = 0o755) => {
    if (path === "" || made.has(path)) return;
    made.add(path);
    tar.entry({ ...common, name: `${path}/`, type: "directory", mode });
  };
  const addParents = (path: string) => {
    const segments = path.split("/").slice(0, -1);
    for (let n = 1; n <= segments.length; n++) addDirectory(segments.slice(0, n).join("/"));
  };

  const fill = async () => {
    addParents(prefix);
    for (const entry of entries) {
      const name = prefix + entry.path;
      addParents(name);
      if (entry.kind === "directory") addDirectory(name, entry.mode);
      else if (entry.kind === "link") {
        tar.entry({ ...common, name, type: "symlink", linkname: entry.target, mode: 0o777 });
      } else {
        const { size, chunk, mode } = content(entry);
        const sink = tar.entry({ ...common, name, mode, size });
        for (let offset = 0; offset < size; offset += CHUNK) {
          const drained = sink.write(chunk(offset, Math.min(CHUNK, size - offset)));
          if (!drained) await new Promise<void>((go) => sink.once("drain", () => go()));
        }
        const finished = new Promise<void>((go) => sink.once("finish", () => go()));
        (sink as unknown as { end(): void }).end();
        await finished;
      }
    }
    tar.finalize();
  };

  fill().catch((error) => tar.destroy(error instanceof Error ? error : new Error(String(error))));
  try {
    for await (const chunk of tar as unknown as Readable) yield chunk as Uint8Array;
  } finally {
    tar.destroy();
  }
}

function content(entry: TarEntry & { kind: "file" | "pattern" }) {
  if (entry.kind === "pattern") return { size: entry.size, chunk: entry.chunk, mode: 0o644 };
  const bytes = new TextEncoder().encode(entry.text);
  const chunk = (offset: number, length: number) => bytes.subarray(offset, offset + length);
  return { size: bytes.length, chunk, mode: entry.mode ?? 0o644 };
}
