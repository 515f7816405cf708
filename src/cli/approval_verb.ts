import type { Command } from "commander";
import type { ApprovalFlags, ListFlags } from "./approval.ts";
import type { DecideFlags } from "./approval_decide.ts";
import type { WaitFlags } from "./approval_wait.ts";
import { storeFlags } from "./artifact_verb.ts";
import type { StoreFlags } from "./store_asked.ts";
import { passphraseFlags } from "./key_verb.ts";
import type { verbRunner } from "./verb.ts";

type Verb = ReturnType<typeof verbRunner>;

function examples(command: Command, text: string): Command {
  return command.addHelpText("after", `\nExamples:\n${text}`);
}

/** Flags of every verb that judges approvals. */
export function termsFlags(command: Command): Command {
  return storeFlags(
    command
      .option("--trust <file>", "trust file that says who approves (default ~/.config/veripatch/trust.yaml)")
      .option("--policy <file>", "policy to judge by (default: pp.yaml of the workspace)")
      .option("--workspace <dir>", "where that policy is", "."),
  );
}

/** Flags of every verb that signs a decision. */
export function keyFlags(command: Command): Command {
  return passphraseFlags(
    command.option("--key <file>", "your private key: a file, env:NAME or - for stdin"),
  );
}

function deciding(command: Command): Command {
  return termsFlags(
    keyFlags(command.argument("<proposal>", "P12, or a revision of it: P12.2"))
      .option("--evidence <hash>", "the evidence you have seen, as pp approval show prints it"),
  );
}

/** `pp approval …`: who decides on proposals. */
export function registerApproval(program: Command, verb: Verb): void {
  const approval = program.command("approval").description("Decide on proposals, and see who did");
  examples(
    approval,
    `  pp approval list
  pp approval show P3
  pp approval approve P3 --key ann.key.pem
  pp approval reject P3 --key ann.key.pem --reason "loses data"
  pp approval wait P3 --timeout 2h && pp apply P3

What is approved is exactly what was shown: the evidence of one revision, by its hash. docs/approval.md has
the states, the statement that is signed and the rules.`,
  );
  registerLooking(approval, verb);
  registerDeciding(approval, verb);
}

function registerLooking(approval: Command, verb: Verb): void {
  examples(
    termsFlags(
      approval.command("request").description("Ask for the approval of a proposal; rules may give it at once")
        .argument("<proposal>", "P12, or a revision of it: P12.2"),
    ),
    `  pp approval request P3
  pp approval request P3 --policy strict.yaml --trust trust.yaml

Whoever follows the log (pp events --follow) sees it.`,
  ).action(verb(async (text: string, flags: ApprovalFlags) => {
    const { approvalRequest } = await import("./approval.ts");
    return await approvalRequest(text, flags);
  }));
  examples(
    storeFlags(
      approval.command("list").description("List the proposals that wait for a decision")
        .option("--state <state>", "those in another state: approved, rejected, expired, applied …")
        .option("--all", "those in any state")
        .option("--forced", "bypasses instead, with when their review is due")
        .option("--limit <n>", "at most so many, the newest"),
    ),
    `  pp approval list
  pp approval list --all --limit 20
  pp approval list --forced
  pp approval list --json | jq -r '.proposals[] | select(.denied | not).name'

DENIED (safety) marks what nobody can approve, with the checks that deny it; FAILED (proof) one with other
checks that failed.`,
  ).action(verb(async (flags: ListFlags) => {
    const { approvalList } = await import("./approval.ts");
    return await approvalList(flags);
  }));
  examples(
    termsFlags(
      approval.command("show").description("Show all that an approval is bound to: findings, decisions, diff")
        .argument("<proposal>", "P12, or a revision of it: P12.2")
        .option("--no-diff", "leave the diff out"),
    ),
    `  pp approval show P3
  pp approval show P3 --json | jq -r .evidence_sha256`,
  ).action(verb(async (text: string, flags: ApprovalFlags & { diff?: boolean }) => {
    const { approvalShow } = await import("./approval.ts");
    return await approvalShow(text, flags);
  }));
  examples(
    termsFlags(
      approval.command("wait").description("Wait until a proposal is decided")
        .argument("<proposal>", "P12, or a revision of it: P12.2")
        .option("--timeout <time>", "how long: 90s, 30m, 12h; without it, for ever"),
    ),
    `  pp approval wait P3 --timeout 30m && pp apply P3

Exit 0 approved, 2 rejected, stale or superseded, 3 expired or nobody decided in time, 77 when the table says
approved and no signature does.`,
  ).action(verb(async (text: string, flags: WaitFlags) => {
    const { approvalWait } = await import("./approval_wait.ts");
    return await approvalWait(text, flags);
  }));
}

function registerDeciding(approval: Command, verb: Verb): void {
  const decide = (kind: "approve" | "reject" | "bypass") =>
    verb(async (text: string, flags: DecideFlags & StoreFlags) => {
      const { approvalDecide } = await import("./approval_decide.ts");
      return await approvalDecide(kind, text, flags);
    });
  examples(
    deciding(approval.command("approve").description("Approve exactly what was shown, and sign that"))
      .option("--reason <text>", "why")
      .option("--expires <time>", "how long it counts, at most as long as the policy says: 12h, 2d"),
    `  pp approval approve P3 --key ann.key.pem
  pp approval approve P3.1 --key ann.key.pem --evidence "$(pp approval show P3.1 --json | jq -r .evidence)"

On a terminal the proposal is shown and asked about. Elsewhere --evidence names what was seen; if that is not
what is there now, nothing is approved.`,
  ).action(decide("approve"));
  examples(
    deciding(approval.command("reject").description("Reject a proposal, also one that was approved before"))
      .option("--reason <text>", "why; needed"),
    `  pp approval reject P3 --key ann.key.pem --reason "loses data" --evidence HASH`,
  ).action(decide("reject"));
  examples(
    deciding(approval.command("bypass").description("Force a proposal without the approvals it needs"))
      .option("--reason <text>", "why; needed")
      .option("--expires <time>", "how long it counts")
      .option("--review-within <time>", "how soon somebody has to look at it, at most as the policy says"),
    `  pp approval bypass P3 --key ann.key.pem --reason "the site is down" --evidence HASH

Only where the policy says approval.bypass: true. It is signed, marked FORCED wherever it is shown, and
somebody else has to look at it in time. It skips no check of integrity and no event, and nothing that the
policy denies.`,
  ).action(decide("bypass"));
}
