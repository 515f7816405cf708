import { relative, resolve } from "node:path";
import { attest, type Envelopes } from "../bundle/attest.ts";
import { bundleFiles } from "../bundle/documents.ts";
import type { SpooledWorkspace } from "../bundle/embed.ts";
import { inventoryOf } from "../bundle/inventory.ts";
import type { EmbeddedWorkspace, SessionRecord } from "../bundle/record.ts";
import type { TestsDocument } from "../bundle/schema.ts";
import { writeBundle } from "../bundle/write.ts";
import type { SessionPorts } from "../prove/ports.ts";
import type { Concluded } from "../prove/conclude.ts";
import { keyIdOf } from "../sign/key.ts";
import type { FileChange } from "../vocabulary/change.ts";
import { Failure, interrupted } from "../vocabulary/failure.ts";
import type { Workspace } from "../workspace/workspace.ts";
import type { SessionAttestation } from "./session_attestation.ts";
import type { Delivered } from "./session_report.ts";

/** What a call says about its result, and what is needed to bring it about. */
export interface Delivery extends Pick<SessionPorts, "workspace" | "redact" | "emit" | "signal"> {
  /** Of the workspace, absolute. */
  readonly root: string;
  /** Where bundles go, absolute. */
  readonly artifacts: string;
  readonly session: string;
  /** The workspace as a tar; null unless the bundle is to hold it. */
  readonly spooled: SpooledWorkspace | null;
  /** Files that were given to the session and are no part of what it proves. */
  readonly strangers: readonly string[];
  readonly attestation: SessionAttestation;
  /** Whether a proved patch is put into the workspace. */
  readonly apply: boolean;
}

/**
 * Writes the bundle of a session, whole or not at all, signs it if it is a proof, and applies the patch when asked to.
 * @returns what became of it, and the record as the bundle has it
 * @throws Failure of whatever could not be written; interrupted, and then there is no bundle, or no patch in the workspace
 */
export async function deliver(
  { record: proved, changes }: Concluded,
  { root, artifacts, session, spooled, strangers, attestation, apply, workspace, redact, emit, signal }:
    Delivery,
): Promise<Omit<Delivered, "outcome" | "said" | "output"> & { readonly record: SessionRecord }> {
  const record = spooled === null ? proved : { ...proved, embedded: embeddedOf(spooled) };
  emit({ kind: "phase", phase: "bundle" });
  const files = await bundleFiles(record, redact);
  if (signal.aborted) throw interrupted(signal.reason);
  const envelopes = await envelopesOf(record, files, attestation);
  const bundle = await writeBundle(artifacts, session, new Map([...files, ...envelopes]), spooled);
  const applied = apply && record.status === "proved";
  if (applied) await applyProved(workspace, changes, bundle, signal);
  const skipped = new Set(record.skipped.map((entry) => entry.path));
  const leftOut = spooled !== null
    ? []
    : strangers.filter((path) => skipped.has(relative(root, resolve(root, path))));
  const { enabled, mode } = attestation;
  const keyIds = envelopes.size === 0 ? [] : attestation.keys.map(keyIdOf);
  return { record, bundle, applied, attestation: { enabled, mode, keyIds }, leftOut, tests: testsOf(files) };
}

/** What the bundle just made says of tests: redacted, as the summary has it. */
function testsOf(files: ReadonlyMap<string, Uint8Array>): TestsDocument | null {
  const bytes = files.get("tests.json");
  return bytes === undefined ? null : JSON.parse(new TextDecoder().decode(bytes));
}

function embeddedOf({ size, sha256, tree }: SpooledWorkspace): EmbeddedWorkspace {
  return { size, sha256, tree };
}

/** Only a proof is signed: the statement is part of the bundle from its first moment on. */
async function envelopesOf(
  { status, embedded }: SessionRecord,
  files: ReadonlyMap<string, Uint8Array>,
  { keys, nonce }: SessionAttestation,
): Promise<Envelopes> {
  if (status !== "proved" || keys.length === 0) return new Map();
  return await attest(await inventoryOf(files, embedded), keys, { issuedAt: new Date(), nonce });
}

/** The proof stands even if the patch cannot be put into the workspace any more: such a failure says where it is. */
async function applyProved(
  workspace: Workspace,
  changes: readonly FileChange[],
  bundle: string,
  signal: AbortSignal,
): Promise<void> {
  try {
    if (signal.aborted) throw interrupted(signal.reason);
    await workspace.apply(changes);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    const { kind, code, message, details, cause } = error;
    const hint = `${error.hint === undefined ? "" : `${error.hint}; `}the proof is in ${bundle}`;
    throw new Failure(kind, code, message, { details, cause, hint });
  }
}
