import assert from "node:assert/strict";
import fc from "fast-check";
import { type Envelope, PAYLOAD_TYPE } from "../../src/sign/dsse.ts";
import { hmacSecretOf } from "../../src/sign/hmac_secret.ts";
import { keyIdOf, privateKeyOf, sameKey, type SigningKey, type VerificationKey } from "../../src/sign/key.ts";
import { signaturesBy, signEnvelope } from "../../src/sign/sign.ts";
import { distinctKeys, signaturesByRuntime } from "../../src/sign/sign_runtime.ts";

function signing(number: number): SigningKey {
  const made = number < 5
    ? privateKeyOf(new Uint8Array(32).fill(number))
    // 40 bytes, the same with zeros behind, and a long one that HMAC hashes first.
    : hmacSecretOf(Uint8Array.from({ length: [40, 50, 90][number % 3]! }, (_, i) => i < 40 ? 7 : number % 3));
  assert.ok(made.ok);
  return made.key;
}
const SECRETS = [6, 7, 8].map(signing);
const SIGNING = [...[0, 1, 2, 3].map(signing), ...SECRETS, padded()];

/** The same HMAC key as the first secret. */
function padded(): SigningKey {
  const made = hmacSecretOf(Uint8Array.from({ length: 60 }, (_, i) => i < 40 ? 7 : 0));
  assert.ok(made.ok);
  return made.key;
}

const verifying = (key: SigningKey): VerificationKey => key.kind === "ed25519" ? key.publicKey : key;
const some = fc.array(fc.constantFrom(...SIGNING), { maxLength: 6 });
const payload = new TextEncoder().encode('{"a":1}');

Deno.test("distinctKeys: keeps what sameKey tells apart, in order", async () => {
  await fc.assert(fc.asyncProperty(some, async (chosen) => {
    const keys = chosen.map(verifying);
    const expected = keys.filter((key, i) => !keys.slice(0, i).some((other) => sameKey(key, other)));
    assert.deepEqual(await distinctKeys(keys), expected);
  }));
});

Deno.test("signaturesByRuntime: says of every envelope what signaturesBy says", async () => {
  let found = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(
        fc.record({
          by: fc.constantFrom(...SIGNING),
          hint: fc.option(fc.constantFrom(...SIGNING.map(keyIdOf), "words"), { nil: null }),
          own: fc.boolean(),
          flip: fc.option(fc.nat(511), { freq: 2 }),
          cut: fc.boolean(),
        }),
        { minLength: 1, maxLength: 5 },
      ),
      fc.subarray(SIGNING),
      fc.nat(5).map((n) => n === 0),
      async (made, chosen, otherType) => {
        const signatures = made.map(({ by, hint, own, flip, cut }) => {
          const { keyid, sig } = signEnvelope(PAYLOAD_TYPE, payload, [by]).signatures[0]!;
          const bytes = Uint8Array.from(sig);
          if (flip !== null) bytes[(flip >> 3) % bytes.length]! ^= 1 << (flip & 7);
          return { keyid: own ? keyid : hint, sig: cut && flip !== null ? bytes.subarray(1) : bytes };
        });
        const payloadType = otherType ? "text/plain" : PAYLOAD_TYPE;
        const envelope: Envelope = { payloadType, payload, signatures };
        const keys = chosen.map(verifying);
        const expected = signaturesBy(envelope, keys);
        assert.deepEqual(await signaturesByRuntime(envelope, keys), expected);
        found += expected.length;
      },
    ),
    { numRuns: 150 },
  );
  assert.ok(found > 20, `${found} signatures were good`);
});
