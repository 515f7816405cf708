import { type PrivateKey, privateKeyOf, type PublicKey } from "../sign/key.ts";
import { opensshLine } from "../sign/openssh.ts";
import { opensshFingerprint } from "../sign/openssh_fingerprint.ts";
import { PEM_IV_BYTES, PEM_SALT_BYTES, renderEncryptedPem } from "../sign/encrypted_pem.ts";
import { renderPrivatePem, renderPublicPem } from "../sign/pem.ts";
import { readPublicKey } from "../sign/public_key_file.ts";
import { SEED_BYTES } from "../sign/ed25519.ts";
import { printablePath } from "../vocabulary/printable.ts";
import { EXIT } from "./exit_code.ts";
import { openSigningKey, readKeyInput, required } from "./key_input.ts";
import type { KeygenFlags } from "./key_verb.ts";
import { type NewFile, writeFiles } from "./new_files.ts";
import { shellPath } from "./output.ts";
import { type PassphraseFlags, passphraseOf } from "./passphrase.ts";
import type { VerbResult } from "./verb.ts";

/** Makes a key pair and writes both halves, or neither. */
export async function keygen(flags: KeygenFlags): Promise<VerbResult> {
  const passphrase = await passphraseOf(flags, "passphrase for the new key", true);
  const made = privateKeyOf(random(SEED_BYTES));
  if (!made.ok) throw new Error(made.refusal.detail);
  return await write(made.key.publicKey, made.key, passphrase, flags);
}

/** Says what a key is. @throws Failure as `signingKey` and `verificationKeys` do */
export async function keyShow(spec: string, flags: PassphraseFlags): Promise<VerbResult> {
  const { publicKey, privateKey, passphrase } = await eitherHalf(spec, flags);
  const kind = privateKey === null ? "public" : "private";
  const encrypted = passphrase !== null;
  return {
    exit: EXIT.yes,
    text: [
      `Ed25519 ${kind} key${encrypted ? ", encrypted" : ""}`,
      ...idLines(publicKey),
      "",
      renderPublicPem(publicKey).trimEnd(),
      opensshLine(publicKey),
    ].join("\n"),
    json: { format: "veripatch-key/v1", kind, encrypted, ...idMembers(publicKey) },
  };
}

/** Writes a key in any form we read as PEM. */
export async function keyImport(spec: string, flags: KeygenFlags): Promise<VerbResult> {
  const { publicKey, privateKey, passphrase } = await eitherHalf(spec, flags);
  // A passphrase given for a key without one is for the file that is written.
  const seal = privateKey === null
    ? null
    : passphrase ?? await passphraseOf(flags, "passphrase for the new file", true);
  return await write(publicKey, privateKey, seal, flags);
}

/** The key that is there: private keys come with their public half. */
async function eitherHalf(spec: string, flags: PassphraseFlags): Promise<{
  readonly publicKey: PublicKey;
  readonly privateKey: PrivateKey | null;
  readonly passphrase: string | null;
}> {
  const input = await readKeyInput(spec);
  const read = readPublicKey(input.bytes);
  if (read.ok) return { publicKey: read.key, privateKey: null, passphrase: null };
  if (read.refusal.reason !== "key_is_private") required(input, read);
  const { key, passphrase } = await openSigningKey(input, flags);
  return { publicKey: key.publicKey, privateKey: key, passphrase };
}

async function write(
  publicKey: PublicKey,
  privateKey: PrivateKey | null,
  passphrase: string | null,
  { output, force }: KeygenFlags,
): Promise<VerbResult> {
  const [privatePath, publicPath] = [`${output}.key.pem`, `${output}.pub.pem`];
  const files: NewFile[] = [{ path: publicPath, text: renderPublicPem(publicKey), mode: 0o644 }];
  if (privateKey !== null) {
    const text = passphrase === null
      ? renderPrivatePem(privateKey)
      : renderEncryptedPem(privateKey, passphrase, random(PEM_SALT_BYTES), random(PEM_IV_BYTES));
    files.unshift({ path: privatePath, text, mode: 0o600 });
  }
  await writeFiles(files, force === true);
  const isPrivate = privateKey !== null;
  return {
    exit: EXIT.yes,
    text: [
      ...(isPrivate
        ? [
          `private     ${printablePath(privatePath)}${
            passphrase === null ? "" : " (encrypted)"
          }: keep it to yourself`,
        ]
        : []),
      `public      ${printablePath(publicPath)}`,
      ...idLines(publicKey),
      `next        pp trust add NAME ${shellPath(publicPath)} --role prover`,
    ].join("\n"),
    json: {
      format: "veripatch-key-files/v1",
      private_key: isPrivate ? privatePath : null,
      encrypted: passphrase !== null,
      public_key: publicPath,
      ...idMembers(publicKey),
    },
  };
}

function idLines(key: PublicKey): string[] {
  return [`id          ${key.id}`, `OpenSSH     ${opensshFingerprint(key)}`];
}

function idMembers(key: PublicKey) {
  return {
    algorithm: "ed25519",
    id: key.id,
    openssh_fingerprint: opensshFingerprint(key),
    public_key_pem: renderPublicPem(key),
    public_key_openssh: opensshLine(key),
  };
}

function random(length: number): Uint8Array {
  return crypto.getRandomValues(new Uint8Array(length));
}
