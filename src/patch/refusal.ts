import type { Refusal } from "../vocabulary/patch.ts";

/** A failed reading or application: an expected outcome, never an exception. */
export interface Refused {
  readonly ok: false;
  readonly refusal: Refusal;
}

/** Largest patch or proposal taken, in bytes. */
export const MAX_PATCH_BYTES = 64 * 1024 * 1024;
/** Most lines of a patch taken, headers included. */
export const MAX_PATCH_LINES = 1_000_000;
/** Largest file a proposal may touch or make, in bytes. */
export const MAX_FILE_BYTES = 64 * 1024 * 1024;

/** Builds a refusal; `reason` is stable snake_case, `detail` says what to look at. */
export function refuse(reason: string, detail: string, path?: string): Refused {
  return { ok: false, refusal: path === undefined ? { reason, detail } : { reason, path, detail } };
}
