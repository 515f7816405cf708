import { relative, resolve } from "node:path";
import { attest, type Envelopes } from "../bundle/attest.ts";
import { bundleFiles } from "../bundle/documents.ts";
import type { TestsDocument } from "../bundle/schema.ts";
import { type SpooledWorkspace, spoolWorkspace } from "../bundle/embed.ts";
import { inventoryOf } from "../bundle/inventory.ts";
import type { EmbeddedWorkspace, SessionRecord } from "../bundle/record.ts";
import { removeStaleBundles } from "../bundle/temporary.ts";
import { prepareArtifacts, writeBundle } from "../bundle/write.ts";
import { loadPolicy } from "../policy/load.ts";
import { policyDigest } from "../policy/digest.ts";
import type { PolicyConfig } from "../policy/policy.ts";
import type { SessionPlan } from "../prove/ports.ts";
import { prove } from "../prove/prove.ts";
import { keyIdOf } from "../sign/key.ts";
import type { FileChange } from "../vocabulary/change.ts";
import { Failure, interrupted } from "../vocabulary/failure.ts";
import { VERSION } from "../version.ts";
import type { Workspace } from "../workspace/workspace.ts";
import { bytesText, count } from "./output.ts";
import { freshSessionId, sandboxSpec, withFlags } from "./session_plan.ts";
import { type AttestationFlags, type SessionAttestation, sessionAttestation } from "./session_attestation.ts";
import { type Delivered, sessionJson, sessionText } from "./session_report.ts";
import { type SessionCall, targetsOf } from "./targets.ts";
import type { VerbResult } from "./verb.ts";
import { watched } from "./watched.ts";
import { wireProposer, wireSyntax, wireWorld } from "./wire.ts";
import { exitCodeOfStatus } from "./exit_code.ts";

export interface SessionFlags extends AttestationFlags {
  readonly policy?: string;
  readonly provider?: string;
  readonly patch?: readonly string[];
  readonly apply?: boolean;
  readonly artifacts?: string;
  readonly image?: string;
  readonly pull?: boolean;
  readonly repeat?: string;
  readonly allowProtected?: readonly string[];
  readonly keepSandbox?: boolean;
  readonly embedWorkspace?: boolean;
  readonly embedSecrets?: boolean;
  readonly json?: boolean;
}

/** `pp run` and `pp prove`: reads the policy, wires a session, proves, writes the bundle, applies. */
export async function runSession(call: SessionCall, flags: SessionFlags): Promise<VerbResult> {
  const root = Deno.cwd();
  const env = Deno.env.toObject();
  const loaded = await loadPolicy(root, flags.policy);
  const config = withFlags(loaded.config, flags);
  const targets = targetsOf(call, config, loaded.source);
  const patches = flags.patch ?? [];
  refuseSurplus(patches, config);
  if (flags.embedSecrets === true && flags.embedWorkspace !== true) {
    throw new Failure("usage", "embed_secrets_alone", "--embed-secrets says how --embed-workspace embeds");
  }
  const attestation = await sessionAttestation(config, flags, root, patches.includes("-"));
  const artifacts = resolve(root, flags.artifacts ?? ".pp-artifacts");
  const proposer = await wireProposer(flags.provider, patches, env);
  const session = freshSessionId();
  const plan: SessionPlan = {
    session,
    toolVersion: VERSION,
    targets,
    config,
    policyDigest: policyDigest(config),
    policySource: loaded.source,
    keptOut: [artifacts, ...(loaded.source === null ? [] : [resolve(root, loaded.source)])]
      .map((path) => relative(root, path)).filter((path) => path !== "" && !path.startsWith("..")),
    repeat: config.policy.verify.repeat,
    spec: sandboxSpec(session, config, { pull: flags.pull === true, keep: flags.keepSandbox === true }),
  };
  // What is given to the session and no part of what it proves; a private key must not reach the code under test.
  const strangers = [...patches.filter((path) => path !== "-"), ...attestation.keyFiles];
  const delivered = await watched(flags.json === true, async ({ emit, say, signal }): Promise<Delivered> => {
    await prepareArtifacts(artifacts);
    await removeStaleBundles(artifacts);
    const world = await wireWorld(root, config.policy, plan.spec, env, {
      artifacts,
      patches: strangers,
      container: flags.image !== undefined,
    });
    if (world.fallback !== null) say(`sandbox  no container: ${world.fallback}`);
    let spooled: SpooledWorkspace | null = null;
    try {
      if (flags.embedWorkspace === true) {
        const secrets = flags.embedSecrets === true;
        const { findSecrets } = world;
        spooled = await spoolWorkspace(artifacts, session, world.workspace, { findSecrets, secrets, signal });
        const what = `${count(spooled.files, "file")}, ${bytesText(spooled.size)}`;
        say(`embed    the bundle will hold the workspace as it is, nothing redacted: ${what}`);
      }
      const proved = await prove(plan, {
        ...world,
        proposer,
        syntax: wireSyntax(),
        now: Date.now,
        emit,
        signal,
      });
      const outcome = spooled === null
        ? proved
        : { ...proved, record: { ...proved.record, embedded: embeddedOf(spooled) } };
      emit({ kind: "phase", phase: "bundle" });
      const files = await bundleFiles(outcome.record, world.redact);
      if (signal.aborted) throw interrupted(signal.reason);
      const envelopes = await envelopesOf(outcome.record, files, attestation);
      const bundle = await writeBundle(artifacts, session, new Map([...files, ...envelopes]), spooled);
      const applied = flags.apply === true && outcome.record.status === "proved";
      if (applied) await applyProved(world.workspace, outcome.changes, bundle, signal);
      const skipped = new Set(outcome.record.skipped.map((entry) => entry.path));
      const leftOut = spooled !== null
        ? []
        : strangers.filter((path) => skipped.has(relative(root, resolve(root, path))));
      const { enabled, mode } = attestation;
      const keyIds = envelopes.size === 0 ? [] : attestation.keys.map(keyIdOf);
      return {
        outcome,
        bundle,
        applied,
        attestation: { enabled, mode, keyIds },
        leftOut,
        tests: testsOf(files),
      };
    } finally {
      await spooled?.dispose();
      await world.dispose();
    }
  });
  return {
    exit: exitCodeOfStatus(delivered.outcome.record.status),
    text: sessionText(delivered, root),
    json: sessionJson(delivered),
  };
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

/** A patch that would never be tried is said before anything runs. */
function refuseSurplus(patches: readonly string[], config: PolicyConfig): void {
  const { max_attempts } = config.policy.limits;
  if (patches.length <= max_attempts) return;
  const message = `${patches.length} patches are given and the policy allows ${max_attempts} attempts`;
  throw new Failure("usage", "too_many_patches", message, {
    hint: "raise policy.limits.max_attempts, or give fewer patches",
  });
}
