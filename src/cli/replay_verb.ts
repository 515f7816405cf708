import type { Command } from "commander";
import { checkoutFlag } from "./checkout_flag.ts";
import { passphraseFlags } from "./key_verb.ts";
import { outputFlag } from "./output_flag.ts";
import type { ReplayFlags } from "./replay_asked.ts";
import { repeatable } from "./repeatable.ts";
import { trustOptions } from "./trust_options.ts";
import type { VerbResult, verbRunner } from "./verb.ts";

/** `pp replay`: run a bundle's claim again. */
export function registerReplay(program: Command, verb: ReturnType<typeof verbRunner>): void {
  const command = checkoutFlag(
    program.command("replay")
      .description("Run a proof again: base from a checkout, then base plus final.patch, in the sandbox")
      .argument("<bundle>", "a proof bundle: its folder or a .ppb file"),
    "the checkout to use as base (default: the base the bundle embeds, else the current directory)",
  )
    .option(
      "--leave-out <file>",
      "an untracked file of the checkout that was no part of the base; repeatable",
      repeatable,
    )
    .option("--policy <file>", "your policy (default: pp.yaml, pp.yml or pp.json of --cwd or here)")
    .option("--image <name>", "container image to use instead of the policy's")
    .option("--pull", "allow a missing image to be pulled")
    .option("--repeat <n>", "run both sides this often; any disagreement is inconclusive")
    .option(
      "--allow-protected <glob>",
      "admit a patch that touches protected files (tests, runner configuration); repeatable",
      repeatable,
    )
    .option(
      "--check-minimal <k>",
      "then leave out k parts of the patch, one at a time (or all): each must fail",
    )
    .option(
      "--seed <text>",
      "choose those parts by this text, which the prover could not know (default: evenly)",
    )
    .option(
      "--verify-attestation",
      "run nothing unless the bundle's attestation is valid; each of these asks for it:",
    );
  trustOptions(command, true)
    .option("--sign <key>", "sign a summary of the replay with this private key: a file, env:NAME or -");
  outputFlag(passphraseFlags(command), {
    value: "file",
    description: "where the summary goes (default: BUNDLE.replay.attestation.json, beside it)",
  })
    .option("--force", "replace a summary that is there")
    .option("--json", "print one JSON document on stdout")
    .addHelpText(
      "after",
      `
Examples:
  pp replay .pp-artifacts/20261120T120000Z-0123abcd/proof_bundle
  pp replay proof.ppb --policy mine.yaml      needs no checkout when the bundle embeds its base
  pp replay proof_bundle --policy mine.yaml --trust trust.yaml --max-age 30d --sign replayer.key.pem
  pp replay proof_bundle --check-minimal 20 --seed "$(openssl rand -hex 8)"
  git worktree add /tmp/base abc123 && pp replay proof_bundle --cwd /tmp/base --repeat 3

Exit 0 confirmed (red without, green with the patch), 2 contradicted or invalid, 3 inconclusive, 77 no key or
not admitted by your policy. Nothing is run of a bundle that did not pass every check you asked for.
Image, limits and allowed commands come from your policy, never from the bundle.`,
    ).action(verb(async (bundle: string, flags: ReplayFlags): Promise<VerbResult> => {
      const { runReplay } = await import("./replay.ts");
      return await runReplay(bundle, flags);
    }));
}
