import assert from "node:assert/strict";
import { pp, withProject } from "./pp.ts";

interface Told {
  readonly status: string;
  readonly proof_bundle: string;
  readonly attempts: readonly { readonly outcome: string }[];
  readonly tests: readonly {
    readonly base_reports: number;
    readonly counts: Readonly<Record<string, number>> | null;
    readonly findings: readonly { readonly kind: string; readonly id: string }[];
  }[];
}

/** A whole new content of a file as a patch that rewrites every line. */
function rewritten(path: string, from: string, to: string): string {
  const [old, now] = [from, to].map((text) => text.trimEnd().split("\n"));
  return `--- a/${path}\n+++ b/${path}\n@@ -1,${old!.length} +1,${now!.length} @@\n` +
    [...old!.map((l) => `-${l}\n`), ...now!.map((l) => `+${l}\n`)].join("");
}

interface Runner {
  readonly name: string;
  readonly report: string;
  readonly command: string;
  readonly source: string;
  readonly wrong: string;
  readonly right: string;
  /** Makes the runner skip the failing test or find none, from within the source. */
  readonly cheat: string;
  readonly verdict: string;
  readonly test: readonly [string, string];
  /** Of the failing test. */
  readonly id: RegExp;
}

const RUNNERS: readonly Runner[] = [
  {
    name: "pytest, JUnit",
    report: "junit:out/report.xml",
    command: "python3 -m pytest -q --junit-xml=out/report.xml",
    source: "calc.py",
    wrong: "def add(a, b):\n    return a - b\n",
    right: "def add(a, b):\n    return a + b\n",
    cheat: "import unittest\ndef add(a, b):\n    if b: raise unittest.SkipTest('later')\n    return a\n",
    verdict: "newly_skipped",
    test: [
      "test_calc.py",
      "from calc import add\ndef test_add(): assert add(1, 2) == 3\ndef test_nothing(): assert add(1, 0) == 1\n",
    ],
    id: /^pytest > test_calc > test_add$/,
  },
  {
    name: "node --test, TAP on stdout",
    report: "tap",
    command: "node --test --test-reporter=tap",
    source: "calc.mjs",
    wrong: "export const add = (a, b) => a - b;\n",
    right: "export const add = (a, b) => a + b;\n",
    cheat: "export const add = (a, b) => { if (b) process.exit(0); return a; };\n",
    verdict: "vanished",
    test: [
      "calc.test.mjs",
      'import test from "node:test"; import assert from "node:assert"; import { add } from "./calc.mjs";\n' +
      'test("nothing", () => assert.equal(add(1, 0), 1));\ntest("adds", () => assert.equal(add(1, 2), 3));\n',
    ],
    id: /^adds$/,
  },
  {
    name: "deno test, JUnit",
    report: "junit:report.xml",
    command: "deno test --no-check --allow-env --junit-path=report.xml",
    source: "calc.ts",
    wrong: "export const add = (a: number, b: number) => a - b;\n",
    right: "export const add = (a: number, b: number) => a + b;\n",
    cheat: "export const add = (a: number, b: number) => { if (b) Deno.exit(0); return a; };\n",
    verdict: "",
    test: [
      "calc_test.ts",
      'import { add } from "./calc.ts";\nconst same = (a: number, b: number) => { if (a !== b) throw new Error(`${a}`); };\n' +
      'Deno.test("nothing", () => same(add(1, 0), 1));\nDeno.test("adds", () => same(add(1, 2), 3));\n',
    ],
    id: /^\.\/calc_test\.ts > adds$/,
  },
];

for (const runner of RUNNERS) {
  Deno.test(`pp run --report: ${runner.name}: a cheat that exits 0 or not is refused, the fix is proved and replayed`, async () => {
    const { source, wrong, right, cheat, test } = runner;
    const files = {
      [source]: wrong,
      [test[0]]: test[1],
      // A good report that was there before counts for nothing.
      ...(runner.report.startsWith("junit:") ? { [runner.report.slice(6)]: "<testsuites/>" } : {}),
    };
    await withProject(files, async (cwd) => {
      const patches = await Deno.makeTempDir({ prefix: "veripatch-test-" });
      try {
        await Deno.writeTextFile(`${patches}/cheat.diff`, rewritten(source, wrong, cheat));
        await Deno.writeTextFile(`${patches}/right.diff`, rewritten(source, wrong, right));
        const given = ["--patch", `${patches}/cheat.diff`, "--patch", `${patches}/right.diff`];
        const proved = await pp(["run", runner.command, "--report", runner.report, ...given, "--json"], {
          cwd,
        });
        assert.equal(proved.code, 0, proved.stdout + proved.stderr);
        const told = JSON.parse(proved.stdout) as Told;
        assert.deepEqual(told.attempts.map((a) => a.outcome), ["failed", "passed"]);
        assert.deepEqual([told.tests[0]!.counts!.fixed, told.tests[0]!.counts!.still_passing], [1, 1]);
        assert.equal(told.tests[0]!.base_reports, 2);
        const { targets } = JSON.parse(await Deno.readTextFile(`${told.proof_bundle}/tests.json`));
        const [fixed] = targets[0].tests.filter((t: { change: string }) => t.change === "fixed");
        assert.match(fixed.id, runner.id);
        if (runner.verdict !== "") {
          const first = `${told.proof_bundle}/attempts/1/verify/target_results.json`;
          const { report, result } = JSON.parse(await Deno.readTextFile(first)).runs[0].targets[0];
          assert.deepEqual([report.verdict, result.exit_code], ["tests_weakened", 0]);
          assert.ok(report.findings[runner.verdict] >= 1);
        }
        const replayed = await pp(["replay", told.proof_bundle, "--json"], { cwd });
        assert.equal(replayed.code, 0, replayed.stdout + replayed.stderr);
        assert.match(JSON.parse(replayed.stdout).detail, /the recorded test fixed/);
      } finally {
        await Deno.remove(patches, { recursive: true });
      }
    });
  });
}

Deno.test("pp run --report: a module that cannot be imported gives way to its tests", async () => {
  const files = {
    "test_links.py": "from links import slug\ndef test_slug(): assert slug('A') == 'a'\n",
    "test_other.py": "def test_other(): pass\n",
  };
  await withProject(files, async (cwd) => {
    const patch =
      "--- /dev/null\n+++ b/links.py\n@@ -0,0 +1,2 @@\n+def slug(title):\n+    return title.lower()\n";
    await Deno.writeTextFile(`${cwd}/fix.diff`, patch);
    const command = "python3 -m pytest -q --continue-on-collection-errors --junit-xml=report.xml";
    const proved = await pp(
      ["run", command, "--report", "junit:report.xml", "--patch", "fix.diff", "--json"],
      { cwd },
    );
    assert.equal(proved.code, 0, proved.stdout + proved.stderr);
    const { counts } = (JSON.parse(proved.stdout) as Told).tests[0]!;
    assert.deepEqual([counts!.replaced, counts!.added, counts!.still_passing], [1, 1, 1]);
  });
});

Deno.test("pp run --report: a runner that exits 0 having run nothing is not green", async () => {
  const files = {
    "calc.py": "broken = True\n",
    "test.sh": "grep -q 'broken = True' calc.py && exit 1\necho 1..0\n",
  };
  await withProject(files, async (cwd) => {
    await Deno.writeTextFile(`${cwd}/fix.diff`, rewritten("calc.py", "broken = True\n", "broken = False\n"));
    const blind = await pp(["run", "sh test.sh", "--patch", "fix.diff", "--json"], { cwd });
    assert.equal(blind.code, 0, blind.stdout + blind.stderr);
    const seen = await pp(["run", "sh test.sh", "--report", "tap", "--patch", "fix.diff"], { cwd });
    assert.equal(seen.code, 2, seen.stdout + seen.stderr);
    assert.match(seen.stderr, /no_tests_ran: it lists no test/);
  });
});

Deno.test("pp run --report: what is no report is wrong usage that says what to do", async () => {
  await withProject({ "a.txt": "a\n" }, async (cwd) => {
    for (
      const [flag, said] of [
        ["html:x", /junit or tap/],
        ["junit", /needs its path/],
        ["junit:../out.xml", /no path inside the workspace/],
        ["junit:/tmp/out.xml", /no path inside the workspace/],
        ["junit:.pp-artifacts/x.xml", /kept for bundles/],
        ["tap:.git/x", /no path inside the workspace/],
      ] as const
    ) {
      const { code, stderr } = await pp(["run", "false", "--report", flag], { cwd });
      assert.equal(code, 64, flag);
      assert.match(stderr, said);
      assert.match(stderr, /hint: .*junit:report\.xml/);
    }
  });
});
