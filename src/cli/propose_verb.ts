import type { Command } from "commander";
import { storeFlags } from "./artifact_verb.ts";
import { passphraseFlags } from "./key_verb.ts";
import type { ProposeFlags } from "./propose.ts";
import { repeatable } from "./repeatable.ts";
import type { verbRunner } from "./verb.ts";

type Verb = ReturnType<typeof verbRunner>;

/** Flags of every verb that checks a proposal. */
export function checkingFlags(command: Command): Command {
  return passphraseFlags(
    storeFlags(command)
      .option("--policy <file>", "policy to use instead of pp.yaml, pp.yml or pp.json")
      .option("--no-proof", "do not run the policy's proof targets")
      .option("--sign <key>", "sign the proposal, and the proof, with this private key")
      .option("--trust <file>", "trust file with the approvers (default ~/.config/veripatch/trust.yaml)")
      .option("--image <name>", "container image to prove in instead of the policy's")
      .option("--pull", "allow a missing image to be pulled")
      .option("--artifacts <dir>", "where the proof's bundle goes (default: proofs, in the store)"),
  );
}

/** `pp propose`: a change to a stored version, checked. */
export function registerPropose(program: Command, verb: Verb): void {
  checkingFlags(
    program.command("propose")
      .description("Propose a change to a stored version, and check it")
      .argument("<artifact>", "NAME, or NAME@N for an older version")
      .option("--workspace <dir>", "store this directory as the next version first, when it differs")
      .option("--patch <file>", "a diff, SEARCH/REPLACE blocks or whole files; - for stdin")
      .option("--file <path>", "file to edit; with --instruction, a file it is about; repeatable", repeatable)
      .option("--old <code>", "code that is there in exactly one place")
      .option("--old-file <file>", "the same, from a file; - for stdin")
      .option("--new <code>", "what takes its place")
      .option("--new-file <file>", "the same, from a file; - for stdin")
      .option("--code <code>", "code to put at a place, or all of a new file")
      .option("--code-file <file>", "the same, from a file; - for stdin")
      .option("--at <place>", "start, end, before:ANCHOR or after:ANCHOR; a new file has none")
      .option("--template <name>", "a change by name: pp template list")
      .option("--param <name=value>", "a parameter of the template; repeatable", repeatable)
      .option("--line <n>", "line on which the template's place begins, when there are several")
      .option("--instruction <text>", "what is wanted, put to a proposer")
      .option(
        "--provider <name>",
        "who is asked: command, openai, local (PP_PROVIDER), or patch with --patch",
      )
      .option("--edits <file>", "several files and instructions at once, YAML or JSON; - for stdin")
      .option("--title <text>", "what the change is, in a line")
      .option("--revise <proposal>", "make it the next revision of a proposal")
      .option("--draft", "only store it: no checks, nothing to approve yet"),
  ).addHelpText(
    "after",
    `
Examples:
  pp propose api --patch fix.diff
  git diff | pp propose api@3 --patch - --title "handle empty input"
  pp propose api --workspace . --file src/app.py --old "return 1" --new "return 2"
  pp propose api --file src/app.py --code-file new_function.py --at after:symbol:main
  pp propose api --template add-import --file src/app.py --param module=os
  pp propose api --instruction "reject negative amounts" --file src/pay.py --provider openai
  pp propose api --edits changes.yaml --sign ~/.config/veripatch/me.key.pem

One kind of source at a time; --edits takes several. ANCHOR is line:12, symbol:Class.method, or the text of a
line. A failed check is kept with the proposal and does not stop it. docs/proposals.md says all of it.
Exit 0 proposed, 2 proposed but nobody can approve it, or nothing came of an instruction.`,
  ).action(verb(async (artifact: string, flags: ProposeFlags) => {
    const { propose } = await import("./propose.ts");
    return await propose(artifact, flags);
  }));
}
