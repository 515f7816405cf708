import { resolve } from "node:path";
import { V8_FLAGS } from "./build/permissions.ts";

/** The checkout, absolute. */
export const ROOT = resolve(import.meta.dirname!, "..");

/** How a program of this checkout runs as `./pp` does it: memory figures depend on these flags. */
export function fromCheckout(script: string): readonly string[] {
  return [
    ...[Deno.execPath(), "run", "-A", "--quiet", V8_FLAGS],
    ...["--config", `${ROOT}/deno.json`, `${ROOT}/${script}`],
  ];
}

/** How `pp` runs from this checkout; the verb and its flags come after. */
export const PP_FROM_CHECKOUT = fromCheckout("main.ts");
