import assert from "node:assert/strict";
import fc from "fast-check";
import { bundleFiles } from "../../src/bundle/documents.ts";
import { inventoryOf } from "../../src/bundle/inventory.ts";
import { parseEnvelope, PAYLOAD_TYPE, renderEnvelope } from "../../src/sign/dsse.ts";
import type { VerificationKey } from "../../src/sign/key.ts";
import { signEnvelope } from "../../src/sign/sign.ts";
import { countersign } from "../../src/verify/countersign.ts";
import { judgeFreshness } from "../../src/verify/verdicts/freshness.ts";
import { judgeSignature } from "../../src/verify/verdicts/signature.ts";
import { type Verification, verifyAttestation, type VerifyInput } from "../../src/verify/verify.ts";
import { Failure } from "../../src/vocabulary/failure.ts";
import { attested, ISSUED_AT, PROVED_FILES, testKey, testSecret } from "../bundle/attested.ts";
import { redact, unproved } from "../bundle/fixture.ts";

type Files = ReadonlyMap<string, Uint8Array>;
type Asked = Partial<Omit<VerifyInput, "inventory" | "trust">> & {
  keys?: readonly VerificationKey[];
  threshold?: number;
  owners?: ReadonlyMap<string, string>;
  refused?: VerifyInput["trust"]["refused"];
};

const SIGNED = await attested();
const NAMES = [...SIGNED.keys()];

async function verify(
  files: Files,
  { keys, threshold = 1, refused = [], owners = new Map(), ...asked }: Asked = {},
) {
  return verifyAttestation({
    inventory: await inventoryOf(files),
    trust: { keys: keys ?? [testKey(1).publicKey], threshold, refused, owners },
    now: new Date(ISSUED_AT.getTime() + 60_000),
    maxAgeMs: null,
    nonce: null,
    unsigned: null,
    ...asked,
  });
}

/** `verdict code` of each of the four, and the whole. */
function brief({ verdict, signature, integrity, subject, freshness }: Verification): string {
  const parts = [signature, integrity, subject, freshness].map((v) =>
    v.verdict === "valid" ? "valid" : v.verdict === "not_checked" ? "-" : `${v.verdict}:${v.code}`
  );
  return `${verdict} = ${parts.join(" ")}`;
}

function edited(name: string, bytes: Uint8Array | null, files: Files = SIGNED): Files {
  const copy = new Map(files);
  if (bytes === null) copy.delete(name);
  else copy.set(name, bytes);
  return copy;
}

function envelopeOf(files: Files, name = "attestation.json") {
  const parsed = parseEnvelope(files.get(name)!);
  assert.ok(parsed.ok);
  return parsed.envelope;
}

Deno.test("verifyAttestation: an attested proof is valid in all four ways", async () => {
  const result = await verify(SIGNED);
  assert.equal(brief(result), "valid = valid valid valid valid");
  assert.deepEqual(result.signers.map((key) => key.id), [testKey(1).publicKey.id]);
  assert.equal(result.statement?.predicate.files.length, NAMES.length - 1);
});

Deno.test("verifyAttestation: signatures that name nobody and a long payload keep no verifier busy", async () => {
  const payload = new Uint8Array(8 << 20);
  const sig = envelopeOf(SIGNED).signatures[0]!.sig;
  const signatures = Array.from({ length: 64 }, (_, i) => ({ keyid: null, sig: sig.with(32, i) }));
  const keys = Array.from({ length: 60 }, (_, i) => testKey(i + 1).publicKey);
  const bytes = renderEnvelope({ payloadType: PAYLOAD_TYPE, payload, signatures });
  const from = performance.now();
  const { verdict } = await judgeSignature(bytes, { keys, threshold: 1, owners: new Map(), refused: [] });
  assert.equal(verdict.code, "not_by_trusted_key");
  // Every one tried with every key would take half an hour.
  assert.ok(performance.now() - from < 60_000);
});

Deno.test("verifyAttestation: HMAC and Ed25519 are taken by the key, whatever else signed", async () => {
  const both = await attested([testKey(1), testSecret(2)]);
  for (const keys of [[testKey(1).publicKey], [testSecret(2)], [testSecret(2), testKey(1).publicKey]]) {
    assert.equal(
      brief(await verify(both, { keys, threshold: keys.length })),
      "valid = valid valid valid valid",
    );
  }
  assert.match(brief(await verify(both, { keys: [testSecret(3)] })), /^invalid = invalid:not_by_trusted_key/);
});

Deno.test("verifyAttestation: no bit of an envelope or of any file can be flipped", async () => {
  const flips = fc.record({
    name: fc.constantFrom("attestation.json", "attestation.json", ...NAMES),
    at: fc.nat(),
    bit: fc.nat(7),
  });
  const two = await attested([testKey(1), testKey(2)]);
  await fc.assert(
    fc.asyncProperty(flips, fc.boolean(), async ({ name, at, bit }, second) => {
      const files = second ? two : SIGNED;
      const bytes = Uint8Array.from(files.get(name)!);
      bytes[at % bytes.length]! ^= 1 << bit;
      const keys = [testKey(1).publicKey, testKey(2).publicKey];
      const result = await verify(edited(name, bytes, files), { keys });
      assert.equal(result.verdict, "invalid", `${name} byte ${at % bytes.length} bit ${bit}`);
    }),
    { numRuns: 300 },
  );
});

Deno.test("verifyAttestation: every byte of the signature and its key id counts", async () => {
  const original = SIGNED.get("attestation.json")!;
  const text = new TextDecoder().decode(original);
  for (let at = text.indexOf('"payloadType"'); at < original.length; at++) {
    const bytes = Uint8Array.from(original);
    bytes[at]! ^= 1 << at % 8;
    assert.equal((await verify(edited("attestation.json", bytes))).verdict, "invalid", `byte ${at}`);
  }
});

Deno.test("verifyAttestation: a signature under another name than its key's spoils the whole", async () => {
  const two = await attested([testKey(1), testKey(2)]);
  const envelope = envelopeOf(two);
  const keys = [testKey(1).publicKey, testKey(2).publicKey];
  const renamed = async (keyids: (string | null)[]) => {
    const signatures = envelope.signatures.map(({ sig }, i) => ({ keyid: keyids[i]!, sig }));
    const files = edited("attestation.json", renderEnvelope({ ...envelope, signatures }), two);
    return (await verify(files, { keys })).signature.code;
  };
  const [one, other] = keys.map((key) => key.id) as [string, string];
  assert.equal(await renamed([one, other]), "signed");
  assert.equal(await renamed([null, null]), "signed");
  assert.equal(await renamed([other, one]), "signature_broken");
  assert.equal(await renamed([one, one]), "signature_broken");
  assert.equal(await renamed([one, "a stranger"]), "keyid_mismatch");
  assert.equal(await renamed(["hmac-sha256", null]), "keyid_mismatch");
});

Deno.test("verifyAttestation: only verified bytes are parsed", async () => {
  // Statements nobody could mistake for one, under a signature that is not good and under one that is.
  const payload = new TextEncoder().encode('{"_type":"x"}');
  const strange = (key: number) =>
    edited(
      "attestation.json",
      renderEnvelope(signEnvelope(PAYLOAD_TYPE, payload, [testKey(key)])),
    );
  assert.equal(brief(await verify(strange(2))), "invalid = invalid:not_by_trusted_key - - -");
  assert.equal(brief(await verify(strange(1))), "invalid = valid - invalid:statement_malformed -");
});

Deno.test("verifyAttestation: the standard statement is not taken for the proof", async () => {
  const files = edited("attestation.json", SIGNED.get("test_result.attestation.json")!);
  assert.equal(brief(await verify(files)), "invalid = valid - invalid:predicate_type_unknown -");
});

Deno.test("verifyAttestation: a threshold counts distinct keys", async () => {
  const once = await attested([testKey(1)]);
  const key = testKey(1).publicKey;
  assert.match(
    brief(await verify(once, { keys: [key, { ...key }], threshold: 2 })),
    /^invalid = invalid:threshold_not_met - - -/,
  );
  const envelope = envelopeOf(once);
  const [signature] = envelope.signatures;
  const doubled = edited(
    "attestation.json",
    renderEnvelope({ ...envelope, signatures: [signature!, { ...signature!, keyid: null }] }),
    once,
  );
  assert.match(brief(await verify(doubled, { threshold: 2 })), /invalid:threshold_not_met/);
  const two = await attested([testKey(1), testKey(2)]);
  const keys = [key, testKey(2).publicKey];
  assert.match(brief(await verify(two, { keys, threshold: 2 })), /^valid/);
  const owners = new Map(keys.map((k) => [k.id, "the same person"]));
  assert.match(brief(await verify(two, { keys, threshold: 2, owners })), /invalid:threshold_not_met/);
  await assert.rejects(verify(two, { keys, threshold: 0 }), RangeError);
});

Deno.test("verifyAttestation: a key that does not count now is named as the reason", async () => {
  const { publicKey: key } = testKey(1);
  for (const state of ["revoked", "expired", "not_yet_valid"] as const) {
    const refused = [{ key, state, principal: "ci" }];
    const result = await verify(SIGNED, { keys: [testKey(2).publicKey], refused });
    assert.equal(brief(result), `invalid = invalid:key_${state} - - -`);
    assert.equal(result.statement, null);
  }
});

Deno.test("verifyAttestation: unsigned is invalid, and said loudly where it is allowed", async () => {
  const none = "invalid = unsigned:unsigned - - -";
  assert.equal(brief(await verify(PROVED_FILES)), none);
  assert.equal(brief(await verify(edited("attestation.json", null))), none);
  const unsigned = { problem: null };
  const allowed = await verify(PROVED_FILES, { unsigned, keys: [] });
  assert.equal(brief(allowed), "valid = unsigned:unsigned valid valid unsigned:unsigned");
  const problem = { reason: "bundle_inconsistent", path: "repro.json", detail: "of something else" };
  assert.equal(
    brief(await verify(PROVED_FILES, { unsigned: { problem } })),
    "invalid = unsigned:unsigned invalid:bundle_inconsistent - unsigned:unsigned",
  );
  // What was asked of a time nobody states fails.
  for (const asked of [{ maxAgeMs: 1e9 }, { nonce: "n" }]) {
    assert.match(brief(await verify(PROVED_FILES, { unsigned, ...asked })), /^invalid .* invalid:unsigned$/);
  }
  assert.equal(
    brief(await verify(await bundleFiles(unproved(), redact), { unsigned })),
    "invalid = unsigned:unsigned valid invalid:not_proved unsigned:unsigned",
  );
});

Deno.test("verifyAttestation: allowing unsigned bundles allows no bad signature", async () => {
  const files = edited("attestation.json", new TextEncoder().encode("{}"));
  assert.match(brief(await verify(files, { unsigned: { problem: null } })), /^invalid = invalid:envelope_/);
});

Deno.test("verifyAttestation: an envelope too large to keep is no missing one", async () => {
  const inventory = await inventoryOf(edited("attestation.json", new Uint8Array(24 << 20)));
  const result = await verifyAttestation({
    inventory,
    trust: { keys: [testKey(1).publicKey], threshold: 1, refused: [], owners: new Map() },
    now: ISSUED_AT,
    maxAgeMs: null,
    nonce: null,
    unsigned: { problem: null },
  });
  assert.equal(brief(result), "invalid = invalid:envelope_unreadable - - -");
});

Deno.test("verifyAttestation: a link in place of the envelope is no unsigned bundle", async () => {
  const inventory = {
    ...await inventoryOf(PROVED_FILES),
    findings: [{ code: "link", name: "attestation.json", detail: "a link" }],
  };
  const trust = { keys: [testKey(1).publicKey], threshold: 1, refused: [], owners: new Map() };
  const asked = { now: ISSUED_AT, maxAgeMs: null, nonce: null, unsigned: { problem: null } };
  assert.match(
    brief(await verifyAttestation({ inventory, trust, ...asked })),
    /^invalid = invalid:envelope_unreadable/,
  );
});

Deno.test("verifyAttestation: any envelope bytes give a verdict, never a crash", async () => {
  await fc.assert(fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), async (bytes) => {
    assert.equal((await verify(edited("attestation.json", bytes))).verdict, "invalid");
  }));
});

Deno.test("judgeFreshness: future, age and nonce, to the millisecond", () => {
  const at = (ms: number) => new Date(ISSUED_AT.getTime() + ms);
  const issued_at = ISSUED_AT.toISOString();
  const judge = (nonce: string | null, asked: { now: Date; maxAgeMs?: number; nonce?: string }) =>
    judgeFreshness({ issued_at, nonce }, { maxAgeMs: null, nonce: null, ...asked }).code;
  assert.equal(judge(null, { now: at(0) }), "fresh");
  assert.equal(judge(null, { now: at(-300_000) }), "fresh");
  assert.equal(judge(null, { now: at(-300_001) }), "issued_in_future");
  assert.equal(judge(null, { now: at(1000), maxAgeMs: 1000 }), "fresh");
  assert.equal(judge(null, { now: at(1001), maxAgeMs: 1000 }), "too_old");
  assert.equal(judge(null, { now: at(1e12) }), "fresh");
  assert.equal(judge("n", { now: at(0), nonce: "n" }), "fresh");
  assert.equal(judge("n ", { now: at(0), nonce: "n" }), "nonce_differs");
  assert.equal(judge("N", { now: at(0), nonce: "n" }), "nonce_differs");
  assert.equal(judge(null, { now: at(0), nonce: "n" }), "nonce_differs");
  assert.equal(judge("n", { now: at(0) }), "fresh");
});

Deno.test("countersign: adds a name to a statement that is true, and to no other", async () => {
  const signed = edited("attestation.json", countersign(await inventoryOf(SIGNED), [testKey(2)]));
  const keys = [testKey(1).publicKey, testKey(2).publicKey];
  assert.equal(brief(await verify(signed, { keys, threshold: 2 })), "valid = valid valid valid valid");
  const code = async (files: Files) => {
    try {
      countersign(await inventoryOf(files), [testKey(2)]);
    } catch (error) {
      assert.ok(error instanceof Failure && error.kind === "malformed", String(error));
      return error.code;
    }
    assert.fail("it signed");
  };
  assert.equal(await code(PROVED_FILES), "envelope_missing");
  assert.equal(await code(edited("final.patch", new Uint8Array([10]))), "changed");
  assert.equal(await code(edited("final_summary.md", null)), "missing");
  assert.equal(await code(edited("attestation.json", SIGNED.get("repro.json")!)), "envelope_not_json");
  assert.equal(
    await code(edited("attestation.json", SIGNED.get("test_result.attestation.json")!)),
    "predicate_type_unknown",
  );
});
