import type { ByteString } from "../../vocabulary/patch.ts";
import { bytesOf, byteString } from "../bytes.ts";
import { union } from "./mark.ts";
import type { Conflict, FileMerge, MergePiece, Resolution } from "./merged.ts";

/**
 * Ends some conflicts of a file as a person says.
 * @param resolutions by place in `regions`; the conflicts not named stay, counted anew
 * @returns the merge with what is left, clean when nothing is
 * @throws RangeError for a conflict that is not there, or one that is about the file as a whole
 */
export function resolveRegions(merge: FileMerge, resolutions: ReadonlyMap<number, Resolution>): FileMerge {
  if (merge.clean) {
    if (resolutions.size > 0) throw new RangeError("the file has no conflicts");
    return merge;
  }
  for (const index of resolutions.keys()) {
    if (merge.regions[index] === undefined) throw new RangeError(`there is no conflict ${index}`);
    if (merge.pieces.length === 0) throw new RangeError("the conflict is about the whole file");
  }
  const regions: Conflict[] = [], pieces: MergePiece[] = [];
  const marked: string[] = [];
  let agreed = "", eol: string = "\n", open = false;
  const keep = (text: string, mayFuse: boolean) => {
    if (text === "") return;
    // What a person wrote, or a side's last line, may lack the line feed that the lines after it need.
    if (open && !endsInLineFeed()) agreed += eol;
    open = mayFuse;
    agreed += text;
  };
  const endsInLineFeed = () => agreed === "" || agreed.endsWith("\n");
  for (const piece of merge.pieces) {
    if (piece.kind === "agreed") {
      keep(piece.bytes, false);
      continue;
    }
    const region = merge.regions[piece.index]!, resolution = resolutions.get(piece.index);
    eol = piece.eol;
    if (resolution !== undefined) {
      keep(resolved(region, resolution, piece.eol), true);
      continue;
    }
    if (open && !endsInLineFeed()) agreed += eol;
    open = false;
    pieces.push({ kind: "agreed", bytes: agreed as ByteString }, { ...piece, index: regions.length });
    regions.push(region);
    marked.push(agreed, piece.marked);
    agreed = "";
  }
  const bytes = bytesOf(marked.join("") + agreed as ByteString);
  if (regions.length === 0) return { clean: true, bytes };
  pieces.push({ kind: "agreed", bytes: agreed as ByteString });
  return { clean: false, regions, marked: bytes, pieces };
}

/**
 * Ends all conflicts of a file in one way; `edited` is the whole file.
 * @throws RangeError for `both` of a file that has no lines to put together
 */
export function resolveFile(
  merge: FileMerge,
  resolution: Resolution,
  sides: { readonly ours: Uint8Array; readonly theirs: Uint8Array },
): Uint8Array {
  if (typeof resolution === "object") return resolution.edited;
  if (resolution !== "both") return sides[resolution];
  if (merge.clean) return merge.bytes;
  const all = resolveRegions(merge, new Map(merge.regions.map((_, index) => [index, "both"])));
  if (!all.clean) throw new RangeError("not every conflict was resolved");
  return all.bytes;
}

function resolved(region: Conflict, resolution: Resolution, eol: string): string {
  if (typeof resolution === "object") return byteString(resolution.edited);
  if (resolution === "ours") return region.oursLines.join("");
  if (resolution === "theirs") return region.theirsLines.join("");
  return union(region.oursLines, region.theirsLines, eol);
}
