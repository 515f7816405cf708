import { PROOF_ENVELOPE } from "../bundle/claims.ts";
import type { Inventory } from "../bundle/inventory.ts";
import type { BundleRead, ReadBundle } from "../bundle/read.ts";
import type { ProofStatement } from "../bundle/statement.ts";
import { bytesOf } from "../patch/bytes.ts";
import { parsePatch } from "../patch/parse.ts";
import { renderPatch } from "../patch/render.ts";
import { configuredTargets } from "../policy/commands.ts";
import { policyDigest } from "../policy/digest.ts";
import type { PolicyConfig } from "../policy/policy.ts";
import type { SessionPorts } from "../prove/ports.ts";
import { objectionsTo } from "../prove/proposal.ts";
import { reportPaths } from "../prove/reports.ts";
import { sha256 } from "../vocabulary/digest.ts";
import { Failure } from "../vocabulary/failure.ts";
import type { Patch } from "../vocabulary/patch.ts";
import type { GitTree, History, TreeContents } from "../workspace/history.ts";
import { claimOf, type ReplayClaim } from "./replay/claim.ts";
import {
  attestationChecks,
  bundleCheck,
  isBelieved,
  NOT_BELIEVED,
  provedCheck,
} from "./gate/bundle_checks.ts";
import {
  fail,
  finding,
  findingOf,
  GATE_CHECKS,
  type GateCheck,
  judged,
  keepsClosed,
  notChecked,
} from "./gate/check.ts";
import {
  conditionsCheck,
  type GatePolicy,
  policyGiven,
  policyOfTree,
  targetsCheck,
  withTip,
} from "./gate/policy_checks.ts";
import { resultCheck, summaryCheck, type SummaryGiven } from "./gate/replay_check.ts";
import { testsCheck } from "./gate/tests_check.ts";
import { baseCheck, filesFor, headCheck } from "./gate/tree_checks.ts";
import type { ReplayResult } from "./replay.ts";
import { touchedBetween, type Trees, treesOf } from "./gate/trees.ts";
import type { FreshnessAsked } from "./verdicts/freshness.ts";
import type { Trust } from "./verdicts/signature.ts";
import { type Verification, verifyAttestation } from "./verify.ts";

/** A file the verifier judges by that lies in the working tree, where a change could have touched it. */
export interface VerifierFile {
  /** Such as `trust file`. */
  readonly what: string;
  /** Its path in the working tree; several where links lead to it. */
  readonly paths: readonly string[];
}

/** Everything but the bundle is the verifier's own. */
export interface GateInput extends FreshnessAsked {
  readonly inventory: Inventory;
  /** The same files, read whole. */
  readonly read: BundleRead;
  readonly trust: Trust;
  /** Names of commits. */
  readonly base: string;
  readonly head: string;
  /** Null: that of the merge base. */
  readonly policy: GatePolicy | null;
  /** What the verifier's flags make of a policy. */
  readonly adjust: (config: PolicyConfig) => PolicyConfig;
  readonly verifierFiles: readonly VerifierFile[];
  readonly replay: SummaryGiven | { readonly kind: "here" } | null;
}

export interface GatePorts extends Pick<SessionPorts, "findSecrets"> {
  readonly history: History;
  /** Replays a claim on a checkout of a tree, under a policy of the verifier's. */
  readonly replayHere: (tree: GitTree, claim: ReplayClaim, config: PolicyConfig) => Promise<ReplayResult>;
}

export interface GateResult {
  /** Open only if every required check passed. */
  readonly verdict: "open" | "closed";
  /** Each of GATE_CHECKS once, in that order. */
  readonly checks: readonly GateCheck[];
  readonly base: string;
  readonly head: string;
  readonly mergeBase: string | null;
  readonly policy: { readonly source: string; readonly digest: string } | null;
  readonly verification: Verification;
}

/**
 * Judges whether a change may be merged: a bundle that the verifier's keys vouch for proves, by the verifier's policy,
 * that exactly the difference between the merge base and head turns its targets green. Every check that can be made is
 * made; nothing of a statement is believed before its signature, its files and its subject hold.
 * @throws Failure `usage` for a name that is no commit; of broken machinery
 */
export async function gate(input: GateInput, ports: GatePorts): Promise<GateResult> {
  const { history } = ports;
  const verification = await verifyAttestation({ ...input, unsigned: null });
  const bundle = input.read.ok ? input.read.bundle : null;
  const base = await named(history, "--base", input.base);
  const head = await named(history, "--head", input.head);
  const trees = await treesOf(history, base, head);
  const found = input.policy !== null
    ? policyGiven(input.policy)
    : trees.base === null
    ? null
    : withTip(await policyOfTree(trees.base, history), trees.base, trees.tip);
  const policy = found?.policy ?? null;
  const config = policy === null ? null : input.adjust(policy.config);
  const judge = new Judge(input, ports, { verification, bundle, config, trees });
  const early = [
    bundleCheck(input.read, input.inventory),
    ...attestationChecks(verification),
    provedCheck(verification, bundle),
    judge.verifierFiles(),
    found?.check ?? notChecked("policy", "without a merge base there is no policy to judge by"),
    await judge.patch(),
    judge.targets(),
    judge.conditions(),
    judge.base(),
    await judge.head(),
    await judge.tests(),
  ];
  const checks = [...early, await judge.replay(early)];
  if (checks.length !== GATE_CHECKS.length || checks.some((check, i) => check.id !== GATE_CHECKS[i])) {
    throw new Failure("bug", "checks_missing", "the gate did not make every check");
  }
  return {
    verdict: checks.some(keepsClosed) ? "closed" : "open",
    checks,
    base,
    head,
    mergeBase: trees.mergeBase,
    policy: policy === null || config === null
      ? null
      : { source: policy.source, digest: policyDigest(config) },
    verification,
  };
}

async function named(history: History, flag: string, name: string): Promise<string> {
  const told = await history.commit(name);
  if (told.ok) return told.value;
  throw new Failure("usage", told.refusal.reason, `${flag}: ${told.refusal.detail}`, {
    hint: "name a branch, a tag or a commit that this clone has; CI may have to fetch it first",
  });
}

interface Known {
  readonly verification: Verification;
  readonly bundle: ReadBundle | null;
  readonly config: PolicyConfig | null;
  readonly trees: Trees;
}

const NO_POLICY = "there is no policy to judge by";

/** The checks that need more than the bundle. */
class Judge {
  readonly #statement: ProofStatement | null;
  /** The patch as it lies in the bundle: a check of it says nothing about who vouches for it. */
  readonly #patch: { readonly patch: Patch } | { readonly against: GateCheck };

  #files: ReturnType<typeof filesFor> | undefined;

  constructor(readonly input: GateInput, readonly ports: GatePorts, readonly known: Known) {
    this.#statement = isBelieved(known.verification) ? known.verification.statement : null;
    this.#patch = patchOf(known.bundle);
  }

  /** A change must not bring the keys and rules it is judged by. */
  verifierFiles(): GateCheck {
    const { base, tip, head } = this.known.trees;
    const { verifierFiles } = this.input;
    const none = "what it is judged by does not lie in the working tree";
    if (verifierFiles.length === 0) return judged("verifier_files", [], none);
    if (base === null || head === null) return notChecked("verifier_files", "the trees are not known");
    if (!tip.ok) return fail("verifier_files", [findingOf(tip.refusal)]);
    const findings = verifierFiles.flatMap(({ what, paths }) =>
      paths.flatMap((path) => {
        const [code, whose] = touchedBetween(base, head, path)
          ? ["changed_by_head", "the merge base's"]
          : touchedBetween(tip.value, head, path)
          ? ["outdated_in_head", "what base has by now"]
          : [null, ""];
        if (code === null) return [];
        return [finding(code, `this is the ${what} that judges it, and it differs from ${whose}`, path)];
      })
    );
    return judged("verifier_files", findings, "head does not touch what it is judged by");
  }

  /** Paths, limits and secrets, by the verifier's policy. */
  async patch(): Promise<GateCheck> {
    const { config } = this.known;
    if ("against" in this.#patch) return this.#patch.against;
    if (config === null) return notChecked("patch", NO_POLICY);
    const { patch } = this.#patch;
    const targets = configuredTargets(config);
    const keptOut = targets.ok ? reportPaths(targets.targets) : [];
    const objections = await objectionsTo(patch, config.policy, keptOut, this.ports.findSecrets);
    const count = patch.files.length === 1 ? "1 file" : `${patch.files.length} files`;
    return judged("patch", objections.map(findingOf), `the policy admits the patch (${count})`);
  }

  targets(): GateCheck {
    const { config } = this.known;
    if (this.#statement === null) return notChecked("targets", NOT_BELIEVED);
    if (config === null) return notChecked("targets", NO_POLICY);
    return targetsCheck(config, this.#statement.predicate);
  }

  conditions(): GateCheck {
    const { config, bundle } = this.known;
    if (this.#statement === null) return notChecked("conditions", NOT_BELIEVED);
    if (config === null) return notChecked("conditions", NO_POLICY);
    if (bundle === null) return notChecked("conditions", "the bundle cannot be read");
    return conditionsCheck(config, this.#statement.predicate, bundle);
  }

  base(): GateCheck {
    const { trees, bundle } = this.known;
    if (trees.problems.base !== null || trees.contents === null) {
      return trees.problems.base ?? notChecked("base", "there is no merge base");
    }
    if (this.#statement === null) return notChecked("base", NOT_BELIEVED);
    const { tree } = this.#statement.predicate.base;
    const entries = bundle?.manifest.digest === tree ? bundle.manifest.entries : null;
    return baseCheck(trees.contents, { tree, entries });
  }

  async head(): Promise<GateCheck> {
    const { base, contents, head, problems } = this.known.trees;
    if (problems.head !== null) return problems.head;
    if (base === null || contents === null || head === null) {
      return notChecked("head", "there is no merge base");
    }
    if ("against" in this.#patch) return notChecked("head", "there is no patch to compare it with");
    const { patch } = this.#patch;
    const read = await this.#filesOf(patch, base, contents);
    if ("against" in read) return fail("head", [read.against]);
    const resultTree = this.#statement?.subjects.tree ?? null;
    const input = { base, contents, files: read.files, head, patch, resultTree };
    return await headCheck(input, this.ports.history);
  }

  /** Whether the patch touches what decides about green, and whether tests were lost. */
  async tests(): Promise<GateCheck> {
    const { config, bundle, trees: { base, contents } } = this.known;
    if (config === null) return notChecked("tests", NO_POLICY);
    if (bundle === null || "against" in this.#patch) {
      return notChecked("tests", "there is no patch to look at");
    }
    if (base === null || contents === null) return notChecked("tests", "there is no merge base");
    if (this.#statement === null) return notChecked("tests", NOT_BELIEVED);
    const { patch } = this.#patch;
    const read = await this.#filesOf(patch, base, contents);
    if ("against" in read) return fail("tests", [read.against]);
    const { predicate } = this.#statement;
    return testsCheck({ patch, config, base: read.files, predicate, bundle });
  }

  /** Two checks look at the same files of the merge base. */
  #filesOf(patch: Patch, base: GitTree, contents: TreeContents): ReturnType<typeof filesFor> {
    return this.#files ??= filesFor(patch, base, contents, this.ports.history);
  }

  /** Runs nothing unless everything else has passed. */
  async replay(earlier: readonly GateCheck[]): Promise<GateCheck> {
    const { replay, inventory, now, maxAgeMs } = this.input;
    const { config, bundle, trees } = this.known;
    if (replay === null) return notChecked("replay", "nobody asked for it (--require-replay)", false);
    const statement = this.#statement;
    if (statement === null) return notChecked("replay", NOT_BELIEVED);
    if (config === null) return notChecked("replay", NO_POLICY);
    if (replay.kind === "summary") {
      const attestation = inventory.files.get(PROOF_ENVELOPE)!.sha256;
      const { signers: provers } = this.known.verification;
      const { owners } = this.input.trust;
      return await summaryCheck(replay, { statement, provers, owners, attestation, config, now, maxAgeMs });
    }
    if (earlier.some(({ verdict }) => verdict !== "pass")) {
      return notChecked("replay", "something else has to pass first: nothing was run");
    }
    const claim = bundle === null ? null : claimOf(bundle);
    if (claim === null || !claim.ok || trees.base === null) {
      return notChecked("replay", "there is nothing to run");
    }
    return resultCheck(await this.ports.replayHere(trees.base, claim.claim, config));
  }
}

/** The final patch of a bundle, which must be in the one canonical form. */
function patchOf(bundle: ReadBundle | null): { readonly patch: Patch } | { readonly against: GateCheck } {
  const text = bundle?.finalPatch ?? null;
  if (text === null) return { against: notChecked("patch", "there is no final.patch that can be read") };
  const parsed = parsePatch(text);
  if (!parsed.ok) return { against: fail("patch", [findingOf(parsed.refusal)]) };
  const { patch } = parsed;
  const refusal = patch.files.length === 0
    ? finding("patch_empty", "final.patch changes nothing")
    : sha256(bytesOf(renderPatch(patch))) !== sha256(bytesOf(text))
    ? finding("patch_not_canonical", "final.patch is not in canonical form")
    : null;
  return refusal === null ? { patch } : { against: fail("patch", [refusal]) };
}
