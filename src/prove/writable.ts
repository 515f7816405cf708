import type { Policy } from "../policy/policy.ts";
import { protectionOf } from "../policy/protected.ts";
import { writeCheck } from "../policy/writes.ts";

/** Policies judge patches, so no patch writes one. */
const POLICY_FILE = /^pp\.(ya?ml|json)$/i;

/** Whether a path is that of a policy at the root of a workspace. */
export function isPolicyFile(path: string): boolean {
  return POLICY_FILE.test(path);
}

/**
 * Whether no patch may touch a path, whatever the policy says.
 * @param keptOut folders or files, relative to the workspace
 */
export function isKeptOut(path: string, keptOut: readonly string[]): boolean {
  return keptOut.some((kept) => path === kept || path.startsWith(`${kept}/`));
}

/** Which paths a proposal may write: what it is shown of others only costs room. */
export function writableBy(policy: Policy, keptOut: readonly string[]): (path: string) => boolean {
  const refusalOf = writeCheck(policy);
  const protection = protectionOf(policy);
  return (path) =>
    !isPolicyFile(path) && !isKeptOut(path, keptOut) && refusalOf(path) === null &&
    protection(path)?.allowed !== false;
}
