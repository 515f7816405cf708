import type { ManifestEntry } from "../vocabulary/manifest.ts";
import type { Patch } from "../vocabulary/patch.ts";
import type { SyntaxQueries, SyntaxTrees } from "../syntax/tree.ts";
import type { Template } from "./template.ts";

/** A place that must be there exactly once. */
export type Anchor =
  /** A whole line, compared as old code is. */
  | { readonly kind: "text"; readonly text: string }
  /** 1-based. */
  | { readonly kind: "line"; readonly line: number }
  /** A function, method, class or their like, `Foo.bar` for a `bar` within `Foo`. */
  | { readonly kind: "symbol"; readonly name: string };

export type Position =
  | { readonly at: "start" | "end" }
  | { readonly at: "before" | "after"; readonly anchor: Anchor };

/** One change to one file, in words that need no line numbers. Code is text with any line endings. */
export type Edit =
  /** Old code, found in exactly one place, gives way to new. */
  | { readonly kind: "replace"; readonly file: string; readonly old: string; readonly new: string }
  /** Whole lines, in the file's own indentation and line endings. */
  | { readonly kind: "insert"; readonly file: string; readonly position: Position; readonly code: string }
  | {
    readonly kind: "template";
    readonly template: string;
    readonly file: string;
    readonly parameters: Readonly<Record<string, string>>;
    /** 1-based line on which the place begins, when the parameters fit several. */
    readonly line?: number;
  }
  /** A file that is not there yet. */
  | { readonly kind: "create"; readonly file: string; readonly code: string };

/** The files that are edited. */
export interface EditBase {
  readonly entries: ReadonlyMap<string, ManifestEntry>;
  /** Bytes of a file of `entries`; undefined when it cannot be read. */
  read(path: string): Promise<Uint8Array | undefined> | Uint8Array | undefined;
}

export interface EditPorts {
  readonly trees: SyntaxTrees;
  readonly queries: SyntaxQueries;
  /** All there are; one of a name for each of its languages. */
  templates(): Promise<readonly Template[]>;
}

/** Why an edit was not taken. */
export interface EditRefused {
  readonly ok: false;
  readonly refusal: {
    /** Stable snake_case. */
    readonly reason: string;
    readonly path?: string;
    readonly detail: string;
    /** 0-based place of the edit in the list; absent when it is about all of them. */
    readonly edit?: number;
    /** 1-based lines of all places that would fit, at most 20 of them. */
    readonly places?: readonly number[];
  };
}

export interface EditNote {
  /** 0-based place of the edit in the list. */
  readonly edit: number;
  /** Stable snake_case: `whitespace_ignored`, `already_there` … */
  readonly note: string;
  readonly path: string;
}

/** `notes` are the looser steps taken. */
export type MadePatch = { readonly ok: true; readonly patch: Patch; readonly notes: readonly EditNote[] };
