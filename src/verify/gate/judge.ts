import { PROOF_ENVELOPE } from "../../bundle/claims.ts";
import type { ReadBundle } from "../../bundle/read.ts";
import type { ProofStatement } from "../../bundle/statement.ts";
import { bytesOf } from "../../patch/bytes.ts";
import { parsePatch } from "../../patch/parse.ts";
import { renderPatch } from "../../patch/render.ts";
import { configuredTargets } from "../../policy/commands.ts";
import type { PolicyConfig } from "../../policy/policy.ts";
import { objectionsTo } from "../../prove/proposal.ts";
import { reportPaths } from "../../prove/reports.ts";
import { sha256 } from "../../vocabulary/digest.ts";
import type { Patch } from "../../vocabulary/patch.ts";
import type { GitTree, TreeContents } from "../../workspace/history.ts";
import { claimOf } from "../replay/claim.ts";
import type { Verification } from "../verify.ts";
import { isBelieved, NOT_BELIEVED } from "./bundle_checks.ts";
import { fail, finding, findingOf, type GateCheck, judged, notChecked } from "./check.ts";
import type { GateInput, GatePorts } from "./input.ts";
import { conditionsCheck, targetsCheck } from "./policy_checks.ts";
import { resultCheck, summaryCheck } from "./replay_check.ts";
import { testsCheck } from "./tests_check.ts";
import { baseCheck, filesFor, headCheck } from "./tree_checks.ts";
import { touchedBetween, type Trees } from "./trees.ts";

/** What is known before the checks: of the bundle, the policy and the repository. */
export interface Known {
  readonly verification: Verification;
  readonly bundle: ReadBundle | null;
  readonly config: PolicyConfig | null;
  readonly trees: Trees;
}

const NO_POLICY = "there is no policy to judge by";

/** The checks that need more than the bundle. */
export class Judge {
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
