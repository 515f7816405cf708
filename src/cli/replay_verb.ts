import type { Command } from "commander";
import type { ReplayFlags } from "./replay.ts";
import type { VerbResult, verbRunner } from "./verb.ts";

/** `pp replay`: run a bundle's claim again. */
export function registerReplay(program: Command, verb: ReturnType<typeof verbRunner>): void {
  program.command("replay")
    .description("Run a proof again: base from a checkout, then base plus final.patch, in the sandbox")
    .argument("<bundle>", "a proof bundle: its folder or a .ppb file")
    .option(
      "--cwd <dir>",
      "the checkout to use as base (default: the base the bundle embeds, else the current directory)",
    )
    .option(
      "--leave-out <file>",
      "an untracked file of the checkout that was no part of the base; repeatable",
      (value: string, earlier: string[] = []) => [...earlier, value],
    )
    .option("--policy <file>", "your policy (default: pp.yaml, pp.yml or pp.json of --cwd or here)")
    .option("--image <name>", "container image to use instead of the policy's")
    .option("--pull", "allow a missing image to be pulled")
    .option("--repeat <n>", "run both sides this often; any disagreement is inconclusive")
    .option(
      "--allow-protected <glob>",
      "admit a patch that touches protected files (tests, runner configuration); repeatable",
      (value: string, earlier: string[] = []) => [...earlier, value],
    )
    .option("--json", "print one JSON document on stdout")
    .addHelpText(
      "after",
      `
Examples:
  pp replay .pp-artifacts/20261120T120000Z-0123abcd/proof_bundle
  pp replay proof.ppb --policy mine.yaml      needs no checkout when the bundle embeds its base
  git worktree add /tmp/base abc123 && pp replay proof_bundle --cwd /tmp/base --repeat 3

Exit 0 confirmed (red without, green with the patch), 2 contradicted, 3 inconclusive.
Image, limits and allowed commands come from your policy, never from the bundle.`,
    ).action(verb(async (bundle: string, flags: ReplayFlags): Promise<VerbResult> => {
      const { runReplay } = await import("./replay.ts");
      return await runReplay(bundle, flags);
    }));
}
