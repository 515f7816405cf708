import type { Command } from "commander";
import type { AttestFlags } from "./attest.ts";
import { passphraseFlags } from "./key_verb.ts";
import { repeatable } from "./repeatable.ts";
import type { VerbResult, verbRunner } from "./verb.ts";

/** `pp attest`: sign a bundle's statement. */
export function registerAttest(program: Command, verb: ReturnType<typeof verbRunner>): void {
  passphraseFlags(
    program.command("attest")
      .description("Sign a bundle: state what it proves and list every file of it")
      .argument("<bundle>", "folder of a proof bundle")
      .option("--mode <mode>", "ed25519, hmac-sha256, or none to take signatures away (default ed25519)")
      .option(
        "--key <file>",
        "key to sign with: a file, env:NAME or - for stdin; repeatable",
        repeatable,
      )
      .option("--key-env <name>", "environment variable with the key (default PP_ATTEST_HMAC_KEY)")
      .option("--nonce <text>", "what the verifier asked to see in the statement")
      .option("--add", "sign the statement that is there, beside those who signed it, instead of a new one"),
  )
    .option("--json", "print one JSON document on stdout")
    .addHelpText(
      "after",
      `
Examples:
  pp attest .pp-artifacts/20261120T120000Z-0123abcd/proof_bundle --key ci.key.pem
  pp attest proof_bundle --key reviewer.key.pem --add
  PP_ATTEST_HMAC_KEY=$(cat secret) pp attest proof_bundle --mode hmac-sha256

Only a proof can be attested, and only a bundle that holds together. Writes attestation.json (the proof) and
test_result.attestation.json (the standard in-toto test result); --add changes the first alone.`,
    ).action(verb(async (bundle: string, flags: AttestFlags): Promise<VerbResult> => {
      const { runAttest } = await import("./attest.ts");
      return await runAttest(bundle, flags);
    }));
}
