import assert from "node:assert/strict";
import { bundleFiles } from "../../src/bundle/documents.ts";
import { record, redact } from "../bundle/fixture.ts";
import { pp, withFolder } from "./process.ts";

const BASE = 'import subprocess\n\n\ndef run(name):\n    subprocess.run(["ls", "-l"])\n';
const AFTER = BASE.replace('["ls", "-l"]', '["ls", name], shell=True') +
  "\n\ndef send(x):\n    import urllib.request as u\n    getattr(u, 'url' + 'open')(x)\n";
const PATCH = [
  "--- a/a.py",
  "+++ b/a.py",
  "@@ -2,4 +2,9 @@",
  " ",
  " ",
  " def run(name):",
  '-    subprocess.run(["ls", "-l"])',
  '+    subprocess.run(["ls", name], shell=True)',
  "+",
  "+",
  "+def send(x):",
  "+    import urllib.request as u",
  "+    getattr(u, 'url' + 'open')(x)",
  "",
].join("\n");
const DENY = "policy:\n  safety:\n    deny: [network]\n";

Deno.test("pp safety scan: lists what code can do by capability, with place and function", async () => {
  await withFolder({ "a.py": AFTER, "b/c.js": "eval(x)\n", "d.zig": "x" }, async (cwd) => {
    const { code, stdout } = await pp(["safety", "scan"], { cwd });
    assert.equal(code, 0);
    assert.match(
      stdout,
      /^exec runs other programs\n {4}a\.py:5 {2}subprocess\.run\(\["ls", …\], shell=True\) in run$/m,
    );
    assert.match(stdout, /^network .*\n {4}a\.py:10 {2}urllib\.request\.urlopen\(…\) in send$/m);
    assert.match(stdout, /^dynamic_code .*\n {4}b\/c\.js:1 {2}eval\(…\)$/m);
    assert.match(stdout, /^unanalyzed .*\n {4}d\.zig {2}no grammar or no rules for it$/m);
    assert.match(stdout, /^3 files, .* 3 sites, 1 unanalyzed/m);
    const json = JSON.parse((await pp(["safety", "scan", "--json", "b", "a.py"], { cwd })).stdout);
    assert.equal(json.format, "veripatch-safety-scan/v1");
    assert.deepEqual(json.sites.map((s: { file: string }) => s.file).sort(), ["a.py", "a.py", "b/c.js"]);
    assert.equal(json.capabilities.exec, 1);
  });
});

Deno.test("pp safety diff: a patch file, two folders and stdin say the same; the verdict is the exit code", async () => {
  await withFolder(
    { "old/a.py": BASE, "new/a.py": AFTER, "p.diff": PATCH, "deny.yaml": DENY },
    async (root) => {
      const cwd = `${root}/old`;
      const patch = await pp(["safety", "diff", "--patch", "../p.diff"], { cwd });
      assert.equal(patch.code, 0, patch.stderr);
      assert.match(
        patch.stdout,
        /^added newly able to\n {4}network {7}a\.py:10 {2}urllib\.request\.urlopen\(…\) in send$/m,
      );
      assert.match(
        patch.stdout,
        /^widened .*\n {4}exec .*shell=True\) in run\n +before: subprocess\.run\(\["ls", "-l"\]\)$/m,
      );
      assert.match(patch.stdout, /^verdict {2}allowed$/m);
      const stdin = await pp(["safety", "diff", "--patch", "-"], { cwd, stdin: PATCH });
      assert.equal(stdin.stdout, patch.stdout);
      const folders = await pp(["safety", "diff", "--base", "old", "--cwd", "new"], { cwd: root });
      assert.equal(folders.stdout.replace("-1", ""), patch.stdout.replace("-1", ""));
      const denied = await pp([
        "safety",
        "diff",
        "--patch",
        "../p.diff",
        "--policy",
        "../deny.yaml",
        "--json",
      ], { cwd });
      assert.equal(denied.code, 2);
      const json = JSON.parse(denied.stdout);
      assert.equal(json.format, "veripatch-safety-diff/v1");
      assert.equal(json.outcome, "denied");
      assert.deepEqual(
        json.reasons.map((r: { code: string; path: string; line: number }) => [r.code, r.path, r.line]),
        [
          ["capability_denied", "a.py", 10],
        ],
      );
      assert.equal(json.widened[0].before.arguments[0], '["ls", "-l"]');
      assert.equal(await Deno.readTextFile(`${cwd}/a.py`), BASE, "the folder is only read");
    },
  );
});

Deno.test("pp safety diff: what could not be analyzed needs approval, exit 3", async () => {
  await withFolder({ "old/a.py": "x = 1\n", "new/a.py": "def f(:\n" }, async (cwd) => {
    const { code, stdout } = await pp(["safety", "diff", "--base", "old", "--cwd", "new"], { cwd });
    assert.equal(code, 3);
    assert.match(stdout, /^approval a\.py:1 does not parse: nobody knows what it can do$/m);
    assert.match(stdout, /^verdict {2}needs approval$/m);
  });
});

Deno.test("pp safety diff: a removed module is missed by who imports it, changed or not", async () => {
  const old = { "old/a.py": "import util\n", "old/util.py": "", "old/requirements.txt": "\n" };
  await withFolder({ ...old, "new/a.py": "import util\n", "new/requirements.txt": "\n" }, async (cwd) => {
    const { stdout } = await pp(["safety", "diff", "--base", "old", "--cwd", "new", "--json"], { cwd });
    assert.deepEqual(
      JSON.parse(stdout).missing_imports.map((
        i: { file: string; specifier: string },
      ) => [i.file, i.specifier]),
      [
        ["a.py", "util"],
      ],
    );
  });
});

Deno.test("pp safety: SARIF 2.1.0 with rules, places and fingerprints; -o writes it and never over a file", async () => {
  await withFolder({ "x y/ü#.py": "import os\nos.system(c)\n" }, async (cwd) => {
    const { code, stdout } = await pp(["safety", "scan", "--sarif"], { cwd });
    assert.equal(code, 0);
    const sarif = JSON.parse(stdout);
    assert.equal(sarif.version, "2.1.0");
    const [run] = sarif.runs;
    const [result] = run.results;
    assert.equal(run.tool.driver.rules[result.ruleIndex].id, "exec");
    assert.equal(result.ruleId, "exec");
    assert.equal(result.level, "note");
    const { artifactLocation, region } = result.locations[0].physicalLocation;
    assert.deepEqual([artifactLocation.uri, region.startLine], ["x%20y/%C3%BC%23.py", 2]);
    assert.match(result.partialFingerprints["veripatchSite/v1"], /^[0-9a-f]{64}$/);
    const written = await pp(["safety", "scan", "--sarif", "-o", "out.sarif"], { cwd });
    assert.equal(written.code, 0);
    assert.equal(JSON.parse(await Deno.readTextFile(`${cwd}/out.sarif`)).runs[0].results.length >= 1, true);
    assert.equal((await pp(["safety", "scan", "--sarif", "-o", "out.sarif"], { cwd })).code, 64);
    assert.equal((await pp(["safety", "scan", "--sarif", "-o", "out.sarif", "--force"], { cwd })).code, 0);
  });
});

Deno.test("pp safety: hostile names and code reach the terminal escaped", async () => {
  const files = { "a\u202eb\u001b[31m.py": "import os\nos.system('\\x1b[2J\u001b[2J\u202e')\n" };
  await withFolder(files, async (cwd) => {
    for (const args of [["safety", "scan"], ["safety", "scan", "--sarif"]]) {
      const { stdout } = await pp(args, { cwd });
      // deno-lint-ignore no-control-regex
      assert.doesNotMatch(stdout, /[\u001b\u202e]/);
      assert.match(stdout, /os\.system/);
    }
  });
});

Deno.test("pp safety: wrong calls say what to do", async () => {
  await withFolder(
    { "a.py": "x = 1\n", "p.diff": "--- a/b.py\n+++ b/b.py\n@@ -1 +1 @@\n-x\n+y\n" },
    async (cwd) => {
      const of = async (...args: string[]) => {
        const { code, stderr } = await pp(["safety", ...args], { cwd });
        return [code, stderr.split("\n")[0]];
      };
      assert.deepEqual(await of("diff"), [64, "pp: there is no change to look at"]);
      assert.deepEqual(await of("diff", "--patch", "a", "--base", "b"), [
        64,
        "pp: there is more than one change to look at",
      ]);
      assert.deepEqual(await of("scan", "gone"), [64, "pp: there is no file or folder gone"]);
      assert.deepEqual(await of("scan", "--json", "--sarif"), [64, "pp: --json and --sarif are two formats"]);
      assert.equal((await of("diff", "--patch", "p.diff"))[0], 65);
      assert.equal((await of("diff", "--patch", "gone.diff"))[0], 64);
      assert.equal((await of("diff", "a.py"))[0], 65);
    },
  );
});

Deno.test("pp safety diff: a bundle's patch over a checkout; another base is said, a base it does not fit is 65", async () => {
  const bundle = Object.fromEntries(
    [...await bundleFiles(record(), redact)].map(([name, bytes]) => [`proof_bundle/${name}`, bytes]),
  );
  const files = { "w/calc.py": "def add(a, b):\n    return a - b\n", "other/calc.py": "x = 1\n", ...bundle };
  await withFolder(files, async (cwd) => {
    const { code, stdout, stderr } = await pp(["safety", "diff", "proof_bundle", "--cwd", "w"], { cwd });
    assert.equal(code, 0, stderr);
    assert.match(stdout, /^change {3}1 file, \+1 -1$/m);
    assert.match(stdout, /^base {5}is not the tree that the bundle records/m);
    assert.match(stdout, /^verdict {2}allowed$/m);
    const refused = await pp(["safety", "diff", "proof_bundle", "--cwd", "other"], { cwd });
    assert.equal(refused.code, 65);
    assert.match(
      refused.stderr,
      /the patch does not apply: .*\nhint: name the checkout that the bundle was made from/,
    );
  });
});
