import process from "node:process";
import { Failure } from "../vocabulary/failure.ts";

/** A user the host runs commands as; null means as ourselves. */
export interface HostUser {
  readonly uid: number;
  readonly gid: number;
}

/** As root, commands really run as `user`; otherwise only the namespace shows it, and on the host they are ours. */
export function hostUser(user: HostUser): HostUser | null {
  return process.getuid!() === 0 ? user : null;
}

/** Options for `Deno.Command`; with root's rights given up, the supplementary groups go too. */
export function asHostUser(user: HostUser | null): { uid: number; gid: number } | Record<never, never> {
  return user === null ? {} : { uid: user.uid, gid: user.gid };
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
