import type { Command } from "commander";
import { registerApply } from "./apply_verb.ts";
import { registerApproval } from "./approval_verb.ts";
import { registerArtifact } from "./artifact_verb.ts";
import { registerAttest } from "./attest_verb.ts";
import { registerBundle } from "./bundle_verb.ts";
import { registerCompletions } from "./completions_verb.ts";
import { registerDoctor } from "./doctor_verb.ts";
import { registerEvents } from "./events_verb.ts";
import { registerGate } from "./gate_verb.ts";
import { registerHelp } from "./help_verb.ts";
import { registerInit } from "./init_verb.ts";
import { registerKey } from "./key_verb.ts";
import { registerPolicy } from "./policy_verb.ts";
import { registerProposal } from "./proposal_verb.ts";
import { registerPropose } from "./propose_verb.ts";
import { registerReplay } from "./replay_verb.ts";
import { registerReport } from "./report_verb.ts";
import { registerReview } from "./review_verb.ts";
import { registerSafety } from "./safety_verb.ts";
import { registerProve, registerRun } from "./session_verbs.ts";
import { registerTemplate } from "./template_verb.ts";
import { registerTrust } from "./trust_verb.ts";
import type { verbRunner } from "./verb.ts";
import { registerVerifyAttestation } from "./verify_attestation_verb.ts";

/**
 * Adds every verb, in the groups of the help.
 * @param args all words of the call
 */
export function registerVerbs(
  program: Command,
  verb: ReturnType<typeof verbRunner>,
  args: readonly string[],
): void {
  program.commandsGroup("Prove:");
  registerInit(program, verb);
  registerRun(program, verb, args);
  registerProve(program, verb);
  program.commandsGroup("Look at a proof, hand it over, check it:");
  registerReport(program, verb);
  registerBundle(program, verb);
  registerAttest(program, verb);
  registerVerifyAttestation(program, verb);
  registerReplay(program, verb);
  registerGate(program, verb);
  program.commandsGroup("Rules and keys:");
  registerPolicy(program, verb);
  registerSafety(program, verb);
  registerTemplate(program, verb);
  registerKey(program, verb);
  registerTrust(program, verb);
  program.commandsGroup("Versions of a workspace:");
  registerArtifact(program, verb);
  registerEvents(program, verb);
  program.commandsGroup("Propose, approve, apply:");
  registerPropose(program, verb);
  registerProposal(program, verb);
  registerApproval(program, verb);
  registerReview(program, verb);
  registerApply(program, verb);
  program.commandsGroup("This program:");
  registerDoctor(program, verb);
  registerCompletions(program, verb);
  registerHelp(program, verb);
}
