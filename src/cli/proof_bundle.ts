import { join } from "node:path";
import { readCheck } from "../approve/check.ts";
import type { Evidence } from "../approve/evidence.ts";
import type { ApprovalTerms } from "../approve/judge.ts";
import { attest, type Envelopes } from "../bundle/attest.ts";
import { type Evidence as BundleEvidence, PROOF_ENVELOPE } from "../bundle/claims.ts";
import { claimsOf } from "../bundle/claims_of.ts";
import { bundleFiles } from "../bundle/documents.ts";
import { inventoryOf } from "../bundle/inventory.ts";
import { testResultStatement } from "../bundle/make_statement.ts";
import { type ReadBundle, readBundle } from "../bundle/read.ts";
import type { SessionRecord } from "../bundle/record.ts";
import { writeBundle } from "../bundle/write.ts";
import { bytesOf } from "../patch/bytes.ts";
import type { KeptBundle } from "../proposal/proof.ts";
import { parseEnvelope } from "../sign/dsse.ts";
import { signaturesBy } from "../sign/sign.ts";
import { type FoundRevision, revisionName } from "../store/proposal/find.ts";
import type { Revision } from "../store/proposals.ts";
import { subjectOf } from "../store/proposal/standing.ts";
import { canonicalJson } from "../vocabulary/canonical_json.ts";
import { type Sha256, sha256 } from "../vocabulary/digest.ts";
import { Failure } from "../vocabulary/failure.ts";
import { printableLine, printablePath, refusalText } from "../vocabulary/printable.ts";
import type { Redact } from "../vocabulary/redaction.ts";
import { atLeast, checked, digestShape, text } from "../vocabulary/shape.ts";
import type { SessionAttestation } from "./session_attestation.ts";
import type { StoreUse } from "./store_asked.ts";

/** Where the bundles of proposals' proofs are, unless a call says otherwise. */
export function proofsOf(store: Pick<StoreUse["store"], "folder">): string {
  return join(store.folder, "proofs");
}

/** Writes the bundle of a session, signed when there is a key and something was proved. */
export async function keepBundle(
  artifacts: string,
  record: SessionRecord,
  redact: Redact,
  { keys }: SessionAttestation,
): Promise<KeptBundle> {
  const files = await bundleFiles(record, redact);
  const issue = { issuedAt: new Date(record.finishedAt), nonce: null };
  const proved = record.status === "proved";
  const inventory = await inventoryOf(files, record.embedded);
  const envelopes: Envelopes = proved && keys.length > 0 ? await attest(inventory, keys, issue) : new Map();
  const all = new Map([...files, ...envelopes]);
  const place = await writeBundle(artifacts, record.session, all);
  return {
    place,
    digest: filesDigest([...all].map(([name, bytes]) => [name, sha256(bytes)])),
    statement: proved ? statementOf(inventory, envelopes) : null,
  };
}

/** SHA-256 of the RFC 8785 list of a bundle's files with their digests, in the order of their names. */
function filesDigest(digests: readonly (readonly [string, Sha256])[]): Sha256 {
  return sha256(canonicalJson([...digests].sort()));
}

/** Digest of the statement that was signed; of an unsigned proof, of the test result that it would be signed with. */
function statementOf(inventory: BundleEvidence, files: ReadonlyMap<string, Uint8Array>): Sha256 {
  const envelope = files.get(PROOF_ENVELOPE);
  if (envelope !== undefined) {
    const parsed = parseEnvelope(envelope);
    if (parsed.ok) return sha256(parsed.envelope.payload);
  }
  const drawn = claimsOf(inventory);
  if (!drawn.ok) throw new Failure("bug", "proof_without_claims", drawn.refusal.detail);
  return sha256(testResultStatement(drawn.claims, drawn.patch, inventory.files));
}

const kept = atLeast({ bundle: text(4_096), bundle_sha256: digestShape });

/**
 * That the bundle which the evidence of a revision is bound to is still there and whole, and still proves what the evidence
 * says of it: what was approved because of a proof is not applied without one. Nothing to look for where nothing was run.
 * @throws Failure `proof_missing` (unavailable); `proof_corrupt`, `proof_differs`, as `subjectOf` (malformed);
 *   `proof_key_revoked` (denied)
 */
export async function requireProof(
  store: StoreUse["store"],
  { revision }: FoundRevision,
  { proposers }: Pick<ApprovalTerms, "proposers">,
): Promise<void> {
  const { evidence } = store.records.read((rows) => subjectOf(rows, store.records.storeId, revision));
  if (evidence.proof === null) return;
  const name = revisionName(revision);
  const bundle = await boundBundle(store, revision, evidence.proof.session);
  const differs = await differenceOf(bundle, evidence);
  if (differs !== null) {
    throw new Failure("malformed", "proof_differs", `the bundle of ${name} does not prove it: ${differs}`, {
      hint: "nothing was written; pp events --verify says what was changed in the store",
    });
  }
  const envelope = bundle.files.get(PROOF_ENVELOPE);
  const parsed = envelope === undefined ? null : parseEnvelope(envelope);
  if (parsed?.ok !== true) return;
  const revoked = proposers.refused.filter(({ state }) => state === "revoked").map(({ key }) => key);
  const [lost] = signaturesBy(parsed.envelope, revoked);
  if (lost === undefined || signaturesBy(parsed.envelope, proposers.keys).length > 0) return;
  const message = `the proof of ${name} is signed by key ${lost.id.slice(0, 12)}, which is revoked`;
  throw new Failure("denied", "proof_key_revoked", message, { hint: "nothing was written; propose it anew" });
}

/**
 * The bundle of a revision's proof, as it was kept.
 * @throws Failure `proof_missing` (unavailable), `proof_corrupt` (malformed)
 */
export async function boundBundle(
  store: StoreUse["store"],
  revision: Revision,
  session: string,
): Promise<ReadBundle> {
  const name = revisionName(revision);
  const { proposal, number } = revision;
  const check = store.records.read((rows) => rows.checks(proposal, number)).find(({ kind }) =>
    kind === "proof"
  );
  const details = checked(kept, check === undefined ? null : readCheck(check.document)?.details);
  if (!details.ok) throw corrupt(name, "its check does not say where its bundle is");
  const bundle = await bundleAt(name, details.value.bundle, proofsOf(store), session);
  if (filesDigest([...bundle.hashes]) === details.value.bundle_sha256) return bundle;
  throw corrupt(name, "its files are not those that were kept");
}

/** A store that was moved has its bundles with it; wherever they are found, their digest decides. */
async function bundleAt(name: string, place: string, proofs: string, session: string): Promise<ReadBundle> {
  const inStore = /^[A-Za-z0-9-]{1,100}$/.test(session) ? [join(proofs, session, "proof_bundle")] : [];
  for (const folder of [place, ...inStore]) {
    const read = await readBundle(folder);
    if (read.ok) return read.bundle;
    if (read.refusal.reason !== "bundle_missing") throw corrupt(name, refusalText(read.refusal));
  }
  const message = `the bundle of the proof of ${name} is not there any more: ${printablePath(place)}`;
  throw new Failure("unavailable", "proof_missing", message, {
    hint:
      "nothing was written; put it back at its place, or propose the change anew: pp propose … --revise " +
      name.replace(/\..*/, ""),
  });
}

/** What a bundle says that evidence does not; null when they agree. */
async function differenceOf(
  { repro, finalPatch, files, embedded }: ReadBundle,
  { proof, patch, base, result }: Evidence,
): Promise<string | null> {
  if (repro.session !== proof!.session) return "it is of another session";
  if (proof!.outcome !== "proved") return null;
  if (repro.status !== "proved" || finalPatch === null) return `it is ${printableLine(repro.status)}`;
  if (sha256(bytesOf(finalPatch)) !== patch.sha256) return "it is of another patch";
  if (repro.base_tree !== base.manifest) return "it is of another base";
  if (repro.result_tree !== result.manifest) return "it makes something else";
  const inventory = await inventoryOf(files, embedded);
  return statementOf(inventory, files) === proof!.statement_sha256 ? null : "its statement is another";
}

function corrupt(name: string, detail: string): Failure {
  return new Failure(
    "malformed",
    "proof_corrupt",
    `the bundle of the proof of ${name} is not as it was kept`,
    {
      details: [detail],
      hint: "nothing was written; put it back as it was, or propose the change anew: pp propose … --revise " +
        name.replace(/\..*/, ""),
    },
  );
}
