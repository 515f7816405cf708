import { basename, dirname, resolve } from "node:path";
import { readBundle } from "../bundle/read.ts";
import { isSessionId } from "../bundle/session_id.ts";
import { targetFromArgv, targetFromCommand } from "../policy/commands.ts";
import { loadPolicy } from "../policy/load.ts";
import { Failure } from "../vocabulary/failure.ts";
import type { ProofTarget } from "../vocabulary/session.ts";
import { printableLine } from "../vocabulary/printable.ts";
import { replay, type ReplayClaim, type ReplayResult } from "../verify/replay.ts";
import { EXIT } from "./exit_code.ts";
import { colour } from "./output.ts";
import { freshSessionId, sandboxSpec, withFlags } from "./session_plan.ts";
import { admit } from "./targets.ts";
import type { VerbResult } from "./verb.ts";
import { watched } from "./watched.ts";
import { wireWorld } from "./wire.ts";

export interface ReplayFlags {
  readonly cwd?: string;
  readonly leaveOut?: readonly string[];
  readonly policy?: string;
  readonly image?: string;
  readonly pull?: boolean;
  readonly repeat?: string;
  readonly json?: boolean;
}

const EXIT_OF = { confirmed: EXIT.yes, contradicted: EXIT.no, inconclusive: EXIT.noAnswer } as const;

/** `pp replay`: reads a bundle, then runs its claim on a checkout under the verifier's own policy. */
export async function runReplay(bundlePath: string, flags: ReplayFlags): Promise<VerbResult> {
  const root = resolve(flags.cwd ?? ".");
  const bundle = await bundleFolder(resolve(bundlePath));
  const claim = await readClaim(bundle);
  const loaded = await loadPolicy(root, flags.policy === undefined ? undefined : resolve(flags.policy));
  const config = withFlags(loaded.config, flags);
  if (loaded.source !== null) {
    for (const target of claim.targets) {
      admit(config, target, "your policy does not admit the bundle's command: ");
    }
  }
  const spec = sandboxSpec(freshSessionId(), config, { pull: flags.pull === true, keep: false });
  const plan = { policy: config.policy, spec, repeat: config.policy.verify.repeat };
  const env = Deno.env.toObject();
  const result = await watched(flags.json === true, async ({ emit, signal }) => {
    const world = await wireWorld(root, config.policy, spec, env, {
      artifacts: artifactsOf(bundle),
      patches: (flags.leaveOut ?? []).map((path) => resolve(path)),
      container: flags.image !== undefined,
    });
    try {
      return await replay(claim, plan, { ...world, now: Date.now, emit, signal });
    } finally {
      await world.dispose();
    }
  });
  return { exit: EXIT_OF[result.verdict], text: text(result, claim), json: json(result, claim) };
}

/** A session's folder stands for the bundle in it. */
async function bundleFolder(path: string): Promise<string> {
  const inside = `${path}/proof_bundle`;
  return await Deno.stat(inside).then((s) => s.isDirectory, () => false) ? inside : path;
}

/** The folder that a bundle was written to, else the bundle itself: it is no part of the checkout it lies in. */
function artifactsOf(bundle: string): string {
  const session = dirname(bundle);
  return isSessionId(basename(session)) ? dirname(session) : bundle;
}

async function readClaim(path: string): Promise<ReplayClaim> {
  const read = await readBundle(path);
  if (!read.ok) {
    const { reason, path: file, detail } = read.refusal;
    throw new Failure("malformed", reason, `${file === undefined ? "" : `${file}: `}${detail}`, {
      hint: "a bundle is the folder proof_bundle, complete and unchanged",
    });
  }
  const { repro, targets, manifest, finalPatch } = read.bundle;
  if (finalPatch === null || repro.result_tree === null) {
    throw new Failure(
      "malformed",
      "bundle_without_proof",
      `this bundle holds no proof: its session ended ${repro.status}`,
    );
  }
  const { entries, digest } = manifest;
  for (const target of targets) {
    if (readsAs(target)) continue;
    throw new Failure("malformed", "bundle_inconsistent", "repro.json shows another command than it runs");
  }
  const sandbox = { backend: repro.sandbox_backend, imageId: repro.container_image_id };
  return {
    targets,
    finalPatch,
    baseEntries: entries,
    baseTree: digest,
    resultTree: repro.result_tree,
    sandbox,
  };
}

/** Whether the command people read is the argv that is run. */
function readsAs(target: ProofTarget): boolean {
  const line = targetFromCommand(target.name, target.command);
  const words = targetFromArgv(target.name, target.argv);
  const same = (argv: readonly string[]) =>
    argv.length === target.argv.length && argv.every((word, i) => word === target.argv[i]);
  return (line.ok && same(line.target.argv)) || (words.ok && words.target.command === target.command);
}

function text(result: ReplayResult, claim: ReplayClaim): string {
  const c = colour(Deno.stdout);
  const paint = { confirmed: c.green, contradicted: c.red, inconclusive: c.yellow }[result.verdict];
  return [
    `${c.bold("replay")}   ${c.bold(paint(result.verdict))}: ${printableLine(result.detail)}`,
    ...claim.targets.map((t) => `${c.bold("command")}  ${printableLine(t.command)}`),
    `${c.bold("base")}     ${claim.baseTree.slice(0, 12)} -> ${claim.resultTree.slice(0, 12)}`,
    c.dim("The bundle's signature was not checked: this version does not sign."),
  ].join("\n");
}

function json(result: ReplayResult, claim: ReplayClaim): unknown {
  const brief = (side: ReplayResult["base"]) =>
    side.map((v) => ({
      outcome: v.outcome,
      targets: v.targets.map((t) => ({
        target: t.target,
        outcome: t.outcome,
        exit_code: t.result?.exitCode ?? null,
      })),
    }));
  return {
    format: "veripatch-replay/v1",
    verdict: result.verdict,
    success: result.verdict === "confirmed",
    reason: result.reason,
    detail: result.detail,
    exit: EXIT_OF[result.verdict],
    base_tree: claim.baseTree,
    result_tree: claim.resultTree,
    targets: claim.targets.map((t) => ({ name: t.name, command: t.command, argv: t.argv })),
    base: brief(result.base),
    patched: brief(result.patched),
    sandbox_backend: result.environment?.backend ?? null,
    image: result.environment?.image ?? null,
  };
}
