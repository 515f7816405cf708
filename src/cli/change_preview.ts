import { Buffer } from "node:buffer";
import { diffFiles, type FilePair } from "../patch/diff.ts";
import { quotePath } from "../patch/quote.ts";
import { renderPatch } from "../patch/render.ts";
import type { OperationSide } from "../store/operations.ts";
import type { FileChange } from "../vocabulary/change.ts";
import type { Blobs } from "../store/store.ts";
import type { RelativePath } from "../vocabulary/path.ts";
import { printablePath } from "../vocabulary/printable.ts";
import { bytesText, type Colour, colourDiff } from "./output.ts";

/** What a path is before and after. */
export interface PathChange {
  readonly path: string;
  readonly before: OperationSide | null;
  readonly after: OperationSide | null;
}

/** Larger files are named and not shown. */
const MAX_SHOWN_FILE = 4 << 20;
/** UTF-16 units of a preview. */
const MAX_SHOWN = 4 << 20;
const PROBE = 8_000;

/** One line for each path: what happens to it, sizes before and after. */
export function changeLines(paths: readonly PathChange[], c: Colour): string[] {
  return paths.map(({ path, before, after }) => {
    const [sign, paint] = before === null
      ? ["A", c.green] as const
      : after === null
      ? ["D", c.red] as const
      : ["M", c.yellow] as const;
    const size = (side: OperationSide | null) => side === null ? "-" : bytesText(side.size);
    const mode = before !== null && after !== null && before.mode !== after.mode
      ? `, ${before.mode} -> ${after.mode}`
      : "";
    return `  ${paint(sign)} ${printablePath(path)}  ${c.dim(`${size(before)} -> ${size(after)}${mode}`)}`;
  });
}

/**
 * A patch from before to after, as git writes it; binary and very large files are named, and what is too long is cut.
 * @param changes that are made or only planned: what they write need not be in the store
 */
export function changePatch(
  paths: readonly PathChange[],
  changes: readonly FileChange[],
  blobs: Pick<Blobs, "read">,
): string {
  const written = new Map<string, Uint8Array>();
  for (const change of changes) if (change.kind === "write") written.set(change.path, change.bytes);
  const parts: string[] = [];
  let length = 0;
  for (const { path, before, after } of paths) {
    const shown = (side: OperationSide | null, bytes?: Uint8Array): FilePair["old"] =>
      side === null || side.size > MAX_SHOWN_FILE
        ? null
        : { mode: side.mode, bytes: bytes ?? blobs.read(side.sha256, MAX_SHOWN_FILE) };
    const [old, now] = [shown(before), shown(after, written.get(path))];
    const large = [before, after].some((side) => side !== null && side.size > MAX_SHOWN_FILE);
    if (large || [old, now].some((side) => side !== null && side.bytes.subarray(0, PROBE).includes(0))) {
      parts.push(`diff --git ${quotePath(`a/${path}`)} ${quotePath(`b/${path}`)}\nBinary or large file\n`);
      continue;
    }
    const name = path as RelativePath;
    const pair: FilePair = { oldPath: old && name, old, newPath: now && name, new: now };
    const part = renderPatch(diffFiles([pair]));
    length += part.length;
    if (length > MAX_SHOWN) {
      parts.push("cut here: the rest is too long to be shown\n");
      break;
    }
    parts.push(part);
  }
  return Buffer.from(parts.join(""), "latin1").toString("utf8");
}

export function colouredPatch(patch: string, c: Colour): string {
  return colourDiff(patch.replace(/\n$/, ""), c);
}

export function changesJson(paths: readonly PathChange[]) {
  return paths.map(({ path, before, after }) => ({ path, before, after }));
}
