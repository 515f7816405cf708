import { canonicalJson } from "../vocabulary/canonical_json.ts";
import { type Sha256, sha256 } from "../vocabulary/digest.ts";
import type { PolicyConfig } from "./policy.ts";

/**
 * SHA-256 of the canonical JSON (RFC 8785) of a loaded policy. Two files that mean the same, whatever their
 * format, order, comments or left-out defaults, have the same digest.
 */
export function policyDigest(config: PolicyConfig): Sha256 {
  return sha256(canonicalJson(config));
}
