import { compareBundles, type ComparedPart } from "../bundle/compare.ts";
import { displayText } from "../patch/bytes.ts";
import type { Hunk } from "../vocabulary/patch.ts";
import { readBundleAt, shown } from "./bundle_input.ts";
import { EXIT } from "./exit_code.ts";
import { colour, colourDiff, count } from "./output.ts";
import type { VerbResult } from "./verb.ts";

/** Lines of a diff that are shown. */
const MAX_DIFF_LINES = 400;

/** `pp bundle diff`: whether two bundles prove the same, and what differs. */
export async function bundleDiff(
  a: string,
  b: string,
  flags: { readonly json?: boolean },
): Promise<VerbResult> {
  const quiet = flags.json === true;
  const comparison = compareBundles(await readBundleAt(a, quiet), await readBundleAt(b, quiet));
  const exit = comparison.same ? EXIT.yes : EXIT.no;
  return {
    exit,
    text: diffText(comparison.parts, comparison.interdiff, comparison.same),
    json: {
      format: "veripatch-bundle-diff/v1",
      same: comparison.same,
      parts: comparison.parts,
      interdiff: comparison.interdiff.length === 0 ? null : hunkLines(comparison.interdiff).join("\n") + "\n",
      exit,
    },
  };
}

function diffText(parts: readonly ComparedPart[], interdiff: readonly Hunk[], same: boolean): string {
  const c = colour(Deno.stdout);
  const lines = [
    `${c.bold("bundles")}  ${same ? c.green("the same proof") : c.yellow("different proofs")}`,
    ...parts.flatMap(({ part, same, a, b }) =>
      same
        ? [`  ${part.padEnd(9)} ${c.dim("same")}`]
        : [`  ${part.padEnd(9)} ${c.red(`- ${shown(a)}`)}`, `  ${"".padEnd(9)} ${c.green(`+ ${shown(b)}`)}`]
    ),
  ];
  if (interdiff.length > 0) {
    const diff = hunkLines(interdiff);
    const painted = colourDiff(diff.slice(0, MAX_DIFF_LINES).join("\n"), c).split("\n");
    lines.push("", c.bold("the patches, as texts"), ...painted.map((line) => `    ${line}`));
    const more = diff.length - MAX_DIFF_LINES;
    if (more > 0) lines.push(`    … ${count(more, "more line")}`);
  }
  return lines.join("\n");
}

function hunkLines(hunks: readonly Hunk[]): string[] {
  return hunks.flatMap((hunk) => [
    `@@ -${hunk.oldStart},${hunk.oldCount} +${hunk.newStart},${hunk.newCount} @@`,
    ...hunk.lines.map(({ op, text }) => op + displayText(text)),
  ]);
}
