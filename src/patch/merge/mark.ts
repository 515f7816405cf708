import type { ByteString } from "../../vocabulary/patch.ts";
import { byteStringOfText } from "../bytes.ts";
import type { Place } from "./places.ts";

/** What stands behind the markers. */
export interface MergeLabels {
  readonly ours: string;
  readonly theirs: string;
}

interface Sides {
  readonly base: readonly ByteString[];
  readonly ours: readonly ByteString[];
  readonly theirs: readonly ByteString[];
}

/** A conflict between markers. */
export function mark(
  oursLines: readonly ByteString[],
  theirsLines: readonly ByteString[],
  labels: MergeLabels,
  eol: string,
): ByteString {
  const label = (text: string) => text === "" ? "" : ` ${byteStringOfText(text.replaceAll(/[\r\n]/g, " "))}`;
  return [
    `<<<<<<<${label(labels.ours)}${eol}`,
    ended(oursLines, eol),
    `=======${eol}`,
    ended(theirsLines, eol),
    `>>>>>>>${label(labels.theirs)}${eol}`,
  ].join("") as ByteString;
}

/** Ours and then theirs, on lines of their own. */
export function union(
  oursLines: readonly ByteString[],
  theirsLines: readonly ByteString[],
  eol: string,
): ByteString {
  return (ended(oursLines, eol) + theirsLines.join("")) as ByteString;
}

function ended(lines: readonly ByteString[], eol: string): string {
  const text = lines.join("");
  return text === "" || text.endsWith("\n") ? text : text + eol;
}

/** CRLF where both sides end the line before the place with it, or their first line, and so does the base's first. */
export function endOfLines({ base, ours, theirs }: Sides, place: Place): "\n" | "\r\n" {
  const carriage = isCrlf(ours, Math.max(0, place.oursFrom - 1)) !== false &&
    isCrlf(theirs, Math.max(0, place.theirsFrom - 1)) !== false;
  return carriage && isCrlf(base, 0) ? "\r\n" : "\n";
}

/** Null when a file has no line feed to tell by. */
function isCrlf(lines: readonly ByteString[], at: number): boolean | null {
  const line = lines[at];
  if (line === undefined) return null;
  if (line.endsWith("\n")) return line.endsWith("\r\n");
  return at === 0 ? null : lines[at - 1]!.endsWith("\r\n");
}
