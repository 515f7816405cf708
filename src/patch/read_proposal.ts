import type { ByteString, Patch } from "../vocabulary/patch.ts";
import { parsePatch } from "./parse.ts";
import type { Notes, RawEdit, RawProposal } from "./proposal.ts";
import { BlockReader, elides } from "./read_blocks.ts";
import { DiffReader } from "./read_diff.ts";
import { infoPath, pathMentions } from "./read_names.ts";
import { type Segment, segments } from "./read_segments.ts";
import { MAX_PATCH_BYTES, refuse, type Refused } from "./refusal.ts";

const MAX_LINES = 200_000;
const MAX_EDITS = 2_000;
const MAX_HUNKS = 10_000;
const BYTE_ORDER_MARK = "\u00ef\u00bb\u00bf";

/** Strict refusals that a looser reading may still make sense of. */
const TRY_LOOSER = new Set([
  "garbage",
  "malformed_header",
  "malformed_hunk",
  "hunk_count_wrong",
  "hunks_overlap",
  "path_touched_twice",
]);

/**
 * Reads what a person or a model wrote: a patch, a diff with faults, SEARCH/REPLACE blocks, whole files in fences,
 * with prose around. Nothing of the workspace is known yet.
 * @param input at most 64 MiB and 200,000 lines, else `too_large`; linear time
 * @returns the proposal, or a refusal: `empty_patch`, `garbage`, `not_text`, `binary_patch`, `submodule`,
 *   `device_or_link_mode`, `mode_not_allowed`, `copy_not_allowed`, `proposal_truncated`, `content_elided`,
 *   `path_*` where an exact patch names a path that is not allowed
 */
export function readProposal(input: ByteString): { ok: true; proposal: RawProposal } | Refused {
  if (input.length > MAX_PATCH_BYTES) return refuse("too_large", `the proposal has ${input.length} bytes`);
  if (input.includes("\0")) return refuse("not_text", "the proposal holds NUL bytes; it is no text");
  const text = input.startsWith(BYTE_ORDER_MARK) ? input.slice(3) : input;
  if (text.trim() === "") return refuse("empty_patch", "the proposal is empty");
  const strict = parsePatch((text.endsWith("\n") ? text : text + "\n") as ByteString);
  if (!strict.ok && !TRY_LOOSER.has(strict.refusal.reason)) return strict;
  const loose = readLoosely(text as ByteString);
  if (strict.ok) {
    const { edits, mentions, notes } = loose.ok ? loose.proposal : { edits: [], mentions: [], notes: [] };
    return {
      ok: true,
      proposal: { exact: strict.patch, exactNotes: ["exact"], edits, mentions, notes },
    };
  }
  return loose;
}

function readLoosely(text: ByteString): { ok: true; proposal: RawProposal } | Refused {
  const notes: Notes = new Set();
  const lines = text.split("\n", MAX_LINES + 1) as ByteString[];
  if (lines.length > MAX_LINES) return refuse("too_large", `the proposal has over ${MAX_LINES} lines`);
  if (lines[lines.length - 1] === "") lines.pop();
  const carriageReturns = lines.length > 1 && lines.every((l) => l.endsWith("\r"));
  if (carriageReturns) notes.add("line_endings_normalized");
  const parts = segments(carriageReturns ? lines.map((l) => l.slice(0, -1) as ByteString) : lines);
  const diffs = new DiffReader(notes), blocks = new BlockReader(notes);
  const whole: RawEdit[] = [];
  let fencedEdits = false;
  for (const part of parts) {
    const known = diffs.edits.length + blocks.edits.length;
    const name = part.fenced ? infoPath(part.info) : null;
    const rest = blocks.read(part.lines, name ?? diffs.lastLabel());
    if ("ok" in rest) return rest;
    const inBlocks = rest.length !== part.lines.length;
    if (part.fenced && !inBlocks && !looksLikeDiff(rest)) {
      const file = wholeFile(part, name ?? diffs.nearLabel(), notes);
      if (file && "ok" in file) return file;
      if (file) whole.push(file);
      diffs.dropLabels();
      continue;
    }
    const refused = diffs.read(rest, name);
    if (refused) return refused;
    if (part.fenced && diffs.edits.length + blocks.edits.length > known) fencedEdits = true;
    if (part.fenced) diffs.dropLabels();
  }
  const edits = [...diffs.edits, ...blocks.edits, ...whole];
  if (edits.length === 0) {
    return diffs.seen ? refuse("empty_patch", "the proposal holds a diff that changes nothing") : refuse(
      "garbage",
      "the proposal holds no diff, no SEARCH/REPLACE block and no whole file with a path",
    );
  }
  if (edits.length > MAX_EDITS || edits.reduce((n, e) => n + e.hunks.length, 0) > MAX_HUNKS) {
    return refuse("too_large", `the proposal has over ${MAX_EDITS} files or ${MAX_HUNKS} hunks`);
  }
  if (fencedEdits) notes.add("fence_removed");
  if (diffs.prose.length > 0) notes.add("prose_ignored");
  const exact = exactInFences(parts, edits.length), mentions = pathMentions(diffs.prose);
  return { ok: true, proposal: { exact, exactNotes: [...notes], edits, mentions, notes: [...notes] } };
}

/** The strict patch that all fenced diffs together are, if they make up the whole proposal. */
function exactInFences(parts: readonly Segment[], edits: number): Patch | null {
  const fenced = parts.filter((p) => p.fenced && p.lines.some((l) => l.startsWith("diff --git ")));
  const parsed = parsePatch(fenced.flatMap((p) => p.lines.map((l) => l + "\n")).join("") as ByteString);
  return parsed.ok && parsed.patch.files.length === edits ? parsed.patch : null;
}

function looksLikeDiff(lines: readonly string[]): boolean {
  return lines.some((l, i) =>
    /^@@+(?:\s|$)/.test(l) || l.startsWith("diff --git ") || /^\*\*\* (?:Begin Patch|\w+ File:)/.test(l) ||
    l.startsWith("--- ") && lines[i + 1]?.startsWith("+++ ")
  );
}

function wholeFile(part: Segment, name: ByteString | null, notes: Notes): RawEdit | Refused | undefined {
  if (name === null || part.lines.length === 0) return undefined;
  if (!part.closed) return refuse("proposal_truncated", `the code fence of ${name} does not end`);
  const elided = part.lines.find(elides);
  if (elided !== undefined) {
    return refuse("content_elided", `the new content of ${name} leaves code out: ${elided.trim()}`);
  }
  notes.add("whole_file");
  return {
    action: "whole",
    names: [name],
    to: [],
    mode: null,
    hunks: [],
    content: part.lines.map((l) => l + "\n").join("") as ByteString,
  };
}
