import type { Command } from "commander";
import type { verbRunner } from "./verb.ts";

export interface ReportFlags {
  readonly output?: string;
  readonly force?: boolean;
  readonly json?: boolean;
}

/** `pp report`: a bundle as one page. */
export function registerReport(program: Command, verb: ReturnType<typeof verbRunner>): void {
  program.command("report")
    .description("Write a proof bundle as one self-contained HTML page")
    .argument("<bundle>", "a proof bundle: its folder or a .ppb file")
    .option("-o, --output <file>", "where to write it (default: SESSION.html here)")
    .option("--force", "replace a file that is there")
    .option("--json", "print one JSON document on stdout")
    .addHelpText(
      "after",
      `
Examples:
  pp report .pp-artifacts/20261120T120000Z-0123abcd -o report.html
  pp report proof.ppb --force -o report.html

The page needs nothing else: no script, no request. It verifies nothing; it shows what the bundle says.`,
    ).action(verb(async (path: string, flags: ReportFlags) => {
      const { writeReport } = await import("./report.ts");
      return await writeReport(path, flags);
    }));
}
