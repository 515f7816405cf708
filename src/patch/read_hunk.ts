import type { ByteString } from "../vocabulary/patch.ts";
import type { LooseHunk, Notes } from "./proposal.ts";

interface BodyLine {
  readonly op: " " | "-" | "+";
  text: ByteString;
  newline: boolean;
  /** An empty line without even its sign. */
  readonly bare: boolean;
}

/**
 * Reads a hunk whose header stands at `at` (or, without a header, whose body does), trusting counts only to tell
 * where the body may end.
 * @returns the hunk, null when it changes nothing, and the line after it
 */
export function readHunk(
  lines: readonly ByteString[],
  at: number,
  notes: Notes,
): { hunk: LooseHunk | null; next: number } {
  const stated = /^@@+\s*-(\d{1,9})(?:,(\d{1,9}))?\s+\+(\d{1,9})(?:,(\d{1,9}))?/.exec(lines[at]!);
  const headed = lines[at]!.startsWith("@@");
  const body = readBody(lines, headed ? at + 1 : at, stated ? counts(stated) : null, notes);
  if (stated && !body.counted) notes.add("counts_corrected");
  const start = stated ? Number(stated[1]) : null;
  const place = start === null ? null : stated![2] === "0" ? start : Math.max(0, start - 1);
  const hunk = loose(body.lines, place);
  if (hunk === null || body.countedAt === null) return { hunk, next: body.next };
  const shorter = loose(body.lines.slice(0, body.countedAt), place);
  return { hunk: shorter ? { ...hunk, shorter } : hunk, next: body.next };
}

function counts(stated: RegExpExecArray): { old: number; new: number } {
  return { old: Number(stated[2] ?? 1), new: Number(stated[4] ?? 1) };
}

function loose(body: readonly BodyLine[], at: number | null): LooseHunk | null {
  if (!body.some((l) => l.op !== " ")) return null;
  const side = (leave: "-" | "+") =>
    body.filter((l) => l.op !== leave).map((l) => (l.newline ? l.text + "\n" : l.text) as ByteString);
  return { at, old: side("+"), new: side("-") };
}

function readBody(
  lines: readonly ByteString[],
  from: number,
  expected: { old: number; new: number } | null,
  notes: Notes,
): { lines: BodyLine[]; next: number; counted: boolean; countedAt: number | null } {
  const body: BodyLine[] = [];
  let at = from, old = 0, fresh = 0, countedAt: number | null = null;
  const complete = () => expected !== null && old === expected.old && fresh === expected.new;
  for (; at < lines.length; at++) {
    const line = lines[at]!;
    if (complete() && countedAt === null) countedAt = body.length;
    if (endsHunk(lines, at, complete())) break;
    const op = line[0];
    if (op === "\\") {
      const last = body[body.length - 1];
      if (last) last.newline = false;
      continue;
    }
    const signed = op === " " || op === "-" || op === "+";
    const bare = line === "" || line === "\r";
    if (!signed && !bare && op !== "\t") break;
    if (!bare && op === "\t") notes.add("context_sign_restored");
    body.push({
      op: signed ? op : " ",
      text: (signed ? line.slice(1) : line) as ByteString,
      newline: true,
      bare,
    });
    if (op !== "+") old++;
    if (op !== "-") fresh++;
  }
  if (complete() && countedAt === null) countedAt = body.length;
  // Empty lines after the last real one belong to the prose unless the counts claim them.
  while (!complete() && body.length > 0 && body[body.length - 1]!.bare) {
    body.pop();
    old--;
    fresh--;
  }
  if (body.some((l) => l.bare)) notes.add("blank_context_restored");
  const counted = expected === null || complete();
  // A blank line right after a complete hunk may begin prose whose list signs look like changes.
  const mayEnd = countedAt !== null && countedAt < body.length && body[countedAt]!.bare;
  return { lines: body, next: at, counted, countedAt: mayEnd ? countedAt : null };
}

function endsHunk(lines: readonly ByteString[], at: number, complete: boolean): boolean {
  const line = lines[at]!, next = lines[at + 1], afterNext = lines[at + 2];
  if (line.startsWith("@@") || line.startsWith("diff --git ") || line.startsWith("*** ")) return true;
  if (line.startsWith("--- ") && next?.startsWith("+++ ")) {
    return afterNext?.startsWith("@@") === true || complete && afterNext === undefined;
  }
  // What git format-patch signs its mails with.
  return /^-- ?\r?$/.test(line) && (complete || /^\d+\.\d+/.test(next ?? ""));
}
