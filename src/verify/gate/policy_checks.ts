import type { ReadBundle } from "../../bundle/read.ts";
import type { ProofPredicate } from "../../bundle/statement.ts";
import { checkTarget, configuredTargets, sameArgv } from "../../policy/commands.ts";
import { MAX_POLICY_BYTES, POLICY_FILES } from "../../policy/files.ts";
import { parsePolicy } from "../../policy/parse.ts";
import type { PolicyConfig } from "../../policy/policy.ts";
import { sha256 } from "../../vocabulary/digest.ts";
import { printableLine, quoted } from "../../vocabulary/printable.ts";
import type { GitTree, History, Told } from "../../workspace/history.ts";
import { fail, finding, findingOf, type GateCheck, type GateFinding, judged, pass } from "./check.ts";

/** The policy a gate judges by. */
export interface GatePolicy {
  readonly config: PolicyConfig;
  /** For people: where it comes from. */
  readonly source: string;
}

/** The policy, also where something speaks against judging by it; null where there is none. */
type PolicyFound = { readonly policy: GatePolicy | null; readonly check: GateCheck };

/** The policy that a tree holds: the one of the merge base, so that no change can loosen its own gate. */
export async function policyOfTree(tree: GitTree, history: History): Promise<PolicyFound> {
  const no = (findings: readonly GateFinding[]): PolicyFound => ({
    policy: null,
    check: fail("policy", findings),
  });
  const there = POLICY_FILES.filter((name) => tree.entries.has(name));
  const name = there[0];
  if (name === undefined) {
    const detail = "the merge base has no policy: commit one (pp init), or name yours with --policy";
    return no([finding("policy_missing", detail)]);
  }
  if (there.length > 1) {
    const detail = `the merge base has several policies: ${there.join(", ")}`;
    return no([finding("policy_ambiguous", detail, name)]);
  }
  const { mode, id } = tree.entries.get(name)!;
  const bytes = mode.startsWith("100")
    ? (await history.blobs(new Map([[id, MAX_POLICY_BYTES]]))).get(id)
    : null;
  const text = bytes === null || bytes === undefined ? null : utf8(bytes);
  if (text === null) {
    return no([finding("policy_unreadable", "it is no small text file", name)]);
  }
  const parsed = parsePolicy(text, name);
  if (!parsed.ok) {
    return no(
      parsed.problems.map(({ path, line, message }) =>
        finding("policy_malformed", printableLine(path === "" ? message : `${path}: ${message}`), name, line)
      ),
    );
  }
  return policyGiven({
    config: parsed.config,
    source: `${name} of the merge base ${tree.commit.slice(0, 12)}`,
  });
}

/**
 * The policy of the merge base counts only while base still has that very one: a change could else begin at an old
 * commit, with a policy that was tightened since.
 */
export function withTip(found: PolicyFound, mergeBase: GitTree, tip: Told<GitTree>): PolicyFound {
  const against = (finding: GateFinding) => ({ ...found, check: fail("policy", [finding]) });
  if (found.check.verdict !== "pass") return found;
  if (!tip.ok) return against(findingOf(tip.refusal));
  const [then, now] = [mergeBase, tip.value].map(({ entries }) =>
    POLICY_FILES.map((name) => `${entries.get(name)?.mode} ${entries.get(name)?.id}`).join("\n")
  );
  if (then === now) return found;
  const detail = "base has another policy by now than the merge base: merge base into head, and prove again";
  return against(finding("policy_outdated", detail));
}

/** A policy that names no target would let any command stand for a proof. */
export function policyGiven(policy: GatePolicy): PolicyFound {
  const targets = configuredTargets(policy.config);
  const findings = !targets.ok
    ? [findingOf(targets.refusal)]
    : targets.targets.length === 0
    ? [finding("no_targets", `${policy.source} names no proof targets: any command would do`)]
    : [];
  return { policy, check: judged("policy", findings, `by ${policy.source}`) };
}

/** Whether the bundle proves what the policy wants proved, by commands the policy admits. */
export function targetsCheck(config: PolicyConfig, predicate: ProofPredicate): GateCheck {
  const configured = configuredTargets(config);
  const wanted = configured.ok ? configured.targets : [];
  const findings: GateFinding[] = [];
  for (const target of predicate.targets) {
    const refusal = checkTarget(config, target);
    if (refusal !== null) {
      findings.push(finding(refusal.reason, `${quoted(target.name, 80)}: ${printableLine(refusal.detail)}`));
    }
  }
  for (const { name, command, argv } of wanted) {
    const proved = predicate.targets.some((target) => sameArgv(target.argv, argv));
    if (!proved) {
      findings.push(
        finding("target_not_proved", `${quoted(name, 80)} (${quoted(command, 120)}) is not proved`),
      );
    }
  }
  // Targets share a copy: what runs earlier could prepare a green that the policy's own would not have.
  const late = wanted.find(({ argv }, i) => !sameArgv(predicate.targets[i]?.argv ?? [], argv));
  if (findings.length === 0 && late !== undefined) {
    const detail = `${quoted(late.name, 80)} ran after commands that do not come before it in the policy`;
    findings.push(finding("targets_reordered", detail));
  }
  const names = wanted.map(({ name }) => printableLine(name)).join(", ");
  return judged("targets", findings, `every target of the policy is proved: ${names}`);
}

/** Whether it was proved as the policy wants it: in which sandbox, how often, with a negative control. */
export function conditionsCheck(
  { policy }: PolicyConfig,
  predicate: ProofPredicate,
  { repro }: ReadBundle,
): GateCheck {
  const { sandbox, before, after } = predicate;
  const { backend, container_image: image } = policy.sandbox;
  const { repeat, negative_control: control } = policy.verify;
  const findings: GateFinding[] = [];
  const against = (code: string, detail: string) => void findings.push(finding(code, detail));
  if (sandbox.backend === "fake") against("sandbox_fake", "it was proved in no sandbox at all");
  else if (backend !== "auto" && backend !== sandbox.backend) {
    against("sandbox_differs", `it was proved in ${sandbox.backend}; the policy asks for ${backend}`);
  }
  if (sandbox.network !== "deny" && policy.network === "deny") {
    against("network_allowed", "it was proved with network; the policy denies it");
  }
  const other = otherImage(sandbox, image);
  if (other !== null) against("image_differs", `it was proved in ${other}`);
  if (Math.min(before.runs, after.runs) < repeat) {
    const detail = `red was seen ${before.runs} and green ${after.runs} times; the policy wants ${repeat}`;
    against("too_few_runs", detail);
  }
  if (control !== null) {
    const did = repro.negative_control;
    const files = new Map(did?.files.map((file) => [file.path, file.sha256]));
    const same = Object.entries(control.files).every(([path, text]) => files.get(path) === sha256(text)) &&
      files.size === Object.keys(control.files).length &&
      (control.targets.length === 0 ? repro.proof_targets.map((t) => t.name) : control.targets)
        .every((name) => did?.targets.includes(name));
    if (did?.outcome !== "failed" || !same) {
      against("negative_control_missing", "the policy's negative control was not seen to fail");
    }
  }
  const where = sandbox.image === null
    ? sandbox.backend
    : `${sandbox.backend} ${printableLine(sandbox.image.name)}`;
  return findings.length > 0
    ? fail("conditions", findings)
    : pass("conditions", `in ${where}, network ${sandbox.network === "deny" ? "denied" : "allowed"}`);
}

/** How a sandbox's image is not the one the policy names; null when it is, or there are no images there. */
export function otherImage(
  { backend, image }: { readonly backend: string; readonly image: { readonly name: string } | null },
  wanted: string,
): string | null {
  if (image === null ? backend !== "container" : image.name === wanted) return null;
  const named = image === null ? "an image that is not told" : `image ${quoted(image.name, 200)}`;
  return `${named}; the policy names ${quoted(wanted, 200)}`;
}

function utf8(bytes: Uint8Array): string | null {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return null;
  }
}
