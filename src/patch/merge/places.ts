import { alignLines, type Change } from "./align.ts";
import type { Work } from "./search.ts";

/** The three files as numbers, equal for equal lines. */
export interface Numbered {
  readonly base: Int32Array;
  readonly ours: Int32Array;
  readonly theirs: Int32Array;
}

/**
 * A place where at least one side changed the base. Ends are exclusive; `base` is of the whole place where one was
 * narrowed down to several.
 */
export interface Place {
  readonly take: "ours" | "theirs" | "same" | "conflict";
  readonly baseFrom: number;
  readonly baseTo: number;
  readonly oursFrom: number;
  readonly oursTo: number;
  readonly theirsFrom: number;
  readonly theirsTo: number;
}

/** This few agreed lines between two conflicts are not worth two conflicts; nor are more without a letter or digit. */
const FEW_LINES = 3;

/**
 * Where two sides changed a base, in order, and what becomes of each place, as `git merge-file` decides: changes that
 * touch are a conflict unless they are the same; a conflict is narrowed to what differs between the sides; conflicts
 * with little between them are joined.
 * @param telling whether a line of ours has a letter or digit
 * @returns null when the work ran out
 */
export function mergePlaces(
  { base, ours, theirs }: Numbered,
  telling: (line: number) => boolean,
  work: Work,
): Place[] | "ours" | "theirs" | null {
  const mine = alignLines(base, ours, work), their = mine && alignLines(base, theirs, work);
  if (!mine || !their) return null;
  if (mine.length === 0) return "theirs";
  if (their.length === 0) return "ours";
  const narrowed: Place[] = [];
  for (const place of overlay(mine, their, ours, theirs)) {
    const parts = place.take === "conflict" ? narrow(place, ours, theirs, work) : [place];
    if (parts === null) return null;
    narrowed.push(...parts);
  }
  return join(narrowed, telling);
}

/** Both lists of changes on one base. */
function overlay(
  mine: readonly Change[],
  their: readonly Change[],
  ours: Int32Array,
  theirs: Int32Array,
): Place[] {
  const places: Place[] = [];
  const add = (place: Place) => {
    const last = places[places.length - 1];
    if (last === undefined || place.oursFrom > last.oursTo && place.theirsFrom > last.theirsTo) {
      places.push(place);
      return;
    }
    places[places.length - 1] = {
      ...last,
      take: last.take === place.take ? last.take : "conflict",
      baseTo: place.baseTo,
      oursTo: place.oursTo,
      theirsTo: place.theirsTo,
    };
  };
  let i = 0, j = 0, oursAhead = 0, theirsAhead = 0;
  while (i < mine.length || j < their.length) {
    const m = mine[i], t = their[j];
    if (m && (!t || m.aTo < t.aFrom)) {
      add({ take: "ours", ...both(m.aFrom, m.aTo), oursFrom: m.bFrom, oursTo: m.bTo });
      oursAhead = m.bTo - m.aTo;
      i++;
    } else if (t && (!m || t.aTo < m.aFrom)) {
      add({ take: "theirs", ...both(t.aFrom, t.aTo), theirsFrom: t.bFrom, theirsTo: t.bTo });
      theirsAhead = t.bTo - t.aTo;
      j++;
    } else if (m && t) {
      if (!sameChange(m, t, ours, theirs)) {
        const from = Math.min(m.aFrom, t.aFrom), to = Math.max(m.aTo, t.aTo);
        add({
          take: "conflict",
          baseFrom: from,
          baseTo: to,
          oursFrom: m.bFrom - (m.aFrom - from),
          oursTo: m.bTo + (to - m.aTo),
          theirsFrom: t.bFrom - (t.aFrom - from),
          theirsTo: t.bTo + (to - t.aTo),
        });
      }
      if (m.aTo <= t.aTo) {
        oursAhead = m.bTo - m.aTo;
        i++;
      }
      if (t.aTo <= m.aTo) {
        theirsAhead = t.bTo - t.aTo;
        j++;
      }
    }
  }
  return places;

  /** Lines of the base that a side did not change, where both sides have them. */
  function both(from: number, to: number) {
    return {
      baseFrom: from,
      baseTo: to,
      oursFrom: from + oursAhead,
      oursTo: to + oursAhead,
      theirsFrom: from + theirsAhead,
      theirsTo: to + theirsAhead,
    };
  }
}

function sameChange(m: Change, t: Change, ours: Int32Array, theirs: Int32Array): boolean {
  if (m.aFrom !== t.aFrom || m.aTo !== t.aTo || m.bTo - m.bFrom !== t.bTo - t.bFrom) return false;
  for (let k = 0; k < m.bTo - m.bFrom; k++) if (ours[m.bFrom + k] !== theirs[t.bFrom + k]) return false;
  return true;
}

/** The parts of a conflict in which the sides differ. */
function narrow(place: Place, ours: Int32Array, theirs: Int32Array, work: Work): Place[] | null {
  const { oursFrom, oursTo, theirsFrom, theirsTo } = place;
  if (oursFrom === oursTo || theirsFrom === theirsTo) return [place];
  const differences = alignLines(
    ours.subarray(oursFrom, oursTo),
    theirs.subarray(theirsFrom, theirsTo),
    work,
  );
  if (differences?.length === 0) return [{ ...place, take: "same" }];
  return differences && differences.map(({ aFrom, aTo, bFrom, bTo }) => ({
    ...place,
    oursFrom: oursFrom + aFrom,
    oursTo: oursFrom + aTo,
    theirsFrom: theirsFrom + bFrom,
    theirsTo: theirsFrom + bTo,
  }));
}

function join(places: readonly Place[], telling: (line: number) => boolean): Place[] {
  const joined: Place[] = [];
  for (const place of places) {
    const last = joined[joined.length - 1];
    if (last?.take === "conflict" && place.take === "conflict" && little(last.oursTo, place.oursFrom)) {
      joined[joined.length - 1] = {
        ...last,
        baseTo: place.baseTo,
        oursTo: place.oursTo,
        theirsTo: place.theirsTo,
      };
    } else joined.push(place);
  }
  return joined;

  function little(from: number, to: number): boolean {
    if (to - from <= FEW_LINES) return true;
    for (let line = from; line < to; line++) if (telling(line)) return false;
    return true;
  }
}
