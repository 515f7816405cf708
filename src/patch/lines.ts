import type { ByteString, HunkLine } from "../vocabulary/patch.ts";

/** The lines of a file, each with its line feed; only the last can lack one. Joined they are the file again. */
export function splitLines(content: ByteString): ByteString[] {
  const lines: ByteString[] = [];
  let from = 0;
  while (from < content.length) {
    const at = content.indexOf("\n", from);
    const to = at < 0 ? content.length : at + 1;
    lines.push(content.slice(from, to) as ByteString);
    from = to;
  }
  return lines;
}

/** Joins lines; one that lacks its line feed and is not the last gets one, so that no two lines ever fuse. */
export function joinLines(lines: readonly ByteString[]): ByteString {
  const last = lines.length - 1;
  return lines.map((l, i) => i < last && !l.endsWith("\n") ? l + "\n" : l).join("") as ByteString;
}

/** A hunk line as the file holds it, line feed included. */
export function rawLine(line: HunkLine): ByteString {
  return (line.newline ? line.text + "\n" : line.text) as ByteString;
}

/** The reverse of `rawLine`. */
export function hunkLine(op: HunkLine["op"], raw: ByteString): HunkLine {
  const newline = raw.endsWith("\n");
  return { op, text: (newline ? raw.slice(0, -1) : raw) as ByteString, newline };
}
