import { resolve } from "node:path";
import { writeWhole } from "../bundle/pack.ts";
import type { ReadBundle } from "../bundle/read.ts";
import { inventoryOf } from "../bundle/inventory.ts";
import type { ReportVerification } from "../report/attestation_view.ts";
import { reportPage } from "../report/page.ts";
import { verifyAttestation } from "../verify/verify.ts";
import { besideBundle } from "./beside_bundle.ts";
import { readBundleAt } from "./bundle_input.ts";
import { EXIT } from "./exit_code.ts";
import { bytesText, colour, shownPath } from "./output.ts";
import { attestationAsked } from "./replay_asked.ts";
import type { ReportFlags } from "./report_verb.ts";
import type { VerbResult } from "./verb.ts";
import { PARTS } from "./verification_report.ts";

/** `pp report`: reads a bundle and writes its page; verifies it for the page when the caller names whom to believe. */
export async function writeReport(path: string, flags: ReportFlags): Promise<VerbResult> {
  const root = Deno.cwd();
  const bundle = await readBundleAt(path, flags.json === true);
  const { session } = bundle.repro;
  const target = flags.output === undefined ? await besideBundle(path, "report.html") : resolve(flags.output);
  const verification = await verified(bundle, flags);
  const page = new TextEncoder().encode(reportPage(bundle, verification));
  await writeWhole(target, [page], flags.force === true);
  const c = colour(Deno.stdout);
  return {
    exit: verification?.verdict === "invalid" ? EXIT.no : EXIT.yes,
    text: [
      `${c.bold("report")}   ${shownPath(target, root)} ${c.dim(`(${bytesText(page.length)})`)}`,
      ...(verification === null ? [] : [`${c.bold("verified")} ${verification.verdict}`]),
    ].join("\n"),
    json: {
      format: "veripatch-report/v1",
      path: target,
      session,
      size: page.length,
      verification: verification?.verdict ?? null,
    },
  };
}

/** Of the very bytes that are shown; null when the caller names nobody to believe. */
async function verified(bundle: ReadBundle, flags: ReportFlags): Promise<ReportVerification | null> {
  const asked = await attestationAsked(flags, new Date());
  if (asked === null) return null;
  const inventory = await inventoryOf(bundle.files, bundle.embedded);
  const found = await verifyAttestation({ ...asked, inventory, unsigned: null });
  const verdicts = PARTS.map((name) => ({ name, verdict: found[name].verdict, detail: found[name].detail }));
  return { verdict: found.verdict, verdicts };
}
