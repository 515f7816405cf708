import assert from "node:assert/strict";
import { createPublicKey } from "node:crypto";
import { bundleFromJSON } from "@sigstore/bundle";
import { toSignedEntity, Verifier } from "@sigstore/verify";
import { renderPublicPem } from "../../src/sign/pem.ts";
import { attested, testKey } from "../bundle/attested.ts";

/** What sigstore's verifier makes of an envelope and a key, without its transparency log. */
function verify(envelope: unknown, key: number): string {
  const bundle = bundleFromJSON({
    mediaType: "application/vnd.dev.sigstore.bundle+json;version=0.1",
    verificationMaterial: { publicKey: { hint: "ours" }, tlogEntries: [] },
    dsseEnvelope: envelope,
  });
  const publicKey = createPublicKey(renderPublicPem(testKey(key).publicKey));
  const trust = {
    certificateAuthorities: [],
    timestampAuthorities: [],
    tlogs: [],
    ctlogs: [],
    publicKey: () => ({ publicKey, validFor: () => true }),
  };
  const none = { tlogThreshold: 0, ctlogThreshold: 0, timestampThreshold: 0 };
  return String(new Verifier(trust, none).verify(toSignedEntity(bundle)).key.asymmetricKeyType);
}

Deno.test("attest: sigstore's own verifier takes both envelopes, and no changed one", async () => {
  const files = await attested([testKey(1)]);
  for (const name of ["attestation.json", "test_result.attestation.json"]) {
    const envelope = JSON.parse(new TextDecoder().decode(files.get(name)));
    assert.equal(verify(envelope, 1), "ed25519", name);
    assert.throws(() => verify(envelope, 2), /signature/i);
    const payload = envelope.payload.replace(/^eyJ/, "eyB");
    assert.notEqual(payload, envelope.payload);
    assert.throws(() => verify({ ...envelope, payload }, 1), /signature/i);
    assert.throws(() => verify({ ...envelope, payloadType: "application/json" }, 1), /signature/i);
  }
});
