import type { TestsDocument } from "../bundle/schema.ts";
import { testsSentence } from "../bundle/summary_tests.ts";
import { badge, code, type Markup, markup, plural, table, words } from "./html.ts";

type TargetTests = TestsDocument["targets"][number];

/** Tests of a target that are listed; the others are counted. */
const MAX_TESTS = 500;
const MAX_TARGETS = 50;
/** What a reader must see first, in this order. */
const FIRST: readonly (string | null)[] = [
  ...[
    "newly_failing",
    "vanished",
    "newly_skipped",
    "newly_xfailed",
    "fixed",
    "newly_passing",
    "newly_running",
  ],
];
const BAD = 4;

/** Every test of every target that names a report, before and after: what a green hides, what was fixed, all others. */
export function testsView({ targets }: TestsDocument): Markup {
  const shown = targets.slice(0, MAX_TARGETS).map((target) => targetView(target, targets.length > 1));
  const more = targets.length - MAX_TARGETS;
  return markup`${shown}${
    more > 0 ? markup`<p class="note">${plural(more, "more target")} in ${code("tests.json")}.</p>` : null
  }`;
}

function targetView(target: TargetTests, named: boolean): Markup {
  const { tests, report, findings } = target;
  const rank = (change: string | null) => FIRST.includes(change) ? FIRST.indexOf(change) : FIRST.length;
  const sorted = tests.map((test, i) => ({ test, i }))
    .sort((a, b) => rank(a.test.change) - rank(b.test.change) || a.i - b.i)
    .slice(0, MAX_TESTS);
  const rows = sorted.map(({ test }) => [
    code(test.id),
    outcome(test.before),
    outcome(test.after),
    test.change === null ? "" : changeView(test.change, rank(test.change)),
  ]);
  const more = tests.length - rows.length;
  const warning = findings.length === 0
    ? null
    : markup`<p class="callout bad">${
      plural(findings.length, "test")
    } lost: vanished, newly skipped, newly expected to fail or newly failing</p>`;
  return markup`${named ? markup`<h3>${target.target}</h3>` : null}
<p>${sentence(target)} <span class="muted">${report.format} from ${
    report.path === "-" ? "stdout" : code(report.path)
  }</span></p>
${warning}${table(`Tests of ${target.target} before and after`, ["Test", "Before", "After", "Change"], rows)}
${more > 0 ? markup`<p class="note">${plural(more, "more test")} in ${code("tests.json")}.</p>` : null}`;
}

function sentence(target: TargetTests): string {
  const said = testsSentence(target);
  return `${said.charAt(0).toUpperCase()}${said.slice(1)}.`;
}

function outcome(name: string | null): Markup {
  return name === null ? markup`<span class="muted">not there</span>` : badge(name);
}

function changeView(change: string, rank: number): Markup | string {
  const tone = rank < BAD ? "bad" : rank < FIRST.length ? "good" : null;
  return tone === null ? words(change) : markup`<span class="badge ${tone}">${words(change)}</span>`;
}
