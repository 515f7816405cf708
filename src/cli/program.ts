import { Command, CommanderError } from "commander";
import { VERSION } from "../version.ts";
import { EXIT } from "./exit_code.ts";
import { helpLayout, helpOutput } from "./help_layout.ts";
import { spellingHint } from "../document/spelling.ts";
import { quoted } from "../vocabulary/printable.ts";
import { Failure } from "../vocabulary/failure.ts";
import { enterFolder, folderFlag } from "./start_folder.ts";
import { failureDocument, type Outcome, printFailure, printJson, verbRunner } from "./verb.ts";
import { TOPICS } from "./topics.ts";
import { registerVerbs } from "./verbs.ts";

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
  pp approval list                          what waits for a decision; pp review decides
  pp events --verify                        the store's log, and whether it holds
  pp doctor                                 what is missing, and how to get it
  pp -C ../api prove                        in another folder, from which paths are seen then

Exit codes:
  0    proved, valid, open, done
  2    the answer is no
  3    no answer (flaky, timed out, budget used up)
  64   wrong usage
  65   malformed policy, patch or bundle
  69   engine, image or provider missing
  70   a bug in pp
  77   no trusted key, or not permitted
  130  interrupted, cleaned up

Topics, each shown by pp help TOPIC:
${TOPICS.map(({ name, about }) => `  ${name.padEnd(14)}${about}`).join("\n")}
`;

const RUN_HINT = 'quote the command (pp run "pytest -q") or put -- before it (pp run -- pytest -q)';

/**
 * Runs one verb.
 * @param given the words after the program's name; `version` is `--version`
 * @returns the exit code
 */
export async function run(given: readonly string[]): Promise<number> {
  let words: readonly string[];
  try {
    words = enterFolder(given);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    printFailure(error);
    if (given.includes("--json")) await printJson(failureDocument(error));
    return EXIT.usage;
  }
  const args = words[0] === "version" ? ["--version", ...words.slice(1)] : words;
  if (asksForVersion(args)) {
    const { buildInfo } = await import("../build_info.ts");
    await printJson({ format: "veripatch-version/v1", ...await buildInfo() });
    return EXIT.yes;
  }
  const outcome: Outcome = { exit: EXIT.yes };
  const program = folderFlag(new Command("pp"))
    .description("Proves that a patch fixes what it claims, and lets anyone check it offline.")
    .version(
      `pp ${VERSION}`,
      "-V, --version",
      "print the version; with --json also commit, runtime and contents",
    )
    .addHelpText("after", EPILOGUE)
    .enablePositionalOptions()
    .showSuggestionAfterError()
    .configureOutput({ outputError: () => {}, ...helpOutput })
    .configureHelp(helpLayout())
    .helpCommand(false)
    .exitOverride();
  registerVerbs(program, verbRunner(outcome), args);
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

/** `--version` and `--json` in any order, and nothing else. */
function asksForVersion(args: readonly string[]): boolean {
  const [version, other] = args[0] === "--json" ? [args[1], args[0]] : [args[0], args[1]];
  return args.length === 2 && (version === "--version" || version === "-V") && other === "--json";
}

/** What commander says of a call, with the verb's own help as the next step. */
function usageFailure(error: CommanderError, program: Command, args: readonly string[]): Failure {
  const unquoted = error.code === "commander.unknownOption" && args[0] === "run";
  const verb = verbOf(program, args);
  if (error.code === "commander.invalidArgument") return choiceFailure(error, verb);
  return new Failure(
    "usage",
    error.code.replace(/^commander\./, "").replace(/[A-Z]/g, (c) => `_${c.toLowerCase()}`),
    error.message.replace(/^error: /, "").replaceAll("\n", " "),
    { hint: unquoted ? RUN_HINT : asksVersion(args) ? VERSION_HINT : helpHint(verb) },
  );
}

const helpHint = (verb: readonly string[]) =>
  `${["pp", ...verb, "--help"].join(" ")} shows flags and examples`;

const VERSION_HINT = "pp --version prints the version, pp --version --json all about it";

const asksVersion = ([word]: readonly string[]) => word === "-v";

/** A value that is none of those a flag or a word takes, said as the verbs say it. */
function choiceFailure(error: CommanderError, verb: readonly string[]): Failure {
  const said =
    /'(--[\w-]+|-\w, --[\w-]+)[^']*' argument '([^]*)' is invalid\. Allowed choices are (.*)\.$/.exec(
      error.message,
    ) ?? /value '([^]*)' is invalid for argument '(.*)'\. Allowed choices are (.*)\.$/.exec(error.message);
  if (said === null) return new Failure("usage", "invalid_argument", error.message, { hint: helpHint(verb) });
  const [name, given] = said[0].startsWith("value") ? [said[2]!, said[1]!] : [said[1]!, said[2]!];
  const choices = said[3]!.split(", ");
  const message = `${name} takes ${choices.join(", ")}, not ${quoted(given, 40)}${
    spellingHint(given, choices)
  }`;
  return new Failure("usage", "invalid_argument", message, { hint: helpHint(verb) });
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
