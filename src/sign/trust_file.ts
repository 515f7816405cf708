import { z } from "zod";
import { parseDocument } from "../document/parse.ts";
import type { DocumentProblem } from "../document/problem.ts";
import type { KnownKeys } from "../document/problems.ts";
import type { PublicKey } from "./key.ts";
import { readPublicKey } from "./public_key_file.ts";
import { type Role, ROLES } from "./role.ts";

export const TRUST_FORMAT = "veripatch-trust/v1";

export interface TrustedKey {
  readonly publicKey: PublicKey;
  /** Null: from ever. */
  readonly validFrom: Date | null;
  /** The first moment it is no longer valid. Null: for ever. */
  readonly validUntil: Date | null;
  /** Not null: the key counts for nothing, at no time. */
  readonly revokedAt: Date | null;
  readonly reason: string | null;
}

interface Principal {
  readonly name: string;
  readonly roles: readonly Role[];
  readonly keys: readonly TrustedKey[];
}

/** Which keys the verifier lets say what. No key is there twice. */
export interface TrustFile {
  readonly principals: readonly Principal[];
  /** How many principals have to have signed, by role; at least 1. */
  readonly thresholds: Readonly<Record<Role, number>>;
}

type TrustParse =
  | { readonly ok: true; readonly trust: TrustFile }
  | { readonly ok: false; readonly problems: readonly DocumentProblem[] };

/** Why a key of a principal in the role does not count. */
type KeyState = "valid" | "not_yet_valid" | "expired" | "revoked";

export interface TrustedKeys {
  /** Distinct. */
  readonly keys: readonly PublicKey[];
  /** The principal of each key, by the key's id. */
  readonly owners: ReadonlyMap<string, string>;
  readonly refused: readonly {
    readonly principal: string;
    readonly key: PublicKey;
    readonly state: Exclude<KeyState, "valid">;
  }[];
}

const MAX_PRINCIPALS = 500;
const MAX_KEYS = 50;
const MAX_THRESHOLD = 64;

const time = z.string({ error: "expected a time in UTC, such as 2026-11-20T12:00:00Z" })
  .transform((text, context) => {
    const date = readTime(text);
    if (date !== null) return date;
    context.addIssue({ code: "custom", message: "expected a time in UTC, such as 2026-11-20T12:00:00Z" });
    return z.NEVER;
  });

const line = (max: number) =>
  z.string({ error: "expected text" }).min(1, { error: "must not be empty" })
    .max(max, { error: `must have at most ${max} characters` })
    .refine((text) => text.isWellFormed() && !/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u.test(text), {
      error: "must be one line without control characters",
    });

// What was read is never in the message: somebody may have put a private key here.
const publicKey = z.string({ error: "expected a public key as text: PEM or an OpenSSH line" })
  .transform((text, context) => {
    const read = readPublicKey(new TextEncoder().encode(text));
    if (read.ok) return read.key;
    context.addIssue({ code: "custom", message: read.refusal.detail });
    return z.NEVER;
  });

const keyShape = {
  public_key: publicKey,
  valid_from: time.nullish(),
  valid_until: time.nullish(),
  revoked_at: time.nullish(),
  reason: line(1_000).nullish(),
};

const key = z.strictObject(keyShape, { error: "expected a key, such as {public_key: ssh-ed25519 …}" })
  .superRefine((value, context) => {
    const issue = (path: string, message: string) =>
      context.addIssue({ code: "custom", path: [path], message });
    const { valid_from: from, valid_until: until } = value;
    if (from && until && from >= until) issue("valid_until", "must be later than valid_from");
    if (value.reason && !value.revoked_at) issue("reason", "a reason is for a key with revoked_at");
  })
  .transform((value): TrustedKey => ({
    publicKey: value.public_key,
    validFrom: value.valid_from ?? null,
    validUntil: value.valid_until ?? null,
    revokedAt: value.revoked_at ?? null,
    reason: value.reason ?? null,
  }));

const principalShape = {
  name: line(100).refine((name) => name === name.trim(), { error: "cannot start or end with a blank" }),
  roles: z.array(z.enum(ROLES), { error: `expected a list of roles: ${ROLES.join(", ")}` })
    .min(1, { error: "must name at least one role" })
    .refine((roles) => new Set(roles).size === roles.length, { error: "names a role twice" }),
  keys: z.array(key, { error: "expected a list of keys" })
    .min(1, { error: "must have at least one key" })
    .max(MAX_KEYS, { error: `must have at most ${MAX_KEYS} keys` }),
};

const principal = z.strictObject(principalShape, {
  error: "expected a principal, such as {name: ci, roles: [prover], keys: […]}",
});

const threshold = z.number({ error: "expected a whole number" }).int({ error: "expected a whole number" })
  .min(1, { error: "must be at least 1" }).max(MAX_THRESHOLD, { error: `must be at most ${MAX_THRESHOLD}` })
  .default(1);
const thresholdsShape = { prover: threshold, replayer: threshold, approver: threshold };
const thresholds = z.strictObject(thresholdsShape, { error: "expected thresholds, such as {prover: 1}" });

const trustShape = {
  format: z.literal(TRUST_FORMAT, { error: `must be ${TRUST_FORMAT}` }),
  principals: z.array(principal, { error: "expected a list of principals" })
    .max(MAX_PRINCIPALS, { error: `must have at most ${MAX_PRINCIPALS} principals` }),
  thresholds: thresholds.nullish(),
};

const trustSchema = z.strictObject(trustShape, {
  error: "expected a trust file: a mapping with format, principals and thresholds",
})
  .superRefine(({ principals }, context) => {
    const names = new Set<string>();
    const owners = new Map<string, string>();
    principals.forEach(({ name, keys }, i) => {
      const issue = (path: (string | number)[], message: string) =>
        context.addIssue({ code: "custom", path: ["principals", i, ...path], message });
      const plain = name.normalize("NFKC").toLowerCase();
      if (names.has(plain)) issue(["name"], "there is a principal of that name, upper and lower case alike");
      names.add(plain);
      keys.forEach((key, j) => {
        // This also sees entries in which something else was wrong already.
        const id = (key as Partial<TrustedKey>).publicKey?.id;
        if (id === undefined) return;
        const owner = owners.get(id);
        if (owner !== undefined) issue(["keys", j, "public_key"], `this is already a key of ${owner}`);
        owners.set(id, name);
      });
    });
  })
  .transform((file): TrustFile => ({
    principals: file.principals,
    thresholds: file.thresholds ?? thresholds.parse({}),
  }));

const KNOWN_KEYS: KnownKeys = new Map([
  ["", Object.keys(trustShape)],
  ["principals[]", Object.keys(principalShape)],
  ["principals[].keys[]", Object.keys(keyShape)],
  ["thresholds", Object.keys(thresholdsShape)],
]);

/**
 * Reads a trust file. Strict JSON if `fileName` ends in `.json`, YAML otherwise. A file without principals is sound and
 * trusts nobody.
 * @returns the file, or every problem of it in the order of its lines, bounded; never throws on any text
 */
export function parseTrust(text: string, fileName: string): TrustParse {
  const parsed = parseDocument(text, fileName, {
    schema: trustSchema,
    known: KNOWN_KEYS,
    empty: "the file is empty; `pp trust init` writes one",
  });
  return parsed.ok ? { ok: true, trust: parsed.value } : parsed;
}

/** What a key is worth at a time. A revoked key is revoked at any time, also before it was. */
export function keyState(key: TrustedKey, at: Date): KeyState {
  if (key.revokedAt !== null) return "revoked";
  if (key.validFrom !== null && at < key.validFrom) return "not_yet_valid";
  if (key.validUntil !== null && at >= key.validUntil) return "expired";
  return "valid";
}

/**
 * The keys that may speak in a role at a time.
 * @param at the verifier's own time, or one it has reason to believe; never merely what a statement claims
 */
export function trustedKeys(trust: TrustFile, role: Role, at: Date): TrustedKeys {
  if (Number.isNaN(at.getTime())) throw new RangeError("not a time");
  const keys: PublicKey[] = [];
  const owners = new Map<string, string>();
  const refused: TrustedKeys["refused"][number][] = [];
  for (const { name, roles, keys: owned } of trust.principals) {
    if (!roles.includes(role)) continue;
    for (const key of owned) {
      const state = keyState(key, at);
      if (state !== "valid") {
        refused.push({ principal: name, key: key.publicKey, state });
        continue;
      }
      keys.push(key.publicKey);
      owners.set(key.publicKey.id, name);
    }
  }
  return { keys, owners, refused };
}

/**
 * The same of all keys of a trust file, whatever their role.
 * @throws RangeError for an invalid date
 */
export function keysOfAnyRole(trust: TrustFile, at: Date): TrustedKeys {
  const all = ROLES.map((role) => trustedKeys(trust, role, at));
  return {
    keys: [...new Map(all.flatMap(({ keys }) => keys).map((key) => [key.id, key])).values()],
    owners: new Map(all.flatMap(({ owners }) => [...owners])),
    refused: all.flatMap(({ refused }) => refused),
  };
}

/**
 * Whose signatures those of `signed` are: what a threshold counts. Several keys of one principal are one voice; keys
 * that are not trusted here are nobody's.
 * @returns distinct names in the order of the keys
 */
export function principalsOf(trusted: TrustedKeys, signed: readonly { readonly id: string }[]): string[] {
  const names = signed.map((key) => trusted.owners.get(key.id)).filter((name) => name !== undefined);
  return [...new Set(names)];
}

/** ISO 8601 in UTC to the second or finer, a time that exists; else null. */
export function readTime(text: string): Date | null {
  if (!/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,3})?Z$/.test(text)) return null;
  const date = new Date(text);
  if (Number.isNaN(date.getTime())) return null;
  // Date rolls 30 February over into March.
  return date.toISOString().slice(0, 19) === text.slice(0, 19) ? date : null;
}
