import type { Command } from "commander";
import { checkoutFlag, type CheckoutFlags } from "./checkout_flag.ts";
import type { verbRunner } from "./verb.ts";

type Verb = ReturnType<typeof verbRunner>;

export interface SafetyFlags {
  readonly json?: boolean;
  readonly sarif?: boolean;
  readonly output?: string;
  readonly force?: boolean;
}

export interface SafetyDiffFlags extends SafetyFlags, CheckoutFlags {
  readonly base?: string;
  readonly patch?: string;
  readonly policy?: string;
}

function outputFlags(command: Command): Command {
  return command
    .option("--sarif", "print a SARIF 2.1.0 document instead of text")
    .option("-o, --output <file>", "write the result to a file instead of stdout")
    .option("--force", "replace the file of --output")
    .option("--json", "print one JSON document");
}

/** `pp safety scan|diff`. */
export function registerSafety(program: Command, verb: Verb): void {
  const safety = program.command("safety")
    .description("Say what code can do, and what a change newly makes it able to do")
    .addHelpText(
      "after",
      `
Examples:
  pp safety scan                       what the code here can do: programs, network, files …
  pp safety diff --patch fix.diff      what fix.diff newly enables
  pp safety diff --base ../before      the same for two folders

docs/safety.md says what is seen and what is not.`,
    );
  outputFlags(
    safety.command("scan")
      .description("What the code in a folder can do, by capability, with file, line and function")
      .argument("[paths...]", "folders or files (default: this folder)"),
  ).addHelpText(
    "after",
    `
Examples:
  pp safety scan
  pp safety scan src tools/build.py
  pp safety scan --json | jq '.sites[] | select(.capability == "exec")'
  pp safety scan --sarif -o capabilities.sarif

Nothing is run. Files in a language without rules, or that do not parse, are listed as unanalyzed.
Exit 0: the answer is the list.`,
  ).action(verb(async (paths: string[], flags: SafetyFlags) => {
    const { safetyScan } = await import("./safety.ts");
    return await safetyScan(paths, flags);
  }));
  outputFlags(
    checkoutFlag(
      safety.command("diff")
        .description("What a change newly makes code able to do, and what the policy says about it")
        .argument("[bundle]", "a proof bundle whose patch is the change, over the folder of --cwd")
        .option("--patch <file>", "a diff that is the change, - for stdin, over the folder of --cwd")
        .option("--base <dir>", "the folder before the change; the one after it is that of --cwd"),
      "the folder (default: this one)",
    )
      .option("--policy <file>", "policy to judge by (default: pp.yaml, pp.yml or pp.json of this folder)"),
  ).addHelpText(
    "after",
    `
Examples:
  pp safety diff --patch fix.diff
  git diff main fix | pp safety diff --patch -
  pp safety diff --base ../before --cwd ../after --policy strict.yaml
  pp safety diff .pp-artifacts/ID/proof_bundle --sarif -o delta.sarif

The whole files are compared, not the lines of the diff: a use that only moved is not new.
Exit 0: nothing that the policy objects to. Exit 2: the policy denies it. Exit 3: a person has to approve it
(policy.safety.require_approval, or what could not be analyzed).`,
  ).action(verb(async (bundle: string | undefined, flags: SafetyDiffFlags) => {
    const { safetyDiff } = await import("./safety.ts");
    return await safetyDiff(bundle, flags);
  }));
}
