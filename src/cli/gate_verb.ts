import { type Command, Option } from "commander";
import type { GateFlags } from "./gate.ts";
import { GATE_FORMATS } from "./gate/format_names.ts";
import { outputFlag } from "./output_flag.ts";
import type { VerbResult, verbRunner } from "./verb.ts";

const collect = (value: string, earlier: string[] = []) => [...earlier, value];

/** `pp gate`: refuse a merge that lacks its proof. */
export function registerGate(program: Command, verb: ReturnType<typeof verbRunner>): void {
  const command = program.command("gate")
    .description("Let a change pass only with a signed proof of exactly this change")
    .argument("<bundle>", "a proof bundle: its folder or a .ppb file")
    .requiredOption("--base <ref>", "the branch or commit the change is to be merged into")
    .requiredOption("--head <ref>", "the branch or commit with the change")
    .option("--repo <dir>", "a working tree or a bare repository (default: the one here)")
    .option("--trust <file>", "trust file that says whose keys count")
    .option("--key <file>", "public key you trust: a file, env:NAME or - for stdin; repeatable", collect)
    .option("--hmac-key <file>", "shared secret: a file, env:NAME or - for stdin")
    .option("--key-env <name>", "environment variable with the shared secret (default PP_ATTEST_HMAC_KEY)")
    .option("--role <role>", "the role its signers need in the trust file: prover, replayer, approver")
    .option("--threshold <n>", "how many have to have signed (default 1, or as the trust file says)")
    .option("--policy <file>", "your policy (default: pp.yaml, pp.yml or pp.json of the merge base)")
    .option("--max-age <time>", "how long ago it may have been issued: 90s, 30m, 12h, 30d, 2w")
    .option("--nonce <text>", "what must stand in the statement, exactly")
    .option(
      "--require-replay [summary]",
      "want a replay: the signed summary of pp replay --sign, or, without a file, one made here and now",
    )
    .option("--replayer-key <file>", "public key of a replayer, for a summary without a trust file", collect)
    .option(
      "--allow-protected <glob>",
      "admit a patch that touches these protected files; repeatable",
      collect,
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
