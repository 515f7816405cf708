import { canonicalJson } from "../vocabulary/canonical_json.ts";
import { comparePaths } from "../vocabulary/path.ts";
import type { Refusal } from "../vocabulary/patch.ts";
import {
  type Checked,
  checked,
  count,
  exactly,
  listOf,
  nullable,
  oneOf,
  type Shape,
  type Shaped,
  text,
  where,
} from "../vocabulary/shape.ts";
import { parseStrictJson } from "../vocabulary/strict_json.ts";
import {
  type Claims,
  claimShapes,
  digestShape,
  type FileDigest,
  nameShape,
  PROOF_ENVELOPE,
  TEST_RESULT_ENVELOPE,
  timeShape,
} from "./claims.ts";
import { BOUNDS, isKnownName } from "./layout.ts";

const STATEMENT_TYPE = "https://in-toto.io/Statement/v1";
const PROOF_PREDICATE = "https://veripatch.dev/proof/v1";
const TEST_RESULT_PREDICATE = "https://in-toto.io/attestation/test-result/v0.1";

const MAX_DEPTH = 8;
const MAX_VALUES = 400_000;
/** Characters of a nonce. */
export const MAX_NONCE = 1024;

const sha256Only = exactly({ sha256: digestShape });
const subject = <N extends string>(name: N) => exactly({ name: oneOf(name), digest: sha256Only });

const filesShape = where(
  where(
    listOf(exactly({ name: nameShape, size: count, sha256: digestShape }), 1, BOUNDS.files),
    (files) => files.every(({ name }) => isKnownName(name) && name !== PROOF_ENVELOPE),
    "names a file that it cannot speak for",
  ),
  (files) => files.every(({ name }, i) => i === 0 || comparePaths(files[i - 1]!.name, name) < 0),
  "not in order, or a file comes twice",
);
/** What a proof cannot be without, besides what its claims are drawn from. */
const MUST_LIST = ["final.patch", TEST_RESULT_ENVELOPE];

const predicateShape = exactly({
  format: oneOf("veripatch-proof/v1"),
  issued_at: timeShape,
  nonce: nullable(where(text(MAX_NONCE), (nonce) => nonce !== "", "empty")),
  ...claimShapes,
  files: where(
    filesShape,
    (files) => MUST_LIST.every((name) => files.some((file) => file.name === name)),
    `does not list ${MUST_LIST.join(" and ")}`,
  ),
});
const testResultShape = exactly({
  result: oneOf("PASSED"),
  configuration: listOf(exactly({ name: nameShape, digest: sha256Only }), 1, 10),
  passedTests: listOf(nameShape, 1, 1000),
  failedTests: listOf(nameShape, 0, 0),
});

const envelopeParts = exactly({
  _type: oneOf(STATEMENT_TYPE),
  subject: (value: unknown) => value,
  predicateType: text(4096),
  predicate: (value: unknown) => value,
});

/** The predicate of a proof; every member is always there. */
export type ProofPredicate = Shaped<typeof predicateShape>;

/** What the subjects of a statement are: the patch and the tree it makes, and nothing else. */
export interface Subjects {
  /** SHA-256 of final.patch. */
  readonly patch: string;
  /** Tree digest of base plus patch. */
  readonly tree: string;
}

export interface ProofStatement {
  readonly subjects: Subjects;
  readonly predicate: ProofPredicate;
}

interface TestResultStatement {
  readonly subjects: Subjects;
  readonly predicate: Shaped<typeof testResultShape>;
}

type StatementRead<T> = { readonly ok: true; readonly statement: T } | {
  readonly ok: false;
  readonly refusal: Refusal;
};

/** What only the one who states can say. */
export interface Issue {
  readonly issuedAt: Date;
  /** What a verifier asked to see in it, 1 to 1024 characters; null when nobody asked. */
  readonly nonce: string | null;
}

/**
 * The bytes of a proof's statement, in canonical JSON. The same arguments give the same bytes.
 * @param files every file of the bundle but attestation.json
 * @throws RangeError when the arguments make a statement that no reader would take
 */
export function proofStatement(
  claims: Claims,
  patch: string,
  issue: Issue,
  files: ReadonlyMap<string, FileDigest>,
): Uint8Array {
  const predicate: ProofPredicate = {
    format: "veripatch-proof/v1",
    issued_at: issue.issuedAt.toISOString(),
    nonce: issue.nonce,
    ...claims,
    files: [...files].sort(([a], [b]) => comparePaths(a, b))
      .map(([name, { size, sha256 }]) => ({ name, size, sha256 })),
  };
  const bytes = statementBytes({ patch, tree: claims.result.tree }, PROOF_PREDICATE, predicate);
  const read = readProofStatement(bytes);
  if (!read.ok) throw new RangeError(`no statement: ${read.refusal.detail}`);
  return bytes;
}

/** The bytes of the standard test result of the same proof. */
export function testResultStatement(
  claims: Claims,
  patch: string,
  files: ReadonlyMap<string, FileDigest>,
): Uint8Array {
  const predicate: TestResultStatement["predicate"] = {
    result: "PASSED",
    configuration: [{ name: "policy.json", digest: { sha256: files.get("policy.json")!.sha256 } }],
    passedTests: claims.targets.map((target) => target.name),
    failedTests: [],
  };
  return statementBytes({ patch, tree: claims.result.tree }, TEST_RESULT_PREDICATE, predicate);
}

/** An in-toto statement about a patch and the tree it makes, in canonical JSON. */
export function statementBytes(subjects: Subjects, predicateType: string, predicate: unknown): Uint8Array {
  return new TextEncoder().encode(canonicalJson({
    _type: STATEMENT_TYPE,
    subject: [
      { name: "final.patch", digest: { sha256: subjects.patch } },
      { name: "patched_tree", digest: { sha256: subjects.tree } },
    ],
    predicateType,
    predicate,
  }));
}

/**
 * Reads the statement of a proof strictly: exactly the members of the format, exactly the two subjects, at least one
 * target and one file. Bounded; never throws.
 * @param bytes the payload of an envelope whose signature was verified
 */
export function readProofStatement(bytes: Uint8Array): StatementRead<ProofStatement> {
  return readStatement(bytes, PROOF_PREDICATE, predicateShape);
}

/** Reads the statement of a test result in the same way. */
export function readTestResultStatement(bytes: Uint8Array): StatementRead<TestResultStatement> {
  return readStatement(bytes, TEST_RESULT_PREDICATE, testResultShape);
}

/** Reads such a statement with one type of predicate; anything else in it is refused. Bounded; never throws. */
export function readStatement<P>(
  bytes: Uint8Array,
  predicateType: string,
  shape: Shape<P>,
): StatementRead<{ subjects: Subjects; predicate: P }> {
  const no = (reason: string, detail: string) => ({ ok: false, refusal: { reason, detail } }) as const;
  const json = parseStrictJson(bytes, MAX_DEPTH, MAX_VALUES);
  if (!json.ok) return no("statement_malformed", json.detail);
  const whole = checked(envelopeParts, json.value);
  if (!whole.ok) return no("statement_malformed", told(whole));
  if (whole.value.predicateType !== predicateType) {
    return no("predicate_type_unknown", `its predicate is not ${predicateType}`);
  }
  const subjects = subjectsOf(whole.value.subject);
  if (subjects === null) {
    return no("subjects_unexpected", "its subjects are not exactly final.patch and patched_tree");
  }
  const predicate = checked(shape, whole.value.predicate);
  if (!predicate.ok) return no("statement_malformed", told(predicate, "predicate"));
  return { ok: true, statement: { subjects, predicate: predicate.value } };
}

function subjectsOf(value: unknown): Subjects | null {
  if (!Array.isArray(value) || value.length !== 2) return null;
  const patch = checked(subject("final.patch"), value[0]);
  const tree = checked(subject("patched_tree"), value[1]);
  return patch.ok && tree.ok ? { patch: patch.value.digest.sha256, tree: tree.value.digest.sha256 } : null;
}

function told({ at, what }: Extract<Checked<unknown>, { ok: false }>, within = ""): string {
  const where = [within, at].filter((part) => part !== "").join(".");
  return `${where === "" ? "" : `${where}: `}${what}`;
}
