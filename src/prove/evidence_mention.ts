/** How much a mention says about the failure; the least is the most. */
export const RANK = {
  /** Where it failed: the innermost frame inside the workspace, an error, an assertion. */
  failure: 0,
  /** A frame on the way there. */
  frame: 1,
  /** A warning, a note, any other mention. */
  mention: 2,
  /** The build step that failed. */
  build: 3,
  /** A file without a line. */
  file: 4,
} as const;

/** A place as printed. */
export interface Mention {
  readonly path: string;
  /** 1-based. */
  readonly line: number;
  readonly column?: number | undefined;
  readonly message?: string | undefined;
  readonly rank: number;
}
