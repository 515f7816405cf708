import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import fc from "fast-check";
import { DER, der } from "../../src/sign/der.ts";
import { hmacSecretOf } from "../../src/sign/hmac_secret.ts";
import { type KeyResult, privateKeyOf, publicKeyOf } from "../../src/sign/key.ts";
import { MAX_KEY_BYTES, readHmacSecret } from "../../src/sign/key_file.ts";
import { readSigningKey } from "../../src/sign/private_key_file.ts";
import { opensshLine } from "../../src/sign/openssh.ts";
import { renderEncryptedPem } from "../../src/sign/encrypted_pem.ts";
import { renderPrivatePem, renderPublicPem, spkiOf } from "../../src/sign/pem.ts";
import { readPublicKey } from "../../src/sign/public_key_file.ts";

const text = (s: string) => new TextEncoder().encode(s);

function must<Key>(result: KeyResult<Key>): Key {
  assert.ok(result.ok, result.ok ? "" : result.refusal.detail);
  return result.key;
}

function reason(result: KeyResult<unknown>): string {
  assert.ok(!result.ok);
  return result.refusal.reason;
}

const key = must(privateKeyOf(new Uint8Array(32).fill(7)));
const spki = spkiOf(key.publicKey.raw);
const pem = (label: string, der: Uint8Array) =>
  `-----BEGIN ${label}-----\n${der.toBase64()}\n-----END ${label}-----\n`;
const pkcs8 = Uint8Array.fromHex(`302e020100300506032b657004220420${key.seed.toHex()}`);

/** RFC 8410, section 10.1 and 10.3. */
const RFC_8410 = {
  public: "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n" +
    "-----END PUBLIC KEY-----\n",
  private: "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n" +
    "-----END PRIVATE KEY-----\n",
};

Deno.test("readSigningKey, readPublicKey: the examples of RFC 8410, read and written the same", () => {
  const privateKey = must(readSigningKey(text(RFC_8410.private)));
  const publicKey = must(readPublicKey(text(RFC_8410.public)));
  assert.deepEqual(privateKey.publicKey, publicKey);
  assert.equal(renderPrivatePem(privateKey), RFC_8410.private);
  assert.equal(renderPublicPem(publicKey), RFC_8410.public);
});

Deno.test("readPublicKey: PEM, DER and an OpenSSH line are the same key", () => {
  const forms = [
    text(renderPublicPem(key.publicKey)),
    text(`\n${renderPublicPem(key.publicKey).replaceAll("\n", "\r\n")}\n`),
    spki,
    text(opensshLine(key.publicKey)),
    text(`${opensshLine(key.publicKey)} me@host with words\n`),
  ];
  for (const form of forms) assert.deepEqual(must(readPublicKey(form)), key.publicKey);
});

Deno.test("readPublicKey: what is no Ed25519 public key is refused by its name", () => {
  const of = (type: string) => {
    const pair = type === "rsa"
      ? generateKeyPairSync("rsa", { modulusLength: 2048 })
      : type === "ec"
      ? generateKeyPairSync("ec", { namedCurve: "P-256" })
      : generateKeyPairSync("x25519");
    return pair.publicKey.export({ format: "pem", type: "spki" }) as string;
  };
  for (const [type, name] of [["rsa", "RSA"], ["ec", "EC"], ["x25519", "X25519"]]) {
    const read = readPublicKey(text(of(type!)));
    assert.ok(!read.ok && read.refusal.reason === "key_not_ed25519" && read.refusal.detail.includes(name!));
  }
  for (const type of ["ssh-rsa", "ecdsa-sha2-nistp256", "sk-ssh-ed25519@openssh.com"]) {
    assert.equal(reason(readPublicKey(text(`${type} AAAA x`))), "key_not_ed25519");
  }
  assert.equal(reason(readPublicKey(text(renderPrivatePem(key)))), "key_is_private");
  assert.equal(reason(readPublicKey(text("-----BEGIN EC PRIVATE KEY-----\n"))), "key_is_private");
  assert.equal(reason(readPublicKey(text("-----BEGIN CERTIFICATE-----\n"))), "key_unknown");
  assert.equal(reason(readPublicKey(text(""))), "key_unknown");
  assert.equal(reason(readPublicKey(new Uint8Array(MAX_KEY_BYTES + 1))), "key_too_large");
  const two = `${opensshLine(key.publicKey)}\n${opensshLine(key.publicKey)}\n`;
  assert.equal(reason(readPublicKey(text(two))), "key_several");
  assert.equal(reason(readPublicKey(text(renderPublicPem(key.publicKey).repeat(2)))), "key_malformed");
  assert.equal(reason(readPublicKey(text(`x\n${renderPublicPem(key.publicKey)}`))), "key_unknown");
});

Deno.test("readPublicKey: points nobody should trust are refused in every form", () => {
  const identity = new Uint8Array(32);
  identity[0] = 1;
  assert.equal(reason(readPublicKey(spkiOf(identity))), "key_small_order");
  assert.equal(reason(readPublicKey(text(pem("PUBLIC KEY", spkiOf(identity))))), "key_small_order");
  const notCanonical = new Uint8Array(32).fill(0xff);
  notCanonical[31] = 0x7f;
  assert.equal(reason(publicKeyOf(notCanonical)), "key_not_canonical");
});

Deno.test("readPublicKey: an SPKI has one spelling", () => {
  const h = spki.toHex();
  const odd = [
    h.replace(/^302a/, "30812a"),
    h.replace("302a300506032b6570", "302c300706032b65700500"),
    `${h}00`,
    h.slice(0, -2),
    h.replace("032100", "032101"),
    h.replace("032100", "042100"),
  ];
  for (const hex of odd) {
    assert.equal(
      reason(readPublicKey(text(pem("PUBLIC KEY", Uint8Array.fromHex(hex))))),
      "key_malformed",
      hex,
    );
  }
});

Deno.test("readSigningKey: PKCS#8 with the public key in it, if it is the right one", () => {
  const withPublic = (raw: Uint8Array) => {
    const body = `020101300506032b657004220420${key.seed.toHex()}812100${raw.toHex()}`;
    return text(pem("PRIVATE KEY", Uint8Array.fromHex(`3051${body}`)));
  };
  assert.deepEqual(must(readSigningKey(withPublic(key.publicKey.raw))).publicKey, key.publicKey);
  const other = must(privateKeyOf(new Uint8Array(32).fill(8)));
  assert.equal(reason(readSigningKey(withPublic(other.publicKey.raw))), "key_malformed");
  const odd = [`${pkcs8.toHex()}00`, pkcs8.toHex().slice(0, -2), pkcs8.toHex().replace("020100", "020101")];
  for (const hex of odd) {
    assert.equal(reason(readSigningKey(text(pem("PRIVATE KEY", Uint8Array.fromHex(hex))))), "key_malformed");
  }
});

Deno.test("readSigningKey: an encrypted key opens with its passphrase only", () => {
  const salt = new Uint8Array(16).fill(1), iv = new Uint8Array(16).fill(2);
  const sealed = renderEncryptedPem(key, "correct horse ü", salt, iv);
  assert.equal(sealed, renderEncryptedPem(key, "correct horse ü", salt, iv));
  assert.ok(!sealed.includes(key.seed.toBase64().slice(4, 20)));
  const opened = must(readSigningKey(text(sealed), { passphrase: "correct horse ü" }));
  assert.deepEqual(opened.seed, key.seed);
  assert.equal(reason(readSigningKey(text(sealed))), "key_encrypted");
  for (const passphrase of ["correct horse", "", "correct horse u"]) {
    assert.equal(reason(readSigningKey(text(sealed), { passphrase })), "passphrase_wrong");
  }
});

Deno.test("readSigningKey: a key that would take hours to open is refused at once", () => {
  const bytes = (hex: string) => Uint8Array.fromHex(hex);
  const oid = (hex: string) => der(DER.oid, bytes(hex));
  const number = (hex: string) => der(DER.integer, bytes(hex));
  const zeros = der(DER.octetString, new Uint8Array(16));
  const sealed = (derivation: Uint8Array) => {
    const cipher = der(DER.sequence, oid("60864801650304012a"), zeros);
    const scheme = der(DER.sequence, oid("2a864886f70d01050d"), der(DER.sequence, derivation, cipher));
    return text(pem("ENCRYPTED PRIVATE KEY", der(DER.sequence, scheme, zeros)));
  };
  const sha256 = der(DER.sequence, oid("2a864886f70d0209"), der(DER.null));
  const pbkdf2 = (rounds: string) =>
    der(DER.sequence, oid("2a864886f70d01050c"), der(DER.sequence, zeros, number(rounds), sha256));
  const scrypt = (...cost: string[]) =>
    der(DER.sequence, oid("2b06010401da47040b"), der(DER.sequence, zeros, ...cost.map(number)));
  const read = (derivation: Uint8Array) => reason(readSigningKey(sealed(derivation), { passphrase: "x" }));
  const started = performance.now();
  assert.equal(read(pbkdf2("7fffffff")), "key_cipher_unknown");
  assert.equal(read(pbkdf2("7fffffffffffffffffff")), "key_cipher_unknown");
  assert.equal(read(scrypt("01000000", "08", "01")), "key_cipher_unknown");
  assert.equal(read(scrypt("4000", "08", "7fff")), "key_cipher_unknown");
  assert.ok(performance.now() - started < 2_000);
  // What a person may have chosen is only tried.
  assert.equal(read(pbkdf2("0800")), "passphrase_wrong");
  assert.equal(read(scrypt("4000", "08", "01")), "passphrase_wrong");
});

Deno.test("readSigningKey: what is no private key is refused by its name", () => {
  assert.equal(reason(readSigningKey(text(renderPublicPem(key.publicKey)))), "key_is_public");
  assert.equal(reason(readSigningKey(text(opensshLine(key.publicKey)))), "key_is_public");
  assert.equal(reason(readSigningKey(text("-----BEGIN RSA PRIVATE KEY-----\n"))), "key_not_ed25519");
  const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey;
  const read = readSigningKey(text(rsa.export({ format: "pem", type: "pkcs8" }) as string));
  assert.ok(!read.ok);
  assert.equal(read.refusal.detail, "an RSA key; veripatch signs and verifies with Ed25519");
  assert.equal(reason(readSigningKey(pkcs8)), "key_unknown");
  assert.equal(reason(readSigningKey(text("hunter2"))), "key_unknown");
});

Deno.test("readHmacSecret: at least 32 bytes, and one line end of a file is not among them", () => {
  const secret = "0123456789abcdef0123456789abcdef";
  const bytes = (s: string, file = true) => must(readHmacSecret(text(s), { file })).secret;
  assert.deepEqual(bytes(secret), text(secret));
  assert.deepEqual(bytes(`${secret}\n`), text(secret));
  assert.deepEqual(bytes(`${secret}\r\n`), text(secret));
  assert.deepEqual(bytes(`${secret}\n\n`), text(`${secret}\n`));
  assert.deepEqual(bytes(`${secret}\n`, false), text(`${secret}\n`));
  assert.equal(reason(readHmacSecret(text(secret.slice(1)))), "secret_too_short");
  assert.equal(reason(readHmacSecret(text(`${secret.slice(1)}\n`))), "secret_too_short");
  assert.equal(reason(hmacSecretOf(new Uint8Array(31))), "secret_too_short");
});

Deno.test("readHmacSecret: no key is a secret, least of all one that everybody knows", () => {
  const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const minisign = Uint8Array.from([0x45, 0x64, 1, 2, 3, 4, 5, 6, 7, 8, ...key.publicKey.raw]).toBase64();
  const keys = [
    renderPublicPem(key.publicKey),
    renderPrivatePem(key),
    opensshLine(key.publicKey),
    `ssh-rsa ${"A".repeat(300)} me`,
    rsa.publicKey.export({ format: "pem", type: "spki" }) as string,
    `  \n${rsa.publicKey.export({ format: "pem", type: "pkcs1" })}`,
    "---- BEGIN SSH2 PUBLIC KEY ----\nAAAA\n---- END SSH2 PUBLIC KEY ----",
    "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nxxxx\n",
    `untrusted comment: minisign public key\n${minisign}\n`,
    minisign,
    spki.toBase64(),
    spki.toHex(),
    opensshLine(key.publicKey).split(" ")[1]!,
    '{"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}',
  ];
  for (const one of keys) {
    assert.equal(reason(readHmacSecret(text(one))), "secret_is_key", one);
    assert.equal(reason(readHmacSecret(text(one), { file: false })), "secret_is_key", one);
  }
  assert.equal(reason(readHmacSecret(spki)), "secret_is_key");
  assert.equal(
    reason(readHmacSecret(new Uint8Array(rsa.publicKey.export({ format: "der", type: "spki" })))),
    "secret_is_key",
  );
});

Deno.test("key files: whatever the bytes, a value without them and no exception", () => {
  const seeds = [
    text(renderPublicPem(key.publicKey)),
    text(renderPrivatePem(key)),
    text(opensshLine(key.publicKey)),
    spki,
  ];
  const damaged = fc.tuple(
    fc.constantFrom(...seeds),
    fc.nat(120),
    fc.nat(20),
    fc.uint8Array({ maxLength: 8 }),
  )
    .map(([seed, at, cut, put]) =>
      Uint8Array.from([...seed.subarray(0, at), ...put, ...seed.subarray(at + cut)])
    );
  const openssh = fc.uint8Array({ maxLength: 200 }).map((bytes) =>
    text(pem("OPENSSH PRIVATE KEY", Uint8Array.from([...text("openssh-key-v1\0"), ...bytes])))
  );
  const der = fc.uint8Array({ minLength: 1, maxLength: 80 }).map((bytes) =>
    text(pem("PRIVATE KEY", Uint8Array.from([0x30, bytes.length, ...bytes])))
  );
  fc.assert(
    fc.property(fc.oneof(damaged, openssh, der, fc.uint8Array({ maxLength: 200 })), (bytes) => {
      for (
        const result of [
          readSigningKey(bytes, { passphrase: "x" }),
          readPublicKey(bytes),
          readHmacSecret(bytes),
        ]
      ) {
        if (!result.ok) assert.ok(result.refusal.detail.length < 200);
      }
    }),
    { numRuns: 1_500 },
  );
});
