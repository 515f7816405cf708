import { type Claims, claimShapes, type Evidence, TEST_RESULT_ENVELOPE } from "../../bundle/claims.ts";
import { claimsOf } from "../../bundle/claims_of.ts";
import { type ProofStatement, readTestResultStatement } from "../../bundle/statement.ts";
import { parseEnvelope, PAYLOAD_TYPE } from "../../sign/dsse.ts";
import type { Refusal } from "../../vocabulary/patch.ts";
import { printableLine, refusalText } from "../../vocabulary/printable.ts";
import { invalid, valid, type Verdict } from "./verdict.ts";

/**
 * What was stated is what the bundle shows: its subjects are this final.patch and the tree it makes, and every claim
 * is drawn again from the documents and must come out the same.
 * @param evidence of a bundle whose integrity is valid
 */
export function judgeSubject(statement: ProofStatement, evidence: Evidence): Verdict {
  const { subjects, predicate } = statement;
  const drawn = claimsOf(evidence);
  if (!drawn.ok) return ofRefusal(drawn.refusal);
  if (subjects.patch !== drawn.patch) {
    return invalid("subject_not_final_patch", "the statement is about another patch than final.patch");
  }
  if (subjects.tree !== drawn.claims.result.tree) {
    return invalid("subject_not_patched_tree", "the statement is about another tree than the patched one");
  }
  for (const member of Object.keys(claimShapes) as (keyof Claims)[]) {
    if (!sameJson(predicate[member], drawn.claims[member])) {
      return invalid(
        "claim_contradicts_bundle",
        `the statement says another ${member} than the bundle's documents`,
      );
    }
  }
  return testResultProblem(statement, evidence) ?? ofClaims(drawn.claims, drawn.patch);
}

/** The same of an unsigned bundle: it claims a proof that its documents support. */
export function judgeUnsignedSubject(evidence: Evidence): Verdict {
  const drawn = claimsOf(evidence);
  return drawn.ok ? ofClaims(drawn.claims, drawn.patch) : ofRefusal(drawn.refusal);
}

/**
 * The standard statement beside the proof is about the same subjects, targets and policy. Its bytes are those the signers of the proof
 * listed; whether its own signature is good is for the tools it is made for.
 */
function testResultProblem({ subjects, predicate }: ProofStatement, evidence: Evidence): Verdict | null {
  const code = "test_result_contradicts";
  const bytes = evidence.documents.get(TEST_RESULT_ENVELOPE);
  if (bytes === undefined) return invalid(code, `${TEST_RESULT_ENVELOPE} cannot be read`);
  const parsed = parseEnvelope(bytes);
  if (!parsed.ok || parsed.envelope.payloadType !== PAYLOAD_TYPE) {
    return invalid(code, `${TEST_RESULT_ENVELOPE} is no envelope of a statement`);
  }
  const read = readTestResultStatement(parsed.envelope.payload);
  if (!read.ok) return invalid(code, `${TEST_RESULT_ENVELOPE}: ${printableLine(read.refusal.detail)}`);
  const { statement } = read;
  const { passedTests, configuration } = statement.predicate;
  const policy = [{ name: "policy.json", digest: { sha256: evidence.files.get("policy.json")?.sha256 } }];
  const same = statement.subjects.patch === subjects.patch && statement.subjects.tree === subjects.tree &&
    sameJson(passedTests, predicate.targets.map((target) => target.name)) &&
    sameJson(configuration, policy);
  return same ? null : invalid(code, `${TEST_RESULT_ENVELOPE} is about something else`);
}

/** Whether two values are the same JSON, whatever the order of members. As deep as their shapes, which is a few levels. */
function sameJson(a: unknown, b: unknown): boolean {
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return a === b;
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  const [inA, inB] = [Object.entries(a), new Map(Object.entries(b))];
  return inA.length === inB.size &&
    inA.every(([name, value]) => inB.has(name) && sameJson(value, inB.get(name)));
}

function ofClaims({ targets, result }: Claims, patch: string): Verdict {
  const commands = targets.map((target) => printableLine(target.command)).join(", ");
  return valid(
    "proof",
    `patch ${patch.slice(0, 12)} makes tree ${result.tree.slice(0, 12)} and turns green: ${commands}`,
  );
}

function ofRefusal(refusal: Refusal): Verdict {
  return invalid(refusal.reason, refusalText(refusal));
}
