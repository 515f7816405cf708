import { bundleFiles } from "../bundle/documents.ts";
import { newSessionId } from "../bundle/session_id.ts";
import { removeStaleBundles, writeBundle } from "../bundle/write.ts";
import { checkTarget, configuredTargets, targetFromArgv, targetFromCommand } from "../policy/commands.ts";
import { loadPolicy } from "../policy/load.ts";
import { policyDigest } from "../policy/digest.ts";
import type { PolicyConfig } from "../policy/policy.ts";
import type { SessionPlan } from "../prove/ports.ts";
import { prove, type SessionOutcome } from "../prove/prove.ts";
import { Failure } from "../vocabulary/failure.ts";
import type { Refusal } from "../vocabulary/patch.ts";
import { printableLine } from "../vocabulary/printable.ts";
import type { ProofTarget } from "../vocabulary/session.ts";
import { VERSION } from "../version.ts";
import { sandboxSpec, withFlags } from "./session_plan.ts";
import { sessionJson, sessionText } from "./session_report.ts";
import type { VerbResult } from "./verb.ts";
import { watched } from "./watched.ts";
import { wireProposer, wireSyntax, wireWorld } from "./wire.ts";
import { exitCodeOfStatus } from "./exit_code.ts";

export interface SessionFlags {
  readonly policy?: string;
  readonly provider?: string;
  readonly patch?: readonly string[];
  readonly apply?: boolean;
  readonly artifacts?: string;
  readonly image?: string;
  readonly pull?: boolean;
  readonly repeat?: string;
  readonly keepSandbox?: boolean;
  readonly attest?: boolean;
  readonly attestationMode?: string;
  readonly attestationKeyEnv?: string;
  readonly json?: boolean;
}

export type SessionCall =
  /** `literal`: the words came after `--` and are an argv even when there is only one. */
  | { readonly verb: "run"; readonly words: readonly string[]; readonly literal: boolean }
  | { readonly verb: "prove" };

/** What became of a session besides its record. */
export interface Delivered {
  readonly outcome: SessionOutcome;
  readonly bundle: string;
  readonly applied: boolean;
}

/** `pp run` and `pp prove`: reads the policy, wires a session, proves, writes the bundle, applies. */
export async function runSession(call: SessionCall, flags: SessionFlags): Promise<VerbResult> {
  const root = Deno.cwd();
  const env = Deno.env.toObject();
  const loaded = await loadPolicy(root, flags.policy);
  const config = withFlags(loaded.config, flags);
  const targets = targetsOf(call, config);
  refuseSigning(config, flags);
  const artifacts = flags.artifacts ?? `${root}/.pp-artifacts`;
  const proposer = await wireProposer(flags.provider, flags.patch ?? [], env);
  const session = newSessionId(new Date(), crypto.getRandomValues(new Uint8Array(8)));
  const plan: SessionPlan = {
    session,
    toolVersion: VERSION,
    targets,
    config,
    policyDigest: policyDigest(config),
    policySource: loaded.source,
    repeat: config.policy.verify.repeat,
    spec: sandboxSpec(session, config, { pull: flags.pull === true, keep: flags.keepSandbox === true }),
  };
  const delivered = await watched(flags.json === true, async ({ emit, say, signal }): Promise<Delivered> => {
    await removeStaleBundles(artifacts);
    const world = await wireWorld(root, artifacts, config.policy, plan.spec, env);
    try {
      const outcome = await prove(plan, {
        ...world,
        proposer,
        syntax: wireSyntax(),
        now: Date.now,
        emit,
        signal,
      });
      emit({ kind: "phase", phase: "bundle" });
      const bundle = await writeBundle(artifacts, session, await bundleFiles(outcome.record, world.redact));
      const applied = flags.apply === true && outcome.record.status === "proved";
      if (applied) {
        // Said before the attempt: the proof stands even if the workspace has moved on and nothing can be applied.
        say(`bundle   ${bundle}`);
        await world.workspace.apply(outcome.changes);
      }
      return { outcome, bundle, applied };
    } finally {
      await world.dispose();
    }
  });
  return {
    exit: exitCodeOfStatus(delivered.outcome.record.status),
    text: sessionText(delivered, root),
    json: sessionJson(delivered),
  };
}

function targetsOf(call: SessionCall, config: PolicyConfig): readonly ProofTarget[] {
  if (call.verb === "prove") {
    const configured = configuredTargets(config);
    if (!configured.ok) throw commandFailure(configured.refusal);
    if (configured.targets.length === 0) {
      throw new Failure("usage", "no_targets", "the policy names no proof targets", {
        hint: 'write them with "pp init", or name a command: pp run "pytest -q"',
      });
    }
    for (const target of configured.targets) admit(config, target);
    return configured.targets;
  }
  const { words, literal } = call;
  const resolved = words.length === 1 && !literal
    ? targetFromCommand("command", words[0]!)
    : targetFromArgv("command", words);
  if (!resolved.ok) throw commandFailure(resolved.refusal);
  admit(config, resolved.target);
  return [resolved.target];
}

function admit(config: PolicyConfig, target: ProofTarget): void {
  const refusal = checkTarget(config, target);
  if (refusal === null) return;
  throw new Failure("denied", refusal.reason, refusal.detail, {
    hint: "add exactly this command to policy.allowed_commands or policy.allowed_argv",
  });
}

function commandFailure(refusal: Refusal): Failure {
  return new Failure("usage", refusal.reason, refusal.detail);
}

/** Asking for a signature that cannot be made is an error, not a bundle that looks attested. */
function refuseSigning(config: PolicyConfig, flags: SessionFlags): void {
  const { attestation } = config.policy;
  const asked = flags.attest === true || flags.attestationMode !== undefined || attestation.enabled;
  const mode = flags.attestationMode ?? attestation.mode;
  if (!["none", "hmac-sha256", "ed25519"].includes(mode)) {
    const message = `--attestation-mode takes none, hmac-sha256 or ed25519, not ${mode}`;
    throw new Failure("usage", "attestation_mode_unknown", message);
  }
  if (!asked || mode === "none") return;
  throw new Failure(
    "unavailable",
    "signing_not_available",
    `this version cannot sign bundles (${mode}) yet`,
    {
      hint: "use --attestation-mode none for a complete, unsigned bundle",
    },
  );
}

/** A path for people: relative to where they stand when it is inside. */
export function shownPath(path: string, root: string): string {
  return printableLine(path.startsWith(`${root}/`) ? path.slice(root.length + 1) : path);
}
