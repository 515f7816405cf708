import type { Command } from "commander";
import type { DoctorFlags } from "./doctor.ts";
import type { VerbResult, verbRunner } from "./verb.ts";

/** `pp doctor`: what is missing, and how to get it. */
export function registerDoctor(program: Command, verb: ReturnType<typeof verbRunner>): void {
  program.command("doctor")
    .description("Check engine, image, bubblewrap, git, policy, provider settings and leftovers")
    .option("--policy <file>", "policy to check instead of pp.yaml, pp.yml or pp.json")
    .option("--command <command>", "say whether the policy admits this command")
    .option("--provider <name>", "provider to check instead of PP_PROVIDER")
    .option("--json", "print one JSON document on stdout")
    .addHelpText(
      "after",
      `
Examples:
  pp doctor
  pp doctor --command "pytest -q" --provider openai
  pp doctor --json | jq '.checks[] | select(.ok | not)'

Exit 0 when pp run can work here, 69 when something it needs is missing, 65 when the policy is malformed.`,
    ).action(verb(async (flags: DoctorFlags): Promise<VerbResult> => {
      const { doctor } = await import("./doctor.ts");
      return await doctor(flags);
    }));
}
