import type { FileMode } from "../vocabulary/manifest.ts";
import type { ByteString, Patch } from "../vocabulary/patch.ts";

/** One place to change, as written: the lines it expects and the lines it wants, each with its line feed. */
export interface LooseHunk {
  /** 0-based line the proposal says it starts at; null when it says none that could be read. */
  readonly at: number | null;
  readonly old: readonly ByteString[];
  readonly new: readonly ByteString[];
  /** What is left when the lines after the stated counts turn out to be prose. */
  readonly shorter?: LooseHunk;
}

/** What a proposal wants done to one file. Names are bytes as written, unchecked, the likeliest reading first. */
export interface RawEdit {
  /** `whole` replaces or creates; `create` must not exist yet. */
  readonly action: "modify" | "create" | "delete" | "rename" | "whole";
  /** Empty when the proposal named no file. */
  readonly names: readonly ByteString[];
  /** Renames only. */
  readonly to: readonly ByteString[];
  readonly mode: FileMode | null;
  readonly hunks: readonly LooseHunk[];
  /** `whole` only. */
  readonly content: ByteString;
}

/** A proposal as read, before anything is known of the workspace. Made by `readProposal`. */
export interface RawProposal {
  /** The text, or what its fences hold, as a strict patch, where it is one. */
  readonly exact: Patch | null;
  /** What to say when the exact patch applies. */
  readonly exactNotes: readonly string[];
  readonly edits: readonly RawEdit[];
  /** Words of the prose that could be paths, for edits that name none. */
  readonly mentions: readonly ByteString[];
  /** Looser steps taken so far. */
  readonly notes: readonly string[];
}

/** Collects the names of looser steps, each once, in order. */
export type Notes = Set<string>;
