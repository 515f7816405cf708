import { resolve } from "node:path";

/** The checkout, absolute. */
export const ROOT = resolve(import.meta.dirname!, "..");

/** How a program of this checkout runs as `./pp` does it: memory figures depend on these flags. */
export function fromCheckout(script: string): readonly string[] {
  return [
    ...[Deno.execPath(), "run", "-A", "--quiet", "--v8-flags=--max-semi-space-size=2"],
    ...["--config", `${ROOT}/deno.json`, `${ROOT}/${script}`],
  ];
}

/** How `pp` runs from this checkout; the verb and its flags come after. */
export const PP_FROM_CHECKOUT = fromCheckout("main.ts");
