import type { ByteString } from "../vocabulary/patch.ts";
import { type ExtendedHeader, gitHeaderNames, takeHeaderLine } from "./header.ts";
import type { LooseHunk, Notes, RawEdit } from "./proposal.ts";
import { readHunk } from "./read_hunk.ts";
import { announcedPath, headerNames, labelledName, labelPath } from "./read_names.ts";
import type { Refused } from "./refusal.ts";

/** Lines of an `*** Begin Patch` block. Nothing in it can match in two ways: lines may be megabytes long. */
const CODEX =
  /^\*\*\* (Begin Patch|End Patch|End of File|Update File|Add File|Delete File|Move to)(?:\s*|:(.*))$/;

interface Draft {
  old: ByteString | null | undefined;
  new: ByteString | null | undefined;
  readonly header: ExtendedHeader;
  labelled: boolean;
  /** Begun by an `*** Update File` line: no prefixes to strip, and hunks need no header. */
  readonly plain: boolean;
  /** Named by prose, or not at all. */
  unnamed: boolean;
  readonly hunks: LooseHunk[];
}

/** Reads diffs out of a proposal's segments, one after the other; what a file is called may stand in an earlier one. */
export class DiffReader {
  readonly edits: RawEdit[] = [];
  /** Lines that were no part of any diff. */
  readonly prose: string[] = [];
  /** Whether anything looked like a diff, even if nothing came of it. */
  seen = false;
  private draft: Draft | null = null;
  private label: ByteString | null = null;
  /** The label, if the last line that is not blank is one. */
  private near: ByteString | null = null;
  private lastNames: readonly ByteString[] = [];

  constructor(private readonly notes: Notes) {}

  /**
   * Reads a run of lines.
   * @param name what the fence around them is called, if it is
   * @returns a refusal for what is never allowed: binary content, submodules, links, modes, copies
   */
  read(lines: readonly ByteString[], name: ByteString | null): Refused | undefined {
    if (name !== null) this.label = name;
    for (let at = 0; at < lines.length;) {
      const next = this.step(lines, at);
      if (typeof next !== "number") return next;
      at = next;
    }
    this.flush();
  }

  /** The latest path prose was a label with. */
  lastLabel(): ByteString | null {
    return this.label;
  }

  /** What a code fence that follows right now is called. */
  nearLabel(): ByteString | null {
    return this.near;
  }

  /** Forgets labels, once the fence they stood over has ended. */
  dropLabels(): void {
    this.label = this.near = null;
  }

  private step(lines: readonly ByteString[], at: number): number | Refused {
    const raw = lines[at]!;
    const line = (raw.endsWith("\r") ? raw.slice(0, -1) : raw) as ByteString;
    const next = lines[at + 1], header = this.draft?.header ?? { created: false, deleted: false };
    if (line.startsWith("diff --git ")) {
      this.flush();
      const pair = headerPair(line.slice("diff --git ".length));
      this.open(pair?.[0], pair?.[1], false);
      return at + 1;
    }
    const codex = CODEX.exec(line);
    if (codex) return this.codexLine(lines, at, codex[1]!, (codex[2] ?? "").trim() as ByteString);
    const bodyless = this.draft === null || !this.draft.labelled && this.draft.hunks.length === 0;
    if (bodyless) {
      const taken = takeHeaderLine(line, header);
      if (taken === true && this.draft) return at + 1;
      if (typeof taken !== "boolean" && (this.draft || taken.refusal.reason === "binary_patch")) return taken;
    }
    const labels = this.labels(lines, at);
    if (labels) {
      if (!this.draft || !bodyless) {
        this.flush();
        this.open(undefined, undefined, false);
        this.notes.add("headers_missing");
      }
      const draft = this.draft!;
      draft.labelled = true;
      if (labels.old !== undefined) draft.old = labels.old === "/dev/null" ? null : labels.old;
      if (labels.new !== undefined) draft.new = labels.new === "/dev/null" ? null : labels.new;
      return at + (labels.old !== undefined && labels.new !== undefined ? 2 : 1);
    }
    const bodyOfCodex = this.draft?.plain && /^[ +-]/.test(line) && this.draft.hunks.length === 0;
    if (line.startsWith("@@") && this.startsHunk(line, next) || bodyOfCodex) {
      this.seen = true;
      if (!this.draft) {
        this.openUnnamed();
        this.notes.add("headers_missing");
      }
      const { hunk, next: after } = readHunk(lines, at, this.notes);
      if (hunk) this.draft!.hunks.push(hunk);
      return Math.max(after, at + 1);
    }
    this.proseLine(line);
    return at + 1;
  }

  private startsHunk(line: string, next: string | undefined): boolean {
    return /^@@+(?:\s|$)/.test(line) && next !== undefined;
  }

  private proseLine(line: ByteString): void {
    if (line.trim() === "") return;
    const svn = /^Index: (\S.*)$/.exec(line);
    const label = svn ? svn[1] as ByteString : labelPath(line);
    if (label !== null) {
      this.flush();
      this.label = label;
    } else if (this.draft && this.draft.hunks.length > 0) this.flush();
    this.near = label ?? announcedPath(line);
    this.prose.push(line);
  }

  /** `--- old` and `+++ new`, or one of them right before a hunk. */
  private labels(
    lines: readonly ByteString[],
    at: number,
  ): { old?: ByteString; new?: ByteString } | undefined {
    const line = lines[at]!, next = lines[at + 1];
    if (line.startsWith("--- ") && next?.startsWith("+++ ")) {
      return { old: labelledName(line.slice(4)), new: labelledName(next.slice(4)) };
    }
    if (!next?.startsWith("@@")) return undefined;
    if (line.startsWith("--- ")) return { old: labelledName(line.slice(4)) };
    if (line.startsWith("+++ ")) return { new: labelledName(line.slice(4)) };
  }

  private codexLine(lines: readonly ByteString[], at: number, verb: string, name: ByteString): number {
    this.notes.add("apply_patch_format");
    this.seen = true;
    if (verb === "End of File") return at + 1;
    if (verb === "Move to") {
      if (this.draft) Object.assign(this.draft.header, { renameFrom: this.draft.old, renameTo: name });
      return at + 1;
    }
    this.flush();
    if (verb === "Update File") this.open(name, name, true);
    if (verb === "Delete File") this.open(name, null, true);
    if (verb !== "Add File") return at + 1;
    this.open(null, name, true);
    let end = at + 1;
    while (end < lines.length && lines[end]!.startsWith("+")) end++;
    const added = lines.slice(at + 1, end).map((l) => l.slice(1) + "\n" as ByteString);
    this.draft!.hunks.push({ at: 0, old: [], new: added });
    return end;
  }

  private open(
    old: ByteString | null | undefined,
    next: ByteString | null | undefined,
    plain: boolean,
  ): void {
    this.seen = true;
    this.dropLabels();
    this.draft = {
      old,
      new: next,
      header: { created: false, deleted: false },
      labelled: plain,
      plain,
      unnamed: false,
      hunks: [],
    };
  }

  private openUnnamed(): void {
    const names = this.label !== null ? [this.label] : this.lastNames;
    this.open(names[0], names[0], false);
    Object.assign(this.draft!, { labelled: true, unnamed: true });
  }

  private flush(): void {
    const draft = this.draft;
    this.draft = null;
    if (!draft) return;
    const { header } = draft;
    const created = header.created || draft.old === null, deleted = header.deleted || draft.new === null;
    const renamed = header.renameFrom !== undefined && header.renameTo !== undefined;
    const old = created ? null : draft.old ?? draft.new ?? null;
    const next = deleted ? null : draft.new ?? draft.old ?? null;
    const read = draft.plain
      ? { old: old === null ? [] : [old], new: next === null ? [] : [next], prefixed: true }
      : headerNames(old, next);
    if (!read.prefixed && !draft.unnamed && !renamed) this.notes.add("prefixes_missing");
    const mode = header.newMode ?? null;
    if (draft.hunks.length === 0 && !created && !deleted && !renamed && mode === null) return;
    const action = created ? "create" : deleted ? "delete" : renamed ? "rename" : "modify";
    const names = action === "rename"
      ? [header.renameFrom!]
      : action === "modify"
      ? [...new Set([...read.new, ...read.old])]
      : action === "create"
      ? read.new
      : read.old;
    this.edits.push({
      action,
      names,
      to: renamed ? [header.renameTo!] : [],
      mode,
      hunks: draft.hunks,
      content: "" as ByteString,
    });
    this.lastNames = names;
  }
}

/** The likeliest reading of a `diff --git` line: one name twice, else git's prefixes, else whatever it may be. */
function headerPair(names: string): [ByteString, ByteString] | undefined {
  const pairs = gitHeaderNames(names);
  return pairs.find(([one, two]) => one.replace(/^a\//, "") === two.replace(/^b\//, "")) ??
    pairs.find(([one, two]) => one.startsWith("a/") && two.startsWith("b/")) ??
    gitHeaderNames(names.trimEnd())[0];
}
