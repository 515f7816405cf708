import assert from "node:assert/strict";
import fc from "fast-check";
import { bundleFiles } from "../../src/bundle/documents.ts";
import { claimsOf } from "../../src/bundle/claims_of.ts";
import { inventoryOf } from "../../src/bundle/inventory.ts";
import { proofStatement, testResultStatement } from "../../src/bundle/make_statement.ts";
import { readProofStatement, readTestResultStatement } from "../../src/bundle/statement.ts";
import { attest } from "../../src/bundle/attest.ts";
import { Failure } from "../../src/vocabulary/failure.ts";
import { canonicalJson } from "../../src/vocabulary/canonical_json.ts";
import { attested, ISSUED_AT, PROVED_FILES, testKey } from "./attested.ts";
import { record, redact, unminimized, unproved } from "./fixture.ts";

// deno-lint-ignore no-explicit-any
type Json = any;
const encode = (text: string) => new TextEncoder().encode(text);
const TEST_RESULT = "https://in-toto.io/attestation/test-result/v0.1";
const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

const SIGNED = await inventoryOf(await attested());
const LISTED = new Map([...SIGNED.files].filter(([name]) => name !== "attestation.json"));
const DRAWN = claimsOf(SIGNED);
assert.ok(DRAWN.ok);
const { claims, patch } = DRAWN;
const STATEMENT = proofStatement(claims, patch, { issuedAt: ISSUED_AT, nonce: "n-1" }, LISTED);

/** The statement with something changed. */
function changed(change: (statement: Json) => void): Uint8Array {
  const statement = JSON.parse(decode(STATEMENT));
  change(statement);
  return encode(JSON.stringify(statement));
}

function refusal(bytes: Uint8Array): string {
  const read = readProofStatement(bytes);
  assert.ok(!read.ok, "refused");
  return `${read.refusal.reason}: ${read.refusal.detail}`;
}

Deno.test("proofStatement: is canonical, deterministic and read back as it was made", () => {
  assert.deepEqual(
    STATEMENT,
    proofStatement(claims, patch, { issuedAt: ISSUED_AT, nonce: "n-1" }, new Map([...LISTED].reverse())),
  );
  assert.equal(decode(STATEMENT), canonicalJson(JSON.parse(decode(STATEMENT))));
  const read = readProofStatement(STATEMENT);
  assert.ok(read.ok);
  assert.deepEqual(read.statement.subjects, { patch, tree: claims.result.tree });
  assert.equal(read.statement.predicate.nonce, "n-1");
  assert.equal(read.statement.predicate.issued_at, ISSUED_AT.toISOString());
  assert.equal(read.statement.predicate.files.length, LISTED.size);
});

Deno.test("proofStatement: nothing that no reader would take is made", () => {
  const issue = { issuedAt: ISSUED_AT, nonce: null };
  assert.throws(() => proofStatement(claims, patch, { ...issue, nonce: "" }, LISTED), RangeError);
  assert.throws(
    () => proofStatement(claims, patch, { ...issue, nonce: "x".repeat(1025) }, LISTED),
    RangeError,
  );
  assert.throws(() => proofStatement(claims, patch, issue, new Map()), RangeError);
  const own = new Map([...LISTED, ["attestation.json", LISTED.get("final.patch")!]]);
  assert.throws(() => proofStatement(claims, patch, issue, own), RangeError);
});

Deno.test("readProofStatement: every member is needed and no other is taken, at every depth", () => {
  const visit = (value: Json, path: (string | number)[]): void => {
    if (Array.isArray(value)) return value.slice(0, 1).forEach((item, i) => visit(item, [...path, i]));
    if (typeof value !== "object" || value === null) return;
    const at = (statement: Json) => path.reduce((inner, key) => inner[key], statement);
    for (const member of Object.keys(value)) {
      refusal(changed((statement) => delete at(statement)[member]));
      visit(value[member], [...path, member]);
    }
    refusal(changed((statement) => at(statement).surplus = 1));
  };
  visit(JSON.parse(decode(STATEMENT)), []);
});

Deno.test("readProofStatement: every value has its type and range", () => {
  const visit = (value: Json, path: (string | number)[]): void => {
    if (Array.isArray(value)) value.slice(0, 1).forEach((item, i) => visit(item, [...path, i]));
    else if (typeof value === "object" && value !== null) {
      for (const member of Object.keys(value)) visit(value[member], [...path, member]);
    }
    const last = path.at(-1);
    if (last === undefined) return;
    const put = (wrong: unknown) =>
      changed((statement) => path.slice(0, -1).reduce((inner, key) => inner[key], statement)[last] = wrong);
    for (const wrong of [{}, [], -1, 0.5, "\u0000", true, null]) {
      const fits = (wrong === null && value === null) || (Array.isArray(wrong) && Array.isArray(value)) ||
        (typeof wrong === typeof value && typeof wrong === "boolean") || (typeof wrong === "string");
      const open = ["nonce", "minimization", "image", "git_commit", "git_tree"].includes(String(last));
      if (!fits && !open) refusal(put(wrong));
    }
  };
  visit(JSON.parse(decode(STATEMENT)), []);
});

Deno.test("readProofStatement: nothing passes vacuously", () => {
  const cases: [RegExp, (statement: Json) => void][] = [
    [/^subjects_unexpected/, (s) => s.subject = []],
    [/^subjects_unexpected/, (s) => s.subject.pop()],
    [/^subjects_unexpected/, (s) => s.subject.shift()],
    [/^subjects_unexpected/, (s) => s.subject.push(s.subject[0])],
    [/^subjects_unexpected/, (s) => s.subject[1] = s.subject[0]],
    [/^subjects_unexpected/, (s) => s.subject[0].digest = {}],
    [/^subjects_unexpected/, (s) => s.subject[0].digest = { sha1: "0" }],
    [/^subjects_unexpected/, (s) => s.subject[0].name = "other.patch"],
    [/predicate\.targets: empty/, (s) => s.predicate.targets = []],
    [/targets\.0\.argv: empty/, (s) => s.predicate.targets[0].argv = []],
    [/predicate\.files: empty/, (s) => s.predicate.files = []],
    [
      /does not list/,
      (s) => s.predicate.files = s.predicate.files.filter((f: Json) => f.name !== "final.patch"),
    ],
    [/predicate\.status/, (s) => s.predicate.status = "not_proved"],
    [/before: the base is not red/, (s) => s.predicate.before.passed = 1],
    [/before: the base is not red/, (s) => s.predicate.before = { outcome: "mixed", passed: 0, runs: 0 }],
    [/after: the patched tree is not green/, (s) => s.predicate.after.passed = 0],
    [
      /after: the patched tree is not green/,
      (s) => s.predicate.after = { outcome: "passed", passed: 0, runs: 0 },
    ],
    [/^predicate_type_unknown/, (s) => s.predicateType = "https://slsa.dev/provenance/v1"],
    [/_type/, (s) => s._type = "https://in-toto.io/Statement/v0.1"],
    [/comes twice/, (s) => s.predicate.files.push(s.predicate.files.at(-1))],
    [/not in order/, (s) => s.predicate.files.reverse()],
    [/cannot speak for/, (s) => s.predicate.files[0].name = "../x"],
    [/cannot speak for/, (s) => s.predicate.files[0].name = "attestation.json"],
    [/nonce: empty/, (s) => s.predicate.nonce = ""],
    [/issued_at: no time/, (s) => s.predicate.issued_at = "2026-13-01T00:00:00Z"],
    [/target comes twice/, (s) => s.predicate.targets.push(s.predicate.targets[0])],
  ];
  for (const [expected, change] of cases) assert.match(refusal(changed(change)), expected);
  assert.match(refusal(encode(decode(STATEMENT).replace("{", '{"_type":"x",'))), /comes twice/);
  assert.match(refusal(encode("\ufeff" + decode(STATEMENT))), /^statement_malformed/);
});

Deno.test("readProofStatement: any bytes are read or refused, never a crash", () => {
  const text = decode(STATEMENT);
  fc.assert(
    fc.property(fc.nat(text.length - 1), fc.string({ maxLength: 12 }), fc.nat(20), (at, insert, cut) => {
      const bytes = encode(text.slice(0, at) + insert + text.slice(at + cut));
      const read = readProofStatement(bytes);
      assert.ok(read.ok || read.refusal.detail !== "");
    }),
    { numRuns: 500 },
  );
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
    assert.ok(!readProofStatement(bytes).ok);
  }));
  fc.assert(fc.property(fc.json(), (json) => assert.ok(!readProofStatement(encode(json)).ok)));
});

Deno.test("readTestResultStatement: sound in-toto statements that are not of a proof are refused by what they lack", () => {
  const digest = { sha256: "a".repeat(64) };
  const statement = (subject: unknown, predicate: object, predicateType = TEST_RESULT) => ({
    _type: "https://in-toto.io/Statement/v1",
    subject,
    predicateType,
    predicate,
  });
  const ours = [{ name: "final.patch", digest }, { name: "patched_tree", digest }];
  const passed = { result: "PASSED", configuration: [{ name: "ci.yml", digest }], passedTests: ["a"] };
  const cases: [string, unknown][] = [
    // A commit as subject, a url and warnings: the standard's own forms.
    [
      "subjects_unexpected",
      statement([{ digest: { gitCommit: "b".repeat(40) } }], { ...passed, failedTests: [] }),
    ],
    ["statement_malformed", statement(ours, { ...passed, failedTests: [], url: "https://ci.example/1" })],
    [
      "statement_malformed",
      statement(ours, { ...passed, result: "WARNED", failedTests: [], warnedTests: ["b"] }),
    ],
    ["statement_malformed", statement(ours, passed)],
    ["predicate_type_unknown", statement(ours, passed, "https://in-toto.io/attestation/vulns/v0.1")],
  ];
  for (const [reason, each] of cases) {
    const read = readTestResultStatement(encode(JSON.stringify(each)));
    assert.equal(read.ok ? "read" : read.refusal.reason, reason, JSON.stringify(each));
  }
  assert.ok(
    readTestResultStatement(encode(JSON.stringify(statement(ours, { ...passed, failedTests: [] })))).ok,
  );
});

Deno.test("testResultStatement: says what the standard says, of the same subjects", () => {
  const read = readTestResultStatement(testResultStatement(claims, patch, LISTED));
  assert.ok(read.ok);
  assert.deepEqual(read.statement.subjects, { patch, tree: claims.result.tree });
  assert.equal(read.statement.predicate.result, "PASSED");
  assert.deepEqual(read.statement.predicate.passedTests, ["tests"]);
  assert.ok(!readProofStatement(testResultStatement(claims, patch, LISTED)).ok, "not taken for a proof");
});

Deno.test("claimsOf: says what the documents say", async () => {
  assert.equal(claims.session, record().session);
  assert.deepEqual(claims.before, { outcome: "failed", passed: 0, runs: 1 });
  assert.deepEqual(claims.after, { outcome: "passed", passed: 1, runs: 1 });
  assert.deepEqual(claims.base, { tree: record().manifest.digest, git_commit: null, git_tree: null });
  assert.equal(claims.minimization?.one_minimal, true);
  assert.deepEqual([claims.minimization?.atoms_before, claims.minimization?.atoms_after], [3, 2]);
  const clean = record({ git: { ...record().git, dirty: false } });
  const drawn = claimsOf(await inventoryOf(await bundleFiles(clean, redact)));
  assert.ok(drawn.ok && drawn.claims.base.git_commit === "a".repeat(40));
});

Deno.test("claimsOf: findings of the bundle are claims, so that a signer signs them", async () => {
  const detail = "the patch touches a protected file";
  const findings = [{ code: "protected_touched", path: "tests/x.py", rule: "test_files", detail }];
  const drawn = claimsOf(await inventoryOf(await bundleFiles(record({ findings }), redact)));
  assert.ok(drawn.ok, JSON.stringify(drawn));
  assert.deepEqual(drawn.claims.findings, [{ code: "protected_touched", path: "tests/x.py" }]);
});

Deno.test("claimsOf: a patch that was not minimized is not called minimal", async () => {
  const drawn = claimsOf(await inventoryOf(await bundleFiles(unminimized(), redact)));
  assert.ok(drawn.ok);
  const { used, one_minimal, atoms_before, atoms_after } = drawn.claims.minimization!;
  assert.deepEqual({ used, one_minimal, atoms_before, atoms_after }, {
    used: false,
    one_minimal: false,
    atoms_before: 3,
    atoms_after: 3,
  });
});

Deno.test("claimsOf: documents that contradict each other or are missing make no claims", async () => {
  const of = async (name: string, change: (document: Json) => void) => {
    const document = JSON.parse(decode(PROVED_FILES.get(name)!));
    change(document);
    const files = new Map([...PROVED_FILES, [name, encode(JSON.stringify(document))]]);
    const drawn = claimsOf(await inventoryOf(files));
    assert.ok(!drawn.ok, name);
    return drawn.refusal.reason;
  };
  assert.equal(await of("policy.json", (d) => d.digest = "0".repeat(64)), "documents_contradict");
  assert.equal(await of("environment.json", (d) => d.image.id = "other"), "documents_contradict");
  assert.equal(await of("environment.json", (d) => d.backend = "copy"), "documents_contradict");
  assert.equal(await of("repro.json", (d) => d.final_patch_sha256 = "0".repeat(64)), "documents_contradict");
  assert.equal(
    await of("repro.json", (d) => d.workspace_manifest_sha256 = "0".repeat(64)),
    "documents_contradict",
  );
  assert.equal(await of("repro.json", (d) => d.status = "flaky"), "not_proved");
  assert.equal(await of("repro.json", (d) => d.proof_targets = []), "document_malformed");
  assert.equal(await of("confirmation/verify.json", (d) => d.passed = 2), "documents_contradict");
  assert.equal(await of("confirmation/verify.json", (d) => (d.runs = [], d.passed = 0)), "not_proved");
  assert.equal(
    await of("attempts/0_baseline/verify.json", (d) => (d.runs[0].outcome = "passed", d.passed = 1)),
    "not_proved",
  );
  for (const kept of ["3", "1-0", "0,0", "1,0", "0-9", "01", "-1", "x"]) {
    assert.equal(await of("minimization.json", (d) => d.kept = kept), "document_malformed", kept);
  }
  for (const name of ["repro.json", "policy.json", "confirmation/verify.json", "final.patch"]) {
    const drawn = claimsOf(await inventoryOf(new Map([...PROVED_FILES].filter(([n]) => n !== name))));
    assert.ok(!drawn.ok, name);
  }
});

Deno.test("attest: only a proof; the same bytes for the same arguments; old envelopes are replaced", async () => {
  const issue = { issuedAt: ISSUED_AT, nonce: null };
  const refused = await bundleFiles(unproved(), redact);
  await assert.rejects(
    attest(await inventoryOf(refused), [testKey(1)], issue),
    (error) => error instanceof Failure && error.kind === "malformed" && error.code === "not_proved",
  );
  const once = await attest(await inventoryOf(PROVED_FILES), [testKey(1)], issue);
  assert.deepEqual(once, await attest(await inventoryOf(PROVED_FILES), [testKey(1)], issue));
  const again = await attest(await inventoryOf(new Map([...PROVED_FILES, ...once])), [testKey(1)], issue);
  assert.deepEqual(again, once);
});
