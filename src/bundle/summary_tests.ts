import type { TestChange } from "../vocabulary/test_report.ts";
import { code, plain, plural } from "./markdown.ts";
import type { TestsDocument } from "./schema.ts";
import type { SummaryFacts } from "./summary_facts.ts";

type TargetTests = TestsDocument["targets"][number];

/** Names listed of each kind; more are counted. */
const LISTED = 20;

/** Changes worth a word, in the order they are told. */
const SAID: readonly (readonly [TestChange, string, string])[] = [
  ["fixed", "failing test now passes", "failing tests now pass"],
  ["newly_passing", "test expected to fail passes", "tests expected to fail pass"],
  ["newly_running", "skipped test now runs", "skipped tests now run"],
  ["still_passing", "still passes", "still pass"],
  ["added", "was added", "were added"],
  ["still_failing", "still fails", "still fail"],
  ["still_skipped", "is skipped as before", "are skipped as before"],
  ["still_xfailed", "is expected to fail as before", "are expected to fail as before"],
  [
    "replaced",
    "entry for a file that could not be run gave way to tests",
    "entries for files that could not be run gave way to tests",
  ],
  ["newly_failing", "newly fails", "newly fail"],
  ["vanished", "vanished", "vanished"],
  ["newly_skipped", "is newly skipped", "are newly skipped"],
  ["newly_xfailed", "is newly expected to fail", "are newly expected to fail"],
];

/** One sentence without a full stop: `3 failing tests now pass, 41 still pass`. */
export function testsSentence({ counts, base_reports, after, tests }: TargetTests): string {
  if (counts !== null) {
    const parts = SAID.flatMap(([change, one, many]) =>
      counts[change] === 0 ? [] : [`${counts[change]} ${counts[change] === 1 ? one : many}`]
    );
    return parts.length === 0 ? "the reports list no tests" : parts.join(", ");
  }
  if (after === null) {
    return base_reports === 0
      ? "no report could be read"
      : `${plural(tests.length, "test")} without a patch, and no report of a patched run that could be read`;
  }
  return `${plural(tests.length, "test")} with the patch; no report of the base could be read, so that ` +
    "nothing is known of tests it may have lost";
}

/** The tests of every target that names a report, before and after. */
export function testsSection({ tests }: SummaryFacts): string {
  if (tests === null) return "";
  const parts = tests.targets.map((target) => {
    const name = tests.targets.length === 1 ? "" : `${plain(target.target)}: `;
    return `${name}${capital(testsSentence(target))}.${listed(target, "fixed", "Fixed")}${findings(target)}`;
  });
  return `## Tests\n\n${parts.join("\n\n")}\n\nEvery test is in \`tests.json\`.`;
}

function listed({ tests }: TargetTests, change: TestChange, title: string): string {
  const found = tests.filter((test) => test.change === change).map(({ id }) => id);
  return list(title, found);
}

function findings({ findings }: TargetTests): string {
  const names = findings.map(({ kind, id }) => ({ kind: kind.replaceAll("_", " "), id }));
  return ["vanished", "newly skipped", "newly xfailed", "newly failing"].map((kind) =>
    list(capital(kind), names.filter((n) => n.kind === kind).map(({ id }) => id))
  ).join("");
}

function list(title: string, ids: readonly string[]): string {
  if (ids.length === 0) return "";
  const lines = ids.slice(0, LISTED).map((id) => `- ${code(id)}`);
  if (ids.length > LISTED) lines.push(`- and ${ids.length - LISTED} more`);
  return `\n\n${title}:\n\n${lines.join("\n")}`;
}

function capital(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}
