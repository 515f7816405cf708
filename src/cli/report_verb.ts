import type { Command } from "commander";
import { outputFlag } from "./output_flag.ts";
import type { TrustFlags } from "./trust_asked.ts";
import { trustOptions } from "./trust_options.ts";
import type { verbRunner } from "./verb.ts";

export interface ReportFlags extends TrustFlags {
  readonly maxAge?: string;
  readonly nonce?: string;
  readonly output?: string;
  readonly force?: boolean;
  readonly json?: boolean;
}

/** `pp report`: a bundle as one page. */
export function registerReport(program: Command, verb: ReturnType<typeof verbRunner>): void {
  const command = outputFlag(
    program.command("report")
      .description("Write a proof bundle as one self-contained HTML page")
      .argument("<bundle>", "a proof bundle: its folder or a .ppb file"),
    {
      value: "file",
      description: "where to write it (default: report.html in the session's folder, beside the bundle)",
    },
  );
  trustOptions(command, false)
    .option("--force", "replace a file that is there")
    .option("--json", "print one JSON document on stdout")
    .addHelpText(
      "after",
      `
Examples:
  pp report .pp-artifacts/20261120T120000Z-0123abcd
  pp report proof.ppb --force -o ../report.html
  pp report proof.ppb --trust ../trust.yaml --max-age 30d      the page also says what became of verifying it

The page needs nothing else: no script, no request. Without a key or trust file nothing is verified for it; an
invalid attestation is shown as that, and exits 2.`,
    ).action(verb(async (path: string, flags: ReportFlags) => {
      const { writeReport } = await import("./report.ts");
      return await writeReport(path, flags);
    }));
}
