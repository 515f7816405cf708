import type { ByteString } from "../vocabulary/patch.ts";
import type { LooseHunk } from "./proposal.ts";

/** How lines are compared, from strict to loose. */
export type Drift = "none" | "line_end" | "all_spaces";

/** Line comparisons left; shared by all files of a proposal, so that no input costs more. */
export interface Budget {
  left: number;
}

export interface Placed {
  readonly hunk: LooseHunk;
  /** 0-based line of the file the hunk's first line is. */
  readonly at: number;
  readonly drift: Drift;
}

const NORMALIZE: Readonly<Record<Drift, (raw: string) => string>> = {
  none: (raw) => raw,
  line_end: (raw) => raw.trimEnd(),
  all_spaces: (raw) => raw.trim().replace(/[ \t\f\v\r]+/g, " "),
};

/** A file's lines, searchable under each drift. */
export class SearchableLines {
  private readonly indexes = new Map<Drift, { keys: string[]; places: Map<string, number[]> }>();

  constructor(readonly lines: readonly ByteString[], private readonly budget: Budget) {}

  /**
   * Where a hunk belongs: at its stated line if it matches there but for line ends, else in the only place that
   * matches, trying looser comparisons only when stricter ones find nothing.
   */
  place(hunk: LooseHunk): Placed | "not_found" | "ambiguous" | "too_much_work" {
    if (hunk.old.length === 0) return this.placeWithoutContext(hunk);
    for (const drift of ["none", "line_end", "all_spaces"] as const) {
      const wanted = hunk.old.map(NORMALIZE[drift]);
      const { keys, places } = this.index(drift);
      if (drift !== "all_spaces" && hunk.at !== null && this.matches(keys, wanted, hunk.at)) {
        return { hunk, at: hunk.at, drift };
      }
      const found = this.search(keys, places, wanted);
      if (this.budget.left < 0) return "too_much_work";
      if (found.length > 1) return "ambiguous";
      if (found.length === 1) return { hunk, at: found[0]!, drift };
    }
    return hunk.shorter ? this.place(hunk.shorter) : "not_found";
  }

  /** The 0-based lines at which lines stand under the strictest comparison that finds any; at most `most` of them. */
  places(lines: readonly ByteString[], most: number): readonly number[] {
    for (const drift of ["none", "line_end", "all_spaces"] as const) {
      const wanted = lines.map(NORMALIZE[drift]);
      const { keys, places } = this.index(drift);
      const found = this.search(keys, places, wanted, most);
      if (found.length > 0) return found;
    }
    return [];
  }

  private placeWithoutContext(hunk: LooseHunk): Placed | "not_found" | "ambiguous" {
    if (this.lines.length === 0) return { hunk, at: 0, drift: "none" };
    if (hunk.at === null) return "ambiguous";
    return hunk.at <= this.lines.length ? { hunk, at: hunk.at, drift: "none" } : "not_found";
  }

  /** At most `most` of the places where the wanted lines stand, found through the rarest of them. */
  private search(
    keys: string[],
    places: Map<string, number[]>,
    wanted: readonly string[],
    most = 2,
  ): number[] {
    let rarest = 0, fewest: number[] = places.get(wanted[0]!) ?? [];
    for (let i = 1; i < wanted.length && fewest.length > 0; i++) {
      const there = places.get(wanted[i]!) ?? [];
      if (there.length < fewest.length) {
        rarest = i;
        fewest = there;
      }
    }
    const found: number[] = [];
    for (const place of fewest) {
      if (found.length >= most || this.budget.left < 0) break;
      if (this.matches(keys, wanted, place - rarest)) found.push(place - rarest);
    }
    return found;
  }

  private matches(keys: readonly string[], wanted: readonly string[], at: number): boolean {
    if (at < 0 || at + wanted.length > keys.length) return false;
    for (let i = 0; i < wanted.length; i++) {
      this.budget.left--;
      if (keys[at + i] !== wanted[i]) return false;
    }
    return true;
  }

  private index(drift: Drift): { keys: string[]; places: Map<string, number[]> } {
    const known = this.indexes.get(drift);
    if (known) return known;
    const keys = this.lines.map(NORMALIZE[drift]), places = new Map<string, number[]>();
    keys.forEach((key, at) => {
      const there = places.get(key);
      if (there) there.push(at);
      else places.set(key, [at]);
    });
    const made = { keys, places };
    this.indexes.set(drift, made);
    return made;
  }
}
