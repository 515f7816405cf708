import { basename, dirname, resolve } from "node:path";
import { withBundleFolder, withPrivateFolder } from "../bundle/open.ts";
import { unpackEmbedded } from "../bundle/embedded.ts";
import { WORKSPACE_TAR } from "../bundle/layout.ts";
import { readBundle } from "../bundle/read.ts";
import { unreadableBundle } from "../bundle/refused.ts";
import { isSessionId } from "../bundle/session_id.ts";
import { loadPolicy } from "../policy/load.ts";
import { printableLine } from "../vocabulary/printable.ts";
import { claimOf } from "../verify/claim.ts";
import { replay, type ReplayClaim, type ReplayResult } from "../verify/replay.ts";
import { EXIT } from "./exit_code.ts";
import { colour } from "./output.ts";
import { freshSessionId, sandboxSpec, withFlags } from "./session_plan.ts";
import { admit } from "./targets.ts";
import type { VerbResult } from "./verb.ts";
import { type Watch, watched } from "./watched.ts";
import { wireSyntax, wireWorld } from "./wire.ts";

export interface ReplayFlags {
  readonly cwd?: string;
  readonly leaveOut?: readonly string[];
  readonly policy?: string;
  readonly image?: string;
  readonly pull?: boolean;
  readonly repeat?: string;
  readonly allowProtected?: readonly string[];
  readonly json?: boolean;
}

const EXIT_OF = { confirmed: EXIT.yes, contradicted: EXIT.no, inconclusive: EXIT.noAnswer } as const;

/** `pp replay`: reads a bundle, then runs its claim on a checkout under the verifier's own policy. */
export async function runReplay(bundlePath: string, flags: ReplayFlags): Promise<VerbResult> {
  return await watched(flags.json === true, async (watch) => {
    const { result, claim } = await withBundleFolder(
      resolve(bundlePath),
      (folder) => replayFolder(folder, flags, watch),
      watch.signal,
    );
    return { exit: EXIT_OF[result.verdict], text: text(result, claim), json: json(result, claim) };
  });
}

/** Without `--cwd` the base is taken from a bundle that embeds it. */
async function replayFolder(folder: string, flags: ReplayFlags, watch: Watch) {
  const read = await readBundle(folder);
  if (!read.ok) throw unreadableBundle(read.refusal);
  const { embedded, manifest } = read.bundle;
  const claimed = claimOf(read.bundle);
  if (!claimed.ok) throw unreadableBundle(claimed.refusal);
  const { claim } = claimed;
  const here = resolve(flags.cwd ?? ".");
  if (flags.cwd !== undefined || embedded === null) {
    return { claim, result: await replayIn(here, folder, claim, flags, watch) };
  }
  const result = await withPrivateFolder(async (root) => {
    await unpackEmbedded(`${folder}/${WORKSPACE_TAR}`, manifest.entries, embedded, root, watch.signal);
    return await replayIn(root, folder, claim, flags, watch);
  }, watch.signal);
  return { claim, result };
}

/** @param root of the base; the verifier's policy is looked for in `--cwd` or the current directory */
async function replayIn(
  root: string,
  folder: string,
  claim: ReplayClaim,
  flags: ReplayFlags,
  { emit, signal }: Watch,
): Promise<ReplayResult> {
  const here = resolve(flags.cwd ?? ".");
  const loaded = await loadPolicy(here, flags.policy === undefined ? undefined : resolve(flags.policy));
  const config = withFlags(loaded.config, flags);
  if (loaded.source !== null) {
    for (const target of claim.targets) {
      admit(config, target, "your policy does not admit the bundle's command: ");
    }
  }
  const spec = sandboxSpec(freshSessionId(), config, { pull: flags.pull === true, keep: false });
  const plan = { policy: config.policy, spec, repeat: config.policy.verify.repeat, minimal: null };
  const world = await wireWorld(root, config.policy, spec, Deno.env.toObject(), {
    artifacts: artifactsOf(folder),
    patches: (flags.leaveOut ?? []).map((path) => resolve(path)),
    container: flags.image !== undefined,
  });
  try {
    return await replay(claim, plan, { ...world, syntax: wireSyntax(), now: Date.now, emit, signal });
  } finally {
    await world.dispose();
  }
}

/** The folder that a bundle was written to, else the bundle itself: it is no part of the checkout it lies in. */
function artifactsOf(bundle: string): string {
  const session = dirname(bundle);
  return isSessionId(basename(session)) ? dirname(session) : bundle;
}

function text(result: ReplayResult, claim: ReplayClaim): string {
  const c = colour(Deno.stdout);
  const paint = { confirmed: c.green, contradicted: c.red, inconclusive: c.yellow }[result.verdict];
  return [
    `${c.bold("replay")}   ${c.bold(paint(result.verdict))}: ${printableLine(result.detail)}`,
    ...claim.targets.map((t) => `${c.bold("command")}  ${printableLine(t.command)}`),
    `${c.bold("base")}     ${claim.baseTree.slice(0, 12)} -> ${claim.resultTree.slice(0, 12)}`,
    ...result.findings.map(({ path, rule, detail }) =>
      `${c.bold(c.yellow("flagged"))}  ${printableLine(path ?? "")}: ${printableLine(detail)} (${rule})`
    ),
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
    negative_control: brief(result.control),
    findings: result.findings,
    sandbox_backend: result.environment?.backend ?? null,
    image: result.environment?.image ?? null,
  };
}
