import type { EditRefused } from "./edit.ts";

/** Most places named in a refusal. */
export const MAX_PLACES = 20;

/** An edit that is not taken; `reason` is stable snake_case. */
export function refused(
  reason: string,
  detail: string,
  path?: string,
  places?: readonly number[],
): EditRefused {
  return {
    ok: false,
    refusal: {
      reason,
      detail,
      ...(path === undefined ? {} : { path }),
      ...(places === undefined ? {} : { places: places.slice(0, MAX_PLACES) }),
    },
  };
}

/** `lines 3, 8 and 12`. */
export function linesText(places: readonly number[]): string {
  if (places.length === 1) return `line ${places[0]}`;
  const shown = places.slice(0, MAX_PLACES);
  const more = places.length > shown.length ? " and more" : "";
  if (more !== "") return `lines ${shown.join(", ")}${more}`;
  return `lines ${shown.slice(0, -1).join(", ")} and ${shown[shown.length - 1]}`;
}
