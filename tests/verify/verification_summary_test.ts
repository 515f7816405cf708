import assert from "node:assert/strict";
import fc from "fast-check";
import { readProofStatement, type Subjects } from "../../src/bundle/statement.ts";
import { parseEnvelope, PAYLOAD_TYPE, renderEnvelope } from "../../src/sign/dsse.ts";
import type { SigningKey } from "../../src/sign/key.ts";
import { signEnvelope } from "../../src/sign/sign.ts";
import {
  readSummary,
  type ReplayFacts,
  summaryStatement,
  type VerificationSummary,
} from "../../src/verify/verification_summary.ts";
import { type SummaryExpected, verifySummary } from "../../src/verify/verdicts/summary.ts";
import { canonicalJson } from "../../src/vocabulary/canonical_json.ts";
import { attested, testKey, testSecret } from "../bundle/attested.ts";

const NOW = new Date("2026-11-20T13:00:00.000Z");
const SUBJECTS: Subjects = { patch: "a".repeat(64), tree: "b".repeat(64) };

const REPLAY: ReplayFacts = {
  format: "veripatch-replay-summary/v1",
  session: "20261120T120000Z-0123abcd",
  verdict: "confirmed",
  reason: "confirmed",
  targets: [{ name: "check", command: "sh check.sh", argv: ["sh", "check.sh"], shell: false }],
  repeat: 2,
  base_tree: "c".repeat(64),
  base: { runs: 2, passed: 0, failed: 1, timed_out: 1 },
  patched: { runs: 2, passed: 2, failed: 0, timed_out: 0 },
  control: { runs: 2, passed: 0, failed: 2, timed_out: 0 },
  findings: [{ code: "protected_touched", path: "tests/a_test.py", rule: "tests" }],
  sandbox: {
    backend: "container",
    image: { name: "image:1", id: "sha256:1" },
    network: "deny",
    as_recorded: true,
  },
  signers: ["d".repeat(64)],
  minimal: { units: 3, tried: 2, passed: 0, seed: null },
  checks: [{ check: "signature", verdict: "passed" }, { check: "freshness", verdict: "not_checked" }],
};

const SUMMARY: VerificationSummary = {
  subjects: SUBJECTS,
  verifiedAt: new Date("2026-11-20T12:30:00.000Z"),
  toolVersion: "0.1.0",
  policy: { digest: "e".repeat(64), source: "pp.yaml" },
  attestation: "f".repeat(64),
  replay: REPLAY,
};

const EXPECTED: SummaryExpected = {
  subjects: SUBJECTS,
  attestation: SUMMARY.attestation!,
  now: NOW,
  maxAgeMs: 3_600_000,
};

const signed = (payload: Uint8Array, keys: readonly SigningKey[] = [testKey(1)]) =>
  renderEnvelope(signEnvelope(PAYLOAD_TYPE, payload, keys));
const trusting = (...keys: SigningKey[]) => ({
  keys: keys.map((key) => key.kind === "ed25519" ? key.publicKey : key),
  threshold: 1,
  owners: new Map(),
  refused: [],
});
const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
const bytes = (value: string) => new TextEncoder().encode(value);

async function codeOf(
  summary: VerificationSummary,
  expected: Partial<SummaryExpected> = {},
): Promise<string> {
  const envelope = signed(summaryStatement(summary));
  const { verdict } = await verifySummary(envelope, trusting(testKey(1)), { ...EXPECTED, ...expected });
  return `${verdict.verdict} ${verdict.code}`;
}

Deno.test("summaryStatement: has the standard's members, PASSED for a confirmed replay", () => {
  const statement = JSON.parse(text(summaryStatement(SUMMARY)));
  assert.equal(statement._type, "https://in-toto.io/Statement/v1");
  assert.equal(statement.predicateType, "https://slsa.dev/verification_summary/v1");
  assert.deepEqual(statement.subject, [
    { name: "final.patch", digest: { sha256: SUBJECTS.patch } },
    { name: "patched_tree", digest: { sha256: SUBJECTS.tree } },
  ]);
  const { [`https://veripatch.dev/replay/v1`]: replay, ...standard } = statement.predicate;
  assert.deepEqual(replay, REPLAY);
  assert.deepEqual(standard, {
    verifier: { id: "https://veripatch.dev/replay", version: { veripatch: "0.1.0" } },
    timeVerified: "2026-11-20T12:30:00.000Z",
    resourceUri: "https://veripatch.dev/session/20261120T120000Z-0123abcd",
    policy: {
      uri: `https://veripatch.dev/policy/${"e".repeat(64)}`,
      name: "pp.yaml",
      digest: { sha256: "e".repeat(64) },
    },
    inputAttestations: [{ uri: "attestation.json", digest: { sha256: "f".repeat(64) } }],
    verificationResult: "PASSED",
    verifiedLevels: ["VERIPATCH_REPLAY_CONFIRMED"],
    slsaVersion: "1.0",
  });
});

Deno.test("readSummary: reads back what was written", () => {
  assert.deepEqual(readSummary(summaryStatement(SUMMARY)), { ok: true, summary: SUMMARY });
  const unsigned: VerificationSummary = {
    ...SUMMARY,
    attestation: null,
    policy: { ...SUMMARY.policy, source: null },
    replay: { ...REPLAY, signers: [], minimal: null },
  };
  assert.deepEqual(readSummary(summaryStatement(unsigned)), { ok: true, summary: unsigned });
});

const NOTHING_RUN: ReplayFacts = {
  ...REPLAY,
  verdict: "inconclusive",
  reason: "base_differs",
  base: { runs: 0, passed: 0, failed: 0, timed_out: 0 },
  patched: { runs: 0, passed: 0, failed: 0, timed_out: 0 },
  sandbox: null,
  minimal: null,
};
const CONTRADICTED: ReplayFacts = {
  ...REPLAY,
  verdict: "contradicted",
  reason: "patched_fails",
  patched: { runs: 2, passed: 0, failed: 2, timed_out: 0 },
  minimal: null,
};

Deno.test("summaryStatement: contradicted and inconclusive replays are FAILED", () => {
  for (const replay of [NOTHING_RUN, CONTRADICTED]) {
    const { predicate } = JSON.parse(text(summaryStatement({ ...SUMMARY, replay })));
    assert.equal(predicate.verificationResult, "FAILED");
    assert.deepEqual(predicate.verifiedLevels, ["FAILED"]);
  }
});

const FALSE_CONFIRMATIONS: Readonly<Record<string, Partial<ReplayFacts>>> = {
  "nothing run": { base: NOTHING_RUN.base, patched: NOTHING_RUN.patched, sandbox: null },
  "fewer runs than asked for": { base: { runs: 1, passed: 0, failed: 1, timed_out: 0 } },
  "more runs than asked for": { base: { runs: 3, passed: 0, failed: 3, timed_out: 0 } },
  "a green base": { base: { runs: 2, passed: 1, failed: 1, timed_out: 0 } },
  "a red patch": { patched: CONTRADICTED.patched },
  "outcomes that do not add up": { patched: { runs: 2, passed: 2, failed: 1, timed_out: 0 } },
  "a control that was not noticed": { control: REPLAY.patched },
  "no sandbox": { sandbox: null },
  "a line that is not needed": { minimal: { units: 3, tried: 2, passed: 1, seed: null } },
  "no removal tried": { minimal: { units: 3, tried: 0, passed: 0, seed: null } },
  "a failed check": { checks: [{ check: "base_red", verdict: "failed" }] },
  "an unclear check": { checks: [{ check: "base_red", verdict: "unclear" }] },
  "no check": { checks: [] },
  "a check twice": { checks: [REPLAY.checks[0]!, REPLAY.checks[0]!] },
  "no target": { targets: [] },
  "no repeat": { repeat: 0 },
  "an attestation that nobody signed": { signers: [] },
};
for (const [name, change] of Object.entries(FALSE_CONFIRMATIONS)) {
  Deno.test(`summaryStatement and readSummary: no confirmation with ${name}`, () => {
    const replay = { ...REPLAY, ...change };
    assert.throws(() => summaryStatement({ ...SUMMARY, replay }), RangeError);
    const statement = JSON.parse(text(summaryStatement(SUMMARY)));
    statement.predicate["https://veripatch.dev/replay/v1"] = replay;
    assert.equal(readSummary(bytes(canonicalJson(statement))).ok, false);
  });
}

Deno.test("readSummary: what the standard's members say is what the replay says", () => {
  for (
    const change of [
      { verificationResult: "PASSED" },
      { verifiedLevels: ["VERIPATCH_REPLAY_CONFIRMED"] },
      { verifiedLevels: [] },
      { verifiedLevels: ["FAILED", "SLSA_BUILD_LEVEL_3"] },
      { resourceUri: "https://veripatch.dev/session/other" },
      { extra: 1 },
    ]
  ) {
    const statement = JSON.parse(text(summaryStatement({ ...SUMMARY, replay: CONTRADICTED })));
    Object.assign(statement.predicate, change);
    assert.equal(readSummary(bytes(canonicalJson(statement))).ok, false, JSON.stringify(change));
  }
});

Deno.test("verifySummary: a confirmed replay by a trusted key, of this bundle, is valid", async () => {
  assert.equal(await codeOf(SUMMARY), "valid replay_confirmed");
  assert.equal(await codeOf(SUMMARY, { maxAgeMs: null }), "valid replay_confirmed");
});

Deno.test("verifySummary: another bundle, attestation or time is invalid, each with its code", async () => {
  const other = "0".repeat(64);
  assert.equal(
    await codeOf(SUMMARY, { subjects: { ...SUBJECTS, patch: other } }),
    "invalid summary_subjects_differ",
  );
  assert.equal(
    await codeOf(SUMMARY, { subjects: { ...SUBJECTS, tree: other } }),
    "invalid summary_subjects_differ",
  );
  assert.equal(await codeOf(SUMMARY, { attestation: other }), "invalid summary_attestation_differs");
  assert.equal(await codeOf(SUMMARY, { maxAgeMs: 60_000 }), "invalid too_old");
  assert.equal(
    await codeOf(SUMMARY, { now: new Date("2026-11-20T12:00:00.000Z") }),
    "invalid issued_in_future",
  );
  const unsigned = { ...SUMMARY, attestation: null, replay: { ...REPLAY, signers: [] } };
  assert.equal(await codeOf(unsigned), "invalid summary_attestation_differs");
});

Deno.test("verifySummary: only a confirmed replay is valid", async () => {
  assert.equal(await codeOf({ ...SUMMARY, replay: CONTRADICTED }), "invalid replay_contradicted");
  assert.equal(await codeOf({ ...SUMMARY, replay: NOTHING_RUN }), "invalid replay_inconclusive");
});

Deno.test("verifySummary: nothing is believed without enough trusted signatures", async () => {
  const payload = summaryStatement(SUMMARY);
  const check = async (envelope: Uint8Array, trust: Parameters<typeof verifySummary>[1]) => {
    const { verdict, summary } = await verifySummary(envelope, trust, EXPECTED);
    assert.equal(summary, null);
    return verdict.code;
  };
  assert.equal(await check(signed(payload), trusting(testKey(2))), "not_by_trusted_key");
  assert.equal(await check(signed(payload), trusting()), "not_by_trusted_key");
  assert.equal(await check(signed(payload, [testSecret(1)]), trusting(testKey(1))), "not_by_trusted_key");
  const two = { ...trusting(testKey(1), testKey(2)), threshold: 2 };
  assert.equal(await check(signed(payload), two), "threshold_not_met");
  assert.equal(await check(bytes("{}"), trusting(testKey(1))), "envelope_members");
  const both = await verifySummary(signed(payload, [testKey(1), testKey(2)]), two, EXPECTED);
  assert.equal(both.verdict.code, "replay_confirmed");
  assert.equal(both.signers.length, 2);
});

Deno.test("verifySummary: a proof's own envelope is no summary, and a summary is no proof", async () => {
  const proof = (await attested()).get("attestation.json")!;
  const { verdict, summary } = await verifySummary(proof, trusting(testKey(1)), EXPECTED);
  assert.equal(verdict.code, "predicate_type_unknown");
  assert.equal(summary, null);
  const read = readProofStatement(summaryStatement(SUMMARY));
  assert.equal(read.ok ? "" : read.refusal.reason, "predicate_type_unknown");
});

Deno.test("verifySummary: no changed byte of an envelope stays valid", async () => {
  const envelope = signed(summaryStatement(SUMMARY));
  const original = parseEnvelope(envelope);
  assert.ok(original.ok);
  await fc.assert(
    fc.asyncProperty(fc.nat(envelope.length - 1), fc.integer({ min: 1, max: 255 }), async (at, by) => {
      const changed = envelope.slice();
      changed[at] = changed[at]! ^ by;
      const { verdict } = await verifySummary(changed, trusting(testKey(1)), EXPECTED);
      if (verdict.verdict !== "valid") return;
      // Blanks between tokens and the hint are not signed, and change nothing of what is.
      const parsed = parseEnvelope(changed);
      assert.ok(parsed.ok);
      assert.deepEqual(parsed.envelope.payload, original.envelope.payload);
      assert.deepEqual(parsed.envelope.signatures[0]!.sig, original.envelope.signatures[0]!.sig);
    }),
    { numRuns: 300 },
  );
});

Deno.test("readSummary: bytes of any kind are refused, never thrown at", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (noise) => !readSummary(noise).ok));
  const statement = JSON.parse(text(summaryStatement(SUMMARY)));
  // Not the two whose value is free: a time, and the policy's name.
  const names = Object.keys(statement.predicate).filter((n) => n !== "timeVerified" && n !== "policy");
  fc.assert(fc.property(fc.constantFrom(...names), fc.jsonValue(), (name, value) => {
    const changed = { ...statement, predicate: { ...statement.predicate, [name]: value } };
    return !readSummary(bytes(canonicalJson(changed))).ok;
  }));
});
