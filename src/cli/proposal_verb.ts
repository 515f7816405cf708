import { type Command, Option } from "commander";
import { REVISION_STATES } from "../vocabulary/proposal.ts";
import { storeFlags } from "./artifact_verb.ts";
import { outputFlag } from "./output_flag.ts";
import type { DiffFlags, ListFlags, ProposalFlags, WithdrawFlags } from "./proposal.ts";
import type { CheckingFlags } from "./proposal_examination.ts";
import type { RebaseFlags } from "./proposal_rebase.ts";
import { checkingFlags } from "./propose_verb.ts";
import type { verbRunner } from "./verb.ts";

type Verb = ReturnType<typeof verbRunner>;

function examples(command: Command, text: string): Command {
  return command.addHelpText("after", `\nExamples:\n${text}`);
}

/** `pp proposal …`: proposals, looked at and kept up. */
export function registerProposal(program: Command, verb: Verb): void {
  const proposal = program.command("proposal").description("Look at proposals, take them back, move them on");
  examples(
    proposal,
    `  pp proposal list --state proposed
  pp proposal show P1
  pp proposal diff P1 -o fix.diff
  pp proposal rebase P1

P1 is a proposal, P1.2 its second revision, P1 alone the newest. pp propose makes one; docs/proposals.md says how.`,
  );
  registerLooking(proposal, verb);
  registerMoving(proposal, verb);
}

function registerLooking(proposal: Command, verb: Verb): void {
  examples(
    storeFlags(
      proposal.command("list").description("List proposals, newest first")
        .addOption(new Option("--state <state>", "of the newest revision").choices([...REVISION_STATES]))
        .option("--artifact <name>", "about this artifact")
        .option("--mine", "proposed by you (PP_ACTOR, else your user name)")
        .option("--limit <n>", "at most as many", "200"),
    ),
    `  pp proposal list
  pp proposal list --mine --state approved --json | jq -r '.proposals[].name'

DENIED (safety) marks what nobody can approve, with the checks that deny it; FAILED (proof) one with other
checks that failed.`,
  ).action(verb(async (flags: ListFlags) => {
    const { proposalList } = await import("./proposal.ts");
    return await proposalList(flags);
  }));
  examples(
    storeFlags(
      proposal.command("show").description("Show a proposal: change, checks, decisions")
        .argument("<proposal>", "P1, or P1.2 for a revision"),
    ),
    `  pp proposal show P1
  pp proposal show P1 --json | jq '.files[].hunks'`,
  ).action(verb(async (name: string, flags: ProposalFlags) => {
    const { proposalShow } = await import("./proposal.ts");
    return await proposalShow(name, flags);
  }));
  examples(
    storeFlags(
      outputFlag(
        proposal.command("diff").description(
          "Print a proposal's patch, or what differs between two revisions",
        )
          .argument("<proposal>", "P1 or P1.2")
          .argument("[other]", "a second revision: what its result has otherwise"),
        { value: "file", description: "write the patch, byte for byte, to a file" },
      ).option("--force", "replace a file that is there"),
    ),
    `  pp proposal diff P1 | git apply --check
  pp proposal diff P1 -o fix.diff
  pp proposal diff P1.1 P1.2`,
  ).action(verb(async (name: string, other: string | undefined, flags: DiffFlags) => {
    const { proposalDiff } = await import("./proposal.ts");
    return await proposalDiff(name, other, flags);
  }));
}

function registerMoving(proposal: Command, verb: Verb): void {
  examples(
    checkingFlags(
      proposal.command("check").description("Check a draft, and propose it").argument("<proposal>", "P1"),
    ),
    `  pp propose api --patch fix.diff --draft && pp proposal check P1`,
  ).action(verb(async (name: string, flags: CheckingFlags) => {
    const { proposalCheck } = await import("./proposal_rebase.ts");
    return await proposalCheck(name, flags);
  }));
  examples(
    storeFlags(
      proposal.command("withdraw").description("Take a proposal back")
        .argument("<proposal>", "P1")
        .requiredOption("--reason <text>", "why"),
    ),
    `  pp proposal withdraw P1 --reason "P2 does it better"`,
  ).action(verb(async (name: string, flags: WithdrawFlags) => {
    const { proposalWithdraw } = await import("./proposal.ts");
    return await proposalWithdraw(name, flags);
  }));
  examples(
    checkingFlags(
      proposal.command("rebase").description("Merge a proposal onto another version, as a new revision")
        .argument("<proposal>", "P1")
        .option("--onto <n>", "number of the version (default: the newest)")
        .addOption(
          new Option("--merge-strategy <how>", "what becomes of places that both sides changed")
            .choices(["manual", "ours", "theirs", "union"]).default("manual"),
        )
        .option("--draft", "only store it: no checks yet"),
    ),
    `  pp proposal rebase P1
  pp proposal rebase P1 --onto 4 --merge-strategy theirs

Ours is the version, theirs the proposal. Conflicts are listed by file, line and reason, and nothing changes.
Exit 0 rebased, 2 conflicts or nothing left to change.`,
  ).action(verb(async (name: string, flags: RebaseFlags) => {
    const { proposalRebase } = await import("./proposal_rebase.ts");
    return await proposalRebase(name, flags);
  }));
}
