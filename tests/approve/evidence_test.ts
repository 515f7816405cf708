import assert from "node:assert/strict";
import { checkDocument, readCheck } from "../../src/approve/check.ts";
import {
  type Evidence,
  evidenceDocument,
  MAX_EVIDENCE_BYTES,
  readEvidence,
} from "../../src/approve/evidence.ts";
import { canonicalJson } from "../../src/vocabulary/canonical_json.ts";
import { sha256 } from "../../src/vocabulary/digest.ts";
import { evidenceOf, termsOf } from "./fixture.ts";

const EVIDENCE = evidenceOf(termsOf());

/** Every place of a value, as a path of keys. */
function places(value: unknown, at: (string | number)[] = []): (string | number)[][] {
  if (typeof value !== "object" || value === null) return [at];
  return Object.entries(value).flatMap(([key, inner]) => places(inner, [...at, key]));
}

function withAt(
  value: unknown,
  [key, ...rest]: (string | number)[],
  set: (old: unknown) => unknown,
): unknown {
  if (key === undefined) return set(value);
  const copy: Record<string, unknown> | unknown[] = Array.isArray(value)
    ? [...value]
    : { ...value as object };
  (copy as Record<string | number, unknown>)[key] = withAt(
    (value as Record<string | number, unknown>)[key],
    rest,
    set,
  );
  return copy;
}

Deno.test("evidenceDocument: reads again as it was, and its hash is of the literal canonical form", () => {
  const { document, hash } = evidenceDocument(EVIDENCE);
  assert.equal(hash, sha256(canonicalJson(EVIDENCE)));
  const read = readEvidence(document);
  assert.ok(read.ok);
  assert.deepEqual(read.evidence, EVIDENCE);
});

Deno.test("evidenceDocument: whatever changes in it, the hash is another or it is refused", () => {
  const { hash } = evidenceDocument(EVIDENCE);
  const found = places(EVIDENCE);
  assert.ok(found.length > 50);
  for (const place of found) {
    const changed = withAt(
      EVIDENCE,
      place,
      (old) =>
        typeof old === "number"
          ? old + 1
          : typeof old === "string" && /^[0-9a-f]{32,}$/.test(old)
          ? `${old.slice(1)}${old[0] === "0" ? "1" : "0"}`
          : typeof old === "string"
          ? `${old}x`
          : sha256("other"),
    ) as Evidence;
    let other: string;
    try {
      other = evidenceDocument(changed).hash;
    } catch (error) {
      assert.ok(error instanceof RangeError, String(error));
      continue;
    }
    assert.notEqual(other, hash, place.join("."));
  }
});

Deno.test("readEvidence: what is missing, more, of another kind, out of order or not canonical is refused", () => {
  const refused = (value: unknown, why: RegExp) => {
    const read = readEvidence(typeof value === "string" ? value : canonicalJson(value));
    assert.ok(!read.ok);
    assert.equal(read.refusal.reason, "evidence_malformed");
    assert.match(read.refusal.detail, why);
  };
  const document = canonicalJson(EVIDENCE);
  for (const key of Object.keys(EVIDENCE)) {
    const { [key as "title"]: _, ...less } = EVIDENCE;
    refused(less, new RegExp(`^${key}: missing`));
  }
  refused({ ...EVIDENCE, more: 1 }, /does not belong/);
  refused({ ...EVIDENCE, format: "veripatch-evidence/v2" }, /format/);
  refused({ ...EVIDENCE, proposal: 0 }, /proposal/);
  refused({ ...EVIDENCE, proposal: 1.5 }, /proposal/);
  refused({ ...EVIDENCE, created_at: "2026-02-30T00:00:00.000Z" }, /created_at/);
  refused({ ...EVIDENCE, checks: [] }, /checks/);
  refused({ ...EVIDENCE, checks: [...EVIDENCE.checks].reverse() }, /order/);
  refused({ ...EVIDENCE, checks: [EVIDENCE.checks[0], EVIDENCE.checks[0]] }, /order/);
  const [file] = EVIDENCE.patch.files;
  refused({ ...EVIDENCE, patch: { ...EVIDENCE.patch, files: [] } }, /patch.files/);
  refused({ ...EVIDENCE, patch: { ...EVIDENCE.patch, files: [file, file] } }, /twice/);
  refused({ ...EVIDENCE, patch: { ...EVIDENCE.patch, files: [{ ...file, old_path: "b" }] } }, /rename/);
  refused(JSON.stringify(EVIDENCE, null, 1), /canonical/);
  refused(`${document} `, /canonical/);
  refused(document.replace('{"artifact":', '{"artifact":"b","artifact":'), /twice/);
  refused(`${"[".repeat(50)}`, /nested/);
  refused(" ".repeat(MAX_EVIDENCE_BYTES + 1), /bytes/);
  refused("", /not JSON/);
});

Deno.test("readCheck: gives what checkDocument wrote, and null for anything else", () => {
  const check = {
    ...{ kind: "safety" as const, outcome: "needs_approval" as const, summary: "one" },
    findings: [{ level: "warning" as const, code: "c", path: "a\u202e.py", line: 3, detail: "d" }],
    details: { delta: { added: [1, { a: null }] } },
  };
  const document = checkDocument(check);
  assert.deepEqual(readCheck(document), { format: "veripatch-check/v1", ...check });
  for (
    const text of [
      "",
      "{}",
      "null",
      "[",
      document.replace("safety", "luck"),
      `${"[".repeat(99)}${"]".repeat(99)}`,
    ]
  ) {
    assert.equal(readCheck(text), null, text);
  }
  assert.throws(() => checkDocument({ ...check, summary: "x".repeat(5_000) }), RangeError);
});
