import { badge, code, type Markup, markup, plural, table, words } from "./html.ts";

/** One test before and after, as a comparison of reports has it; null where that report does not list it. */
export interface ReportTest {
  readonly id: string;
  readonly before: string | null;
  readonly after: string | null;
  readonly change: string;
}

/** Tests that are listed; the others are counted. */
const MAX_TESTS = 500;
/** What a reader must see first, in this order. */
const FIRST = ["newly_failing", "vanished", "newly_skipped", "newly_xfailed", "fixed", "newly_passing"];
const BAD = new Set(FIRST.slice(0, 4));

/** Every test before and after: what was fixed, what a green hides, then all others. */
export function testsView(tests: readonly ReportTest[]): Markup {
  const counts = new Map<string, number>();
  for (const { change } of tests) counts.set(change, (counts.get(change) ?? 0) + 1);
  const rank = (change: string) => FIRST.includes(change) ? FIRST.indexOf(change) : FIRST.length;
  const sorted = tests.map((test, i) => ({ test, i })).sort((a, b) =>
    rank(a.test.change) - rank(b.test.change) || a.i - b.i
  );
  const chips = [...counts].sort(([a], [b]) => rank(a) - rank(b)).map(([change, n]) =>
    markup`
      <span class="badge ${BAD.has(change) ? "bad" : change === "fixed" ? "good" : "calm"}">${n} ${
      words(
        change,
      )
    }</span>
    `
  );
  const rows = sorted.slice(0, MAX_TESTS).map(({ test }) => [
    code(test.id),
    test.before === null ? markup`<span class="muted">not there</span>` : badge(test.before),
    test.after === null ? markup`<span class="muted">not there</span>` : badge(test.after),
    words(test.change),
  ]);
  const more = tests.length - MAX_TESTS;
  return markup`<p>${chips}</p>
${table("Tests before and after the patch", ["Test", "Before", "After", "Change"], rows)}
${more > 0 ? markup`<p class="note">${plural(more, "more test")} in the bundle.</p>` : null}`;
}
