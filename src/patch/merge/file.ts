import type { ByteString } from "../../vocabulary/patch.ts";
import { bytesOf, byteString, sameBytes } from "../bytes.ts";
import { splitLines } from "../lines.ts";
import { MAX_FILE_BYTES } from "../refusal.ts";
import { endOfLines, mark, type MergeLabels, union } from "./mark.ts";
import type { Conflict, ConflictReason, FileMerge, MergePiece, MergeStrategy } from "./merged.ts";
import { mergePlaces } from "./places.ts";

/** Most lines of a file that is merged. */
const MAX_LINES = 1_000_000;
/** Comparisons spent on aligning three files. */
const MAX_WORK = 100_000_000;

/**
 * Merges what two sides made of a base, line by line, as `git merge-file` does it. Lines are bytes up to and with
 * their line feed, so that any encoding, CRLF and a missing last line feed stay. Deterministic, no clock; bounded at
 * 64 MiB and a million lines a file, and in comparisons.
 * @param strategy what becomes of the places both sides changed: `union` takes ours and then theirs
 * @returns the merged bytes, or the conflicts in order: `both_changed` for lines; `not_text` and `too_large` stand
 *   for the whole file
 */
export function mergeFile(
  base: Uint8Array,
  ours: Uint8Array,
  theirs: Uint8Array,
  strategy: MergeStrategy,
  labels: MergeLabels = { ours: "ours", theirs: "theirs" },
): FileMerge {
  const files = [base, ours, theirs];
  if (files.some((bytes) => bytes.length > MAX_FILE_BYTES)) return whole(base, ours, theirs, "too_large");
  if (files.some((bytes) => bytes.includes(0))) return whole(base, ours, theirs, "not_text");
  const lines = {
    base: splitLines(byteString(base)),
    ours: splitLines(byteString(ours)),
    theirs: splitLines(byteString(theirs)),
  };
  if (Object.values(lines).some((some) => some.length > MAX_LINES)) {
    return whole(base, ours, theirs, "too_large");
  }
  const numbers = new Map<string, number>();
  const numbered = (some: readonly ByteString[]) =>
    Int32Array.from(some, (line) => {
      const known = numbers.get(line) ?? numbers.size;
      numbers.set(line, known);
      return known;
    });
  const places = mergePlaces(
    { base: numbered(lines.base), ours: numbered(lines.ours), theirs: numbered(lines.theirs) },
    (line) => /[0-9A-Za-z]/.test(lines.ours[line]!),
    { left: MAX_WORK },
  );
  if (places === null) return whole(base, ours, theirs, "too_large");
  if (places === "ours") return { clean: true, bytes: ours };
  if (places === "theirs") return { clean: true, bytes: theirs };
  const pieces: MergePiece[] = [], regions: Conflict[] = [], marked: string[] = [];
  let agreed = "", at = 0;
  const keep = (text: string) => {
    agreed += text;
    marked.push(text);
  };
  for (const place of places) {
    if (place.take === "same") continue;
    keep(lines.ours.slice(at, place.oursFrom).join(""));
    at = place.oursTo;
    const oursLines = lines.ours.slice(place.oursFrom, place.oursTo);
    const theirsLines = lines.theirs.slice(place.theirsFrom, place.theirsTo);
    const take = place.take === "conflict" && strategy !== "manual" ? strategy : place.take;
    const eol = endOfLines(lines, place);
    if (take === "ours") keep(oursLines.join(""));
    else if (take === "theirs") keep(theirsLines.join(""));
    else if (take === "union") keep(union(oursLines, theirsLines, eol));
    else {
      const text = mark(oursLines, theirsLines, labels, eol);
      pieces.push(
        { kind: "agreed", bytes: agreed as ByteString },
        { kind: "conflict", index: regions.length, marked: text, eol },
      );
      marked.push(text);
      agreed = "";
      regions.push({
        line: place.oursFrom + 1,
        baseLines: lines.base.slice(place.baseFrom, place.baseTo),
        oursLines,
        theirsLines,
        reason: "both_changed",
      });
    }
  }
  keep(lines.ours.slice(at).join(""));
  const bytes = bytesOf(marked.join("") as ByteString);
  if (regions.length === 0) return { clean: true, bytes };
  pieces.push({ kind: "agreed", bytes: agreed as ByteString });
  return { clean: false, regions, marked: bytes, pieces };
}

/** A file that cannot be merged by lines; the sides are still the same as one another or the base, or a conflict. */
function whole(base: Uint8Array, ours: Uint8Array, theirs: Uint8Array, reason: ConflictReason): FileMerge {
  if (sameBytes(base, theirs) || sameBytes(ours, theirs)) return { clean: true, bytes: ours };
  if (sameBytes(base, ours)) return { clean: true, bytes: theirs };
  const region: Conflict = { line: 1, baseLines: [], oursLines: [], theirsLines: [], reason };
  return { clean: false, regions: [region], marked: ours, pieces: [] };
}
