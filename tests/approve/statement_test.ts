import assert from "node:assert/strict";
import fc from "fast-check";
import {
  APPROVAL_TYPE,
  PROPOSAL_TYPE,
  readApproval,
  readProposal,
  signApproval,
  signProposal,
} from "../../src/approve/statement.ts";
import { encodeBase64 } from "../../src/sign/base64.ts";
import { renderEnvelope } from "../../src/sign/dsse.ts";
import type { SigningKey } from "../../src/sign/key.ts";
import { signEnvelope } from "../../src/sign/sign.ts";
import { canonicalJson } from "../../src/vocabulary/canonical_json.ts";
import { sha256 } from "../../src/vocabulary/digest.ts";
import { ANN, BOB, EVE, evidenceOf, NOW, statementOf, STORE, subjectOf, termsOf } from "./fixture.ts";

const STATEMENT = statementOf(subjectOf(evidenceOf(termsOf())), { reason: "ünd gut" });
const KEYS = [ANN.publicKey, BOB.publicKey];

function raw(
  payload: Uint8Array | string,
  type = APPROVAL_TYPE,
  keys: readonly SigningKey[] = [ANN],
): string {
  const bytes = typeof payload === "string" ? new TextEncoder().encode(payload) : payload;
  return new TextDecoder().decode(renderEnvelope(signEnvelope(type, bytes, keys)));
}

function reasonOf(envelope: string, keys = KEYS): string {
  const read = readApproval(envelope, keys);
  return read.ok ? "read" : read.refusal.reason;
}

Deno.test("signApproval: signs the literal RFC 8785 bytes, and reads again for the keys that signed alone", () => {
  const envelope = signApproval(STATEMENT, [ANN]);
  const { payload } = JSON.parse(envelope);
  assert.equal(payload, encodeBase64(new TextEncoder().encode(canonicalJson(STATEMENT))));
  const read = readApproval(envelope, KEYS);
  assert.ok(read.ok);
  assert.deepEqual([read.statement, read.signers], [STATEMENT, [ANN.publicKey]]);
  assert.equal(reasonOf(envelope, [BOB.publicKey]), "statement_untrusted");
  assert.equal(reasonOf(envelope, []), "statement_untrusted");
  assert.equal(signApproval(STATEMENT, [ANN]), envelope);
});

Deno.test("readApproval: a sound signature over something else is refused with a reason", () => {
  const canonical = canonicalJson(STATEMENT);
  assert.equal(reasonOf(raw(canonical)), "read");
  for (
    const [what, envelope, reason] of [
      ["another type", raw(canonical, "application/vnd.in-toto+json"), "statement_other_type"],
      ["a proposer's type", raw(canonical, PROPOSAL_TYPE), "statement_other_type"],
      ["another key", raw(canonical, APPROVAL_TYPE, [EVE]), "statement_untrusted"],
      ["no JSON", raw("{"), "statement_malformed"],
      ["not canonical", raw(` ${canonical}`), "statement_malformed"],
      ["a byte order mark", raw(`\ufeff${canonical}`), "statement_malformed"],
      ["a key twice", raw(canonical.replace("{", '{"reason":"a",')), "statement_malformed"],
      ["a member more", raw(canonicalJson({ ...STATEMENT, more: 1 })), "statement_malformed"],
      ["a member less", raw(canonicalJson({ ...STATEMENT, store: undefined })), "statement_malformed"],
      [
        "an unknown decision",
        raw(canonicalJson({ ...STATEMENT, decision: "automatic" })),
        "statement_malformed",
      ],
      [
        "a long reason",
        raw(canonicalJson({ ...STATEMENT, reason: "x".repeat(2_001) })),
        "statement_malformed",
      ],
      [
        "no SHA-256",
        raw(canonicalJson({ ...STATEMENT, evidence_sha256: "0".repeat(63) })),
        "statement_malformed",
      ],
      ["a time that is none", raw(canonicalJson({ ...STATEMENT, time: "yesterday" })), "statement_malformed"],
      [
        "a bypass without review",
        raw(canonicalJson({ ...STATEMENT, decision: "bypass" })),
        "statement_malformed",
      ],
      [
        "an approval with one",
        raw(canonicalJson({ ...STATEMENT, review_by: STATEMENT.time })),
        "statement_malformed",
      ],
      ["deep nesting", raw(`{"reason":${"[".repeat(5_000)}${"]".repeat(5_000)}}`), "statement_malformed"],
      ["a large payload", raw(new Uint8Array(70_000).fill(32)), "statement_too_large"],
      ["a large envelope", " ".repeat(300_000), "statement_too_large"],
      ["no envelope", "{}", "envelope_members"],
      ["nothing", "", "envelope_not_json"],
    ] as const
  ) assert.equal(reasonOf(envelope), reason, what);
});

Deno.test("readApproval: never throws on any text, and never believes what was changed", () => {
  const envelope = signApproval(STATEMENT, [ANN]);
  fc.assert(
    fc.property(fc.nat(envelope.length - 1), fc.string({ unit: "binary", maxLength: 3 }), (at, put) => {
      const changed = envelope.slice(0, at) + put + envelope.slice(at + 1);
      const read = readApproval(changed, KEYS);
      if (read.ok) assert.deepEqual(read.statement, STATEMENT);
    }),
    { numRuns: 500 },
  );
});

Deno.test("readProposal: what a proposer signed comes back, and is no approval", () => {
  const statement = {
    ...{ format: "veripatch-proposal/v1" as const, store: STORE, proposal: 3, revision: 2 },
    ...{ base_manifest: sha256("b"), result_manifest: sha256("r"), patch_sha256: sha256("p") },
    time: NOW.toISOString(),
  };
  const envelope = signProposal(statement, [ANN]);
  const read = readProposal(envelope, KEYS);
  assert.ok(read.ok);
  assert.deepEqual(read.statement, statement);
  assert.equal(reasonOf(envelope), "statement_other_type");
  assert.throws(() => signProposal({ ...statement, revision: 0 }, [ANN]), RangeError);
});
