import { canonicalJson } from "../vocabulary/canonical_json.ts";
import { comparePaths } from "../vocabulary/path.ts";
import type { Claims, FileDigest } from "./claims.ts";
import {
  PROOF_PREDICATE,
  type ProofPredicate,
  readProofStatement,
  STATEMENT_TYPE,
  type Subjects,
  TEST_RESULT_PREDICATE,
  type TestResultStatement,
} from "./statement.ts";

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
