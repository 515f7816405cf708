import assert from "node:assert/strict";
import { privateKeyOf } from "../../src/sign/key.ts";
import { opensshLine } from "../../src/sign/openssh.ts";
import { opensshFingerprint } from "../../src/sign/openssh_fingerprint.ts";
import { trustAdd, trustInit, trustRevoke } from "../../src/cli/trust.ts";
import { trustCheck } from "../../src/cli/trust_check.ts";
import { loadTrust } from "../../src/cli/trust_input.ts";
import { pp, withFolder } from "./process.ts";

const publicKey = (n: number) => {
  const made = privateKeyOf(new Uint8Array(32).fill(n));
  assert.ok(made.ok);
  return made.key.publicKey;
};
const KEYS = Object.fromEntries([1, 2, 3].map((n) => [`${n}.pub`, `${opensshLine(publicKey(n))} me\n`]));

Deno.test("pp trust: --trust names the file, as elsewhere; --file and list are older and other words", async () => {
  await withFolder(KEYS, async (cwd) => {
    const run = async (...args: string[]) => await pp(["trust", ...args], { cwd });
    assert.equal((await run("init", "--trust", "mine.yaml")).code, 0);
    assert.equal((await run("add", "ci", "1.pub", "--role", "prover", "--trust", "mine.yaml")).code, 0);
    assert.equal((await run("add", "ann", "2.pub", "--role", "approver", "--file", "mine.yaml")).code, 0);
    assert.equal((await run("revoke", "2.pub", "-f", "mine.yaml")).code, 0);
    for (const args of [["mine.yaml"], ["--trust", "mine.yaml"], ["--file", "mine.yaml"]]) {
      assert.match((await run("list", ...args)).stdout, /^ci \(prover\)\n/);
    }
    const twice = await run("add", "bob", "3.pub", "--role", "prover", "--trust", "a", "--file", "b");
    assert.deepEqual([twice.code, /two trust files are named/.test(twice.stderr)], [64, true]);
    assert.doesNotMatch((await run("add", "--help")).stdout, /--file/);
  });
});

Deno.test("pp trust: from nobody to a key that is revoked", async () => {
  await withFolder(KEYS, async (cwd) => {
    const env = { HOME: "", XDG_CONFIG_HOME: "" };
    const run = async (...args: string[]) => await pp(["trust", ...args], { cwd, env });
    const nothing = await run("check", "nosuch");
    assert.deepEqual([nothing.code, /pp trust init/.test(nothing.stderr)], [64, true]);
    const first = await run("init");
    assert.match(
      first.stdout,
      /^wrote {7}trust\.yaml: it trusts nobody yet\nfile {8}\/.*\nnext {8}pp trust add NAME KEY --role prover\n/,
    );
    assert.match((await run("init", "-f", "o t.yaml")).stdout, /--trust 'o t\.yaml'$/m);
    assert.equal((await run("check", "-f", "o t.yaml")).code, 2);
    assert.equal((await run("check", "a.yaml", "--file", "b.yaml")).code, 64);
    const empty = await run("check");
    assert.deepEqual([empty.code, /nobody is trusted yet/.test(empty.stdout)], [2, true]);
    assert.equal((await run("init")).code, 64, "nothing is replaced without --force");
    assert.equal((await run("add", "ci", "1.pub", "--role", "prover", "--role", "replayer")).code, 0);
    const check = await run("check");
    assert.equal(check.code, 0, check.stdout);
    assert.match(check.stdout, /^ci \(prover, replayer\)\n/);
    assert.ok(check.stdout.includes(opensshFingerprint(publicKey(1))));
    const revoked = await run("revoke", "1.pub", "--reason", "laptop lost");
    assert.equal(revoked.code, 0, revoked.stderr);
    const after = await run("check", "--json");
    assert.equal(after.code, 2);
    const json = JSON.parse(after.stdout);
    assert.deepEqual([json.format, json.ok], ["veripatch-trust-check/v1", false]);
    assert.deepEqual(
      [json.principals[0].keys[0].state, json.principals[0].keys[0].reason],
      ["revoked", "laptop lost"],
    );
    assert.match(await Deno.readTextFile(`${cwd}/trust.yaml`), /^# Which keys[^]*revoked_at: 20\d\d-/);
  });
});

Deno.test("trust add: a key and a role are needed, and a key is added once", async () => {
  await withFolder(KEYS, async (at) => {
    const file = `${at}/trust.yaml`;
    await trustInit(file, false);
    await assert.rejects(trustAdd(file, "ci", `${at}/1.pub`, {}), { code: "no_role" });
    await assert.rejects(trustAdd(file, "ci", `${at}/1.pub`, { role: ["provr"] }), { code: "role_unknown" });
    const when = { role: ["prover"], validUntil: "tomorrow" };
    await assert.rejects(trustAdd(file, "ci", `${at}/1.pub`, { ...when }), { code: "time_malformed" });
    await trustAdd(file, "ci", `${at}/1.pub`, { role: ["prover"] });
    await assert.rejects(trustAdd(file, "bob", `${at}/1.pub`, { role: ["prover"] }), { code: "key_listed" });
    await trustAdd(file, "ci", `${at}/2.pub`, { validUntil: "2027-01-01T00:00:00Z" });
    const { trust } = await loadTrust(file);
    assert.deepEqual(trust.principals.map(({ name, keys }) => [name, keys.length]), [["ci", 2]]);
    await trustRevoke(file, publicKey(1).id, {});
    await assert.rejects(trustAdd(file, "ci", `${at}/1.pub`, {}), { code: "key_listed" });
  });
});

Deno.test("trust add: says which roles the principal has now, and that they are those of all its keys", async () => {
  await withFolder(KEYS, async (at) => {
    const file = `${at}/trust.yaml`;
    await trustInit(file, false);
    const first = await trustAdd(file, "ci", `${at}/1.pub`, { role: ["prover"] });
    assert.match(first.text, /^roles {7}prover\nnext/m);
    const same = await trustAdd(file, "ci", `${at}/2.pub`, { role: ["prover"] });
    assert.match(same.text, /^roles {7}prover\nnext/m);
    const wider = await trustAdd(file, "ci", `${at}/3.pub`, { role: ["replayer", "replayer"] });
    assert.match(wider.text, /^roles {7}prover, replayer\nnote .* 2 keys before: as replayer, each of them/m);
    assert.deepEqual((wider.json as { roles: unknown }).roles, ["prover", "replayer"]);
    const { trust } = await loadTrust(file);
    assert.deepEqual(trust.principals[0]!.roles, ["prover", "replayer"]);
  });
});

Deno.test("trust revoke: a key by its id, the start of it, its fingerprint or itself", async () => {
  const names = [
    publicKey(1).id,
    publicKey(1).id.slice(0, 8).toUpperCase(),
    opensshFingerprint(publicKey(1)),
    "1.pub",
  ];
  for (const name of names) {
    await withFolder(KEYS, async (at) => {
      const file = `${at}/trust.yaml`;
      await trustInit(file, false);
      for (const n of [1, 2]) await trustAdd(file, `p${n}`, `${at}/${n}.pub`, { role: ["approver"] });
      await trustRevoke(file, name === "1.pub" ? `${at}/1.pub` : name, {});
      const { trust } = await loadTrust(file);
      assert.deepEqual(trust.principals.map(({ keys }) => keys[0]!.revokedAt !== null), [true, false]);
      await assert.rejects(trustRevoke(file, `${at}/3.pub`, {}), { code: "key_not_listed" });
      await assert.rejects(trustRevoke(file, "00000000", {}), { code: "key_not_listed" });
      await assert.rejects(trustRevoke(file, publicKey(1).id, {}), { code: "already_revoked" });
    });
  }
});

Deno.test("trust check: says of each role whether its threshold can be met now", async () => {
  const text = `format: veripatch-trust/v1
principals:
  - {name: a, roles: [prover], keys: [{public_key: ${opensshLine(publicKey(1))}}, {public_key: ${
    opensshLine(publicKey(2))
  }}]}
  - name: b
    roles: [prover]
    keys: [{public_key: ${opensshLine(publicKey(3))}, valid_from: 2026-06-01T00:00:00Z}]
thresholds: {prover: 2}
`;
  await withFolder({ "trust.yaml": text }, async (at) => {
    const before = await trustCheck(`${at}/trust.yaml`, new Date("2026-05-31T23:59:59Z"));
    assert.equal(before.exit, 2);
    assert.match(before.text, /problem: prover: 2 must sign and 1 principal can now/);
    assert.match(before.text, /valid from 2026-06-01T00:00:00Z, not yet/);
    assert.equal((await trustCheck(`${at}/trust.yaml`, new Date("2026-06-01T00:00:00Z"))).exit, 0);
    await Deno.chmod(`${at}/trust.yaml`, 0o664);
    const open = await trustCheck(`${at}/trust.yaml`, new Date("2026-06-01T00:00:00Z"));
    assert.match(open.text, /warning: others can write this file \(mode 0664\)/);
  });
});

Deno.test("trust check: a malformed file is exit 65 with every problem and its line", async () => {
  const text = 'format: veripatch-trust/v1\nprincipals:\n  - {name: "\\e[31m", roles: [boss], keys: []}\n';
  await withFolder({ "trust.yaml": text }, async (at) => {
    const { exit, text: said, json } = await trustCheck(`${at}/trust.yaml`, new Date());
    assert.equal(exit, 65);
    assert.equal((json as { problems: unknown[] }).problems.length, 3);
    assert.match(
      said,
      /trust\.yaml:3:\d+ principals\[0\]\.roles\[0\]: must be one of prover, replayer, approver/,
    );
    assert.ok(!said.includes("\u001b"));
    await assert.rejects(loadTrust(`${at}/trust.yaml`), { code: "trust_malformed", kind: "malformed" });
    await assert.rejects(loadTrust(`${at}/none.yaml`), { code: "file_missing", kind: "usage" });
  });
});

Deno.test("trust add, revoke: permissions stay, and a linked file is changed where it is", async () => {
  await withFolder(KEYS, async (at) => {
    await trustInit(`${at}/real.yaml`, false);
    await Deno.chmod(`${at}/real.yaml`, 0o640);
    await Deno.symlink("real.yaml", `${at}/trust.yaml`);
    await trustAdd(`${at}/trust.yaml`, "ci", `${at}/1.pub`, { role: ["prover"] });
    assert.equal((await Deno.lstat(`${at}/trust.yaml`)).isSymlink, true);
    assert.equal((await Deno.stat(`${at}/real.yaml`)).mode! & 0o777, 0o640);
    assert.equal((await loadTrust(`${at}/real.yaml`)).trust.principals.length, 1);
  });
});

Deno.test("pp trust: says which file it used and why, and which one approvals are judged by", async () => {
  await withFolder(KEYS, async (folder) => {
    const cwd = await Deno.realPath(folder), own = `${cwd}/home/.config/veripatch`;
    const env = { HOME: `${cwd}/home`, XDG_CONFIG_HOME: "" };
    const run = async (args: readonly string[], at = cwd) => await pp(["trust", ...args], { cwd: at, env });
    const add = ["add", "ann", `${cwd}/1.pub`, "--role", "approver"];
    const none = await run(add);
    assert.equal(none.code, 64);
    assert.ok(
      none.stderr.includes(`there is no trust file ${cwd}/trust.yaml, and no --trust was given`),
      none.stderr,
    );
    assert.ok(
      none.stderr.includes(`approvals are judged by ${own}/trust.yaml: --trust names it`),
      none.stderr,
    );
    const here = `file        ${cwd}/trust.yaml, of this folder, as no --trust was given\n`;
    const other = `approvals   are judged by ${own}/trust.yaml, unless --trust names this file\n`;
    for (const args of [["init"], add, ["revoke", `${cwd}/1.pub`], ["check"]]) {
      const { stdout, stderr } = await run(args);
      assert.ok(stdout.includes(here + other), stdout + stderr);
    }
    const named = await run(["check", "--trust", "trust.yaml"]);
    assert.ok(
      named.stdout.includes(`file        ${cwd}/trust.yaml, as it was named\n${other}`),
      named.stdout,
    );
    // A link to the folder's file is that file.
    await Deno.mkdir(own, { recursive: true });
    await Deno.symlink(`${cwd}/trust.yaml`, `${own}/trust.yaml`);
    const same = await run(["check"]);
    assert.ok(same.stdout.includes(here) && !same.stdout.includes("approvals "), same.stdout);
    const { path, approvals_use, named: was } = JSON.parse((await run(["check", "--json"])).stdout);
    assert.deepEqual([path, approvals_use, was], [`${cwd}/trust.yaml`, null, false]);
  });
});
