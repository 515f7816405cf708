import { Failure } from "../vocabulary/failure.ts";
import { printablePath } from "../vocabulary/printable.ts";
import { shellPath } from "./output.ts";

/**
 * Refuses a secret that others can get at.
 * @param mode permission bits of the file that was read; null where there are none to speak of
 * @throws Failure `secret_exposed` (denied) with the command that mends it
 */
export function refuseExposed(path: string, mode: number | null, what: string): void {
  if (mode === null || (mode & 0o077) === 0) return;
  const shown = `0${(mode & 0o777).toString(8).padStart(3, "0")}`;
  throw new Failure(
    "denied",
    "secret_exposed",
    `the ${what} ${printablePath(path)} is open to others (mode ${shown})`,
    { hint: `chmod 600 ${shellPath(path)}` },
  );
}
