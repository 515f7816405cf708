import { type Command, Option } from "commander";
import type { GateFlags } from "./gate.ts";
import { GATE_FORMATS } from "./gate/format_names.ts";
import { outputFlag } from "./output_flag.ts";
import { repeatable } from "./repeatable.ts";
import { trustOptions } from "./trust_options.ts";
import type { VerbResult, verbRunner } from "./verb.ts";

/** `pp gate`: refuse a merge that lacks its proof. */
export function registerGate(program: Command, verb: ReturnType<typeof verbRunner>): void {
  const command = trustOptions(
    program.command("gate")
      .description("Let a change pass only with a signed proof of exactly this change")
      .argument("<bundle>", "a proof bundle: its folder or a .ppb file")
      .requiredOption("--base <ref>", "the branch or commit the change is to be merged into")
      .requiredOption("--head <ref>", "the branch or commit with the change")
      .option("--repo <dir>", "a working tree or a bare repository (default: the one here)"),
    false,
  )
    .option("--policy <file>", "your policy (default: pp.yaml, pp.yml or pp.json of the merge base)")
    .option(
      "--require-replay [summary]",
      "want a replay: the signed summary of pp replay --sign, or, without a file, one made here and now",
    )
    .option(
      "--replayer-key <file>",
      "public key of a replayer, for a summary without a trust file",
      repeatable,
    )
    .option(
      "--allow-protected <glob>",
      "admit a patch that touches these protected files; repeatable",
      repeatable,
    )
    .option("--image <name>", "container image to want and to replay in, instead of the policy's")
    .option("--pull", "allow a missing image to be pulled for a replay")
    .addOption(new Option("--format <format>", "how to tell it (default: text)").choices(GATE_FORMATS));
  outputFlag(command, {
    value: "file",
    description: "write it to a file, people still get the text; without --format its ending says how: " +
      ".txt .json .sarif .xml .md; repeatable",
    many: true,
  })
    .option("--json", "print one JSON document on stdout")
    .addHelpText(
      "after",
      `
Examples:
  pp gate proof.ppb --base origin/main --head HEAD --trust /etc/ci/trust.yaml --max-age 30d
  pp gate proof.ppb --repo project.git --base main --head fix --key ci.pub.pem --json
  pp gate proof.ppb --base main --head fix --trust trust.yaml --require-replay proof.ppb.replay.attestation.json
  pp gate proof.ppb --base main --head fix --trust trust.yaml -o gate.sarif -o gate.md

Exit 0 open, 2 closed, 65 no bundle there, 77 no key given to judge it by.
Keys and policy are yours; without --policy it is that of the merge base, never of head.`,
    ).action(verb(async (bundle: string, flags: GateFlags): Promise<VerbResult> => {
      const { runGate } = await import("./gate.ts");
      return await runGate(bundle, flags);
    }));
}
