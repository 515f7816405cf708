import { attest } from "../../src/bundle/attest.ts";
import { inventoryOf } from "../../src/bundle/inventory.ts";
import { bundleFiles } from "../../src/bundle/documents.ts";
import { hmacSecretOf } from "../../src/sign/hmac_secret.ts";
import { type KeyResult, type PrivateKey, privateKeyOf, type SigningKey } from "../../src/sign/key.ts";
import { record, redact } from "./fixture.ts";

function must<K>(result: KeyResult<K>): K {
  if (!result.ok) throw new Error(result.refusal.detail);
  return result.key;
}

/** A key pair anybody can make again; only for tests. */
export function testKey(number: number): PrivateKey {
  return must(privateKeyOf(new Uint8Array(32).fill(number)));
}

export function testSecret(number: number) {
  return must(hmacSecretOf(new Uint8Array(32).fill(number)));
}

/** When the fixture's bundle is attested. */
export const ISSUED_AT = new Date("2026-11-20T12:01:00.000Z");

/** The fixture's proof, unsigned. */
export const PROVED_FILES: ReadonlyMap<string, Uint8Array> = await bundleFiles(record(), redact);

/** The fixture's proof, attested. */
export async function attested(
  keys: readonly SigningKey[] = [testKey(1)],
  { nonce = null as string | null, issuedAt = ISSUED_AT, files = PROVED_FILES } = {},
): Promise<Map<string, Uint8Array>> {
  return new Map([...files, ...await attest(await inventoryOf(files), keys, { issuedAt, nonce })]);
}
