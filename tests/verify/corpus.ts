import { execFileSync } from "node:child_process";
import { dirname } from "node:path";
import { bundleFiles } from "../../src/bundle/documents.ts";
import { type Envelope, parseEnvelope, PAYLOAD_TYPE, renderEnvelope } from "../../src/sign/dsse.ts";
import { hmacSecretOf } from "../../src/sign/hmac_secret.ts";
import type { SigningKey, VerificationKey } from "../../src/sign/key.ts";
import { renderPublicPem } from "../../src/sign/pem.ts";
import { signEnvelope } from "../../src/sign/sign.ts";
import { parseTrust, trustedKeys } from "../../src/sign/trust_file.ts";
import type { Trust } from "../../src/verify/verdicts/signature.ts";
import { canonicalJson } from "../../src/vocabulary/canonical_json.ts";
import { sha256 } from "../../src/vocabulary/digest.ts";
import { attested, ISSUED_AT, testKey, testSecret } from "../bundle/attested.ts";
import { record, redact } from "../bundle/fixture.ts";

// deno-lint-ignore no-explicit-any -- JSON that is about to be broken
type Json = any;

interface Step {
  readonly do: string;
  readonly file?: string;
  readonly to?: string;
  readonly text?: string;
  readonly with?: string;
  readonly set?: Readonly<Record<string, unknown>>;
  readonly remove?: string;
  readonly repeat?: string;
  readonly replace?: readonly [string, string];
  readonly spaces?: number;
  readonly twice?: boolean;
  readonly keys?: readonly number[];
  readonly secret?: string;
  readonly add?: boolean;
  readonly type?: string;
  readonly both?: boolean;
  readonly bytes?: number;
}

export interface Case {
  readonly name: string;
  readonly steps: readonly Step[];
  /** `valid`, or the first verdict that is not and its code. */
  readonly expect: string;
  readonly each_file?: "all" | "top";
  /** Trusted Ed25519 keys, by number; 1 unless given. */
  readonly keys?: readonly number[];
  /** Trusted HMAC secrets, by number. */
  readonly secrets?: readonly number[];
  readonly threshold?: number;
  readonly trust?: Readonly<Record<string, string>>;
  readonly max_age_s?: number;
  readonly nonce?: string;
}

/** A minute after the base was attested. */
export const NOW = new Date(ISSUED_AT.getTime() + 60_000);

const BASE = await attested();
const OTHER = await attested([testKey(1)], {
  files: await bundleFiles(record({ session: "20261120T130000Z-89abcdef" }), redact),
});

const MANIFEST = JSON.parse(
  await Deno.readTextFile(new URL("../vectors/bundles/mutations.json", import.meta.url)),
) as { cases: readonly Case[] };

/** Every case, those of `each_file` written out. */
export function corpus(): readonly Case[] {
  const names = [...BASE.keys()].filter((name) => name !== "attestation.json");
  return MANIFEST.cases.flatMap((each) => {
    if (each.each_file === undefined) return [each];
    return names.filter((name) => each.each_file === "all" || !name.includes("/")).map((name) => {
      const upper = name.replace(/[^/]+$/, (last) => last.toUpperCase());
      const filled = JSON.stringify(each).replaceAll("<file>", name).replaceAll("<FILE>", upper);
      return JSON.parse(filled) as Case;
    });
  });
}

/** Writes the base into a folder and does what the case says to it. */
export async function lay({ steps }: Case, dir: string): Promise<void> {
  for (const [name, bytes] of BASE) {
    await Deno.mkdir(dirname(`${dir}/${name}`), { recursive: true });
    await Deno.writeFile(`${dir}/${name}`, bytes);
  }
  for (const step of steps) await take(step, dir);
}

/** Whom the verifier of a case believes. */
export function trustOf({ keys, secrets, threshold, trust }: Case): Trust {
  if (trust === undefined) {
    const trusted: VerificationKey[] = [
      ...(keys ?? [1]).map((n) => testKey(n).publicKey),
      ...(secrets ?? []).map(testSecret),
    ];
    return { keys: trusted, threshold: threshold ?? 1, owners: new Map(), refused: [] };
  }
  const { role = "prover", ...window } = trust;
  const principal = (name: string, number: number, role: string, more: object) => ({
    name,
    roles: [role],
    keys: [{ public_key: renderPublicPem(testKey(number).publicKey), ...more }],
  });
  const parsed = parseTrust(
    JSON.stringify({
      format: "veripatch-trust/v1",
      principals: [principal("ci", 1, role, window), principal("somebody else", 2, "prover", {})],
    }),
    "trust.json",
  );
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  return { ...trustedKeys(parsed.trust, "prover", NOW), threshold: parsed.trust.thresholds.prover };
}

async function take(step: Step, dir: string): Promise<void> {
  const path = `${dir}/${step.file}`;
  const envelopePath = `${dir}/attestation.json`;
  const envelope = async (): Promise<Envelope> => {
    const parsed = parseEnvelope(await Deno.readFile(envelopePath));
    if (!parsed.ok) throw new Error(parsed.refusal.detail);
    return parsed.envelope;
  };
  const put = async (changed: Envelope) => await Deno.writeFile(envelopePath, renderEnvelope(changed));
  // As a signer would who lists what lies there now.
  const listAgain = async (name: string) => {
    const statement = JSON.parse(new TextDecoder().decode((await envelope()).payload));
    const bytes = await Deno.readFile(`${dir}/${name}`);
    const entry = statement.predicate.files.find((file: { name: string }) => file.name === name);
    Object.assign(entry, { size: bytes.length, sha256: sha256(bytes) });
    await put(signEnvelope(PAYLOAD_TYPE, new TextEncoder().encode(canonicalJson(statement)), [testKey(1)]));
  };
  switch (step.do) {
    case "append":
      return await Deno.writeTextFile(path, step.text!, { append: true });
    case "truncate":
      return await Deno.truncate(path, (await Deno.stat(path)).size - 1);
    case "remove":
      return await Deno.remove(path);
    case "write":
      return await Deno.writeTextFile(path, step.text!);
    case "mkdir":
      return await Deno.mkdir(path, { recursive: true });
    case "rename":
      return await Deno.rename(path, `${dir}/${step.to}`);
    case "copy":
      return await Deno.copyFile(path, `${dir}/${step.to}`);
    case "symlink":
      return await Deno.symlink(step.to!, path);
    case "link": {
      const outside = `${dir}-original`;
      await Deno.rename(path, outside);
      return await Deno.symlink(outside, path);
    }
    case "fifo":
      await Deno.remove(path);
      execFileSync("mkfifo", [path]);
      return;
    case "swap": {
      const [one, two] = [await Deno.readFile(path), await Deno.readFile(`${dir}/${step.to}`)];
      await Deno.writeFile(path, two);
      return await Deno.writeFile(`${dir}/${step.to}`, one);
    }
    case "replace": {
      const text = await Deno.readTextFile(path);
      if (!text.includes(step.text!)) throw new Error(`${step.text} is not in ${step.file}`);
      return await Deno.writeTextFile(path, text.replace(step.text!, step.with!));
    }
    case "envelope": {
      const document = JSON.parse(await Deno.readTextFile(envelopePath));
      for (const [at, value] of Object.entries(step.set!)) set(document, at, filled(value));
      return await Deno.writeTextFile(envelopePath, JSON.stringify(document, null, 2));
    }
    case "url_safe": {
      const document = JSON.parse(await Deno.readTextFile(envelopePath));
      document.payload = document.payload.replaceAll("+", "-").replaceAll("/", "_");
      return await Deno.writeTextFile(envelopePath, JSON.stringify(document));
    }
    case "take_envelope":
      for (const name of ["attestation.json", ...(step.both ? ["test_result.attestation.json"] : [])]) {
        await Deno.writeFile(`${dir}/${name}`, OTHER.get(name)!);
      }
      return;
    case "payload":
      return await put({ ...await envelope(), payload: edited((await envelope()).payload, step) });
    case "restate":
      return await put(
        signEnvelope(PAYLOAD_TYPE, edited((await envelope()).payload, step), [testKey(1)]),
      );
    case "document":
      await Deno.writeFile(path, edited(await Deno.readFile(path), step));
      return await listAgain(step.file!);
    case "test_result": {
      const name = "test_result.attestation.json";
      const parsed = parseEnvelope(await Deno.readFile(`${dir}/${name}`));
      if (!parsed.ok) throw new Error(parsed.refusal.detail);
      const signed = signEnvelope(step.type ?? PAYLOAD_TYPE, edited(parsed.envelope.payload, step), [
        testKey(1),
      ]);
      await Deno.writeFile(`${dir}/${name}`, renderEnvelope(signed));
      return await listAgain(name);
    }
    case "sign": {
      const { payload, payloadType } = await envelope();
      const keys = step.secret === undefined ? step.keys!.map(testKey) : [secretNamed(step.secret)];
      return await put(
        signEnvelope(step.type ?? payloadType, payload, keys, step.add ? await envelope() : undefined),
      );
    }
    case "double_signature": {
      const signed = await envelope();
      const again = { keyid: null, sig: signed.signatures[0]!.sig };
      return await put({ ...signed, signatures: [...signed.signatures, again] });
    }
    case "cut_signature": {
      const signed = await envelope();
      const signatures = signed.signatures.map(({ keyid, sig }) => ({
        keyid,
        sig: sig.subarray(0, step.bytes),
      }));
      return await put({ ...signed, signatures });
    }
    case "add_order": {
      const signed = await envelope();
      const signatures = signed.signatures.map(({ keyid, sig }) => ({ keyid, sig: plusOrder(sig) }));
      return await put({ ...signed, signatures });
    }
    default:
      throw new Error(`no step ${step.do}`);
  }
}

function filled(value: unknown): unknown {
  return typeof value === "string"
    ? value.replace(/^<id (\d)>$/, (_, n) => testKey(Number(n)).publicKey.id)
    : value;
}

/** Secrets an attacker may try: a secret by number, or what everybody knows of a public key. */
function secretNamed(name: string): SigningKey {
  const key = testKey(Number(name.split(" ")[1] ?? 0)).publicKey;
  const bytes = name.startsWith("public ")
    ? key.raw
    : name.startsWith("pem ")
    ? new TextEncoder().encode(renderPublicPem(key))
    : new Uint8Array(32).fill(Number(name));
  const made = hmacSecretOf(bytes);
  if (!made.ok) throw new Error(made.refusal.detail);
  return made.key;
}

function edited(payload: Uint8Array, step: Step): Uint8Array {
  const statement = JSON.parse(new TextDecoder().decode(payload));
  for (const [at, value] of Object.entries(step.set ?? {})) set(statement, at, value);
  if (step.remove !== undefined) {
    const { holder, last } = place(statement, step.remove);
    if (Array.isArray(holder)) holder.splice(Number(last), 1);
    else delete holder[last];
  }
  if (step.repeat !== undefined) {
    const { holder, last } = place(statement, step.repeat);
    holder.splice(Number(last), 0, holder[last]);
  }
  let text = JSON.stringify(statement, null, step.spaces ?? 0);
  if (step.replace !== undefined) {
    if (!text.includes(step.replace[0])) throw new Error(`${step.replace[0]} is not in the statement`);
    text = text.replace(...step.replace);
  }
  return new TextEncoder().encode(step.twice ? text + text : text);
}

function place(document: Json, at: string): { holder: Json; last: string } {
  const parts = at.split(".");
  const last = parts.pop()!;
  return { holder: parts.reduce((inner, key) => inner[key], document), last };
}

function set(document: Json, at: string, value: unknown): void {
  const { holder, last } = place(document, at);
  holder[last] = value;
}

/** S + L: the same point, another spelling. */
function plusOrder(sig: Uint8Array): Uint8Array {
  const order = 2n ** 252n + 27742317777372353535851937790883648493n;
  let s = order;
  for (let i = 63; i >= 32; i--) s += BigInt(sig[i]!) << BigInt(8 * (i - 32));
  const changed = Uint8Array.from(sig);
  for (let i = 32; i < 64; i++, s >>= 8n) changed[i] = Number(s & 0xffn);
  return changed;
}
