import type { Command } from "commander";
import { keyFlags, termsFlags } from "./approval_verb.ts";
import type { ReviewFlags } from "./review.ts";
import type { verbRunner } from "./verb.ts";

/** `pp review`: decide on proposals in the terminal. */
export function registerReview(program: Command, verb: ReturnType<typeof verbRunner>): void {
  termsFlags(
    keyFlags(program.command("review").description("Review the proposals that wait, in the terminal")),
  )
    .addHelpText(
      "after",
      `
Examples:
  pp review --key ann.key.pem
  pp review                     only look

Each proposal with its diff, what the checks found, test results and decisions. a approves, r rejects with a
reason; the keys that work are always in the last line. What is signed is the evidence on the screen: if it has
changed in the store since, nothing is decided.`,
    )
    .action(verb(async (flags: ReviewFlags) => {
      const { runReview } = await import("./review.ts");
      return await runReview(flags);
    }));
}
