import { unreadableBundle } from "../bundle/refused.ts";

/**
 * Looks whether anything is where a bundle is said to be, before keys are asked for.
 * @throws Failure `malformed` `bundle_missing`; what else may be wrong is for its reader to say
 */
export async function requireBundle(path: string): Promise<void> {
  try {
    await Deno.stat(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory)) return;
    throw unreadableBundle({ reason: "bundle_missing", detail: `there is no bundle at ${path}` });
  }
}
