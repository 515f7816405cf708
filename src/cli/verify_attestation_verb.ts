import type { Command } from "commander";
import type { VerifyAttestationFlags } from "./verify_attestation.ts";
import type { VerbResult, verbRunner } from "./verb.ts";

const collect = (value: string, earlier: string[] = []) => [...earlier, value];

/** `pp verify-attestation`: check a bundle's signature and everything it vouches for. */
export function registerVerifyAttestation(program: Command, verb: ReturnType<typeof verbRunner>): void {
  program.command("verify-attestation")
    .description("Check who signed a bundle, and that it is exactly what was signed")
    .argument("<bundle>", "a proof bundle: its folder or a .ppb file")
    .option("--key <file>", "public key you trust: a file, env:NAME or - for stdin; repeatable", collect)
    .option("--hmac-key <file>", "shared secret: a file, env:NAME or - for stdin")
    .option("--key-env <name>", "environment variable with the shared secret (default PP_ATTEST_HMAC_KEY)")
    .option("--trust <file>", "trust file that says whose keys count")
    .option("--role <role>", "the role its signers need in the trust file: prover, replayer, approver")
    .option("--threshold <n>", "how many have to have signed (default 1, or as the trust file says)")
    .option("--max-age <time>", "how long ago it may have been issued: 90s, 30m, 12h, 30d, 2w")
    .option("--nonce <text>", "what must stand in the statement, exactly")
    .option("--allow-unsigned", "take an unsigned bundle that holds together; a bad signature stays invalid")
    .option("--json", "print one JSON document on stdout")
    .addHelpText(
      "after",
      `
Examples:
  pp verify-attestation proof_bundle --key ci.pub.pem
  pp verify-attestation proof_bundle --trust trust.yaml --max-age 30d
  PP_ATTEST_HMAC_KEY=$(cat secret) pp verify-attestation proof_bundle --json

Exit 0 valid, 2 invalid, 65 no bundle there, 77 no key given to judge it by.
Your keys decide: no key, algorithm or wish is ever taken from the bundle.`,
    ).action(verb(async (bundle: string, flags: VerifyAttestationFlags): Promise<VerbResult> => {
      const { runVerifyAttestation } = await import("./verify_attestation.ts");
      return await runVerifyAttestation(bundle, flags);
    }));
}
