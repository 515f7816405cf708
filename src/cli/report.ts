import { resolve } from "node:path";
import { writeWhole } from "../bundle/pack.ts";
import { reportPage } from "../report/page.ts";
import { readBundleAt } from "./bundle_input.ts";
import { EXIT } from "./exit_code.ts";
import { bytesText, colour, shownPath } from "./output.ts";
import type { ReportFlags } from "./report_verb.ts";
import type { VerbResult } from "./verb.ts";

/** `pp report`: reads a bundle and writes its page. */
export async function writeReport(path: string, flags: ReportFlags): Promise<VerbResult> {
  const root = Deno.cwd();
  const bundle = await readBundleAt(path, flags.json === true);
  const { session } = bundle.repro;
  const target = resolve(root, flags.output ?? `${session}.html`);
  const page = new TextEncoder().encode(reportPage(bundle));
  await writeWhole(target, [page], flags.force === true);
  const c = colour(Deno.stdout);
  return {
    exit: EXIT.yes,
    text: `${c.bold("report")}   ${shownPath(target, root)} ${c.dim(`(${bytesText(page.length)})`)}`,
    json: { format: "veripatch-report/v1", path: target, session, size: page.length },
  };
}
