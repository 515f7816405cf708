import type { PolicyConfig } from "./policy.ts";
import { policySchema } from "./schema.ts";

/**
 * What holds where there is no policy file: no targets of its own (the command given is the one allowed),
 * writes anywhere in the workspace, 3 attempts, 8 files, 200,000 bytes, 600 s a command, no network.
 */
export function defaultPolicy(): PolicyConfig {
  return policySchema.parse({});
}
