import { resolve } from "node:path";
import { withBundleFolder } from "../bundle/open.ts";
import { writeWhole } from "../bundle/pack.ts";
import { readBundle } from "../bundle/read.ts";
import { unreadableBundle } from "../bundle/refused.ts";
import { reportPage } from "../report/page.ts";
import { EXIT } from "./exit_code.ts";
import { bytesText, colour, shownPath } from "./output.ts";
import type { ReportFlags } from "./report_verb.ts";
import type { VerbResult } from "./verb.ts";
import { watched } from "./watched.ts";

/** `pp report`: reads a bundle and writes its page. */
export async function writeReport(path: string, flags: ReportFlags): Promise<VerbResult> {
  const root = Deno.cwd();
  const bundle = await watched(
    flags.json === true,
    ({ signal }) =>
      withBundleFolder(resolve(root, path), async (folder) => {
        const read = await readBundle(folder);
        if (!read.ok) throw unreadableBundle(read.refusal);
        return read.bundle;
      }, signal),
  );
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
