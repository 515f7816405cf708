import type { Command } from "commander";
import { outputFlag } from "./output_flag.ts";
import type { verbRunner } from "./verb.ts";

type Verb = ReturnType<typeof verbRunner>;

/** Flags of `pp bundle pack` and `pp bundle unpack`. */
export interface PackFlags {
  readonly output?: string;
  readonly force?: boolean;
  readonly json?: boolean;
}

/** `pp bundle pack|unpack|show|diff`. */
export function registerBundle(program: Command, verb: Verb): void {
  const bundle = program.command("bundle")
    .description("Pack, unpack, show and compare proof bundles")
    .addHelpText(
      "after",
      `
Examples:
  pp bundle pack .pp-artifacts/20261120T120000Z-0123abcd
  pp bundle unpack proof.ppb -o proof_bundle
  pp bundle show proof.ppb
  pp bundle diff mine.ppb theirs.ppb`,
    );
  outputFlag(
    bundle.command("pack")
      .description("Pack a bundle as one file; the same bundle always gives the same bytes")
      .argument("<bundle>", "folder of a proof bundle, or of its session"),
    {
      value: "file",
      description: "where to write it (default: proof.ppb in the session's folder, beside the bundle)",
    },
  )
    .option("--force", "replace a file that is there")
    .option("--json", "print one JSON document on stdout")
    .addHelpText(
      "after",
      `
Examples:
  pp bundle pack .pp-artifacts/20261120T120000Z-0123abcd
  pp bundle pack proof_bundle -o ../proof.ppb --json | jq -r .sha256

A bundle that does not hold together is refused. The file is a plain tar: tar xf takes it too.`,
    ).action(verb(async (path: string, flags: PackFlags) => {
      const { bundlePack } = await import("./bundle_pack.ts");
      return await bundlePack(path, flags);
    }));
  outputFlag(
    bundle.command("unpack")
      .description("Unpack a .ppb to a new folder, whole or not at all")
      .argument("<file>", "a .ppb file"),
    { value: "dir", description: "the folder to make (default: the file's name without .ppb)" },
  )
    .option("--force", "replace a folder that holds nothing but a bundle")
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
  bundle.command("show")
    .description("Show what a bundle is: status, targets, patch, attempts, sandbox, files")
    .argument("<bundle>", "a proof bundle: its folder or a .ppb file")
    .option("--json", "print one JSON document on stdout")
    .addHelpText(
      "after",
      `
Examples:
  pp bundle show .pp-artifacts/20261120T120000Z-0123abcd
  pp bundle show proof.ppb --json | jq .patch

It shows what the bundle says. Nothing is verified; pp verify-attestation and pp replay do that.`,
    ).action(verb(async (path: string, flags: { json?: boolean }) => {
      const { bundleShow } = await import("./bundle_show.ts");
      return await bundleShow(path, flags);
    }));
  bundle.command("diff")
    .description("Compare what two bundles prove: base, targets, policy, image, patch, outcomes")
    .argument("<a>", "a proof bundle: its folder or a .ppb file")
    .argument("<b>", "another")
    .option("--json", "print one JSON document on stdout")
    .addHelpText(
      "after",
      `
Examples:
  pp bundle diff mine.ppb theirs.ppb
  pp bundle diff a.ppb b.ppb --json | jq '.parts[] | select(.same | not)'

Exit 0 when both prove the same, 2 when they differ. Sessions, times and attempts do not count.`,
    ).action(verb(async (a: string, b: string, flags: { json?: boolean }) => {
      const { bundleDiff } = await import("./bundle_diff.ts");
      return await bundleDiff(a, b, flags);
    }));
}
