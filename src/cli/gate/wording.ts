import type { GateCheckName, GateFinding } from "../../verify/gate/check.ts";
import { placeText } from "../output.ts";

/** Findings of one check listed for people; the rest are counted. */
export const SHOWN_FINDINGS = 20;

/** Where a finding is: `path:line` or `path`; null when it is about no file. */
export function placeOf({ path, line }: GateFinding): string | null {
  return path === null ? null : placeText(path, line);
}

/** What each check makes sure of, in one line. */
export const TITLES: Readonly<Record<GateCheckName, string>> = {
  bundle: "The bundle is whole and does not contradict itself",
  signature: "Enough trusted keys signed it",
  integrity: "Its files are exactly those that were signed",
  subject: "What was signed is what it shows",
  freshness: "It is as new as was asked for",
  proved: "It proves something: red before, green after",
  verifier_files: "The change does not touch what it is judged by",
  policy: "There is a policy, and it names proof targets",
  patch: "The policy admits the patch",
  targets: "Every target of the policy is proved, by commands it admits",
  conditions: "It was proved the way the policy wants it",
  base: "The proof is about the merge base",
  head: "Head is the merge base plus the proved patch and nothing else",
  tests: "Tests, their configuration and hooks were not weakened",
  replay: "A replay confirms it",
};

/** What to do about a finding, by its code. */
const NEXT: Readonly<Record<string, string>> = {
  unsigned: "have whoever made the bundle sign it: pp attest BUNDLE --key KEY",
  not_by_trusted_key: "compare the signer's key with yours: pp key show PUBLIC.pem",
  threshold_not_met: "more of the trusted keys have to sign it: pp attest BUNDLE --add --key KEY",
  key_revoked: "do not use this bundle; have the proof made and signed again",
  key_expired: "have it signed again with a key that is valid",
  too_old: "have the proof made again: pp prove --sign KEY",
  nonce_differs: "have it attested with your --nonce",
  changed: "this is not what was signed: get the bundle again from whoever made it",
  missing: "this is not what was signed: get the bundle again from whoever made it",
  extra: "this is not what was signed: get the bundle again from whoever made it",
  changed_by_head:
    "keep trust file, keys and policy outside of the checkout, or change them in a merge of its own",
  outdated_in_head:
    "keep trust file, keys and policy outside of the checkout, or merge the base branch into head",
  policy_outdated: "merge the base branch into head, then prove again",
  policy_missing: "commit a policy to the base branch (pp init), or name yours with --policy",
  no_targets: "name what has to pass under proof_targets in the policy",
  target_not_proved: "prove all targets of the policy: pp prove",
  targets_reordered: "prove the targets of the policy, in its order and first: pp prove",
  command_not_allowed: "prove all targets of the policy: pp prove",
  path_protected: "take it out of the change, or let the policy allow it (protect.allow, --allow-protected)",
  path_ignored: "take it out of the change, or have base re-include it in .ppignore (!path)",
  replayer_is_prover: "have somebody else replay and sign: pp replay --sign",
  not_in_patch: "merge only what was proved: drop these changes, or prove again with them in the patch",
  not_in_head: "commit exactly final.patch: git apply final.patch, then git add and git commit",
  base_differs: "prove again on a clean checkout of the merge base: git worktree add DIR MERGE_BASE",
  base_has_more: "prove again on a clean checkout of the merge base: git worktree add DIR MERGE_BASE",
  base_lacks: "prove again on a clean checkout of the merge base: git worktree add DIR MERGE_BASE",
  shallow_clone: "fetch the whole history: git fetch --unshallow, or fetch-depth: 0 in CI",
  several_merge_bases: "merge the base branch into head, then prove again",
  too_few_runs: "prove again with as many runs as the policy wants: pp prove --repeat N",
  image_differs: "prove in the policy's image, or name the one you want with --image",
};

/** What to do next, each once, first things first. */
export function nextSteps(codes: readonly string[]): readonly string[] {
  const steps = codes.map((code) => NEXT[code]).filter((step) => step !== undefined);
  return [...new Set(steps)].slice(0, 3);
}
