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
import { onInterrupt } from "./interrupt.ts";
import { sessionProgress } from "./progress.ts";
import { sandboxSpec, withFlags } from "./session_plan.ts";
import { sessionJson, sessionText } from "./session_report.ts";
import type { VerbResult } from "./verb.ts";
import {
  wireGitCheck,
  wireProposer,
  wireReap,
  wireSandbox,
  wireSecrets,
  wireSyntax,
  wireWorkspace,
} from "./wire.ts";
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
  const progress = sessionProgress({ quiet: flags.json === true });
  const interruption = onInterrupt(progress.say);
  try {
    await Promise.all([removeStaleBundles(artifacts), wireReap()]);
    const { sandbox } = await wireSandbox(config.policy, root, flags.pull === true, env);
    const workspace = await wireWorkspace(root, artifacts);
    const secrets = wireSecrets(env);
    const outcome = await prove(plan, {
      ...{ sandbox, workspace, proposer, ...secrets },
      gitAgrees: await wireGitCheck(),
      syntax: wireSyntax(),
      now: Date.now,
      emit: progress.emit,
      signal: interruption.signal,
    });
    progress.emit({ kind: "phase", phase: "bundle" });
    const bundle = await writeBundle(artifacts, session, await bundleFiles(outcome.record, secrets.redact));
    const applied = flags.apply === true && outcome.record.status === "proved";
    if (applied) {
      // Said before the attempt: the proof stands even if the workspace has moved on and nothing can be applied.
      progress.say(`bundle   ${bundle}`);
      await workspace.apply(outcome.changes);
    }
    progress.end();
    const delivered = { outcome, bundle, applied };
    return {
      exit: exitCodeOfStatus(outcome.record.status),
      text: sessionText(delivered, root),
      json: sessionJson(delivered),
    };
  } finally {
    progress.end();
    interruption.dispose();
  }
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
