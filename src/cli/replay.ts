import { basename, dirname, resolve } from "node:path";
import { unpackEmbedded } from "../bundle/embedded.ts";
import { WORKSPACE_TAR } from "../bundle/layout.ts";
import { bundleFolder, withBundleFolder, withPrivateFolder } from "../bundle/open.ts";
import { isSessionId } from "../bundle/session_id.ts";
import { policyDigest } from "../policy/digest.ts";
import { loadPolicy } from "../policy/load.ts";
import { PAYLOAD_TYPE, renderEnvelope } from "../sign/dsse.ts";
import { keyIdOf } from "../sign/key.ts";
import { signEnvelope } from "../sign/sign.ts";
import { VERSION } from "../version.ts";
import { type AttestationAsked, checkBundle, type CheckedBundle } from "../verify/checked_bundle.ts";
import { withOwnReports } from "../verify/replay/own_reports.ts";
import type { MinimalAsked } from "../verify/replay/removals.ts";
import { replay } from "../verify/replay.ts";
import type { ReplayPlan } from "../verify/replay/rerun.ts";
import { summaryOf } from "../verify/replay/facts.ts";
import { summaryStatement } from "../verify/verification_summary.ts";
import { checkoutNamed } from "./checkout_flag.ts";
import { requireBundle } from "./bundle_there.ts";
import { writeFiles } from "./new_files.ts";
import {
  attestationAsked,
  minimalAsked,
  type ReplayFlags,
  type SigningAsked,
  signingAsked,
  summaryFile,
} from "./replay_asked.ts";
import { invalidReport, type Replayed, replayReport, type SignedSummary } from "./replay_report.ts";
import { freshSessionId, sandboxSpec, withFlags } from "./session_plan.ts";
import { admit } from "./targets.ts";
import { noTrustedKey } from "./trust_asked.ts";
import type { VerbResult } from "./verb.ts";
import { type Watch, watched } from "./watched.ts";
import { wireSyntax } from "./wire/syntax.ts";
import { wireWorld } from "./wire/world.ts";

/** Everything the caller asks of a replay, read before the bundle is. */
interface Asked {
  readonly flags: ReplayFlags;
  /** As the caller names it: a folder, or a .ppb file. */
  readonly bundle: string;
  readonly attestation: AttestationAsked | null;
  readonly minimal: MinimalAsked | null;
  readonly signing: SigningAsked | null;
}

/**
 * `pp replay`: checks a bundle as far as the caller asks, then runs its claim on a checkout under the verifier's own
 * policy, and signs what came of it. Nothing is run of a bundle that did not pass every check.
 */
export async function runReplay(path: string, flags: ReplayFlags): Promise<VerbResult> {
  const now = new Date();
  const minimal = minimalAsked(flags);
  await requireBundle(path);
  const attestation = await attestationAsked(flags, now);
  const bundle = await bundleFolder(resolve(path));
  const signing = await signingAsked(flags, attestation, bundle);
  const asked: Asked = { flags, bundle, attestation, minimal, signing };
  return await watched(
    flags.json === true,
    (watch) => withBundleFolder(bundle, (folder) => checkAndReplay(folder, asked, watch), watch.signal),
  );
}

async function checkAndReplay(folder: string, asked: Asked, watch: Watch): Promise<VerbResult> {
  const { attestation, bundle } = asked;
  const owners = attestation?.trust.owners ?? new Map<string, string>();
  const check = await checkBundle(folder, attestation);
  if (!check.ok) {
    // An unsigned bundle may be allowed; one that somebody signed needs a key to be judged by.
    if (attestation!.trust.keys.length + attestation!.trust.refused.length === 0) {
      if (check.verification.signature.verdict !== "unsigned") throw noTrustedKey();
    }
    return invalidReport(check.verification, bundle, owners);
  }
  const replayed = await replayChecked(check.checked, folder, asked, watch);
  const summary = asked.signing === null ? null : await signedSummary(replayed, asked.signing, asked.flags);
  return replayReport(replayed, { bundle, owners, summary });
}

/** Without `--cwd` the base is taken from a bundle that embeds it. */
async function replayChecked(checked: CheckedBundle, folder: string, asked: Asked, watch: Watch) {
  const { embedded, manifest } = checked.bundle;
  const here = resolve(checkoutNamed(asked.flags) ?? ".");
  if (checkoutNamed(asked.flags) !== undefined || embedded === null) {
    return await replayIn(here, folder, checked, asked, watch);
  }
  return await withPrivateFolder(async (root) => {
    await unpackEmbedded(`${folder}/${WORKSPACE_TAR}`, manifest.entries, embedded, root, watch.signal);
    return await replayIn(root, folder, checked, asked, watch);
  }, watch.signal);
}

/** @param root of the base; the verifier's policy is looked for in `--cwd` or the current directory */
async function replayIn(
  root: string,
  folder: string,
  checked: CheckedBundle,
  { flags, minimal, bundle, signing }: Asked,
  { emit, signal }: Watch,
): Promise<Replayed> {
  const { claim } = checked;
  const here = resolve(checkoutNamed(flags) ?? ".");
  const policy = await loadPolicy(here, flags.policy === undefined ? undefined : resolve(flags.policy));
  const config = withFlags(policy.config, flags);
  if (policy.source !== null) {
    for (const target of claim.targets) {
      admit(config, target, "your policy does not admit the bundle's command: ");
    }
  }
  const spec = sandboxSpec(freshSessionId(), config, { pull: flags.pull === true, keep: false });
  const plan: ReplayPlan = { policy: config.policy, spec, repeat: config.policy.verify.repeat, minimal };
  // A packed bundle that lies in the checkout is no part of the base, nor is a summary beside it.
  const beside = [bundle, summaryFile(bundle), ...(signing === null ? [] : [signing.file])];
  const world = await wireWorld(root, config.policy, spec, Deno.env.toObject(), {
    artifacts: artifactsOf(folder),
    patches: [...(flags.leaveOut ?? []).map((path) => resolve(path)), ...beside],
    container: flags.image !== undefined,
  });
  try {
    const ports = { ...world, syntax: wireSyntax(), now: Date.now, emit, signal };
    return {
      checked,
      result: await replay(withOwnReports(claim, config), plan, ports),
      plan,
      policy: { source: policy.source, digest: policyDigest(config) },
      checkout: root,
    };
  } finally {
    await world.dispose();
  }
}

/** The folder that a bundle was written to, else the bundle itself: it is no part of the checkout it lies in. */
function artifactsOf(bundle: string): string {
  const session = dirname(bundle);
  return isSessionId(basename(session)) ? dirname(session) : bundle;
}

async function signedSummary(
  { checked, result, plan, policy }: Replayed,
  { key, file }: SigningAsked,
  { force }: ReplayFlags,
): Promise<SignedSummary> {
  const { bundle, claim, verification, attestation } = checked;
  const source = policy.source === null ? null : basename(policy.source);
  const summary = summaryOf(
    {
      bundle,
      claim,
      result,
      plan,
      attestation,
      verification: verification!,
      policy: { digest: policy.digest, source },
    },
    new Date(),
    VERSION,
  );
  const envelope = signEnvelope(PAYLOAD_TYPE, summaryStatement(summary), [key]);
  const text = new TextDecoder().decode(renderEnvelope(envelope));
  await writeFiles([{ path: file, text, mode: 0o644 }], force === true);
  return { file, keyId: keyIdOf(key), result: result.verdict === "confirmed" ? "PASSED" : "FAILED" };
}
