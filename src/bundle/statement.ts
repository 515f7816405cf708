import { comparePaths } from "../vocabulary/path.ts";
import type { Refusal } from "../vocabulary/patch.ts";
import {
  type Checked,
  checked,
  count,
  digestShape,
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
import { claimShapes, nameShape, PROOF_ENVELOPE, TEST_RESULT_ENVELOPE, timeShape } from "./claims.ts";
import { BOUNDS, isKnownName } from "./layout.ts";

export const STATEMENT_TYPE = "https://in-toto.io/Statement/v1";
export const PROOF_PREDICATE = "https://veripatch.dev/proof/v1";
export const TEST_RESULT_PREDICATE = "https://in-toto.io/attestation/test-result/v0.1";

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

export interface TestResultStatement {
  readonly subjects: Subjects;
  readonly predicate: Shaped<typeof testResultShape>;
}

type StatementRead<T> = { readonly ok: true; readonly statement: T } | {
  readonly ok: false;
  readonly refusal: Refusal;
};

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
