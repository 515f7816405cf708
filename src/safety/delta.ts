import { comparePaths } from "../vocabulary/path.ts";
import { CAPABILITIES } from "./capability.ts";
import { compareShapes, shownShape } from "./shape.ts";
import type { FileScan, Site, Unanalyzed } from "./site.ts";

export interface SitePair {
  readonly before: Site;
  readonly after: Site;
}

/** What a change makes code able to do, and no longer able to do. Lines do not count. */
export interface SafetyDelta {
  readonly added: readonly Site[];
  readonly removed: readonly Site[];
  /** The same place, with an argument that may now be more than before. */
  readonly widened: readonly SitePair[];
  /** The opposite of widened. */
  readonly narrowed: readonly SitePair[];
  /** The same use, elsewhere. */
  readonly moved: readonly SitePair[];
  /** Files of the result of which not everything was looked at. */
  readonly unanalyzed: readonly UnanalyzedFile[];
}

export interface UnanalyzedFile {
  readonly path: string;
  readonly reason: Unanalyzed;
  readonly line: number | null;
}

/** More candidates for one another than this are paired in their order alone. */
const MAX_CANDIDATES = 200;

/**
 * Compares what two states of some files can do: multisets of sites. Scans of files that are the same on both sides may
 * be left out on both. `delta(a, a)` is empty, and `delta(b, a)` has added and removed, widened and narrowed exchanged.
 * @param renames new paths by old ones, where they are known
 */
export function safetyDelta(
  base: readonly FileScan[],
  result: readonly FileScan[],
  renames: ReadonlyMap<string, string> = new Map(),
): SafetyDelta {
  const fileOf = (site: Site, old: boolean) => old ? renames.get(site.file) ?? site.file : site.file;
  const shape = (site: Site) => shownShape(site.shape) || "mentioned";
  const use = (site: Site) => [site.capability, site.symbol, site.rule];
  let gone = sorted(base.flatMap(({ sites }) => sites));
  let come = sorted(result.flatMap(({ sites }) => sites));
  const pair = (
    key: (site: Site, old: boolean) => string | null,
    fits: (before: Site, after: Site) => boolean = () => true,
  ): SitePair[] => {
    const found = paired(gone, come, key, fits);
    const [before, after] = [new Set(found.map((p) => p.before)), new Set(found.map((p) => p.after))];
    gone = gone.filter((site) => !before.has(site));
    come = come.filter((site) => !after.has(site));
    return found;
  };
  const text = (parts: readonly string[]) => JSON.stringify(parts);
  pair((site, old) => text([fileOf(site, old), site.function, ...use(site), shape(site)]));
  const moved = [
    ...pair((site) => text([...use(site), shape(site), site.code])),
    ...pair((site) =>
      site.function === "<file>" ? null : text([...use(site), shape(site), lastName(site.function)])
    ),
  ];
  const place = (site: Site, old: boolean) => text([fileOf(site, old), site.function, ...use(site)]);
  // In one pass: of two that a site could become, the kind of change must not decide which is tried first.
  const changed = pair(place, ({ shape: a }, { shape: b }) => Math.abs(compareShapes(a, b) ?? 0) === 1);
  const [widened, narrowed] = [-1, 1].map((way) =>
    changed.filter(({ before, after }) => compareShapes(before.shape, after.shape) === way)
  ) as [SitePair[], SitePair[]];
  return {
    added: come,
    removed: gone,
    widened,
    narrowed,
    moved,
    unanalyzed: result.flatMap(({ path, unanalyzed }) => unanalyzed === null ? [] : [{ path, ...unanalyzed }])
      .sort((a, b) => comparePaths(a.path, b.path)),
  };
}

function lastName(path: string): string {
  return path.slice(path.lastIndexOf(".") + 1);
}

/**
 * Pairs sites of equal keys that fit, the first with the first. Candidates are tried by the sum of their places, where no
 * two have one in common: so both directions give the same pairs.
 */
function paired(
  base: readonly Site[],
  result: readonly Site[],
  key: (site: Site, old: boolean) => string | null,
  fits: (before: Site, after: Site) => boolean,
): SitePair[] {
  const groups = new Map<string, { before: Site[]; after: Site[] }>();
  for (const [sites, old] of [[base, true], [result, false]] as const) {
    for (const site of sites) {
      const k = key(site, old);
      if (k === null) continue;
      const group = groups.get(k) ?? { before: [], after: [] };
      groups.set(k, group);
      (old ? group.before : group.after).push(site);
    }
  }
  const pairs: SitePair[] = [];
  for (const { before, after } of groups.values()) {
    const free = { before: new Set(before.keys()), after: new Set(after.keys()) };
    const large = before.length > MAX_CANDIDATES || after.length > MAX_CANDIDATES;
    for (let sum = 0; sum <= before.length + after.length - 2; sum++) {
      const last = Math.min(sum, before.length - 1);
      for (let i = Math.max(0, sum - after.length + 1); i <= last; i++) {
        const j = sum - i;
        if (large && i !== j) continue;
        if (!free.before.has(i) || !free.after.has(j) || !fits(before[i]!, after[j]!)) continue;
        free.before.delete(i);
        free.after.delete(j);
        pairs.push({ before: before[i]!, after: after[j]! });
      }
    }
  }
  return pairs.sort((a, b) => compareSites(a.after, b.after));
}

function sorted(sites: readonly Site[]): Site[] {
  return [...sites].sort(compareSites);
}

/** By capability in the order of reports, then file, line and symbol. */
export function compareSites(a: Site, b: Site): number {
  return CAPABILITIES.indexOf(a.capability) - CAPABILITIES.indexOf(b.capability) ||
    comparePaths(a.file, b.file) || a.line - b.line ||
    (a.symbol < b.symbol ? -1 : a.symbol > b.symbol ? 1 : 0) ||
    (a.code < b.code ? -1 : a.code > b.code ? 1 : 0);
}
