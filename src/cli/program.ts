import { Command, CommanderError } from "commander";
import { VERSION } from "../version.ts";
import { registerArtifact } from "./artifact_verb.ts";
import { registerAttest } from "./attest_verb.ts";
import { registerBundle } from "./bundle_verb.ts";
import { registerDoctor } from "./doctor_verb.ts";
import { registerEvents } from "./events_verb.ts";
import { EXIT } from "./exit_code.ts";
import { registerGate } from "./gate_verb.ts";
import { registerInit } from "./init_verb.ts";
import { registerKey } from "./key_verb.ts";
import { registerPolicy } from "./policy_verb.ts";
import { registerReport } from "./report_verb.ts";
import { registerReplay } from "./replay_verb.ts";
import { registerSafety } from "./safety_verb.ts";
import { registerProve, registerRun } from "./session_verbs.ts";
import { registerTrust } from "./trust_verb.ts";
import { registerVerifyAttestation } from "./verify_attestation_verb.ts";
import { Failure } from "../vocabulary/failure.ts";
import { failureDocument, type Outcome, printFailure, printJson, verbRunner } from "./verb.ts";

const EPILOGUE = `
Examples:
  pp init                                   write a pp.yaml that fits this project
  pp run "pytest -q" --patch fix.diff       prove that fix.diff turns pytest green
  pp run --provider openai -- pytest -q     let a model propose, let pytest judge
  pp prove                                  prove all targets of pp.yaml
  pp attest .pp-artifacts/ID/proof_bundle --key ci.key.pem
  pp verify-attestation BUNDLE --key ci.pub.pem
  pp replay .pp-artifacts/ID/proof_bundle   run a proof again from a checkout
  pp gate BUNDLE --base main --head fix --trust trust.yaml
  pp bundle pack .pp-artifacts/ID           one file to hand over
  pp report .pp-artifacts/ID -o proof.html  the proof as one page
  pp safety diff --patch fix.diff           what fix.diff newly makes code able to do
  pp keygen -o ci                           a key pair to sign proofs with
  pp trust add ci ci.pub.pem --role prover  say whose proofs are believed
  pp artifact create api                    keep a version of the workspace
  pp events --verify                        the store's log, and whether it holds
  pp doctor                                 what is missing, and how to get it

Exit codes:
  0 proved, done      2 the answer is no       3 no answer (flaky, timed out, budget)
  64 wrong usage      65 malformed input       69 engine, image or provider missing
  70 bug in pp        77 not permitted         130 interrupted, cleaned up
`;

const RUN_HINT = 'quote the command (pp run "pytest -q") or put -- before it (pp run -- pytest -q)';

/**
 * Runs one verb.
 * @param args the words after the program's name
 * @returns the exit code
 */
export async function run(args: readonly string[]): Promise<number> {
  const outcome: Outcome = { exit: EXIT.yes };
  const program = new Command("pp");
  program
    .description("Proves that a patch fixes what it claims, and lets anyone check it offline.")
    .version(`pp ${VERSION}`, "-V, --version")
    .addHelpText("after", EPILOGUE)
    .showSuggestionAfterError()
    .configureOutput({ outputError: () => {} })
    .exitOverride();
  const verb = verbRunner(outcome);
  registerRun(program, verb, args);
  registerProve(program, verb);
  registerAttest(program, verb);
  registerVerifyAttestation(program, verb);
  registerReplay(program, verb);
  registerBundle(program, verb);
  registerReport(program, verb);
  registerGate(program, verb);
  registerArtifact(program, verb);
  registerEvents(program, verb);
  registerSafety(program, verb);
  registerDoctor(program, verb);
  registerPolicy(program, verb);
  registerInit(program, verb);
  registerKey(program, verb);
  registerTrust(program, verb);
  try {
    if (args.length === 0) {
      program.outputHelp();
      return EXIT.usage;
    }
    await program.parseAsync([...args], { from: "user" });
    return outcome.exit;
  } catch (error) {
    if (error instanceof CommanderError) {
      if (error.exitCode === 0) return EXIT.yes;
      const failure = usageFailure(error, program, args);
      // A group without its verb: commander has shown the group's help.
      if (error.code !== "commander.help") printFailure(failure);
      if (args.includes("--json")) await printJson(failureDocument(failure));
      return EXIT.usage;
    }
    printFailure(error);
    return EXIT.bug;
  }
}

/** What commander says of a call, with the verb's own help as the next step. */
function usageFailure(error: CommanderError, program: Command, args: readonly string[]): Failure {
  const unquoted = error.code === "commander.unknownOption" && args[0] === "run";
  const verb = verbOf(program, args);
  return new Failure(
    "usage",
    error.code.replace(/^commander\./, "").replace(/[A-Z]/g, (c) => `_${c.toLowerCase()}`),
    error.message.replace(/^error: /, "").replaceAll("\n", " "),
    { hint: unquoted ? RUN_HINT : `${["pp", ...verb, "--help"].join(" ")} shows flags and examples` },
  );
}

/** The words of a call that name a verb, such as `trust add`. */
function verbOf(program: Command, args: readonly string[]): readonly string[] {
  const names: string[] = [];
  for (let at = program;;) {
    const next = at.commands.find((command) => command.name() === args[names.length]);
    if (next === undefined) return names;
    names.push(next.name());
    at = next;
  }
}
