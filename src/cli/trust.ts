import type { PublicKey } from "../sign/key.ts";
import { opensshFingerprint } from "../sign/openssh_fingerprint.ts";
import { type Role, ROLES } from "../sign/role.ts";
import { addKey, EMPTY_TRUST, revokeKey, showTime } from "../sign/trust_edit.ts";
import { parseTrust, readTime, type TrustedKey, type TrustFile } from "../sign/trust_file.ts";
import { Failure } from "../vocabulary/failure.ts";
import { printableLine, printablePath, quoted } from "../vocabulary/printable.ts";
import { EXIT } from "./exit_code.ts";
import { verificationKeys } from "./key_input.ts";
import { writeFiles } from "./new_files.ts";
import { count, shellPath } from "./output.ts";
import { roleNamed } from "./trust_asked.ts";
import { loadTrust } from "./trust_input.ts";
import { TRUST_FILE_NAME } from "./trust_name.ts";
import { noneInFolder, placeJson, placeLines, type TrustPlace } from "./trust_place.ts";
import type { TrustAddFlags, TrustRevokeFlags } from "./trust_verb.ts";
import type { VerbResult } from "./verb.ts";

const MIN_ID_PREFIX = 8;

/** What came of a call of `pp trust`, with which file it used and why. */
export async function atPlace(
  place: TrustPlace,
  work: (file: string) => Promise<VerbResult>,
): Promise<VerbResult> {
  const done = await work(place.file).catch((error) => {
    throw noneInFolder(place, error);
  });
  const lines = done.text.split("\n");
  return {
    ...done,
    text: [...lines.slice(0, -1), ...await placeLines(place), ...lines.slice(-1)].join("\n"),
    json: { ...done.json as object, ...await placeJson(place) },
  };
}

/** Writes a trust file without principals. */
export async function trustInit(file: string, force: boolean): Promise<VerbResult> {
  const text = /\.json$/i.test(file) ? `${JSON.stringify(emptyDocument(), null, 2)}\n` : EMPTY_TRUST;
  await writeFiles([{ path: file, text, mode: 0o644 }], force);
  const beside = file === TRUST_FILE_NAME ? "" : ` --trust ${shellPath(file)}`;
  return {
    exit: EXIT.yes,
    text: `wrote       ${
      printablePath(file)
    }: it trusts nobody yet\nnext        pp trust add NAME KEY --role prover${beside}`,
    json: { format: "veripatch-trust-change/v1", file, change: "created", text },
  };
}

/** Adds a public key to a trust file. */
export async function trustAdd(
  file: string,
  name: string,
  spec: string,
  flags: TrustAddFlags,
): Promise<VerbResult> {
  const roles = (flags.role ?? []).map(roleNamed);
  const validFrom = timeNamed("--valid-from", flags.validFrom);
  const validUntil = timeNamed("--valid-until", flags.validUntil);
  const { trust, text } = await loadTrust(file);
  const [publicKey] = await verificationKeys([spec]) as [PublicKey];
  const owner = ownerOf(trust, publicKey.id);
  if (owner !== null) {
    const state = owner.key.revokedAt === null ? "is there already, as" : "was revoked; it was";
    throw new Failure(
      "usage",
      "key_listed",
      `this key ${state} a key of ${printableLine(owner.name)}`,
      {
        hint: owner.key.revokedAt === null ? "`pp trust check` lists the keys" : "make a new one: pp keygen",
      },
    );
  }
  const changed = addKey(text, file, { name, roles, publicKey, validFrom, validUntil });
  await replace(file, changed);
  const before = trust.principals.find((principal) => principal.name === name);
  const more = roles.filter((role, i) => before?.roles.includes(role) === false && roles.indexOf(role) === i);
  const all = ROLES.filter((role) => roles.includes(role) || before?.roles.includes(role));
  return changeResult(file, "added", name, publicKey, all, [
    `roles       ${all.join(", ")}`,
    // Roles are a principal's: what is said of one key holds for the others.
    ...(before === undefined || more.length === 0 ? [] : [
      `note        ${printableLine(name)} had ${count(before.keys.length, "key")} before: as ${
        more.join(" and ")
      }, each of them counts now`,
    ]),
    `next        pp trust check ${printablePath(file)}`,
  ]);
}

/** Records a revocation. */
export async function trustRevoke(
  file: string,
  key: string,
  flags: TrustRevokeFlags,
): Promise<VerbResult> {
  const { trust, text } = await loadTrust(file);
  const id = await idNamed(trust, key);
  const at = new Date();
  await replace(file, revokeKey(text, file, id, at, flags.reason ?? null));
  const owner = ownerOf(trust, id)!;
  return changeResult(file, "revoked", owner.name, owner.key.publicKey, owner.roles, [
    `at          ${showTime(at)}`,
  ]);
}

interface Owner {
  readonly name: string;
  readonly roles: readonly Role[];
  readonly key: TrustedKey;
}

function ownerOf(trust: TrustFile, id: string): Owner | null {
  for (const { name, roles, keys } of trust.principals) {
    const key = keys.find((key) => key.publicKey.id === id);
    if (key !== undefined) return { name, roles, key };
  }
  return null;
}

/** The id of the key of a trust file that a call means. */
async function idNamed(trust: TrustFile, key: string): Promise<string> {
  const all = trust.principals.flatMap(({ keys }) => keys.map((key) => key.publicKey));
  const hex = key.toLowerCase();
  const isPrefix = new RegExp(`^[0-9a-f]{${MIN_ID_PREFIX},64}$`).test(hex);
  if (isPrefix || key.startsWith("SHA256:")) {
    const found = all.filter((one) => isPrefix ? one.id.startsWith(hex) : opensshFingerprint(one) === key);
    if (found.length === 1) return found[0]!.id;
    throw new Failure(
      "usage",
      found.length === 0 ? "key_not_listed" : "key_ambiguous",
      `${found.length === 0 ? "no key" : `${found.length} keys`} of the trust file ${
        found.length === 1 ? "is" : "are"
      } meant by ${printableLine(key)}`,
      { hint: "`pp trust check` lists the keys" },
    );
  }
  return (await verificationKeys([key]))[0]!.id;
}

function timeNamed(flag: string, text: string | undefined): Date | null {
  if (text === undefined) return null;
  const time = readTime(text);
  if (time !== null) return time;
  const message = `${flag} takes a time in UTC such as 2026-11-20T12:00:00Z, not ${quoted(text, 40)}`;
  throw new Failure("usage", "time_malformed", message);
}

/** Keeps the file's permissions, and where it really is when it is linked to. */
async function replace(file: string, text: string): Promise<void> {
  const path = await Deno.realPath(file);
  const { mode } = await Deno.stat(path);
  await writeFiles([{ path, text, mode: (mode ?? 0o644) & 0o777 }], true);
}

function changeResult(
  file: string,
  change: "added" | "revoked",
  name: string,
  key: PublicKey,
  roles: readonly Role[],
  more: readonly string[],
): VerbResult {
  return {
    exit: EXIT.yes,
    text: [
      `${change.padEnd(11)} a key of ${printableLine(name)} in ${printablePath(file)}`,
      `id          ${key.id}`,
      `OpenSSH     ${opensshFingerprint(key)}`,
      ...more,
    ].join("\n"),
    json: {
      format: "veripatch-trust-change/v1",
      file,
      change,
      principal: name,
      roles,
      id: key.id,
      openssh_fingerprint: opensshFingerprint(key),
    },
  };
}

function emptyDocument() {
  const parsed = parseTrust(EMPTY_TRUST, "trust.yaml");
  if (!parsed.ok) throw new Error("the empty trust file is malformed");
  return { format: "veripatch-trust/v1", principals: [], thresholds: parsed.trust.thresholds };
}
