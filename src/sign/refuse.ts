import type { Refusal } from "../vocabulary/patch.ts";

/** A result that says no. @param reason stable snake_case @param detail for people; never holds what was read */
export function refuse(reason: string, detail: string): { readonly ok: false; readonly refusal: Refusal } {
  return { ok: false, refusal: { reason, detail } };
}
