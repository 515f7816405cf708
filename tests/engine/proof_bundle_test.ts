import assert from "node:assert/strict";
import { join } from "node:path";
import { inTempDir, writeFiles } from "../workspace/trees.ts";
import { TEST_IMAGE } from "./engine.ts";
import { pp } from "./pp.ts";

const POLICY = `proof_targets:
  - name: check
    argv: ["sh", "-c", "grep -q good a.py"]
policy:
  allowed_argv: [["sh", "-c", "grep -q good a.py"]]
  approval: { automatic: [{ name: small, paths: ["a.py"] }] }
  sandbox: { backend: container, container_image: "${TEST_IMAGE}" }
`;

Deno.test("pp apply, redo: what a rule approved because of a proof lands only while the bundle is there, whole", () =>
  inTempDir(async (cwd) => {
    const root = join(cwd, "w");
    await Deno.mkdir(root);
    writeFiles(root, { "a.py": 'x = "bad"\n', "pp.yaml": POLICY });
    const env = { PP_STORE: join(cwd, "store"), PP_ACTOR: "ann", HOME: cwd, XDG_CONFIG_HOME: "" };
    const run = (...args: string[]) => pp(args, { cwd: root, env });
    assert.equal((await run("artifact", "create", "api")).code, 0);
    const made = await run("propose", "api", "--file", "a.py", "--old", "bad", "--new", "good", "--json");
    const { status, bundle, reason } = JSON.parse(made.stdout);
    assert.deepEqual([made.code, status, reason], [0, "approved", "rule small"], made.stdout + made.stderr);
    const refused = async (verb: string[], code: number, what: RegExp) => {
      const { code: was, stderr, stdout } = await run(...verb);
      assert.equal(was, code, stdout + stderr);
      assert.match(stderr, what);
      assert.equal(await Deno.readTextFile(join(root, "a.py")), 'x = "bad"\n');
    };
    await Deno.rename(bundle, `${bundle}.away`);
    await refused(["apply", "P1"], 69, /the bundle of the proof of P1\.1 is not there any more/);
    await refused(["apply", "P1", "--dry-run"], 69, /not there any more/);
    await Deno.rename(`${bundle}.away`, bundle);
    const summary = join(bundle, "final_summary.md"), text = await Deno.readTextFile(summary);
    await Deno.writeTextFile(summary, `${text}\n`);
    await refused(["apply", "P1"], 65, /the bundle of the proof of P1\.1 is not as it was kept/);
    await Deno.writeTextFile(summary, text);
    assert.equal((await run("apply", "P1")).code, 0);
    assert.equal(await Deno.readTextFile(join(root, "a.py")), 'x = "good"\n');
    assert.equal((await run("rollback")).code, 0);
    await Deno.rename(bundle, `${bundle}.away`);
    await refused(["redo"], 69, /not there any more/);
    await Deno.rename(`${bundle}.away`, bundle);
    assert.equal((await run("redo")).code, 0);
    assert.equal((await run("events", "--verify")).code, 0);
  }));
