import type { Command } from "commander";
import { Failure } from "../vocabulary/failure.ts";
import { TRUST_FILE_NAME } from "./trust_name.ts";
import { repeatable } from "./repeatable.ts";
import type { verbRunner } from "./verb.ts";

type Verb = ReturnType<typeof verbRunner>;

interface TrustFileFlags {
  readonly file: string;
}

export interface TrustAddFlags extends TrustFileFlags {
  readonly role?: readonly string[];
  readonly validFrom?: string;
  readonly validUntil?: string;
}

export interface TrustRevokeFlags extends TrustFileFlags {
  readonly reason?: string;
}

/** Of the verbs that take the file as a word, too. */
interface FileFlags {
  readonly file?: string;
}

/** The one file that a call names, by a word or by `-f`. */
function fileNamed(word: string | undefined, { file }: FileFlags): string {
  if (word === undefined || file === undefined || word === file) return word ?? file ?? TRUST_FILE_NAME;
  throw new Failure("usage", "file_twice", "two trust files are named; name one", {
    hint: "give it as a word or with -f, not both",
  });
}

/** `pp trust init|add|revoke|check`. */
export function registerTrust(program: Command, verb: Verb): void {
  const trust = program.command("trust")
    .description("Say whose keys are believed, and for what")
    .addHelpText(
      "after",
      `
Examples:
  pp trust init
  pp trust add ci ci.pub.pem --role prover
  pp trust revoke ci.pub.pem --reason "lost"
  pp trust check

The trust file is the verifier's own: it is never taken from a bundle.`,
    );
  const onFile = (command: Command) =>
    command.option("-f, --file <file>", "trust file", TRUST_FILE_NAME)
      .option("--json", "print one JSON document on stdout");
  trust.command("init")
    .description("Write a trust file that trusts nobody yet")
    .argument("[file]", `where (default: ${TRUST_FILE_NAME})`)
    .option("-f, --file <file>", "the same")
    .option("--force", "replace a file that is there")
    .option("--json", "print one JSON document on stdout")
    .addHelpText(
      "after",
      `
Examples:
  pp trust init
  pp trust init policies/trust.yaml`,
    ).action(verb(async (file: string | undefined, flags: FileFlags & { readonly force?: boolean }) => {
      const { trustInit } = await import("./trust.ts");
      return await trustInit(fileNamed(file, flags), flags.force === true);
    }));
  onFile(
    trust.command("add")
      .description("Add a public key to a principal, and the principal where there is none of that name")
      .argument("<name>", "who: a person, a team, a CI job")
      .argument("<key>", "public key: a file, env:NAME or - for stdin")
      .option(
        "--role <role>",
        "prover, replayer or approver; repeatable; needed for a new principal",
        repeatable,
      )
      .option("--valid-from <time>", "such as 2026-11-20T12:00:00Z")
      .option("--valid-until <time>", "the first moment at which the key is no longer valid"),
  ).addHelpText(
    "after",
    `
Examples:
  pp trust add ci ci.pub.pem --role prover --role replayer
  pp trust add alice ~/.ssh/id_ed25519.pub --role approver --valid-until 2027-01-01T00:00:00Z
  curl -s https://keys.example/bob.pub | pp trust add bob - --role approver

Comments of the file stay. Several keys of one principal are one voice: they count once.`,
  ).action(verb(async (name: string, spec: string, flags: TrustAddFlags) => {
    const { trustAdd } = await import("./trust.ts");
    return await trustAdd(name, spec, flags);
  }));
  onFile(
    trust.command("revoke")
      .description("Record that a key is revoked: it counts for nothing, at any claimed time")
      .argument(
        "<key>",
        "its id (or the first 8 digits or more), its SHA256:… fingerprint, or the key itself",
      )
      .option("--reason <text>", "why, for whoever reads the file"),
  ).addHelpText(
    "after",
    `
Examples:
  pp trust revoke 3b6a27bc
  pp trust revoke ci.pub.pem --reason "laptop lost"`,
  ).action(verb(async (key: string, flags: TrustRevokeFlags) => {
    const { trustRevoke } = await import("./trust.ts");
    return await trustRevoke(key, flags);
  }));
  trust.command("check")
    .description("Say who may say what now, and every problem of the file")
    .argument("[file]", `trust file (default: ${TRUST_FILE_NAME})`)
    .option("-f, --file <file>", "the same")
    .option("--json", "print one JSON document on stdout")
    .addHelpText(
      "after",
      `
Examples:
  pp trust check
  pp trust check policies/trust.yaml --json | jq .roles

Exit 0 when the file can be used, 2 when a role's threshold cannot be met now, 65 when it is malformed.`,
    ).action(verb(async (file: string | undefined, flags: FileFlags) => {
      const { trustCheck } = await import("./trust.ts");
      return await trustCheck(fileNamed(file, flags), new Date());
    }));
}
