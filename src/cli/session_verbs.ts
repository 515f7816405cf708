import type { Command } from "commander";
import { repeatable } from "./repeatable.ts";
import type { verbRunner } from "./verb.ts";
import { passphraseFlags } from "./key_verb.ts";
import type { SessionFlags } from "./session.ts";

type Verb = ReturnType<typeof verbRunner>;

function sessionFlags(command: Command): Command {
  return passphraseFlags(
    command
      .option("--policy <file>", "policy to use instead of pp.yaml, pp.yml or pp.json")
      .option("--provider <name>", "who proposes: stub, patch, command, openai, local (PP_PROVIDER)")
      .option("--patch <file>", "a diff to try, - for stdin; repeat for further attempts", repeatable)
      .option(
        "--allow-protected <glob>",
        "let the patch touch protected files (tests, runner configuration); flagged, repeatable",
        repeatable,
      )
      .option("--apply", "put the proved patch into the workspace, all or nothing")
      .option("--artifacts <dir>", "where bundles go (default .pp-artifacts in the workspace)")
      .option("--image <name>", "container image to use instead of the policy's")
      .option("--pull", "allow a missing image to be pulled")
      .option("--repeat <n>", "verify red and green this often (default: policy verify.repeat)")
      .option("--keep-sandbox", "keep the last container for inspection and say where it is")
      .option(
        "--embed-workspace",
        "put the workspace's files into the bundle, to replay with no checkout at all",
      )
      .option("--embed-secrets", "embed also what looks like secrets")
      .option(
        "--sign <key>",
        "sign the proof with this private key: a file, env:NAME or -; repeatable",
        repeatable,
      )
      .option("--attest", "sign the proof as the policy or the flags below say")
      .option("--attestation-mode <mode>", "none, hmac-sha256 or ed25519")
      .option(
        "--attestation-key <file>",
        "key to sign with, by ed25519 unless a mode is said: a file, env:NAME or - for stdin; repeatable",
        repeatable,
      )
      .option("--attestation-key-env <name>", "environment variable with the key")
      .option("--nonce <text>", "what the verifier asked to see in the statement"),
  ).option("--json", "print one JSON document on stdout");
}

/**
 * `pp run`: prove a fix for one command.
 * @param args all words of the call, to tell `run X` from `run -- X`
 */
export function registerRun(program: Command, verb: Verb, args: readonly string[]): void {
  sessionFlags(
    program.command("run")
      .description("Prove that a patch turns a failing command green")
      .argument("<command...>", 'the failing command: one quoted string, or words after "--"')
      .option("--report <format:file>", "test report the command writes: junit:report.xml, tap for stdout"),
  ).addHelpText(
    "after",
    `
Examples:
  pp run "pytest -q" --patch fix.diff          try one patch
  pp run "pytest -q" --patch a.diff --patch b.diff --apply
  pp run "pytest -q" --patch fix.diff --sign ci.key.pem
  pp run --provider openai -- go test ./...    words after -- are taken as they are
  git diff main fix | pp run "make check" --patch -
  pp run "pytest --junit-xml=report.xml" --report junit:report.xml --patch fix.diff

A command with shell syntax ("a && b") runs under sh -c; any other is split into words and run as they are.
Without a policy file: exactly this command, writes anywhere in the workspace, no network, 3 attempts.
Changes to tests, their runners' configuration and hooks are left out of a patch, unless --allow-protected.
The base is this folder as it is, less .git, caches and what .ppignore names; pp help policy has the rest.
The bundle is written to .pp-artifacts/<session>/proof_bundle; exit 0 means proved and nothing else.`,
  ).action(verb(async (words: string[], flags: SessionFlags & { readonly report?: string }) => {
    const { runSession } = await sessionModule();
    return await runSession(
      { verb: "run", words, literal: args.includes("--"), report: flags.report },
      flags,
    );
  }));
}

/** `pp prove`: prove a fix for all proof targets of the policy. */
export function registerProve(program: Command, verb: Verb): void {
  sessionFlags(
    program.command("prove").description("Prove that a patch turns all proof targets of the policy green"),
  )
    .addHelpText(
      "after",
      `
Examples:
  pp prove --patch fix.diff
  pp prove --policy policies/release.yaml --provider command --repeat 3
  PP_COMMAND="./my-agent" pp prove --provider command --json`,
    ).action(verb(async (flags: SessionFlags) => {
      const { runSession } = await sessionModule();
      return await runSession({ verb: "prove" }, flags);
    }));
}

async function sessionModule(): Promise<typeof import("./session.ts")> {
  import("./wire/world.ts").then(({ beginLoading }) => beginLoading()).catch(() => {});
  return await import("./session.ts");
}
