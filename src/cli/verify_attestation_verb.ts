import type { Command } from "commander";
import type { VerifyAttestationFlags } from "./verify_attestation.ts";
import type { VerbResult, verbRunner } from "./verb.ts";
import { VERIFY_ATTESTATION_OPTIONS, withOptions } from "./trust_options.ts";

/** `pp verify-attestation`: check a bundle's signature and everything it vouches for. */
export function registerVerifyAttestation(program: Command, verb: ReturnType<typeof verbRunner>): void {
  const command = program.command("verify-attestation")
    .description("Check who signed a bundle, and that it is exactly what was signed")
    .argument("<bundle>", "a proof bundle: its folder or a .ppb file");
  withOptions(command, VERIFY_ATTESTATION_OPTIONS)
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
