import { policyDigest } from "../policy/digest.ts";
import { Failure } from "../vocabulary/failure.ts";
import type { History } from "../workspace/history.ts";
import { attestationChecks, bundleCheck, provedCheck } from "./gate/bundle_checks.ts";
import { GATE_CHECKS, type GateCheck, keepsClosed, notChecked } from "./gate/check.ts";
import type { GateInput, GatePorts } from "./gate/input.ts";
import { Judge } from "./gate/judge.ts";
import { policyGiven, policyOfTree, withTip } from "./gate/policy_checks.ts";
import { treesOf } from "./gate/trees.ts";
import { type Verification, verifyAttestation } from "./verify.ts";

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
