import type { SafetyDelta, SitePair } from "./delta.ts";
import type { Site } from "./site.ts";

/** A site as documents have it: plain JSON. */
export function siteDocument(site: Site) {
  const { file, line, function: name, capability, rule, symbol, shape, code } = site;
  return {
    ...{ file, line, function: name, capability, rule, symbol },
    called: shape.positional !== null,
    arguments: shape.positional ?? [],
    options: Object.fromEntries(shape.options),
    code,
  };
}

/** What a change makes code able to do, and no longer able to do, as documents have it. */
export function deltaDocument(delta: SafetyDelta) {
  const pair = ({ before, after }: SitePair) => ({
    before: siteDocument(before),
    after: siteDocument(after),
  });
  return {
    added: delta.added.map(siteDocument),
    removed: delta.removed.map(siteDocument),
    widened: delta.widened.map(pair),
    narrowed: delta.narrowed.map(pair),
    moved: delta.moved.map(pair),
    unanalyzed: delta.unanalyzed,
  };
}
