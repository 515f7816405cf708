import { resolve } from "node:path";
import { type SpooledWorkspace, spoolWorkspace } from "../bundle/embed.ts";
import { removeStaleBundles } from "../bundle/temporary.ts";
import { prepareArtifacts } from "../bundle/write.ts";
import { loadPolicy } from "../policy/load.ts";
import { policyDigest } from "../policy/digest.ts";
import type { PolicyConfig } from "../policy/policy.ts";
import type { SessionPlan, SessionPorts } from "../prove/ports.ts";
import { prove } from "../prove/prove.ts";
import { Failure } from "../vocabulary/failure.ts";
import type { SessionEvent } from "../vocabulary/session.ts";
import { VERSION } from "../version.ts";
import { namesInside } from "./names_inside.ts";
import { bytesText, count } from "./output.ts";
import { freshSessionId, sandboxSpec, withFlags } from "./session_plan.ts";
import { type AttestationFlags, sessionAttestation } from "./session_attestation.ts";
import { type Delivered, sessionJson, sessionText, shownOutput } from "./session_report.ts";
import { type SessionCall, targetsOf } from "./targets.ts";
import type { VerbResult } from "./verb.ts";
import { watched } from "./watched.ts";
import { wireProposer } from "./wire/proposer.ts";
import { wireSyntax } from "./wire/syntax.ts";
import { wireWorld } from "./wire/world.ts";
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
    throw new Failure("usage", "embed_secrets_alone", "--embed-secrets says how --embed-workspace embeds", {
      hint: "add --embed-workspace",
    });
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
    keptOut: [
      ...await namesInside(root, artifacts),
      ...(loaded.source === null ? [] : await namesInside(root, loaded.source)),
    ],
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
      const ports = { ...world, proposer, syntax: wireSyntax(), now: Date.now, signal };
      const delivery = { root, artifacts, session, spooled, strangers, attestation, signal, emit };
      const { outcome, delivered } = await prove(
        plan,
        { ...ports, emit: loadingMeanwhile(emit, world) },
        async (concluded) => {
          const { deliver } = await import("./session_delivery.ts");
          const { workspace, redact } = world;
          return await deliver(concluded, { ...delivery, workspace, redact, apply: flags.apply === true });
        },
      );
      const { record, ...rest } = delivered;
      const output = await shownOutput(record, world.redact);
      return { ...rest, outcome: { ...outcome, record }, said: flags, output };
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

/**
 * What makes a bundle is loaded while the engine starts the first container, and what finds secrets while the first
 * command runs: they are needed in the end, and then at once.
 */
function loadingMeanwhile(
  emit: (event: SessionEvent) => void,
  { redact }: Pick<SessionPorts, "redact">,
): (event: SessionEvent) => void {
  let scanner: Promise<unknown> | undefined;
  return (event) => {
    emit(event);
    // Whoever needs them meets the error again.
    if (event.kind === "workspace_streamed") import("./session_delivery.ts").catch(() => {});
    if (event.kind === "target_started") scanner ??= redact("", "nothing").catch(() => {});
  };
}

/** A patch that would never be tried is said before anything runs. */
function refuseSurplus(patches: readonly string[], config: PolicyConfig): void {
  const { max_attempts } = config.policy.limits;
  if (patches.length <= max_attempts) return;
  const message = `${patches.length} patches are given and the policy allows ${
    count(max_attempts, "attempt")
  }`;
  throw new Failure("usage", "too_many_patches", message, {
    hint: "raise policy.limits.max_attempts, or give fewer patches",
  });
}
