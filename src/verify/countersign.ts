import { notAttested } from "../bundle/attest.ts";
import { PROOF_ENVELOPE } from "../bundle/claims.ts";
import type { Inventory } from "../bundle/inventory.ts";
import { readProofStatement } from "../bundle/statement.ts";
import { parseEnvelope, PAYLOAD_TYPE, renderEnvelope } from "../sign/dsse.ts";
import type { SigningKey } from "../sign/key.ts";
import { signEnvelope } from "../sign/sign.ts";
import { judgeIntegrity } from "./verdicts/integrity.ts";
import { judgeSubject } from "./verdicts/subject.ts";

/**
 * Adds signatures to the statement a bundle carries already, after making sure that it is true of this bundle: nobody
 * puts a name to what others made up. Who signed before is not looked at. The test result is one of the listed files,
 * so it keeps its first signatures.
 * @returns the new bytes of attestation.json
 * @throws Failure `malformed` when there is no statement to sign or it is not true of the bundle
 */
export function countersign(inventory: Inventory, keys: readonly SigningKey[]): Uint8Array {
  const no = (reason: string, detail: string) => notAttested({ reason, path: PROOF_ENVELOPE, detail });
  const bytes = inventory.documents.get(PROOF_ENVELOPE);
  if (bytes === undefined) throw no("envelope_missing", "there is no statement yet that could be signed too");
  const parsed = parseEnvelope(bytes);
  if (!parsed.ok) throw no(parsed.refusal.reason, parsed.refusal.detail);
  const { envelope } = parsed;
  if (envelope.payloadType !== PAYLOAD_TYPE) throw no("payload_type_unknown", "it holds no statement");
  const read = readProofStatement(envelope.payload);
  if (!read.ok) throw no(read.refusal.reason, read.refusal.detail);
  const { verdict: integrity } = judgeIntegrity(inventory, read.statement.predicate.files);
  if (integrity.verdict !== "valid") throw no(integrity.code, integrity.detail);
  const subject = judgeSubject(read.statement, inventory);
  if (subject.verdict !== "valid") throw no(subject.code, subject.detail);
  return renderEnvelope(signEnvelope(PAYLOAD_TYPE, envelope.payload, keys, envelope));
}
