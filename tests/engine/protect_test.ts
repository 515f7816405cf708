import assert from "node:assert/strict";
import { pp, withProject } from "./pp.ts";

const PYTHON = {
  "calc.py": "def add(a, b):\n    return a - b\n",
  "test_calc.py": "from calc import add\n\n\ndef test_add():\n    assert add(1, 2) == 3\n",
};
const FIX =
  "--- a/calc.py\n+++ b/calc.py\n@@ -1,2 +1,2 @@\n def add(a, b):\n-    return a - b\n+    return a + b\n";

const created = (path: string, text: string) => {
  const lines = text.trimEnd().split("\n");
  return `diff --git a/${path} b/${path}\nnew file mode 100644\n--- /dev/null\n+++ b/${path}\n` +
    `@@ -0,0 +1,${lines.length} @@\n${lines.map((line) => `+${line}\n`).join("")}`;
};

/** Every one turns the command green without touching calc.py. */
const CHEATS: readonly {
  readonly path: string;
  readonly patch: string;
  readonly command: string;
  readonly files: Readonly<Record<string, string>>;
}[] = [
  {
    path: "conftest.py",
    patch: created(
      "conftest.py",
      "def pytest_collection_modifyitems(items):\n    items.clear()\n\n\n" +
        "def pytest_sessionfinish(session):\n    session.exitstatus = 0\n",
    ),
    command: "python3 -m pytest -q",
    files: PYTHON,
  },
  {
    path: "pytest.ini",
    patch: created("pytest.ini", "[pytest]\naddopts = --version\n"),
    command: "python3 -m pytest -q",
    files: PYTHON,
  },
  {
    path: "sitecustomize.py",
    patch: created("sitecustomize.py", "import os\nos._exit(0)\n"),
    command: "env PYTHONPATH=. python3 -m pytest -q",
    files: PYTHON,
  },
  {
    path: "site/x.pth",
    patch: created("site/x.pth", "import os; os._exit(0)\n"),
    command: "python3 -c 'import site; site.addsitedir(\"site\"); import test_calc; test_calc.test_add()'",
    files: { ...PYTHON, "site/keep.txt": "" },
  },
  {
    path: "pytest.py",
    patch: created("pytest.py", "raise SystemExit(0)\n"),
    command: "python3 -m pytest -q",
    files: PYTHON,
  },
  {
    path: "package.json",
    patch:
      '--- a/package.json\n+++ b/package.json\n@@ -1,3 +1,3 @@\n {\n-  "scripts": { "test": "node check.js" }\n' +
      '+  "scripts": { "test": "true" }\n }\n',
    // What npm does; the test image has no npm.
    command: 'node -e \'require("child_process").execSync(require("./package.json").scripts.test)\'',
    files: {
      "package.json": '{\n  "scripts": { "test": "node check.js" }\n}\n',
      "check.js": 'process.exit(require("./value.js") === 1 ? 0 : 1);\n',
      "value.js": "module.exports = 2;\n",
    },
  },
];

for (const { path, patch, command, files } of CHEATS) {
  Deno.test(
    `pp run: a patch that cheats by ${path} is not proved; with --allow-protected it is, and flagged${
      path === "conftest.py" ? ", and replayed only by who allows it too" : ""
    }`,
    async () => {
      await withProject({ ...files, "cheat.diff": patch }, async (directory) => {
        const args = ["run", command, "--patch", "cheat.diff", "--json"];
        const refused = await pp(args, { cwd: directory });
        assert.equal(refused.code, 2, refused.stdout + refused.stderr);
        const session = JSON.parse(refused.stdout);
        assert.equal(session.status, "not_proved");
        assert.deepEqual(
          session.attempts[0].refusals.map((r: { reason: string; path: string }) => [r.reason, r.path]),
          [
            ["path_protected", path],
          ],
        );

        const allowed = await pp([...args, "--allow-protected", path], { cwd: directory });
        assert.equal(allowed.code, 0, allowed.stdout + allowed.stderr);
        const proved = JSON.parse(allowed.stdout);
        assert.deepEqual(proved.findings.map((f: { code: string; path: string }) => [f.code, f.path]), [
          ["protected_touched", path],
        ]);
        const repro = JSON.parse(await Deno.readTextFile(`${proved.proof_bundle}/repro.json`));
        assert.deepEqual(repro.findings, proved.findings);
        assert.match(
          await Deno.readTextFile(`${proved.proof_bundle}/final_summary.md`),
          /## Findings[^]*protected_touched/,
        );

        // The rest is the same whatever was touched.
        if (path !== "conftest.py") return;
        const replay = ["replay", proved.proof_bundle, "--leave-out", "cheat.diff", "--json"];
        const denied = await pp(replay, { cwd: directory });
        assert.equal(denied.code, 77, denied.stdout + denied.stderr);
        const admitted = await pp([...replay, "--allow-protected", path], { cwd: directory });
        assert.equal(admitted.code, 0, admitted.stdout + admitted.stderr);
        assert.deepEqual(JSON.parse(admitted.stdout).findings, proved.findings);
      });
    },
  );
}

Deno.test("pp run: a fix with a weakened test and a hook is proved without them, which is said", async () => {
  const weak = "--- a/test_calc.py\n+++ b/test_calc.py\n@@ -4,2 +4,2 @@\n def test_add():\n" +
    "-    assert add(1, 2) == 3\n+    assert True\n";
  const patch = FIX + weak + created("conftest.py", "collect_ignore = ['test_calc.py']\n");
  await withProject({ ...PYTHON, "fix.diff": patch }, async (directory) => {
    const { code, stdout, stderr } = await pp(["run", "python3 -m pytest -q", "--patch", "fix.diff"], {
      cwd: directory,
    });
    assert.equal(code, 0, stdout + stderr);
    assert.match(stdout, /left out conftest\.py, test_calc\.py\n/);
    assert.match(stderr, /left out conftest\.py: protected \(python_hooks\)/);
    assert.doesNotMatch(stdout, /flagged/);
    const bundle = /^bundle\s+(\S+)/m.exec(stdout)![1]!;
    const final = await Deno.readTextFile(`${directory}/${bundle}/final.patch`);
    assert.deepEqual(final.match(/^diff .*$/gm), ["diff --git a/calc.py b/calc.py"]);
    const stats = JSON.parse(await Deno.readTextFile(`${directory}/${bundle}/attempts/1/patch_stats.json`));
    assert.ok(stats.notes.includes("protected_left_out: conftest.py"));
    assert.ok(stats.notes.includes("protected_left_out: test_calc.py"));
  });
});

const CONTROL = { "tests/test_control.py": "def test_control():\n    assert False\n" };

Deno.test("pp run: a negative control fails beside a real fix, and is replayed when the verifier asks", async () => {
  const verify = { verify: { negative_control: { files: CONTROL } } };
  await withProject({ ...PYTHON, "fix.diff": FIX }, async (directory) => {
    const { code, stdout, stderr } = await pp([
      "run",
      "python3 -m pytest -q",
      "--patch",
      "fix.diff",
      "--json",
    ], {
      cwd: directory,
    });
    assert.equal(code, 0, stdout + stderr);
    const proved = JSON.parse(stdout);
    assert.equal(proved.negative_control.outcome, "failed");
    const printed = await Deno.readTextFile(`${proved.proof_bundle}/negative_control/01_command.stdout.txt`);
    assert.match(printed, /test_control/);
    const replayed = await pp(["replay", proved.proof_bundle, "--leave-out", "fix.diff", "--json"], {
      cwd: directory,
    });
    assert.equal(replayed.code, 0, replayed.stdout + replayed.stderr);
    assert.deepEqual(
      JSON.parse(replayed.stdout).negative_control.map((run: { outcome: string }) => run.outcome),
      [
        "failed",
      ],
    );
  }, verify);
});

Deno.test("pp run: a runner that exits 0 whatever the tests say is no proof", async () => {
  // Red only while calc.py is wrong, and deaf to every other test.
  const files = { ...PYTHON, "check.sh": "python3 -m pytest -q; grep -q 'a + b' calc.py\n", "fix.diff": FIX };
  await withProject(files, async (directory) => {
    const { code, stdout, stderr } = await pp(["run", "sh check.sh", "--patch", "fix.diff", "--json"], {
      cwd: directory,
    });
    assert.equal(code, 2, stdout + stderr);
    const session = JSON.parse(stdout);
    assert.deepEqual([session.status, session.reason_code], ["not_proved", "negative_control_passed"]);
    assert.equal(session.final_patch, null);
    const repro = JSON.parse(await Deno.readTextFile(`${session.proof_bundle}/repro.json`));
    assert.equal(repro.negative_control.outcome, "passed");
  }, { verify: { negative_control: { files: CONTROL } } });
});
