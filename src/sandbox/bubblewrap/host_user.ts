import { readFileSync } from "node:fs";
import process from "node:process";
import { Failure } from "../../vocabulary/failure.ts";

/** A user the host runs commands as; null means as ourselves. */
export interface HostUser {
  readonly uid: number;
  readonly gid: number;
}

/**
 * Whom the host sees: as root, commands really run as `user`. Otherwise, and for a root who has no other users (in a
 * rootless container), only the namespace shows that user, and on the host they are ours.
 */
export function hostUser(user: HostUser): HostUser | null {
  if (process.getuid!() !== 0) return null;
  return isMapped("/proc/self/uid_map", user.uid) && isMapped("/proc/self/gid_map", user.gid) ? user : null;
}

/** Whether an id exists in our user namespace; where there are no namespaces, every id does. */
function isMapped(map: string, id: number): boolean {
  let text: string;
  try {
    text = readFileSync(map, "latin1");
  } catch {
    return true;
  }
  return text.trim().split("\n").some((line) => {
    const [first = 0, , count = 0] = line.trim().split(/\s+/).map(Number);
    return id >= first && id < first + count;
  });
}

/**
 * Options for `Deno.Command`; with root's rights given up, the supplementary groups go too. The directory root stands in
 * may be closed to that user, so the program starts in another: its paths must be absolute.
 */
export function asHostUser(
  user: HostUser | null,
): { uid: number; gid: number; cwd: string } | Record<never, never> {
  return user === null ? {} : { uid: user.uid, gid: user.gid, cwd: "/" };
}

/** Reads `uid` or `uid:gid`. @throws Failure `denied` `user_refused` for root or anything that is not numbers */
export function parseUser(text: string): HostUser {
  const match = /^(\d{1,10})(?::(\d{1,10}))?$/.exec(text);
  const uid = Number(match?.[1]);
  const gid = Number(match?.[2] ?? match?.[1]);
  if (match === null || uid === 0 || gid === 0 || uid >= 2 ** 32 - 1 || gid >= 2 ** 32 - 1) {
    throw new Failure(
      "denied",
      "user_refused",
      `sandbox user ${JSON.stringify(text)} is root or not a number`,
      {
        hint: "set sandbox.user to uid:gid, such as 1000:1000",
      },
    );
  }
  return { uid, gid };
}
