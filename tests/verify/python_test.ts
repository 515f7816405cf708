import assert from "node:assert/strict";
import { renderPublicPem } from "../../src/sign/pem.ts";
import { attested, testKey, testSecret } from "../bundle/attested.ts";
import { ROOT } from "../../tools/pp.ts";
import { withFolder } from "../cli/process.ts";
import { corpus, lay } from "./corpus.ts";

const SCRIPT = `${ROOT}/examples/verify_bundle.py`;

/** Verifies many bundles in one process; each line of stdin is `[folder, keys, secrets, threshold]`. */
const DRIVER = `
import importlib.util, json, sys
spec = importlib.util.spec_from_file_location("verify_bundle", sys.argv[1])
tool = importlib.util.module_from_spec(spec)
spec.loader.exec_module(tool)
for line in sys.stdin:
    folder, keys, secrets, threshold = json.loads(line)
    sys.argv = ["verify_bundle.py", folder, "--threshold", str(threshold)]
    for path in keys: sys.argv += ["--key", path]
    for path in secrets: sys.argv += ["--hmac-key", path]
    print(tool.main(), flush=True)
`;

async function python(args: readonly string[], stdin = ""): Promise<{ code: number; stdout: string }> {
  const child = new Deno.Command("python3", {
    args: ["-B", ...args],
    stdin: "piped",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(stdin));
  await writer.close();
  const { code, stdout } = await child.output();
  return { code, stdout: new TextDecoder().decode(stdout) };
}

async function keyFiles(dir: string): Promise<void> {
  for (const number of [1, 2]) {
    await Deno.writeTextFile(`${dir}/${number}.pem`, renderPublicPem(testKey(number).publicKey));
  }
  await Deno.writeFile(`${dir}/5.secret`, testSecret(5).secret);
}

Deno.test("examples/verify_bundle.py: written from docs/formats.md alone, it agrees with us on the whole corpus", async () => {
  // Trust files are ours; time is asked of the machine's clock and tested below.
  const cases = corpus().filter((each) => each.trust === undefined && !each.expect.startsWith("freshness"));
  assert.ok(cases.length > 250, `${cases.length}`);
  await withFolder({}, async (dir) => {
    await keyFiles(dir);
    const lines: string[] = [];
    for (const [i, each] of cases.entries()) {
      await Deno.mkdir(`${dir}/${i}`);
      await lay(each, `${dir}/${i}`);
      const keys = (each.keys ?? [1]).map((n) => `${dir}/${n}.pem`);
      const secrets = (each.secrets ?? []).map((n) => `${dir}/${n}.secret`);
      lines.push(JSON.stringify([`${dir}/${i}`, keys, secrets, each.threshold ?? 1]));
    }
    const { code, stdout } = await python(["-c", DRIVER, SCRIPT], lines.join("\n"));
    assert.equal(code, 0);
    const said = stdout.trimEnd().split("\n").filter((line) => /^[0-9]$/.test(line));
    assert.equal(said.length, cases.length, stdout);
    const other = cases.filter((each, i) => said[i] !== (each.expect === "valid" ? "0" : "2"));
    assert.deepEqual(other.map((each) => each.name), []);
  });
});

Deno.test("examples/verify_bundle.py: as a command: age, nonce, exits", async () => {
  const fresh = await attested([testKey(1)], { issuedAt: new Date(), nonce: "ticket 7" });
  const files = Object.fromEntries([...fresh].map(([name, bytes]) => [`bundle/${name}`, bytes]));
  await withFolder(files, async (dir) => {
    await keyFiles(dir);
    const run = (...args: string[]) => python([SCRIPT, `${dir}/bundle`, "--key", `${dir}/1.pem`, ...args]);
    const good = await run("--max-age", "600", "--nonce", "ticket 7");
    assert.equal(good.code, 0, good.stdout);
    assert.match(good.stdout, /^valid: session \S+ turned green: python3 -m pytest -q\n$/);
    assert.equal((await run("--nonce", "ticket 8")).code, 2);
    assert.equal((await run("--max-age", "-10")).code, 2);
    assert.equal((await run("--threshold", "2")).code, 2);
    const stranger = await python([SCRIPT, `${dir}/bundle`, "--key", `${dir}/2.pem`]);
    assert.equal(stranger.code, 2);
    assert.match(stranger.stdout, /^invalid: /);
    await Deno.mkdir(`${dir}/session`);
    await Deno.rename(`${dir}/bundle`, `${dir}/session/proof_bundle`);
    const session = await python([SCRIPT, `${dir}/session`, "--key", `${dir}/1.pem`]);
    assert.equal(session.code, 0, session.stdout);
    await Deno.writeTextFile(`${dir}/session/repro.json`, "{}");
    assert.equal(
      (await python([SCRIPT, `${dir}/session`, "--key", `${dir}/1.pem`])).code,
      2,
      "a bundle of its own",
    );
    const usage = [[], ["--key"], ["--key", `${dir}/none.pem`], [
      "--key",
      `${dir}/1.pem`,
      "--threshold",
      "x",
    ]];
    for (const wrong of usage) {
      assert.equal((await python([SCRIPT, `${dir}/session`, ...wrong])).code, 64, wrong.join(" "));
    }
    assert.equal((await python([SCRIPT, `${dir}/session`, "--key", `${dir}/5.secret`])).code, 65);
  });
});
