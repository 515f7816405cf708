import assert from "node:assert/strict";
import { preAuthEncoding } from "../../src/sign/dsse.ts";
import { privateKeyOf } from "../../src/sign/key.ts";
import { opensshLine } from "../../src/sign/openssh.ts";
import { renderPrivatePem, renderPublicPem } from "../../src/sign/pem.ts";
import { hmacSecret, hmacSecretInput, signingKey, verificationKeys } from "../../src/cli/key_input.ts";
import { Failure } from "../../src/vocabulary/failure.ts";
import { pp, withFolder } from "./process.ts";

const made = privateKeyOf(new Uint8Array(32).fill(7));
assert.ok(made.ok);
const key = made.key;
const PRIVATE = renderPrivatePem(key);
const PUBLIC = renderPublicPem(key.publicKey);
/** Parts of the private key in the encodings it could leak in. */
const LEAKS = [
  key.seed.toBase64().slice(4, 20),
  key.seed.toHex().slice(0, 20),
  PRIVATE.split("\n")[1]!.slice(-20),
];

async function tool(cwd: string, program: string, ...args: string[]): Promise<string> {
  const command = new Deno.Command(program, { args, cwd, stdin: "null", stderr: "piped" });
  const { success, stdout, stderr } = await command.output();
  assert.ok(success, new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout);
}

const mode = async (path: string) => (await Deno.stat(path)).mode! & 0o777;

const failing = (kind: string, code: string) => (error: unknown) =>
  error instanceof Failure && error.kind === kind && error.code === code;

Deno.test("keygen: a key pair that openssl takes; only the owner can read the private half", async () => {
  await withFolder({}, async (at) => {
    const { code, stdout, stderr } = await pp(["keygen", "-o", "ci"], { cwd: at });
    assert.deepEqual([code, stderr], [0, ""]);
    assert.equal(await mode(`${at}/ci.key.pem`), 0o600);
    const publicPem = await Deno.readTextFile(`${at}/ci.pub.pem`);
    assert.equal(await tool(at, "openssl", "pkey", "-in", "ci.key.pem", "-pubout"), publicPem);
    const [publicKey] = await verificationKeys([`${at}/ci.pub.pem`]);
    assert.ok(stdout.includes(publicKey!.id) && stdout.includes("SHA256:"));
    await Deno.writeFile(`${at}/m`, preAuthEncoding("t", new Uint8Array(3)));
    await tool(at, "openssl", "pkeyutl", "-sign", "-rawin", "-inkey", "ci.key.pem", "-in", "m", "-out", "s");
    assert.deepEqual([...Deno.readDirSync(at)].map((e) => e.name).sort(), [
      "ci.key.pem",
      "ci.pub.pem",
      "m",
      "s",
    ]);
    const other = await pp(["keygen", "-o", "other", "--json"], { cwd: at });
    const json = JSON.parse(other.stdout);
    assert.equal(json.format, "veripatch-key-files/v1");
    assert.notEqual(json.id, publicKey!.id, "two keys are different");
  });
});

Deno.test("keygen: replaces nothing without --force, and no link is followed with it", async () => {
  await withFolder({ "ci.pub.pem": "mine", "other": "mine too" }, async (at) => {
    const first = await pp(["keygen", "-o", "ci"], { cwd: at });
    assert.equal(first.code, 64);
    assert.match(first.stderr, /there is a file already: ci\.pub\.pem[^]*--force/);
    assert.deepEqual([...Deno.readDirSync(at)].map((e) => e.name).sort(), ["ci.pub.pem", "other"]);
    assert.equal(await Deno.readTextFile(`${at}/ci.pub.pem`), "mine");
    await Deno.symlink("other", `${at}/ci.key.pem`);
    assert.equal((await pp(["keygen", "-o", "ci", "--force"], { cwd: at })).code, 0);
    assert.equal(await Deno.readTextFile(`${at}/other`), "mine too");
    assert.equal((await Deno.lstat(`${at}/ci.key.pem`)).isFile, true);
    assert.equal(await mode(`${at}/ci.key.pem`), 0o600);
    assert.equal((await pp(["keygen", "-o", "missing/ci"], { cwd: at })).code, 69);
  });
});

Deno.test("keygen: an encrypted key opens with its passphrase, from a file or a variable", async () => {
  await withFolder({ words: "correct horse\n" }, async (at) => {
    await Deno.chmod(`${at}/words`, 0o600);
    const made = await pp(["keygen", "-o", "ci", "--passphrase-file", "words"], { cwd: at });
    assert.equal(made.code, 0, made.stderr);
    assert.match(await Deno.readTextFile(`${at}/ci.key.pem`), /^-----BEGIN ENCRYPTED PRIVATE KEY-----/);
    await tool(at, "openssl", "pkey", "-in", "ci.key.pem", "-passin", "pass:correct horse", "-noout");
    const show = (flags: string[], env = {}) => pp(["key", "show", "ci.key.pem", ...flags], { cwd: at, env });
    const opened = await show(["--passphrase-env", "WORDS"], { WORDS: "correct horse" });
    assert.match(opened.stdout, /^Ed25519 private key, encrypted\n/);
    const wrong = await show(["--passphrase-env", "WORDS"], { WORDS: "correct house" });
    assert.equal(wrong.code, 77);
    assert.ok(!`${wrong.stdout}${wrong.stderr}`.includes("house"));
    const none = await show([]);
    assert.equal(none.code, 64);
    assert.match(none.stderr, /ci\.key\.pem: the private key is encrypted\nhint: .*--passphrase-file/);
    assert.equal((await show(["--passphrase"])).code, 64, "nobody is there to be asked");
    await Deno.chmod(`${at}/words`, 0o640);
    const exposed = await show(["--passphrase-file", "words"]);
    assert.equal(exposed.code, 77);
    assert.match(
      exposed.stderr,
      /passphrase file words is open to others \(mode 0640\)\nhint: chmod 600 words/,
    );
  });
});

Deno.test("key show: a private key others can read is refused with the chmod to run; a public one is not", async () => {
  await withFolder({ "k y.pem": PRIVATE, "p.pem": PUBLIC }, async (at) => {
    for (const bits of [0o644, 0o640, 0o604, 0o620, 0o601]) {
      await Deno.chmod(`${at}/k y.pem`, bits);
      const { code, stdout, stderr } = await pp(["key", "show", "k y.pem", "--json"], { cwd: at });
      assert.equal(code, 77);
      assert.match(stderr, /hint: chmod 600 'k y\.pem'/);
      assert.equal(JSON.parse(stdout).error.code, "secret_exposed");
    }
    await Deno.chmod(`${at}/k y.pem`, 0o400);
    assert.equal((await pp(["key", "show", "k y.pem"], { cwd: at })).code, 0);
    await Deno.chmod(`${at}/p.pem`, 0o666);
    assert.equal((await pp(["key", "show", "p.pem"], { cwd: at })).code, 0);
  });
});

Deno.test("key show: a key from a file, a variable or stdin, and no part of it is printed", async () => {
  await withFolder({ "k.pem": PRIVATE, "p.pem": PUBLIC }, async (at) => {
    await Deno.chmod(`${at}/k.pem`, 0o600);
    const calls: [string, Record<string, string>, string | undefined, string][] = [
      ["k.pem", {}, undefined, "private"],
      ["env:CI_KEY", { CI_KEY: PRIVATE }, undefined, "private"],
      ["-", {}, PRIVATE, "private"],
      ["p.pem", {}, undefined, "public"],
      ["-", {}, opensshLine(key.publicKey), "public"],
    ];
    for (const [spec, env, stdin, kind] of calls) {
      const options = { cwd: at, env, ...(stdin === undefined ? {} : { stdin }) };
      const json = await pp(["key", "show", spec, "--json"], options);
      const document = JSON.parse(json.stdout);
      assert.deepEqual([document.kind, document.id], [kind, key.publicKey.id], spec);
      const text = await pp(["key", "show", spec], options);
      for (const said of [json.stdout, json.stderr, text.stdout, text.stderr]) {
        for (const leak of LEAKS) assert.ok(!said.includes(leak));
      }
    }
  });
});

Deno.test("key show: what cannot be read is refused without a word of it", async () => {
  const damaged = PRIVATE.replace("MC4C", "MC4D");
  await withFolder(
    { "damaged.pem": damaged, "secret": "hunter2hunter2hunter2hunter2hunter2hunter2" },
    async (at) => {
      await Deno.chmod(`${at}/damaged.pem`, 0o600);
      for (
        const [spec, exit] of [["damaged.pem", 65], ["secret", 65], ["missing", 64], [
          "env:NOT_SET",
          64,
        ]] as const
      ) {
        const { code, stdout, stderr } = await pp(["key", "show", spec, "--json"], { cwd: at });
        assert.equal(code, exit, stderr);
        for (const leak of [...LEAKS, "hunter2"]) assert.ok(!`${stdout}${stderr}`.includes(leak), spec);
      }
    },
  );
});

Deno.test("key import: OpenSSH and minisign keys become PEM; what was encrypted stays encrypted", async () => {
  await withFolder({}, async (at) => {
    await tool(at, "ssh-keygen", "-q", "-t", "ed25519", "-N", "hunter22", "-f", "sealed");
    await tool(at, "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", "plain");
    await tool(at, "minisign", "-G", "-W", "-p", "m.pub", "-s", "m.key");
    const options = { cwd: at, env: { WORDS: "hunter22" } };
    const sealed = await pp(["key", "import", "sealed", "-o", "a", "--passphrase-env", "WORDS"], options);
    assert.equal(sealed.code, 0, sealed.stderr);
    const opened = await tool(
      at,
      "openssl",
      "pkey",
      "-in",
      "a.key.pem",
      "-passin",
      "pass:hunter22",
      "-pubout",
    );
    assert.equal(opened, await Deno.readTextFile(`${at}/a.pub.pem`));
    assert.deepEqual(
      await verificationKeys([`${at}/a.pub.pem`]),
      await verificationKeys([`${at}/sealed.pub`]),
    );
    assert.equal((await pp(["key", "import", "plain", "-o", "b"], options)).code, 0);
    assert.match(await Deno.readTextFile(`${at}/b.key.pem`), /BEGIN PRIVATE KEY/);
    assert.equal(
      (await pp(["key", "import", "plain", "-o", "c", "--passphrase-env", "WORDS"], options)).code,
      0,
    );
    assert.match(await Deno.readTextFile(`${at}/c.key.pem`), /BEGIN ENCRYPTED PRIVATE KEY/);
    const minisign = await pp(["key", "import", "m.pub", "-o", "d", "--json"], options);
    assert.equal(JSON.parse(minisign.stdout).private_key, null);
    assert.deepEqual(await verificationKeys([`${at}/d.pub.pem`]), await verificationKeys([`${at}/m.pub`]));
    for (const name of ["a", "b", "c"]) assert.equal(await mode(`${at}/${name}.key.pem`), 0o600);
    const rsa = await tool(at, "openssl", "genrsa", "2048").then((pem) => pem);
    const refused = await pp(["key", "import", "-", "-o", "e"], { ...options, stdin: rsa });
    assert.equal(refused.code, 65);
    assert.match(
      refused.stderr,
      /stdin: an RSA key; veripatch signs and verifies with Ed25519/,
    );
  });
});

Deno.test("signingKey, verificationKeys, hmacSecret: what attest and the verifiers call", async () => {
  const secret = "0123456789abcdef0123456789abcdef";
  await withFolder({ "k.pem": PRIVATE, "p.pem": PUBLIC, "s": `${secret}\n` }, async (at) => {
    await Deno.chmod(`${at}/k.pem`, 0o600);
    assert.deepEqual((await signingKey(`${at}/k.pem`)).publicKey, key.publicKey);
    assert.deepEqual(await verificationKeys([`${at}/p.pem`, `${at}/p.pem`]), [key.publicKey]);
    await assert.rejects(signingKey(`${at}/p.pem`), failing("malformed", "key_is_public"));
    await assert.rejects(verificationKeys([`${at}/k.pem`]), failing("malformed", "key_is_private"));
    await assert.rejects(verificationKeys([at]), failing("denied", "file_unreadable"));
    await Deno.chmod(`${at}/s`, 0o644);
    await assert.rejects(hmacSecretInput(`${at}/s`), failing("denied", "secret_exposed"));
    await Deno.chmod(`${at}/s`, 0o600);
    assert.deepEqual((await hmacSecretInput(`${at}/s`)).secret, new TextEncoder().encode(secret));
    const name = "PP_TEST_HMAC_KEY_OF_KEY_TEST";
    try {
      Deno.env.set(name, `${secret}\n`);
      assert.deepEqual((await hmacSecret(name)).secret, new TextEncoder().encode(`${secret}\n`));
      Deno.env.set(name, "short");
      await assert.rejects(hmacSecret(name), failing("malformed", "secret_too_short"));
      Deno.env.set(name, PUBLIC);
      await assert.rejects(hmacSecret(name), failing("malformed", "secret_is_key"));
    } finally {
      Deno.env.delete(name);
    }
    await assert.rejects(hmacSecret(name), failing("usage", "variable_missing"));
  });
});

Deno.test("pp keygen: -o, --output and --out are one flag; no folder and a file that is there are said plainly", async () => {
  await withFolder({}, async (cwd) => {
    for (const [flag, name] of [["-o", "a"], ["--output", "b"], ["--out", "c"]] as const) {
      assert.equal((await pp(["keygen", flag, name], { cwd })).code, 0);
      assert.equal((await Deno.stat(`${cwd}/${name}.pub.pem`)).isFile, true);
    }
    const again = await pp(["keygen", "-o", "a"], { cwd });
    assert.equal(again.code, 64);
    assert.doesNotMatch(again.stderr, /tmp|because|os error/);
    const nowhere = await pp(["keygen", "-o", "no/a"], { cwd });
    assert.equal(nowhere.code, 69);
    assert.match(nowhere.stderr, /^pp: cannot write no\/a\.key\.pem: there is no such folder\n/);
    const unnamed = await pp(["key", "import", "a.pub.pem"], { cwd });
    assert.equal(unnamed.code, 64);
    assert.equal((await pp(["key", "import", "a.pub.pem", "--out", "d"], { cwd })).code, 0);
  });
});
