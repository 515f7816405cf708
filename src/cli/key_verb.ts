import type { Command } from "commander";
import { outputFlag } from "./output_flag.ts";
import type { PassphraseFlags } from "./passphrase.ts";
import type { verbRunner } from "./verb.ts";

type Verb = ReturnType<typeof verbRunner>;

export interface KeygenFlags extends PassphraseFlags {
  readonly output: string;
  readonly force?: boolean;
}

/** Adds the ways to name a passphrase: never as an argument. */
export function passphraseFlags(command: Command): Command {
  return command
    .option("--passphrase-file <file>", "file with the passphrase; one line end at its end is no part of it")
    .option("--passphrase-env <name>", "environment variable with the passphrase")
    .option("--passphrase", "ask for the passphrase on the terminal, without showing it");
}

/** `pp keygen` and `pp key show|import`. */
export function registerKey(program: Command, verb: Verb): void {
  passphraseFlags(
    outputFlag(
      program.command("keygen").description("Make an Ed25519 key pair that signs proofs"),
      {
        value: "prefix",
        description: "where: PREFIX.key.pem (only you can read it) and PREFIX.pub.pem",
        fallback: "veripatch",
      },
    ),
  )
    .option("--force", "replace files that are there")
    .option("--json", "print one JSON document on stdout")
    .addHelpText(
      "after",
      `
Examples:
  pp keygen -o ~/.config/veripatch/ci
  pp keygen -o ci --passphrase              encrypted; asks for the passphrase
  pp keygen -o ci && pp trust add ci ci.pub.pem --role prover

PREFIX.key.pem is PKCS#8, PREFIX.pub.pem an SPKI, both as openssl reads and writes them.`,
    ).action(verb(async (flags: KeygenFlags) => {
      const { keygen } = await import("./key.ts");
      return await keygen(flags);
    }));
  const key = program.command("key")
    .description("Show and convert keys")
    .addHelpText(
      "after",
      `
Examples:
  pp key show ci.pub.pem
  pp key import ~/.ssh/id_ed25519 -o ci`,
    );
  passphraseFlags(
    key.command("show")
      .description("Say what a key is: its id, its OpenSSH fingerprint, its public half")
      .argument("<key>", "a file, env:NAME or - for stdin"),
  )
    .option("--json", "print one JSON document on stdout")
    .addHelpText(
      "after",
      `
Examples:
  pp key show ci.pub.pem
  pp key show ~/.ssh/id_ed25519.pub
  pp key show env:CI_KEY --json | jq -r .id
  pp key show minisign.pub

Reads PEM (PKCS#8, encrypted or not; SPKI), OpenSSH keys and minisign public keys. Prints no private key.`,
    ).action(verb(async (spec: string, flags: PassphraseFlags) => {
      const { keyShow } = await import("./key.ts");
      return await keyShow(spec, flags);
    }));
  passphraseFlags(
    outputFlag(
      key.command("import")
        .description("Write a key of OpenSSH or minisign as PEM")
        .argument("<key>", "a file, env:NAME or - for stdin"),
      {
        value: "prefix",
        description: "where: PREFIX.pub.pem, and PREFIX.key.pem of a private key",
        required: true,
      },
    ),
  )
    .option("--force", "replace files that are there")
    .option("--json", "print one JSON document on stdout")
    .addHelpText(
      "after",
      `
Examples:
  pp key import ~/.ssh/id_ed25519 -o ci     private: writes ci.key.pem and ci.pub.pem
  pp key import minisign.pub -o release     public: writes release.pub.pem

What a passphrase opens is written encrypted again, with the same one.`,
    ).action(verb(async (spec: string, flags: KeygenFlags) => {
      const { keyImport } = await import("./key.ts");
      return await keyImport(spec, flags);
    }));
}
