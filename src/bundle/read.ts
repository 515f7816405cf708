import type { z } from "zod";
import { byteString } from "../patch/bytes.ts";
import { type Sha256, sha256 } from "../vocabulary/digest.ts";
import { makeManifest, type Manifest } from "../vocabulary/manifest.ts";
import { Failure } from "../vocabulary/failure.ts";
import type { ByteString, Refusal } from "../vocabulary/patch.ts";
import type { ProofTarget } from "../vocabulary/session.ts";
import { consistencyProblem } from "./consistency.ts";
import { checkEmbedded } from "./embedded.ts";
import { BOUNDS, type Bounds, layoutProblem, WORKSPACE_TAR } from "./layout.ts";
import { inconsistent, type ParsedBundle } from "./parsed.ts";
import { readBundleFiles } from "./read_files.ts";
import type { EmbeddedWorkspace } from "./record.ts";
import {
  type EnvironmentDocument,
  environmentSchema,
  eventSchema,
  eventsHeaderSchema,
  type ManifestDocument,
  manifestSchema,
  type MinimizationDocument,
  minimizationSchema,
  patchStatsSchema,
  type PolicyDocument,
  policySchema,
  proposedSchema,
  type Repro,
  reproSchema,
  type TargetResultsDocument,
  targetResultsSchema,
  type TestsDocument,
  testsSchema,
  verifySchema,
} from "./schema.ts";
import { parseStrictJson } from "../vocabulary/strict_json.ts";

/** A bundle that holds together. Whether it tells the truth is for signatures and replays to say. */
export interface ReadBundle {
  readonly repro: Repro;
  readonly targets: readonly ProofTarget[];
  readonly policy: PolicyDocument;
  readonly environment: EnvironmentDocument;
  /** Of the base; its digest was recomputed and is `repro.base_tree`. */
  readonly manifest: Manifest;
  readonly minimization: MinimizationDocument | null;
  /** Null when no target names a test report. */
  readonly tests: TestsDocument | null;
  /** Every recorded run of the unpatched base, those made again at the end included. */
  readonly baseRuns: TargetResultsDocument["runs"];
  /** Exact bytes, not parsed. Present exactly when the status is `proved`. */
  readonly finalPatch: ByteString | null;
  /** What workspace.tar was found to hold; null without one. */
  readonly embedded: EmbeddedWorkspace | null;
  /** Every JSON document, by name. */
  readonly documents: ReadonlyMap<string, unknown>;
  /** Every file, by name, as it was read; but for workspace.tar, which is too large to be held. */
  readonly files: ReadonlyMap<string, Uint8Array>;
  /** SHA-256 of those same bytes. */
  readonly hashes: ReadonlyMap<string, Sha256>;
}

export type BundleRead = { readonly ok: true; readonly bundle: ReadBundle } | {
  readonly ok: false;
  readonly refusal: Refusal;
};

/**
 * Reads a bundle that anyone may have written. Everything is bounded; a file that is missing, extra, a link, oddly named,
 * malformed or at odds with another is a refusal, never an exception. `attestation.json` is only hashed here.
 */
export async function readBundle(dir: string): Promise<BundleRead> {
  const read = await readBundleFiles(dir);
  return read.ok ? await parseBundle(dir, read) : read;
}

/**
 * Looks into the files of a bundle that were read already. workspace.tar, which is never held in memory, is read here;
 * `embedded` of the bundle has the digest of what was.
 */
export async function parseBundle(
  dir: string,
  { files, embedded }: { readonly files: ReadonlyMap<string, Uint8Array>; readonly embedded: boolean },
): Promise<BundleRead> {
  if (!embedded) return bundleOf(files);
  const refusal = layoutProblem(new Map([...files].map(([name, bytes]) => [name, bytes.length])));
  if (refusal !== null) return { ok: false, refusal };
  const manifest = checkJson(files.get("workspace_manifest.json")!, manifestSchema, BOUNDS);
  if (!manifest.ok) {
    return {
      ok: false,
      refusal: { reason: "bundle_malformed", path: "workspace_manifest.json", detail: manifest.detail },
    };
  }
  try {
    const { entries } = manifest.value as ManifestDocument;
    return bundleOf(files, BOUNDS, await checkEmbedded(`${dir}/${WORKSPACE_TAR}`, entries));
  } catch (error) {
    if (!(error instanceof Failure) || error.kind !== "malformed") throw error;
    return { ok: false, refusal: inconsistent(WORKSPACE_TAR, error.message) };
  }
}

/** The same, of files in memory. */
export function bundleOf(
  files: ReadonlyMap<string, Uint8Array>,
  bounds: Bounds = BOUNDS,
  embedded: EmbeddedWorkspace | null = null,
): BundleRead {
  const sizes = new Map([...files].map(([name, bytes]) => [name, bytes.length]));
  if (embedded !== null) sizes.set(WORKSPACE_TAR, embedded.size);
  const problem = layoutProblem(sizes, bounds);
  if (problem !== null) return { ok: false, refusal: problem };
  const documents = new Map<string, unknown>();
  for (const [name, bytes] of files) {
    const schema = schemaOf(name);
    const parsed = name === "events.jsonl"
      ? checkEvents(bytes, bounds)
      : schema === null
      ? { ok: true as const, value: null }
      : checkJson(bytes, schema, bounds);
    if (!parsed.ok) {
      const reason = parsed.tooMany ? "bundle_too_large" : "bundle_malformed";
      return { ok: false, refusal: { reason, path: name, detail: parsed.detail } };
    }
    if (schema !== null) documents.set(name, parsed.value);
  }
  const parsed: ParsedBundle = {
    repro: documents.get("repro.json") as Repro,
    policy: documents.get("policy.json") as PolicyDocument,
    environment: documents.get("environment.json") as EnvironmentDocument,
    manifest: documents.get("workspace_manifest.json") as ManifestDocument,
    minimization: (documents.get("minimization.json") ?? null) as MinimizationDocument | null,
    all: documents,
    embedded,
    files,
    hashes: new Map([...files].map(([name, bytes]) => [name, sha256(bytes)])),
  };
  const refusal = consistencyProblem(parsed);
  if (refusal !== null) return { ok: false, refusal };
  const patch = files.get("final.patch");
  const baseRuns = ["attempts/0_baseline", "base_again"].flatMap((directory) =>
    (documents.get(`${directory}/target_results.json`) as TargetResultsDocument | undefined)?.runs ?? []
  );
  return {
    ok: true,
    bundle: {
      repro: parsed.repro,
      targets: parsed.repro.proof_targets,
      policy: parsed.policy,
      environment: parsed.environment,
      manifest: makeManifest(parsed.manifest.entries),
      minimization: parsed.minimization,
      tests: (documents.get("tests.json") ?? null) as TestsDocument | null,
      baseRuns,
      finalPatch: patch === undefined ? null : byteString(patch),
      embedded,
      documents,
      files,
      hashes: parsed.hashes,
    },
  };
}

function schemaOf(name: string): z.ZodType | null {
  const file = name.slice(name.lastIndexOf("/") + 1);
  const schemas: Record<string, z.ZodType> = {
    "repro.json": reproSchema,
    "policy.json": policySchema,
    "environment.json": environmentSchema,
    "workspace_manifest.json": manifestSchema,
    "minimization.json": minimizationSchema,
    "proposed.json": proposedSchema,
    "patch_stats.json": patchStatsSchema,
    "verify.json": verifySchema,
    "target_results.json": targetResultsSchema,
    "tests.json": testsSchema,
  };
  return Object.hasOwn(schemas, file) ? schemas[file]! : null;
}

type Checked = { readonly ok: true; readonly value: unknown } | {
  readonly ok: false;
  readonly detail: string;
  readonly tooMany?: true;
};

function checkJson(bytes: Uint8Array, schema: z.ZodType, bounds: Bounds): Checked {
  const json = parseStrictJson(bytes, bounds.jsonDepth, bounds.jsonValues);
  if (!json.ok) return json;
  const result = schema.safeParse(json.value);
  if (result.success) return { ok: true, value: result.data };
  const { path, message } = result.error.issues[0]!;
  return { ok: false, detail: `${path.map(String).join(".") || "document"}: ${message}`.slice(0, 500) };
}

/** A header line, then one event a line. */
function checkEvents(bytes: Uint8Array, bounds: Bounds): Checked {
  for (let start = 0, line = 1; start < bytes.length || line === 1; line++) {
    const end = bytes.indexOf(0x0a, start);
    if (end === -1) return { ok: false, detail: `line ${line} does not end` };
    const schema = line === 1 ? eventsHeaderSchema : eventSchema;
    const checked = checkJson(bytes.subarray(start, end), schema, bounds);
    if (!checked.ok) return { ...checked, detail: `line ${line}: ${checked.detail}` };
    start = end + 1;
  }
  return { ok: true, value: null };
}
