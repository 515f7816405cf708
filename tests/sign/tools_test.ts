/** Round trips with the programs people have: openssl, ssh-keygen and minisign. */
import assert from "node:assert/strict";
import { preAuthEncoding } from "../../src/sign/dsse.ts";
import { ed25519Sign, ed25519Verify } from "../../src/sign/ed25519.ts";
import { type KeyResult, privateKeyOf } from "../../src/sign/key.ts";
import { readPublicKey } from "../../src/sign/public_key_file.ts";
import { readSigningKey } from "../../src/sign/private_key_file.ts";
import { opensshLine } from "../../src/sign/openssh.ts";
import { opensshFingerprint } from "../../src/sign/openssh_fingerprint.ts";
import { renderEncryptedPem } from "../../src/sign/encrypted_pem.ts";
import { renderPrivatePem, renderPublicPem } from "../../src/sign/pem.ts";
import { signaturesBy } from "../../src/sign/sign.ts";

async function inFolder(use: (run: (...argv: string[]) => Promise<string>, path: string) => Promise<void>) {
  const path = await Deno.makeTempDir({ prefix: "veripatch-keys-" });
  const run = async (program: string, ...args: string[]) => {
    const command = new Deno.Command(program, { args, cwd: path, stdin: "null", stderr: "piped" });
    const { success, stdout, stderr } = await command.output();
    const decoder = new TextDecoder();
    assert.ok(success, `${program} ${args.join(" ")}: ${decoder.decode(stderr)}`);
    return decoder.decode(stdout);
  };
  try {
    await use(run as (...argv: string[]) => Promise<string>, path);
  } finally {
    await Deno.remove(path, { recursive: true });
  }
}

function must<Key>(result: KeyResult<Key>): Key {
  assert.ok(result.ok, result.ok ? "" : result.refusal.detail);
  return result.key;
}

const type = "application/vnd.in-toto+json";
const payload = new TextEncoder().encode('{"_type":"https://in-toto.io/Statement/v1"}');
const message = preAuthEncoding(type, payload);

Deno.test("openssl: its keys are read, its signature over the encoding is one of an envelope", async () => {
  await inFolder(async (run, at) => {
    await run("openssl", "genpkey", "-algorithm", "ed25519", "-out", "k.pem");
    await run("openssl", "pkey", "-in", "k.pem", "-pubout", "-out", "p.pem");
    await run("openssl", "pkey", "-in", "k.pem", "-pubout", "-outform", "DER", "-out", "p.der");
    const key = must(readSigningKey(await Deno.readFile(`${at}/k.pem`)));
    const publicKey = must(readPublicKey(await Deno.readFile(`${at}/p.pem`)));
    assert.deepEqual(key.publicKey, publicKey);
    assert.deepEqual(must(readPublicKey(await Deno.readFile(`${at}/p.der`))), publicKey);
    assert.equal(renderPrivatePem(key), await Deno.readTextFile(`${at}/k.pem`));
    assert.equal(renderPublicPem(publicKey), await Deno.readTextFile(`${at}/p.pem`));
    const id = await run("openssl", "dgst", "-sha256", "-r", "p.der");
    assert.equal(id.split(" ")[0], publicKey.id);
    await Deno.writeFile(`${at}/m`, message);
    await run("openssl", "pkeyutl", "-sign", "-rawin", "-inkey", "k.pem", "-in", "m", "-out", "s");
    const sig = await Deno.readFile(`${at}/s`);
    assert.deepEqual(sig, ed25519Sign(message, key.seed));
    const envelope = { payloadType: type, payload, signatures: [{ keyid: null, sig }] };
    assert.deepEqual(signaturesBy(envelope, [publicKey]), [publicKey]);
  });
});

Deno.test("openssl: verifies our signatures with the keys we write, encrypted ones included", async () => {
  await inFolder(async (run, at) => {
    const key = must(privateKeyOf(crypto.getRandomValues(new Uint8Array(32))));
    await Deno.writeTextFile(`${at}/p.pem`, renderPublicPem(key.publicKey));
    await Deno.writeFile(`${at}/m`, message);
    await Deno.writeFile(`${at}/s`, ed25519Sign(message, key.seed));
    const verify = ["pkeyutl", "-verify", "-rawin", "-pubin", "-inkey", "p.pem", "-in", "m", "-sigfile", "s"];
    assert.match(await run("openssl", ...verify), /Verified Successfully/);
    const random = () => crypto.getRandomValues(new Uint8Array(16));
    await Deno.writeTextFile(`${at}/e.pem`, renderEncryptedPem(key, "hunter22 ü", random(), random()));
    const opened = await run("openssl", "pkey", "-in", "e.pem", "-passin", "pass:hunter22 ü");
    assert.equal(opened, renderPrivatePem(key));
  });
});

Deno.test("openssl: its encrypted keys open with their passphrase", async () => {
  await inFolder(async (run, at) => {
    await run("openssl", "genpkey", "-algorithm", "ed25519", "-out", "k.pem");
    const plain = must(readSigningKey(await Deno.readFile(`${at}/k.pem`)));
    const ways = [["-v2", "aes-256-cbc"], ["-v2", "aes-128-cbc"], ["-scrypt"], [
      "-v2",
      "aes-256-cbc",
      "-iter",
      "100000",
    ]];
    for (const way of ways) {
      await run(
        "openssl",
        "pkcs8",
        "-topk8",
        "-in",
        "k.pem",
        "-out",
        "e.pem",
        "-passout",
        "pass:hunter22",
        ...way,
      );
      const bytes = await Deno.readFile(`${at}/e.pem`);
      assert.deepEqual(
        must(readSigningKey(bytes, { passphrase: "hunter22" })).seed,
        plain.seed,
        way.join(" "),
      );
      const wrong = readSigningKey(bytes, { passphrase: "hunter23" });
      assert.ok(!wrong.ok && wrong.refusal.reason === "passphrase_wrong");
    }
    const old = ["-v1", "PBE-SHA1-3DES"];
    await run(
      "openssl",
      "pkcs8",
      "-topk8",
      "-in",
      "k.pem",
      "-out",
      "e.pem",
      "-passout",
      "pass:hunter22",
      ...old,
    );
    const refused = readSigningKey(await Deno.readFile(`${at}/e.pem`), { passphrase: "hunter22" });
    assert.ok(!refused.ok && refused.refusal.reason === "key_cipher_unknown");
    assert.match(refused.refusal.detail, /openssl pkcs8 -topk8/);
  });
});

Deno.test("ssh-keygen: its keys are read, encrypted or not, with its fingerprint", async () => {
  await inFolder(async (run, at) => {
    const ways = [
      { name: "plain", passphrase: "", more: [] },
      { name: "sealed", passphrase: "hunter22", more: [] },
      { name: "cbc", passphrase: "hünter22", more: ["-Z", "aes256-cbc", "-a", "4"] },
    ];
    for (const { name, passphrase, more } of ways) {
      await run(
        "ssh-keygen",
        "-q",
        "-t",
        "ed25519",
        "-N",
        passphrase,
        "-C",
        "me @ home",
        "-f",
        name,
        ...more,
      );
      const publicKey = must(readPublicKey(await Deno.readFile(`${at}/${name}.pub`)));
      assert.ok((await Deno.readTextFile(`${at}/${name}.pub`)).startsWith(`${opensshLine(publicKey)} `));
      assert.ok(
        (await run("ssh-keygen", "-lf", `${name}.pub`)).includes(` ${opensshFingerprint(publicKey)} `),
      );
      const bytes = await Deno.readFile(`${at}/${name}`);
      assert.deepEqual(must(readSigningKey(bytes, { passphrase })).publicKey, publicKey);
      if (passphrase === "") continue;
      const none = readSigningKey(bytes);
      assert.ok(!none.ok && none.refusal.reason === "key_encrypted");
      for (const wrong of ["hunter23", ""]) {
        const refused = readSigningKey(bytes, { passphrase: wrong });
        assert.ok(!refused.ok && refused.refusal.reason === "passphrase_wrong");
      }
    }
  });
});

Deno.test("ssh-keygen: what we cannot read is refused with the command that converts it", async () => {
  await inFolder(async (run, at) => {
    await run(
      "ssh-keygen",
      "-q",
      "-t",
      "ed25519",
      "-N",
      "hunter22",
      "-Z",
      "aes256-gcm@openssh.com",
      "-f",
      "gcm",
    );
    const gcm = readSigningKey(await Deno.readFile(`${at}/gcm`), { passphrase: "hunter22" });
    assert.ok(!gcm.ok && gcm.refusal.reason === "key_cipher_unknown");
    const [program, ...args] = ["ssh-keygen", "-p", "-Z", "aes256-ctr", "-P", "hunter22", "-N", "hunter22"];
    assert.ok(gcm.refusal.detail.includes("ssh-keygen -p -Z aes256-ctr -f"));
    await run(program!, ...args, "-f", "gcm");
    must(readSigningKey(await Deno.readFile(`${at}/gcm`), { passphrase: "hunter22" }));
    await run("ssh-keygen", "-q", "-t", "ecdsa", "-N", "", "-f", "ec");
    for (
      const read of [
        readSigningKey(await Deno.readFile(`${at}/ec`)),
        readPublicKey(await Deno.readFile(`${at}/ec.pub`)),
      ]
    ) {
      assert.ok(!read.ok && read.refusal.reason === "key_not_ed25519");
    }
  });
});

Deno.test("minisign: its public keys are read, and verify what it signed", async () => {
  await inFolder(async (run, at) => {
    await run("minisign", "-G", "-W", "-p", "m.pub", "-s", "m.key");
    await Deno.writeFile(`${at}/m`, message);
    // -l: Ed25519 over the bytes themselves, without hashing them first.
    await run("minisign", "-S", "-l", "-s", "m.key", "-m", "m", "-x", "m.sig");
    const publicKey = must(readPublicKey(await Deno.readFile(`${at}/m.pub`)));
    const line = (await Deno.readTextFile(`${at}/m.pub`)).split("\n")[1]!;
    assert.deepEqual(must(readPublicKey(new TextEncoder().encode(line))), publicKey);
    const sig = Uint8Array.fromBase64((await Deno.readTextFile(`${at}/m.sig`)).split("\n")[1]!).subarray(10);
    assert.equal(ed25519Verify(sig, message, publicKey.raw), true);
    const secret = readPublicKey(await Deno.readFile(`${at}/m.key`));
    assert.ok(!secret.ok && secret.refusal.reason === "key_is_private");
    const refused = readSigningKey(await Deno.readFile(`${at}/m.pub`));
    assert.ok(!refused.ok && refused.refusal.reason === "key_is_public");
  });
});
