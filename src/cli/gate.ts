import { resolve } from "node:path";
import { type Inventory, inventoryOf, takeInventory } from "../bundle/inventory.ts";
import { withBundleFolder, withPrivateFolder } from "../bundle/open.ts";
import { type BundleRead, readBundle } from "../bundle/read.ts";
import { unreadableBundle } from "../bundle/refused.ts";
import { loadPolicy, showPolicyFile } from "../policy/load.ts";
import type { PolicyConfig } from "../policy/policy.ts";
import { MAX_ENVELOPE_BYTES } from "../sign/dsse.ts";
import { gate } from "../verify/gate.ts";
import type { GateInput, GatePorts, VerifierFile } from "../verify/gate/input.ts";
import type { GatePolicy } from "../verify/gate/policy_checks.ts";
import { withOwnReports } from "../verify/replay/own_reports.ts";
import { replay } from "../verify/replay.ts";
import { Failure } from "../vocabulary/failure.ts";
import { printablePath } from "../vocabulary/printable.ts";
import type { History } from "../workspace/history.ts";
import { readBoundedFile } from "./bounded_file.ts";
import { requireBundle } from "./bundle_there.ts";
import { EXIT } from "./exit_code.ts";
import { formatOf, type GateFormat } from "./gate/format_names.ts";
import { type GateReport, rendered } from "./gate/formats.ts";
import { gateJson } from "./gate/json.ts";
import { gateText } from "./gate/text.ts";
import { writeFiles } from "./new_files.ts";
import { freshSessionId, sandboxSpec, withFlags } from "./session_plan.ts";
import { freshnessAsked, noTrustedKey, trustAsked, type TrustFlags } from "./trust_asked.ts";
import type { VerbResult } from "./verb.ts";
import { type Watch, watched } from "./watched.ts";
import { wireSyntax } from "./wire/syntax.ts";
import { wireGate, wireWorld } from "./wire/world.ts";

export interface GateFlags extends TrustFlags {
  readonly base: string;
  readonly head: string;
  readonly repo?: string;
  readonly policy?: string;
  readonly maxAge?: string;
  readonly nonce?: string;
  readonly requireReplay?: string | true;
  readonly replayerKey?: readonly string[];
  readonly allowProtected?: readonly string[];
  readonly image?: string;
  readonly pull?: boolean;
  readonly format?: GateFormat;
  readonly output?: readonly string[];
  readonly json?: boolean;
}

/** `pp gate`: everything but the bundle and the commits is the caller's own, and is read first. */
export async function runGate(bundlePath: string, flags: GateFlags): Promise<VerbResult> {
  const outputs = (flags.output ?? []).map((path) => ({ path, format: flags.format ?? formatOf(path) }));
  const freshness = freshnessAsked(flags, new Date());
  const { now } = freshness;
  const adjust = (config: PolicyConfig) => withFlags(config, flags);
  await requireBundle(bundlePath);
  const trust = await trustAsked(flags, now);
  if (trust === null) throw noTrustedKey();
  const policy = flags.policy === undefined ? null : await policyGiven(flags.policy);
  const replayAsked = await replayOf(flags, now);
  const quiet = flags.json === true || (flags.output === undefined && (flags.format ?? "text") !== "text");
  const report = await watched(
    quiet,
    (watch) =>
      withBundleFolder(
        resolve(bundlePath),
        (folder) =>
          withPrivateFolder(async (scratch): Promise<GateReport> => {
            const stock = await stockOf(folder);
            const repo = resolve(flags.repo ?? ".");
            const world = await wireGate(repo, scratch, Deno.env.toObject(), watch.signal);
            const input: GateInput = {
              ...stock,
              trust,
              ...freshness,
              base: flags.base,
              head: flags.head,
              policy,
              adjust,
              verifierFiles: await verifierFiles(flags, world.history),
              replay: replayAsked,
            };
            const result = await gate(input, { ...world, replayHere: replayer(world, folder, flags, watch) });
            const exit = result.verdict === "open" ? EXIT.yes : EXIT.no;
            return { result, exit, bundle: bundlePath, names: flags, owners: trust.owners };
          }, watch.signal),
        watch.signal,
      ),
  );
  return await delivered(report, flags.format ?? "text", outputs);
}

async function delivered(
  report: GateReport,
  shown: GateFormat,
  outputs: readonly { readonly path: string; readonly format: GateFormat }[],
): Promise<VerbResult> {
  const files = outputs.map(({ path, format }) => {
    // A file is no terminal.
    const text = format === "text" ? gateText(report, null) : rendered(report, format);
    return { path, text, mode: 0o644 };
  });
  await writeFiles(files, true);
  const text = files.length > 0 ? gateText(report) : rendered(report, shown);
  return { exit: report.exit, text, json: gateJson(report) };
}

async function policyGiven(path: string): Promise<GatePolicy> {
  const { config } = await loadPolicy(Deno.cwd(), resolve(path));
  return { config, source: printablePath(showPolicyFile(resolve(path))) };
}

async function replayOf(flags: GateFlags, now: Date): Promise<GateInput["replay"]> {
  const { requireReplay: asked, replayerKey: key, trust } = flags;
  if (asked === undefined || asked === true) {
    if (key !== undefined) {
      throw new Failure("usage", "replayer_key_unused", "--replayer-key is for a summary that is given", {
        hint: "give the summary: --require-replay FILE",
      });
    }
    return asked === undefined ? null : { kind: "here" };
  }
  const replayers = key !== undefined
    ? await trustAsked({ key }, now)
    : trust === undefined
    ? null
    : await trustAsked({ trust, role: "replayer" }, now);
  if (replayers === null) {
    throw new Failure("denied", "no_trusted_replayer", "there is no key to judge the replay's summary by", {
      hint: "name the replayer's public key with --replayer-key, or a trust file that has one with --trust",
    });
  }
  const { bytes } = await readBoundedFile(asked, MAX_ENVELOPE_BYTES, "summary of a replay");
  return { kind: "summary", envelope: bytes, trust: replayers };
}

/** A bundle's files, listed and read; what is judged of a sound bundle is what was read. */
async function stockOf(
  folder: string,
): Promise<{ readonly inventory: Inventory; readonly read: BundleRead }> {
  const read = await readBundle(folder);
  if (read.ok) return { inventory: await inventoryOf(read.bundle.files, read.bundle.embedded), read };
  const taken = await takeInventory(folder);
  if (!taken.ok) throw unreadableBundle(taken.refusal);
  return { inventory: taken.inventory, read };
}

/** The files named by flags that lie in a working tree, which may be a checkout of the change. */
async function verifierFiles(flags: GateFlags, history: History): Promise<readonly VerifierFile[]> {
  // A name of no commit is told by the gate itself.
  const head = await history.commit(flags.head);
  const isFile = (spec: string) => spec !== "-" && !spec.startsWith("env:");
  const keys = [...flags.key ?? [], flags.hmacKey ?? "-", ...flags.replayerKey ?? []].filter(isFile);
  const named: [what: string, path: string | undefined][] = [
    ["trust file", flags.trust],
    ["policy", flags.policy],
    ...keys.map((path): [string, string] => ["key", path]),
  ];
  const files: VerifierFile[] = [];
  for (const [what, path] of named) {
    const paths = path === undefined || !head.ok ? [] : await history.placesOf(path, head.value);
    if (paths.length > 0) files.push({ what, paths });
  }
  return files;
}

/** Replays on a checkout of our own, which is clean by the way it is made. */
function replayer(
  world: Pick<GatePorts, "history">,
  folder: string,
  flags: GateFlags,
  { emit, signal }: Watch,
): GatePorts["replayHere"] {
  return (tree, claim, config) =>
    withPrivateFolder(async (root) => {
      await world.history.checkOut(tree, root);
      const spec = sandboxSpec(freshSessionId(), config, { pull: flags.pull === true, keep: false });
      const { policy } = config;
      const backend = policy.sandbox.backend === "git_worktree" ? "copy" as const : policy.sandbox.backend;
      const here = { ...policy, sandbox: { ...policy.sandbox, backend } };
      const plan = { policy: here, spec, repeat: policy.verify.repeat, minimal: null };
      const sandboxed = await wireWorld(root, here, spec, Deno.env.toObject(), {
        artifacts: folder,
        container: flags.image !== undefined,
      });
      try {
        return await replay(withOwnReports(claim, config), plan, {
          ...sandboxed,
          syntax: wireSyntax(),
          now: Date.now,
          emit,
          signal,
        });
      } finally {
        await sandboxed.dispose();
      }
    }, signal);
}
