import type { CheckoutState, CheckoutUnknown } from "../../vocabulary/checkout.ts";
import { Failure } from "../../vocabulary/failure.ts";

const LISTED = 20;

const UNKNOWN: Readonly<Record<CheckoutUnknown, readonly [code: string, message: string]>> = {
  no_git: ["git_missing", "the git_worktree backend needs git, which is not there"],
  no_checkout: ["not_a_git_checkout", "the workspace is not a git checkout that git can read"],
  timed_out: ["git_timed_out", "git did not say in time whether the checkout is clean"],
  too_large: ["checkout_too_large", "the checkout is too large to tell whether it is clean"],
};

/**
 * Lets only a checkout without uncommitted changes pass.
 * @throws Failure `denied` `git_not_clean` naming the first changes; `unavailable` `git_missing`,
 *   `not_a_git_checkout`, `git_timed_out` or `checkout_too_large` when nobody can tell
 */
export function requireClean(checkout: CheckoutState): void {
  if (checkout.state === "clean") return;
  if (checkout.state === "unknown") {
    const [code, message] = UNKNOWN[checkout.why];
    const install = checkout.why === "no_git" ? "install git, or " : "";
    throw new Failure("unavailable", code, message, { hint: `${install}use sandbox.backend copy` });
  }
  const details = checkout.changes.slice(0, LISTED);
  const more = checkout.changes.length - details.length;
  throw new Failure("denied", "git_not_clean", "the checkout has changes that are not committed", {
    hint: "commit or stash them, or use sandbox.backend copy, which takes the files as they are",
    details: more > 0 ? [...details, `… and ${more} more`] : details,
  });
}
