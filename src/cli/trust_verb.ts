import { type Command, Option } from "commander";
import { Failure } from "../vocabulary/failure.ts";
import { TRUST_FILE_NAME } from "./trust_name.ts";
import { repeatable } from "./repeatable.ts";
import type { TrustPlace } from "./trust_place.ts";
import type { verbRunner } from "./verb.ts";

type Verb = ReturnType<typeof verbRunner>;

/** `--file` is the older name of `--trust`. */
interface FileFlags {
  readonly trust?: string;
  readonly file?: string;
}

export interface TrustAddFlags {
  readonly role?: readonly string[];
  readonly validFrom?: string;
  readonly validUntil?: string;
}

export interface TrustRevokeFlags {
  readonly reason?: string;
}

/** The one file that a call names, by a word, by `--trust` or by `--file`. */
function placeOf(word: string | undefined, { trust, file }: FileFlags): TrustPlace {
  const [named, ...others] = new Set([word, trust, file].filter((given) => given !== undefined));
  if (others.length === 0) return { file: named ?? TRUST_FILE_NAME, named: named !== undefined };
  throw new Failure("usage", "file_twice", "two trust files are named; name one", {
    hint: "say it once: --trust FILE",
  });
}

/** `--trust`, as every other verb calls it. */
function withFile(command: Command, about: string): Command {
  return command.option("-f, --trust <file>", about)
    .addOption(new Option("--file <file>", "the same").hideHelp())
    .option("--json", "print one JSON document on stdout");
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

The trust file is the verifier's own: it is never taken from a bundle. Without --trust it is ${TRUST_FILE_NAME} of
this folder here; approvals are judged by ~/.config/veripatch/${TRUST_FILE_NAME} unless --trust names another.`,
    );
  const onFile = (command: Command) => withFile(command, `trust file (default: ${TRUST_FILE_NAME})`);
  withFile(
    trust.command("init")
      .description("Write a trust file that trusts nobody yet")
      .argument("[file]", `where (default: ${TRUST_FILE_NAME})`)
      .option("--force", "replace a file that is there"),
    "the same",
  )
    .addHelpText(
      "after",
      `
Examples:
  pp trust init
  pp trust init policies/trust.yaml`,
    ).action(verb(async (file: string | undefined, flags: FileFlags & { readonly force?: boolean }) => {
      const { atPlace, trustInit } = await import("./trust.ts");
      return await atPlace(placeOf(file, flags), (path) => trustInit(path, flags.force === true));
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
  ).action(verb(async (name: string, spec: string, flags: TrustAddFlags & FileFlags) => {
    const { atPlace, trustAdd } = await import("./trust.ts");
    return await atPlace(placeOf(undefined, flags), (path) => trustAdd(path, name, spec, flags));
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
  ).action(verb(async (key: string, flags: TrustRevokeFlags & FileFlags) => {
    const { atPlace, trustRevoke } = await import("./trust.ts");
    return await atPlace(placeOf(undefined, flags), (path) => trustRevoke(path, key, flags));
  }));
  withFile(
    trust.command("check")
      .alias("list")
      .description("Say who may say what now, and every problem of the file")
      .argument("[file]", `trust file (default: ${TRUST_FILE_NAME})`),
    "the same",
  )
    .addHelpText(
      "after",
      `
Examples:
  pp trust check
  pp trust check policies/trust.yaml --json | jq .roles

Exit 0 when the file can be used, 2 when a role's threshold cannot be met now, 65 when it is malformed.`,
    ).action(verb(async (file: string | undefined, flags: FileFlags) => {
      const { atPlace } = await import("./trust.ts");
      const { trustCheck } = await import("./trust_check.ts");
      return await atPlace(placeOf(file, flags), (path) => trustCheck(path, new Date()));
    }));
}
