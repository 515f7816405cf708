import type { VerificationKey } from "../sign/key.ts";
import { type Role, ROLES } from "../sign/role.ts";
import { Failure } from "../vocabulary/failure.ts";
import { printablePath } from "../vocabulary/printable.ts";
import type { FreshnessAsked } from "../verify/verdicts/freshness.ts";
import type { Trust } from "../verify/verdicts/signature.ts";
import { durationOf } from "./duration_asked.ts";
import { HMAC_VARIABLE, hmacSecret, hmacSecretInput, verificationKeys } from "./key_input.ts";

/** How a call names whom it believes. */
export interface TrustFlags {
  readonly key?: readonly string[];
  readonly hmacKey?: string;
  readonly keyEnv?: string;
  readonly trust?: string;
  readonly role?: string;
  readonly threshold?: string;
}

const MAX_THRESHOLD = 64;
const HINT = `give --key PUBLIC.pem, --trust trust.yaml, or a shared secret in ${HMAC_VARIABLE}`;

/**
 * Whom a call believes, at a time. Without any flag it is the shared secret in PP_ATTEST_HMAC_KEY, where that is set.
 * @returns null when the call names nobody
 * @throws Failure of what cannot be read; `denied` when a trust file has no key for the role
 */
export async function trustAsked(flags: TrustFlags, now: Date): Promise<Trust | null> {
  const byKey = flags.key !== undefined || flags.hmacKey !== undefined || flags.keyEnv !== undefined;
  if (flags.trust !== undefined) {
    if (byKey) {
      throw new Failure("usage", "trust_and_key", "give a trust file or keys, not both", {
        hint: "pp trust add puts a key into a trust file",
      });
    }
    return await fromFile(flags.trust, roleNamed(flags.role ?? "prover"), thresholdOf(flags.threshold), now);
  }
  if (flags.role !== undefined) {
    throw new Failure("usage", "role_without_trust", "--role is for the trust file that --trust names");
  }
  const keys: VerificationKey[] = [
    ...await verificationKeys(flags.key ?? []),
    ...(flags.hmacKey === undefined ? [] : [await hmacSecretInput(flags.hmacKey)]),
    ...(flags.keyEnv === undefined ? [] : [await hmacSecret(flags.keyEnv)]),
  ];
  if (!byKey && (Deno.env.get(HMAC_VARIABLE) ?? "") !== "") keys.push(await hmacSecret(HMAC_VARIABLE));
  const threshold = thresholdOf(flags.threshold) ?? 1;
  if (keys.length === 0) return null;
  if (threshold > keys.length) {
    const message = `--threshold ${threshold} can never be met by ${keys.length} given`;
    throw new Failure("usage", "threshold_unreachable", message, { hint: "give as many --key as it takes" });
  }
  return { keys, threshold, owners: new Map(), refused: [] };
}

/** Whom a call believes that takes an unsigned bundle and names nobody. */
export const NOBODY: Trust = { keys: [], threshold: 1, owners: new Map(), refused: [] };

/**
 * What a call asks of the time of a statement.
 * @throws Failure `max_age_malformed` (usage)
 */
export function freshnessAsked(
  { maxAge, nonce = null }: { readonly maxAge?: string; readonly nonce?: string | null },
  now: Date,
): FreshnessAsked {
  if (maxAge === undefined) return { now, maxAgeMs: null, nonce };
  const maxAgeMs = durationOf(maxAge) ?? 0;
  if (maxAgeMs > 0) return { now, maxAgeMs, nonce };
  const message = `--max-age takes a time such as 90s, 30m, 12h, 30d or 2w, not ${maxAge}`;
  throw new Failure("usage", "max_age_malformed", message);
}

/** The failure of a call that has nobody to believe. @param what would have been judged */
export function noTrustedKey(what: "bundle" | "checkpoint" = "bundle"): Failure {
  return new Failure("denied", "no_trusted_key", `there is no key to judge this ${what} by`, {
    hint: what === "bundle" ? `${HINT} (or --key-env NAME)` : HINT,
  });
}

async function fromFile(path: string, role: Role, threshold: number | null, now: Date): Promise<Trust> {
  const { trustedKeys } = await import("../sign/trust_file.ts");
  const { loadTrust } = await import("./trust_input.ts");
  const { trust } = await loadTrust(path);
  const { keys, owners, refused } = trustedKeys(trust, role, now);
  if (keys.length + refused.length === 0) {
    throw new Failure("denied", "no_trusted_key", `${printablePath(path)} has no key in the role ${role}`, {
      hint: `add one: pp trust add NAME PUBLIC.pem --role ${role}`,
    });
  }
  return { keys, owners, refused, threshold: threshold ?? trust.thresholds[role] };
}

/** Reads `--role`. */
export function roleNamed(role: string): Role {
  const known = ROLES.find((word) => word === role);
  if (known !== undefined) return known;
  throw new Failure("usage", "role_unknown", `--role takes ${ROLES.join(", ")}, not ${role}`);
}

function thresholdOf(text: string | undefined): number | null {
  if (text === undefined) return null;
  const threshold = Number(text);
  if (/^\d+$/.test(text) && threshold >= 1 && threshold <= MAX_THRESHOLD) return threshold;
  const message = `--threshold takes a whole number from 1 to ${MAX_THRESHOLD}, not ${text}`;
  throw new Failure("usage", "threshold_malformed", message);
}
