import assert from "node:assert/strict";
import { join } from "node:path";
import {
  policyCheck,
  policyPresets,
  policyProtected,
  policySchemaText,
  policyShow,
} from "../../src/cli/policy.ts";
import { defaultPolicy } from "../../src/policy/defaults.ts";
import { policyDigest } from "../../src/policy/digest.ts";
import { parsePolicy } from "../../src/policy/parse.ts";
import { Failure } from "../../src/vocabulary/failure.ts";
import { pp, withFolder } from "./process.ts";

const MAIN = new URL("../../main.ts", import.meta.url).href;

async function inDirectory(files: Record<string, string>, test: (root: string) => Promise<void>) {
  const root = await Deno.makeTempDir({ prefix: "pp-policy-cli-" });
  try {
    for (const [name, text] of Object.entries(files)) await Deno.writeTextFile(join(root, name), text);
    await test(root);
  } finally {
    await Deno.remove(root, { recursive: true });
  }
}

interface Checked {
  readonly ok: boolean;
  readonly source: string | null;
  readonly digest: string | null;
  readonly problems: readonly { path: string; line: number }[];
  readonly targets: readonly { name: string; argv: string[]; shell: boolean; refusal: string | null }[];
  readonly warnings: readonly string[];
}

Deno.test("policyCheck: a good policy exits 0 and says what each target runs", async () => {
  await inDirectory(
    { "pp.yaml": "proof_targets: [{name: u, cmd: a b}, {name: s, cmd: a | b}]" },
    async (root) => {
      const result = await policyCheck({ root });
      assert.equal(result.exit, 0);
      assert.match(result.text, /target u runs \["a","b"\]\n/);
      assert.match(result.text, /target s runs \["sh","-c","a \| b"\] \(needs a shell\)/);
      const json = result.json as Checked;
      assert.ok(json.ok);
      assert.deepEqual(json.targets.map((t) => t.shell), [false, true]);
      assert.match(json.digest ?? "", /^[0-9a-f]{64}$/);
    },
  );
});

Deno.test("policyCheck: a malformed policy exits 65 with every problem, escaped for the terminal", async () => {
  const text = 'policy:\n  "bad\\e[31m": 1\n  limits: {max_attempts: 0}\n';
  await inDirectory({ "pp.yaml": text }, async (root) => {
    const result = await policyCheck({ root });
    assert.equal(result.exit, 65);
    assert.match(result.text, /pp\.yaml:3:26 policy\.limits\.max_attempts/);
    assert.match(result.text, /2 problems/);
    assert.ok(!result.text.includes("\x1b"));
    const json = result.json as Checked;
    assert.equal(json.ok, false);
    assert.deepEqual(json.problems.map((p) => p.line), [2, 3]);
  });
});

Deno.test("policyCheck: a policy that does not allow its own target exits 2", async () => {
  const text = "{proof_targets: [{name: u, cmd: a b}], policy: {allowed_commands: [c]}}";
  await inDirectory({ "pp.yaml": text }, async (root) => {
    const result = await policyCheck({ root, file: join(root, "pp.yaml") });
    assert.equal(result.exit, 2);
    assert.match(result.text, /target u may not run/);
    assert.equal((result.json as Checked).ok, false);
  });
});

Deno.test("policyCheck: warns of what is rarely meant", async () => {
  const text = "policy: {network: allow, secrets: {allow_in_patch: true}, attestation: {enabled: true}, " +
    "limits: {session_sec: 10}, deny_write: ['*.env', '**/*.key']}";
  await inDirectory({ "pp.yaml": text }, async (root) => {
    const { warnings } = (await policyCheck({ root })).json as Checked;
    assert.equal(warnings.length, 6);
    assert.equal(warnings.filter((w) => w.includes("*.env")).length, 1);
  });
});

Deno.test("policyCheck: no file is fine, a named file that is missing is wrong usage", async () => {
  await inDirectory({}, async (root) => {
    const result = await policyCheck({ root });
    assert.equal(result.exit, 0);
    assert.match(result.text, /built-in default/);
    await assert.rejects(
      policyCheck({ root, file: join(root, "x.yaml") }),
      (error) => error instanceof Failure && error.kind === "usage",
    );
  });
});

Deno.test("policyShow: prints a policy that loads to the same digest", async () => {
  await inDirectory({
    "pp.yaml": "{proof_targets: [{argv: [a, 'b c']}], policy: {sandbox: {memory_limit: 2g}}}",
  }, async (root) => {
    const result = await policyShow({ root });
    const json = result.json as { digest: string; source: string };
    const again = parsePolicy(result.text, "pp.yaml");
    assert.ok(again.ok);
    assert.equal(policyDigest(again.config), json.digest);
    assert.ok(result.text.includes(json.digest));
  });
  await inDirectory({}, async (root) => {
    const result = await policyShow({ root });
    assert.deepEqual((result.json as { config: unknown }).config, defaultPolicy());
    assert.match(result.text, /built-in default/);
  });
});

Deno.test("policyShow: a preset, but not a preset and a file", async () => {
  const result = await policyShow({ root: "/", preset: "strict" });
  assert.match(result.text, /preset strict/);
  await assert.rejects(
    policyShow({ root: "/", preset: "strict", file: "a" }),
    (error) => error instanceof Failure && error.kind === "usage",
  );
});

Deno.test("policyPresets: lists names, prints one as shipped", async () => {
  assert.match((await policyPresets({})).text, /^python +Python projects/);
  const shipped = await Deno.readTextFile(new URL("../../policies/go.yaml", import.meta.url));
  assert.equal((await policyPresets({ name: "go" })).text, shipped);
});

Deno.test("policySchemaText: is JSON Schema 2020-12", async () => {
  const schema = JSON.parse((await policySchemaText()).text);
  assert.equal(schema.$schema, "https://json-schema.org/draft/2020-12/schema");
  assert.deepEqual(Object.keys(schema.properties), ["proof_targets", "policy"]);
});

Deno.test("pp policy: exit code, --json on stdout, help with examples", async () => {
  await inDirectory({ "pp.yaml": "polcy: {}" }, async (root) => {
    const pp = async (...args: string[]) => {
      const { code, stdout } = await new Deno.Command(Deno.execPath(), {
        args: ["run", "-A", "-q", MAIN, ...args],
        cwd: root,
        env: { NO_COLOR: "1" },
        stderr: "null",
      }).output();
      return { code, stdout: new TextDecoder().decode(stdout) };
    };
    const check = await pp("policy", "check", "--json");
    assert.equal(check.code, 65);
    assert.equal(JSON.parse(check.stdout).problems[0].path, "polcy");
    assert.equal((await pp("policy", "show")).code, 65);
    for (const verb of ["check", "show", "schema", "presets"]) {
      const help = await pp("policy", verb, "--help");
      assert.equal(help.code, 0);
      assert.match(help.stdout, new RegExp(`Examples:\\n  pp policy ${verb}`));
    }
  });
});

Deno.test("policyProtected: says of each path whether a patch may touch it and by which rule, exits 2 when not", async () => {
  await inDirectory(
    { "pp.yaml": "policy: {protect: {also: 'golden/**', allow: Makefile}}" },
    async (root) => {
      const paths = ["src/a.py", "tests/a.py", "golden/x", "Makefile", "\u001b[31mconftest.py"];
      const { exit, text, json } = await policyProtected({ root, paths });
      assert.equal(exit, 2);
      assert.deepEqual(
        (json as { paths: { path: string; rule: string | null; allowed: boolean }[] }).paths.map((
          p,
        ) => [p.rule, p.allowed]),
        [[null, true], ["test_files", false], ["policy", false], ["build_files", true], [null, true]],
      );
      assert.match(text, /^src\/a\.py: not protected\ntests\/a\.py: protected: .* \(test_files\)\n/);
      assert.match(text, /Makefile: allowed, and flagged: /);
      assert.ok(!text.includes("\u001b"));
      assert.equal((await policyProtected({ root, paths: ["src/a.py", "Makefile"] })).exit, 0);
    },
  );
});

Deno.test("policyProtected: without paths lists every rule, what is added and what is allowed", async () => {
  await inDirectory(
    { "pp.yaml": "policy: {protect: {enabled: no, also: 'golden/**', allow: Makefile}}" },
    async (root) => {
      const { exit, text, json } = await policyProtected({ root, paths: [] });
      assert.equal(exit, 0);
      const { rules } = json as { rules: { rule: string; globs: string[] }[] };
      for (const { rule, globs } of rules) {
        assert.ok(text.includes(`${rule}: `));
        assert.ok(globs.length > 0 && globs.every((glob) => text.includes(`  ${glob}\n`)));
      }
      assert.match(
        text,
        /protect\.also\n {2}golden\/\*\*\n.*protect\.allow\n {2}Makefile\nprotect\.enabled is false/,
      );
    },
  );
});

Deno.test("policyCheck: warns of protection that is off and of a control's target that nobody proves", async () => {
  const warningsOf = async (policy: string) => {
    let warnings: readonly string[] = [];
    await inDirectory(
      { "pp.yaml": `proof_targets: [{name: u, cmd: a}]\npolicy: ${policy}` },
      async (root) => {
        warnings = ((await policyCheck({ root })).json as Checked).warnings;
      },
    );
    return warnings.join("\n");
  };
  assert.match(await warningsOf("{protect: {enabled: no}}"), /protect\.enabled is false/);
  assert.match(await warningsOf("{protect: {allow: '**'}}"), /protect\.allow has/);
  const control = "{verify: {negative_control: {files: {x: y}, targets: [v]}}}";
  assert.match(await warningsOf(control), /names "v", which is no proof target/);
  assert.equal(await warningsOf("{protect: {allow: Makefile}}"), "");
});

Deno.test("pp policy protected: the verb, its exit code and its JSON", async () => {
  await withFolder({}, async (cwd) => {
    const no = await pp(["policy", "protected", "conftest.py"], { cwd });
    assert.deepEqual([no.code, no.stdout.trim()], [
      2,
      "conftest.py: protected: modules that Python or its runner loads by itself (python_hooks)",
    ]);
    const yes = await pp(["policy", "protected", "src/a.py", "--json"], { cwd });
    assert.equal(yes.code, 0);
    assert.deepEqual(JSON.parse(yes.stdout), {
      format: "veripatch-protected/v1",
      paths: [{ path: "src/a.py", rule: null, about: null, allowed: true }],
    });
  });
});
