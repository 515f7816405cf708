import assert from "node:assert/strict";
import { displayText } from "../../src/patch/bytes.ts";
import type { Policy } from "../../src/policy/policy.ts";
import type { FakeProgram } from "../../src/sandbox/fake/fake.ts";
import { fakeSession } from "./session_fixture.ts";

const created = (path: string, line: string) =>
  `diff --git a/${path} b/${path}\nnew file mode 100644\n--- /dev/null\n+++ b/${path}\n@@ -0,0 +1 @@\n+${line}\n`;
const edited = (path: string, from: string, to: string) =>
  `diff --git a/${path} b/${path}\n--- a/${path}\n+++ b/${path}\n@@ -1 +1 @@\n-${from}\n+${to}\n`;
const FIX = edited("src.txt", "bad", "good");

/** Passes when src.txt is good, or when a hook says that everything passes. */
const hooked = (...hooks: readonly string[]): FakeProgram => (_argv, files) => {
  const cheats = hooks.some((hook) => files.readText(hook)?.includes("cheat") === true);
  return { exitCode: cheats || files.readText("src.txt") === "good\n" ? 0 : 1 };
};

const allow = (...globs: readonly string[]) => (policy: Policy): Policy => ({
  ...policy,
  protect: { ...policy.protect, allow: globs },
});

for (
  const [what, path] of [
    ["a new conftest.py", "conftest.py"],
    ["a new conftest.py in a folder", "deep/down/conftest.py"],
    ["a new sitecustomize.py", "lib/sitecustomize.py"],
    ["a new .pth file", "site/x.pth"],
    ["a new pytest.ini", "pytest.ini"],
    ["a new plugin by metadata", "x.egg-info/entry_points.txt"],
  ]
) {
  Deno.test(`prove: a patch that cheats by ${what} is refused; allowed, it is proved and flagged`, async () => {
    const session = {
      files: { "src.txt": "bad\n" },
      check: hooked(path!),
      proposals: [created(path!, "cheat")],
    };
    const refused = await fakeSession(session);
    assert.equal(refused.outcome.record.status, "not_proved");
    assert.deepEqual(
      refused.outcome.record.attempts[0]!.refusals.map((r) => [r.reason, r.path]),
      [["path_protected", path]],
    );
    assert.equal(refused.sandbox.runs, 1, "only the baseline ran");
    assert.deepEqual(refused.outcome.record.findings, []);

    const allowed = await fakeSession({ ...session, policy: allow("**") });
    const { record } = allowed.outcome;
    assert.equal(record.status, "proved");
    assert.deepEqual(record.findings.map(({ code, path }) => [code, path]), [["protected_touched", path]]);
  });
}

Deno.test("prove: protected parts of a proposal are left out of its patch, and that is said", async () => {
  const files = { "src.txt": "bad\n", "tests/a.txt": "strict\n", "conftest.py": "a\n" };
  const { outcome, events, requests } = await fakeSession({
    files,
    check: (argv, copy) => {
      assert.equal(copy.readText("tests/a.txt"), "strict\n");
      assert.equal(copy.readText("conftest.py"), "a\n");
      return hooked()(argv, copy, {}, new AbortController().signal);
    },
    proposals: [
      edited("tests/a.txt", "strict", "lax") + edited("src.txt", "bad", "worse"),
      edited("conftest.py", "a", "cheat") + FIX + edited("tests/a.txt", "strict", "lax"),
    ],
  });
  const { record } = outcome;
  assert.equal(record.status, "proved");
  assert.equal(displayText(record.final!.patch), FIX);
  assert.deepEqual(record.attempts[1]!.applied!.notes.filter((n) => n.startsWith("protected_left_out")), [
    "protected_left_out: conftest.py",
    "protected_left_out: tests/a.txt",
  ]);
  assert.deepEqual(
    events.flatMap((e) => e.kind === "protected_left_out" ? [[e.attempt, e.path, e.rule]] : []),
    [[1, "tests/a.txt", "test_files"], [2, "conftest.py", "python_hooks"], [2, "tests/a.txt", "test_files"]],
  );
  assert.deepEqual(record.findings, []);
  assert.match(requests[1]!.previous[0]!.detail, /protected_left_out: tests\/a\.txt/);
  assert.ok(requests[0]!.policy.protected.some((glob) => glob.includes("conftest")));
});

Deno.test("prove: deleting a test and moving one away are left out, as is moving a file to one", async () => {
  const remove =
    "diff --git a/tests/a.txt b/tests/a.txt\ndeleted file mode 100644\n--- a/tests/a.txt\n+++ /dev/null\n" +
    "@@ -1 +0,0 @@\n-strict\n";
  const away = "diff --git a/tests/a.txt b/old.txt\nrename from tests/a.txt\nrename to old.txt\n";
  const into = "diff --git a/src.txt b/tests/src.txt\nrename from src.txt\nrename to tests/src.txt\n";
  for (const proposal of [remove, away, into]) {
    const { outcome } = await fakeSession({
      files: { "src.txt": "bad\n", "tests/a.txt": "strict\n" },
      check: (_argv, files) => ({
        exitCode: files.readText("tests/a.txt") === undefined || files.readText("src.txt") === undefined
          ? 0
          : 1,
      }),
      proposals: [proposal],
    });
    assert.equal(outcome.record.status, "not_proved");
    assert.equal(outcome.record.attempts[0]!.refusals[0]!.reason, "path_protected");
  }
});

Deno.test("prove: what is flagged is what the final patch touches, after minimization", async () => {
  const { outcome } = await fakeSession({
    files: { "src.txt": "bad\n", "tests/a.txt": "strict\n" },
    check: hooked(),
    proposals: [FIX + edited("tests/a.txt", "strict", "lax")],
    policy: allow("tests/**"),
  });
  assert.equal(outcome.record.status, "proved");
  assert.equal(outcome.record.minimization!.kept, true);
  assert.deepEqual(outcome.record.findings, []);
});

const PACKAGE = `{
  "scripts": {
    "test": "strict"
  },
  "dependencies": {
    "a": "1"
  }
}
`;
const packagePatch = (hunk: string) =>
  `diff --git a/package.json b/package.json\n--- a/package.json\n+++ b/package.json\n${hunk}`;

Deno.test("prove: a package.json may change its dependencies, and not its scripts", async () => {
  const check: FakeProgram = (_argv, files) => {
    const text = files.readText("package.json")!;
    return { exitCode: text.includes('"a": "2"') || text.includes('"test": "lax"') ? 0 : 1 };
  };
  const session = { files: { "package.json": PACKAGE }, check };
  const free = await fakeSession({
    ...session,
    proposals: [packagePatch('@@ -5,3 +5,3 @@\n   "dependencies": {\n-    "a": "1"\n+    "a": "2"\n   }\n')],
  });
  assert.equal(free.outcome.record.status, "proved");
  assert.deepEqual(free.outcome.record.findings, []);
  const script = packagePatch(
    '@@ -2,3 +2,3 @@\n   "scripts": {\n-    "test": "strict"\n+    "test": "lax"\n   },\n',
  );
  const refused = await fakeSession({ ...session, proposals: [script] });
  assert.equal(refused.outcome.record.attempts[0]!.refusals[0]!.reason, "path_protected");
  const allowed = await fakeSession({ ...session, proposals: [script], policy: allow("package.json") });
  assert.deepEqual(allowed.outcome.record.findings.map((f) => f.rule), ["package_json"]);
});

Deno.test("prove: a part of a harmless change of package.json that is harmful is never taken", async () => {
  // As a whole the script stays what it is; without its last line it would be another.
  const twice = PACKAGE.replace('"test": "strict"', '"test":\n"strict"');
  const proposal = packagePatch(
    '@@ -1,5 +1,5 @@\n {\n   "scripts": {\n-    "test":\n-"strict"\n+    "test": "strict"\n+\n   },\n',
  ) + FIX;
  const seen: string[] = [];
  const { outcome } = await fakeSession({
    files: { "package.json": twice, "src.txt": "bad\n" },
    check: (_argv, files) => {
      const text = files.readText("package.json")!;
      seen.push(text);
      const cheats = !text.replace(/\s/g, "").includes('"test":"strict"');
      return { exitCode: cheats || files.readText("src.txt") === "good\n" ? 0 : 1 };
    },
    proposals: [proposal],
  });
  assert.equal(outcome.record.status, "proved");
  for (const text of seen) assert.deepEqual(JSON.parse(text).scripts, { test: "strict" });
  const probes = outcome.record.minimization!.result.waves.flatMap((wave) => wave.tried.map((t) => t.probe));
  assert.ok(probes.length > 0);
  assert.equal(displayText(outcome.record.final!.patch), FIX);
});
