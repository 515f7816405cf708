import { PAYLOAD_TYPE, renderEnvelope } from "../sign/dsse.ts";
import type { SigningKey } from "../sign/key.ts";
import { signEnvelope } from "../sign/sign.ts";
import { Failure } from "../vocabulary/failure.ts";
import type { Refusal } from "../vocabulary/patch.ts";
import { refusalText } from "../vocabulary/printable.ts";
import { type Evidence, PROOF_ENVELOPE, TEST_RESULT_ENVELOPE } from "./claims.ts";
import { claimsOf } from "./claims_of.ts";
import { inventoryOf } from "./inventory.ts";
import { type Issue, proofStatement, testResultStatement } from "./make_statement.ts";

/** The envelopes that attest a bundle, by name. */
export type Envelopes = ReadonlyMap<string, Uint8Array>;

/**
 * Attests a bundle: the standard test result first, then the statement that lists it with every other file. Envelopes
 * that are there already are replaced. Ed25519 and HMAC are deterministic, so that the same arguments give the same
 * bytes.
 * @param bundle stock of a bundle that holds together
 * @throws Failure `malformed` when the bundle is of no proof or cannot be stated
 */
export async function attest(
  bundle: Evidence,
  keys: readonly SigningKey[],
  issue: Issue,
): Promise<Envelopes> {
  const drawn = claimsOf(bundle);
  if (!drawn.ok) throw notAttested(drawn.refusal);
  const { claims, patch } = drawn;
  const testResult = signed(testResultStatement(claims, patch, bundle.files), keys);
  const listed = new Map([
    ...[...bundle.files].filter(([name]) => name !== PROOF_ENVELOPE),
    ...(await inventoryOf(new Map([[TEST_RESULT_ENVELOPE, testResult]]))).files,
  ]);
  try {
    const proof = signed(proofStatement(claims, patch, issue, listed), keys);
    return new Map([[PROOF_ENVELOPE, proof], [TEST_RESULT_ENVELOPE, testResult]]);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw notAttested({ reason: "statement_impossible", detail: error.message });
  }
}

function signed(payload: Uint8Array, keys: readonly SigningKey[]): Uint8Array {
  return renderEnvelope(signEnvelope(PAYLOAD_TYPE, payload, keys));
}

/** Why a bundle cannot be attested. */
export function notAttested(refusal: Refusal): Failure {
  const { reason } = refusal;
  const hint = reason === "not_proved"
    ? "only a bundle whose session proved something can be attested"
    : "attest the folder proof_bundle as pp wrote it";
  return new Failure("malformed", reason, `cannot attest: ${refusalText(refusal)}`, { hint });
}
