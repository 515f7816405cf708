import type { HmacSecret, KeyResult } from "./key.ts";
import { refuse } from "./refuse.ts";

/** Bytes a secret has at least. */
const MIN_SECRET_BYTES = 32;
const HMAC_KEY_ID = "hmac-sha256";

/** The secret with these bytes; fewer than 32 are refused. `readHmacSecret` also refuses what reads as a public key. */
export function hmacSecretOf(secret: Uint8Array): KeyResult<HmacSecret> {
  if (secret.length < MIN_SECRET_BYTES) {
    return refuse(
      "secret_too_short",
      `an HMAC secret has at least ${MIN_SECRET_BYTES} bytes; this one has ${secret.length}`,
    );
  }
  return {
    ok: true,
    key: hiding({ kind: "hmac-sha256", id: HMAC_KEY_ID }, "secret", Uint8Array.from(secret)),
  };
}

/** Adds a member that neither JSON nor an inspector shows. */
export function hiding<T extends object, Name extends string>(
  shown: T,
  name: Name,
  value: Uint8Array,
): T & { readonly [K in Name]: Uint8Array } {
  return Object.defineProperty(shown, name, { value, enumerable: false }) as
    & T
    & { readonly [K in Name]: Uint8Array };
}
