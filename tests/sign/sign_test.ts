import assert from "node:assert/strict";
import fc from "fast-check";
import { type Envelope, parseEnvelope, PAYLOAD_TYPE, renderEnvelope } from "../../src/sign/dsse.ts";
import { hmacSecretOf } from "../../src/sign/hmac_secret.ts";
import { type HmacSecret, type PrivateKey, privateKeyOf } from "../../src/sign/key.ts";
import { signaturesBy, signEnvelope } from "../../src/sign/sign.ts";
import { Failure } from "../../src/vocabulary/failure.ts";

const payload = new TextEncoder().encode('{"a":1}');

function pair(n: number): PrivateKey {
  const made = privateKeyOf(new Uint8Array(32).fill(n));
  assert.ok(made.ok);
  return made.key;
}

function secret(n: number, length = 32): HmacSecret {
  const made = hmacSecretOf(new Uint8Array(length).fill(n));
  assert.ok(made.ok);
  return made.key;
}

function parsed(bytes: Uint8Array): Envelope {
  const result = parseEnvelope(bytes);
  assert.ok(result.ok, result.ok ? "" : result.refusal.detail);
  return result.envelope;
}

Deno.test("signEnvelope: what it signs is signed by those keys and no others", () => {
  const [a, b, c] = [pair(1), pair(2), pair(3)];
  const [k, l] = [secret(4), secret(5)];
  const envelope = parsed(renderEnvelope(signEnvelope(PAYLOAD_TYPE, payload, [a, k, b])));
  const all = [c.publicKey, b.publicKey, l, k, a.publicKey];
  assert.deepEqual(signaturesBy(envelope, all), [b.publicKey, k, a.publicKey]);
  assert.deepEqual(signaturesBy(envelope, []), []);
  assert.deepEqual(signaturesBy({ ...envelope, payloadType: "text/plain" }, all), []);
  assert.deepEqual(signaturesBy({ ...envelope, payload: payload.slice(1) }, all), []);
});

Deno.test("signEnvelope: the same input gives the same bytes", () => {
  const keys = [pair(1), secret(2), pair(3)];
  assert.deepEqual(
    renderEnvelope(signEnvelope(PAYLOAD_TYPE, payload, keys)),
    renderEnvelope(signEnvelope(PAYLOAD_TYPE, payload, keys)),
  );
});

Deno.test("signEnvelope: earlier signatures are kept, those under the same key's id make way", () => {
  const [a, b] = [pair(1), pair(2)];
  const first = signEnvelope(PAYLOAD_TYPE, payload, [a]);
  const both = signEnvelope(PAYLOAD_TYPE, payload, [b], first);
  assert.deepEqual(both.signatures.map((s) => s.keyid), [a.publicKey.id, b.publicKey.id]);
  assert.deepEqual(signaturesBy(both, [a.publicKey, b.publicKey]).length, 2);
  assert.deepEqual(signEnvelope(PAYLOAD_TYPE, payload, [a], first), first);
  const forged = {
    ...first,
    signatures: [{ keyid: b.publicKey.id, sig: new Uint8Array(64) }, ...first.signatures],
  };
  assert.deepEqual(signEnvelope(PAYLOAD_TYPE, payload, [b], forged).signatures, both.signatures);
  const two = signEnvelope(
    PAYLOAD_TYPE,
    payload,
    [secret(2)],
    signEnvelope(PAYLOAD_TYPE, payload, [secret(1)]),
  );
  assert.equal(signaturesBy(two, [secret(1), secret(2)]).length, 2, "one label, two secrets");
});

Deno.test("signEnvelope: nothing to sign with, other bytes and too many signatures are failures", () => {
  const first = signEnvelope(PAYLOAD_TYPE, payload, [pair(1)]);
  const code = (code: string) => (error: unknown) => error instanceof Failure && error.code === code;
  assert.throws(() => signEnvelope(PAYLOAD_TYPE, payload, []), code("nothing_to_sign_with"));
  assert.throws(
    () => signEnvelope(PAYLOAD_TYPE, payload.slice(1), [pair(1)], first),
    code("payload_differs"),
  );
  assert.throws(() => signEnvelope("text/plain", payload, [pair(1)], first), code("payload_differs"));
  const full = {
    ...first,
    signatures: Array.from({ length: 64 }, (_, i) => ({ keyid: null, sig: Uint8Array.of(i) })),
  };
  assert.throws(() => signEnvelope(PAYLOAD_TYPE, payload, [pair(1)], full), code("too_many_signatures"));
});

Deno.test("signaturesBy: a key counts once, however often it is given or has signed", () => {
  const a = pair(1);
  const { signatures } = signEnvelope(PAYLOAD_TYPE, payload, [a]);
  const envelope = { payloadType: PAYLOAD_TYPE, payload, signatures: [...signatures, ...signatures] };
  assert.deepEqual(signaturesBy(envelope, [a.publicKey, pair(1).publicKey, a.publicKey]), [a.publicKey]);
  const short = secret(7, 40);
  const filled = hmacSecretOf(Uint8Array.from([...short.secret, 0, 0]));
  assert.ok(filled.ok);
  const tagged = signEnvelope(PAYLOAD_TYPE, payload, [short]);
  assert.deepEqual(signaturesBy(tagged, [short, filled.key]), [short], "zeros at the end change no HMAC key");
});

Deno.test("signaturesBy: a key id is a hint, never a proof and never needed", () => {
  const [a, b] = [pair(1), pair(2)];
  const sig = signEnvelope(PAYLOAD_TYPE, payload, [a]).signatures[0]!.sig;
  for (const keyid of [null, b.publicKey.id, "hmac-sha256", "some words"]) {
    const envelope = { payloadType: PAYLOAD_TYPE, payload, signatures: [{ keyid, sig }] };
    assert.deepEqual(signaturesBy(envelope, [a.publicKey, b.publicKey, secret(1)]), [a.publicKey]);
  }
});

Deno.test("signaturesBy: the algorithm comes from the key: a public key is no HMAC secret", () => {
  const a = pair(1);
  // What a verifier that took the envelope's word for the algorithm would accept.
  const confused = hmacSecretOf(a.publicKey.raw);
  assert.ok(confused.ok);
  const forged = signEnvelope(PAYLOAD_TYPE, payload, [confused.key]);
  const renamed = {
    ...forged,
    signatures: forged.signatures.map((s) => ({ ...s, keyid: a.publicKey.id })),
  };
  assert.deepEqual(signaturesBy(renamed, [a.publicKey]), []);
  const signed = signEnvelope(PAYLOAD_TYPE, payload, [a]);
  assert.deepEqual(signaturesBy(signed, [confused.key]), []);
});

Deno.test("signaturesBy: many keys and signatures without hints are tried within bounds", () => {
  const keys = Array.from({ length: 100 }, (_, i) => pair(i).publicKey);
  const junk = { keyid: null, sig: signEnvelope(PAYLOAD_TYPE, payload, [pair(200)]).signatures[0]!.sig };
  const own = signEnvelope(PAYLOAD_TYPE, payload, [pair(99)]).signatures[0]!;
  const signatures = [...Array.from({ length: 63 }, () => junk), own];
  const started = performance.now();
  assert.deepEqual(signaturesBy({ payloadType: PAYLOAD_TYPE, payload, signatures }, keys), [keys[99]]);
  assert.ok(performance.now() - started < 30_000);
});

Deno.test("keys: neither JSON nor an inspector shows a secret", () => {
  for (const [key, bytes] of [[pair(7), pair(7).seed], [secret(9), secret(9).secret]] as const) {
    for (const shown of [JSON.stringify(key), Deno.inspect(key, { depth: 9 }), JSON.stringify({ ...key })]) {
      assert.ok(!shown.includes("seed") && !shown.includes("secret"), shown);
      assert.ok(!shown.includes(`${bytes[0]}, ${bytes[0]}`) && !shown.includes(`${bytes[0]},${bytes[0]}`));
    }
  }
});

Deno.test("envelopes: no flipped bit of an envelope's text leaves it valid and different", () => {
  const keys = [pair(1), secret(2)];
  const original = signEnvelope(PAYLOAD_TYPE, payload, keys);
  const bytes = renderEnvelope(original);
  const verifiers = [keys[0]!, keys[1]!].map((key) => "publicKey" in key ? key.publicKey : key);
  const flips = fc.tuple(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }));
  fc.assert(
    fc.property(flips, ([at, mask]) => {
      const changed = Uint8Array.from(bytes);
      changed[at] = changed[at]! ^ mask;
      const result = parseEnvelope(changed);
      if (!result.ok) return;
      const { envelope } = result;
      const signed = signaturesBy(envelope, verifiers);
      const same = envelope.payloadType === original.payloadType &&
        Deno.inspect(envelope.payload) === Deno.inspect(original.payload);
      if (!same) assert.deepEqual(signed, []);
      // A changed signature is that key's no more; a changed key id is but a hint.
      for (const [i, key] of verifiers.entries()) {
        const intact =
          Deno.inspect(envelope.signatures[i]!.sig) === Deno.inspect(original.signatures[i]!.sig);
        assert.equal(signed.includes(key), same && intact);
      }
    }),
    { numRuns: 1_500 },
  );
});
