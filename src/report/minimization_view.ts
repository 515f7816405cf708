import type { MinimizationDocument } from "../bundle/schema.ts";
import { code, legend, type Markup, markup, plural, words } from "./html.ts";

/** Units that are drawn and listed. */
const MAX_UNITS = 400;
const MAX_WAVES = 200;
/** Candidates of a wave that are looked at. */
const MAX_TRIED = 2_000;

type Fate = "gone" | "removed" | "needed" | "untried";

/** Units across, waves down: what was taken away when, what was tried in vain, what is left. */
export function minimizationView(minimization: MinimizationDocument): Markup {
  const { atoms, kept, waves, before, after, runs, used, reason, end } = minimization;
  const units = Math.min(atoms.length, MAX_UNITS);
  const left = new Set(numbers(kept, units));
  const lines = (side: { additions: number; deletions: number }) => `+${side.additions} −${side.deletions}`;
  const ends: Readonly<Record<string, string>> = {
    one_minimal:
      "It is 1-minimal: taking away any one remaining unit, with what depends on it, does not pass.",
    runs_exhausted: "It ended early, as the budget of runs was used up.",
    time_exhausted: "It ended early, as the time was used up.",
    realigned: "Written down, it pairs repeated lines otherwise than those that were tried.",
  };
  const outcome = used && after !== null
    ? markup`From ${lines(before)} in ${plural(before.files, "file")} to ${lines(after)} in ${
      plural(after.files, "file")
    }, in ${plural(runs, "run")}. ${ends[end] ?? ""}`
    : markup`The patch found in ${plural(runs, "run")} is not used: ${reason ?? "no reason is recorded"}.`;
  const gone = new Set<number>();
  const wasRemoved = new Map<number, number>();
  const rows = waves.slice(0, MAX_WAVES).map((wave) => {
    const tried = new Set(
      wave.tried.slice(0, MAX_TRIED).flatMap((candidate) => numbers(candidate.removed, units)),
    );
    const removed = new Set(numbers(wave.removed, units));
    const fates = Array.from(
      { length: units },
      (_, unit): Fate =>
        gone.has(unit) ? "gone" : removed.has(unit) ? "removed" : tried.has(unit) ? "needed" : "untried",
    );
    removed.forEach((unit) => {
      gone.add(unit);
      wasRemoved.set(unit, wave.wave);
    });
    const label = `wave ${wave.wave}, ${wave.level}: ${plural(wave.tried.length, "candidate")}, ` +
      `${plural(removed.size, "unit")} removed, ${wave.remaining} left`;
    return markup`
      <tr>
        <th scope="row">${wave.wave} <span class="muted">${wave.level}</span></th>
        <td class="bar">${strip(fates, label)}</td>
        <td class="num">${wave.remaining} <span class="muted">left</span></td>
      </tr>
    `;
  });
  const list = atoms.slice(0, units).map((atom, unit) => {
    const fate = left.has(unit)
      ? "kept"
      : wasRemoved.has(unit)
      ? `removed in wave ${wasRemoved.get(unit)}`
      : "removed";
    return markup`
      <tr class="${left.has(unit) ? "is-kept" : "is-gone"}">
        <td class="num">${unit}</td>
        <td>${fate}</td>
        <td>${code(atom.path)}</td>
        <td><code class="unit">${atom.what.slice(0, 300).toWellFormed()}</code></td>
      </tr>
    `;
  });
  const hidden = atoms.length - units;
  return markup`
    <p>${outcome}</p>
    <table class="timeline waves">
      <caption>${plural(atoms.length, "unit")} across, ${plural(waves.length, "wave")} down</caption>
      <thead class="hidden">
        <tr>
          <th scope="col">Wave</th>
          <th scope="col">Units</th>
          <th scope="col">Left</th>
        </tr>
      </thead>
      <tbody>${rows}</tbody>
    </table>
    ${
    legend([
      ["good", "removed in this wave"],
      ["bad", "tried, did not pass without it"],
      ["pale", "not tried"],
      ["empty", "gone before"],
    ])
  }
    <details>
      <summary>Every unit and what became of it</summary>
      <div class="scroll" tabindex="0" role="region" aria-label="Units">
        <table>
          <caption>Units of the patch</caption>
          <thead>
            <tr>
              <th scope="col">Unit</th>
              <th scope="col">Fate</th>
              <th scope="col">File</th>
              <th scope="col">What</th>
            </tr>
          </thead>
          <tbody>${list}</tbody>
        </table>
      </div>
    </details>
    ${
    hidden > 0
      ? markup`<p class="note">${plural(hidden, "more unit")} in <code>minimization.json</code>.</p>`
      : null
  }
  `;
}

/** Neighbours of the same fate are one box. */
function strip(fates: readonly Fate[], label: string): Markup {
  const boxes: Markup[] = [];
  const tone = { gone: "empty", removed: "good", needed: "bad", untried: "pale" };
  const few = fates.length <= 60;
  for (let from = 0; from < fates.length;) {
    let to = from + 1;
    while (!few && to < fates.length && fates[to] === fates[from]) to++;
    const gap = few ? 1.5 : 0;
    boxes.push(
      markup`
        <rect class="${tone[fates[from]!]}" x="${from * 10 + gap / 2}" y="3" width="${
        (to - from) * 10 -
        gap
      }" height="14" />
      `,
    );
    from = to;
  }
  return markup`
    <svg viewBox="0 0 ${Math.max(1, fates.length) * 10} 20" preserveAspectRatio="none" role="img"
      aria-label="${words(label)}">${boxes}</svg>
  `;
}

/** The numbers of `0-3,7` below a bound. */
function numbers(ranges: string, bound: number): number[] {
  if (ranges === "") return [];
  return ranges.split(",", MAX_UNITS).flatMap((range) => {
    const [from, to = from] = range.split("-").map(Number) as [number, number?];
    const found: number[] = [];
    for (let n = from; n <= Math.min(to, bound - 1); n++) found.push(n);
    return found;
  });
}
