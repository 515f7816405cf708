import { resolve } from "node:path";

/** The checkout, absolute. */
export const ROOT = resolve(import.meta.dirname!, "..");

/** How `pp` runs from this checkout, as `./pp` does it; the verb and its flags come after. */
export const PP_FROM_CHECKOUT: readonly string[] = [
  ...[Deno.execPath(), "run", "-A", "--quiet", "--v8-flags=--max-semi-space-size=2"],
  ...["--config", `${ROOT}/deno.json`, `${ROOT}/main.ts`],
];
