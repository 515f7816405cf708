import { isAbsolute, join, resolve } from "node:path";
import { Failure } from "../vocabulary/failure.ts";
import { printablePath } from "../vocabulary/printable.ts";
import { TRUST_FILE_NAME } from "./trust_name.ts";

/**
 * Where the user's own trust file is, which approvals are judged by unless a call names another; null without a home. A
 * relative place would be the folder's word.
 */
export function usersTrustPath(): string | null {
  const config = Deno.env.get("XDG_CONFIG_HOME") ?? "";
  const home = Deno.env.get("HOME") ?? "";
  if (isAbsolute(config)) return join(config, "veripatch", TRUST_FILE_NAME);
  return isAbsolute(home) ? join(home, ".config/veripatch", TRUST_FILE_NAME) : null;
}

/** The trust file of a call of `pp trust`, and how it came to it. */
export interface TrustPlace {
  readonly file: string;
  /** False where the call named none: it is the folder's. */
  readonly named: boolean;
}

/** Which file `pp trust` used and why, and that approvals use another one where they do, for people. */
export async function placeLines({ file, named }: TrustPlace): Promise<string[]> {
  const why = named ? "as it was named" : "of this folder, as no --trust was given";
  const lines = [`file        ${printablePath(resolve(file))}, ${why}`];
  const own = await approvalsUse(file);
  if (own !== null) {
    lines.push(`approvals   are judged by ${printablePath(own)}, unless --trust names this file`);
  }
  return lines;
}

/** The same for programs. */
export async function placeJson({ file, named }: TrustPlace) {
  return { path: resolve(file), named, approvals_use: await approvalsUse(file) };
}

/** The user's own trust file, where it is another than the one at hand; null where it is that one, or there is no home. */
async function approvalsUse(file: string): Promise<string | null> {
  const own = usersTrustPath();
  if (own === null) return null;
  const real = (path: string) => Deno.realPath(path).catch(() => resolve(path));
  return await real(own) === await real(file) ? null : own;
}

/** That a call which named no trust file found none in the folder. */
export function noneInFolder({ file, named }: TrustPlace, error: unknown): unknown {
  if (named || !(error instanceof Failure) || error.code !== "file_missing") return error;
  const own = usersTrustPath();
  const message = `there is no trust file ${printablePath(resolve(file))}, and no --trust was given`;
  const other = own === null
    ? ""
    : `; approvals are judged by ${printablePath(own)}: --trust names it here, too`;
  return new Failure(error.kind, error.code, message, { hint: `pp trust init writes one${other}` });
}
