import assert from "node:assert/strict";
import { join } from "node:path";
import { inTempDir, writeFiles } from "../workspace/trees.ts";
import { TEST_IMAGE } from "./engine.ts";
import { pp, type PpResult } from "./pp.ts";

const POLICY = `proof_targets:
  - name: tests
    cmd: python3 -m pytest -q
policy:
  sandbox:
    backend: container
    container_image: ${TEST_IMAGE}
`;
const PROJECT = {
  "calc.py": "def add(a, b):\n    return a - b\n",
  "test_calc.py": "from calc import add\n\n\ndef test_add():\n    assert add(1, 2) == 3\n",
  "pp.yaml": POLICY,
};

function must({ code, stdout, stderr }: PpResult): string {
  assert.equal(code, 0, stdout + stderr);
  return stdout;
}

Deno.test("pp propose, prove, approve, apply, roll back: what was proved is what lands, and it can be undone", () =>
  inTempDir(async (cwd) => {
    const root = join(cwd, "project");
    await Deno.mkdir(root);
    writeFiles(root, PROJECT);
    const env = { PP_STORE: join(cwd, "store"), HOME: cwd, XDG_CONFIG_HOME: "", XDG_DATA_HOME: "" };
    const as = (actor: string) => (...args: string[]) =>
      pp(args, { cwd: root, env: { ...env, PP_ACTOR: actor } });
    const ann = as("ann"), bob = as("bob");
    must(await ann("artifact", "create", "calc"));
    const proposed = await ann(
      ...["propose", "calc", "--file", "calc.py", "--old", "return a - b", "--new", "return a + b", "--json"],
    );
    const made = JSON.parse(must(proposed));
    const proof = made.checks.find(({ kind }: { kind: string }) => kind === "proof");
    assert.deepEqual([made.status, proof.outcome, proof.details.outcome], ["proposed", "passed", "proved"]);
    must(await ann("bundle", "show", made.bundle));
    const shown = JSON.parse(must(await ann("proposal", "show", "P1", "--json")));
    assert.equal(shown.evidence.document.proof.outcome, "proved");
    assert.match(shown.evidence.document.proof.statement_sha256, /^[0-9a-f]{64}$/);
    const early = await ann("apply", "P1");
    assert.equal(early.code, 77, early.stdout + early.stderr);
    must(await bob("keygen", "-o", join(cwd, "bob")));
    const trust = join(cwd, "trust.yaml");
    must(await bob("trust", "init", trust));
    must(await bob("trust", "add", "bob", join(cwd, "bob.pub.pem"), "--role", "approver", "-f", trust));
    const evidence = ["--evidence", shown.evidence.sha256, "--trust", trust];
    must(await bob("approval", "approve", "P1", "--key", join(cwd, "bob.key.pem"), ...evidence));
    must(await ann("apply", "P1", "--trust", trust));
    assert.equal(await Deno.readTextFile(join(root, "calc.py")), "def add(a, b):\n    return a + b\n");
    // What passes now has to pass with the next change, which proves nothing about it.
    const more = JSON.parse(must(
      await ann(
        ...[
          "propose",
          "calc",
          "--workspace",
          ".",
          "--file",
          "calc.py",
          "--at",
          "end",
          "--code",
          "\n\nTWO = 2\n",
        ],
        "--json",
      ),
    ));
    const still = more.checks.find(({ kind }: { kind: string }) => kind === "proof");
    assert.deepEqual([still.outcome, still.details.outcome], ["passed", "still_passing"]);
    const broken = JSON.parse(must(
      await ann(...["propose", "calc", "--file", "calc.py", "--old", "a + b", "--new", "a * b"], "--json"),
    ));
    const breaks = broken.checks.find(({ kind }: { kind: string }) => kind === "proof");
    assert.deepEqual([breaks.outcome, breaks.details.outcome], ["failed", "no_longer_passing"]);
    must(await ann("rollback"));
    assert.equal(await Deno.readTextFile(join(root, "calc.py")), PROJECT["calc.py"]);
    must(await ann("events", "--verify"));
    must(await ann("artifact", "fsck"));
  }));
