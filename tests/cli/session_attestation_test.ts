import assert from "node:assert/strict";
import { type AttestationFlags, sessionAttestation } from "../../src/cli/session_attestation.ts";
import { defaultPolicy } from "../../src/policy/defaults.ts";
import type { PolicyConfig } from "../../src/policy/policy.ts";
import { Failure } from "../../src/vocabulary/failure.ts";
import { pp, withFolder } from "./process.ts";

const NONE = defaultPolicy();
/** A policy that signs by a shared secret. */
const HMAC: PolicyConfig = {
  ...NONE,
  policy: { ...NONE.policy, attestation: { ...NONE.policy.attestation, enabled: true, mode: "hmac-sha256" } },
};

/** Asks in a folder that holds `ci.key.pem`; the mode and number of keys, or the failure's code. */
async function asked(flags: (key: string) => AttestationFlags, config = NONE): Promise<string> {
  let said = "";
  await withFolder({}, async (cwd) => {
    assert.equal((await pp(["keygen", "-o", "ci"], { cwd })).code, 0);
    said = await sessionAttestation(config, flags(`${cwd}/ci.key.pem`), cwd, false).then(
      ({ enabled, mode, keys, keyFiles }) => `${enabled} ${mode} ${keys.length} ${keyFiles.length}`,
      (error) => {
        if (error instanceof Failure) return error.code;
        throw error;
      },
    );
  });
  return said;
}

Deno.test("sessionAttestation: a named key signs by ed25519 unless a mode is said", async () => {
  assert.equal(await asked((key) => ({ sign: [key] })), "true ed25519 1 1");
  assert.equal(await asked((key) => ({ attestationKey: [key] })), "true ed25519 1 1");
  assert.equal(await asked((key) => ({ attest: true, attestationKey: [key] })), "true ed25519 1 1");
  assert.equal(await asked((key) => ({ sign: [key], attestationMode: "ed25519" })), "true ed25519 1 1");
  assert.equal(await asked(() => ({})), "false none 0 0");
});

Deno.test("sessionAttestation: --sign stands above the policy's mode, a key without it does not", async () => {
  assert.equal(await asked((key) => ({ sign: [key] }), HMAC), "true ed25519 1 1");
  // The policy's mode holds: a private key of 119 bytes is taken as the secret it was said to be, or refused.
  assert.doesNotMatch(await asked((key) => ({ attestationKey: [key] }), HMAC), /ed25519/);
});

Deno.test("sessionAttestation: --attest without any key or mode, and --sign beside another mode, are wrong usage", async () => {
  assert.equal(await asked(() => ({ attest: true })), "attestation_mode_missing");
  assert.equal(await asked((key) => ({ sign: [key], attestationMode: "hmac-sha256" })), "sign_mode");
  assert.equal(await asked((key) => ({ sign: [key], attestationMode: "none" })), "sign_mode");
});
