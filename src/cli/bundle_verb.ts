import type { Command } from "commander";
import type { verbRunner } from "./verb.ts";

type Verb = ReturnType<typeof verbRunner>;

/** Flags of `pp bundle pack` and `pp bundle unpack`. */
export interface PackFlags {
  readonly output?: string;
  readonly json?: boolean;
}

/** `pp bundle pack|unpack`. */
export function registerBundle(program: Command, verb: Verb): void {
  const bundle = program.command("bundle")
    .description("Pack and unpack proof bundles")
    .addHelpText(
      "after",
      `
Examples:
  pp bundle pack .pp-artifacts/20261120T120000Z-0123abcd -o proof.ppb
  pp bundle unpack proof.ppb -o proof_bundle`,
    );
  bundle.command("pack")
    .description("Pack a bundle as one file; the same bundle always gives the same bytes")
    .argument("<bundle>", "folder of a proof bundle, or of its session")
    .option("-o, --output <file>", "where to write it (default: SESSION.ppb here)")
    .option("--json", "print one JSON document on stdout")
    .addHelpText(
      "after",
      `
Examples:
  pp bundle pack .pp-artifacts/20261120T120000Z-0123abcd
  pp bundle pack proof_bundle -o proof.ppb --json | jq -r .sha256

A bundle that does not hold together is refused. The file is a plain tar: tar xf takes it too.`,
    ).action(verb(async (path: string, flags: PackFlags) => {
      const { bundlePack } = await import("./bundle_pack.ts");
      return await bundlePack(path, flags);
    }));
  bundle.command("unpack")
    .description("Unpack a .ppb to a new folder, whole or not at all")
    .argument("<file>", "a .ppb file")
    .option("-o, --output <dir>", "the folder to make (default: the file's name without .ppb)")
    .option("--json", "print one JSON document on stdout")
    .addHelpText(
      "after",
      `
Examples:
  pp bundle unpack proof.ppb
  pp bundle unpack proof.ppb -o /srv/proofs/proof_bundle

Whatever pp bundle pack would not have made, byte for byte, is refused and leaves nothing behind.`,
    ).action(verb(async (path: string, flags: PackFlags) => {
      const { bundleUnpack } = await import("./bundle_pack.ts");
      return await bundleUnpack(path, flags);
    }));
}
