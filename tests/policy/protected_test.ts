import assert from "node:assert/strict";
import fc from "fast-check";
import { parsePatch } from "../../src/patch/parse.ts";
import { byteStringOfText } from "../../src/patch/bytes.ts";
import { defaultPolicy } from "../../src/policy/defaults.ts";
import { parseGlob } from "../../src/policy/glob.ts";
import type { Policy } from "../../src/policy/policy.ts";
import { changesOnlyMembers } from "../../src/policy/protected_json.ts";
import {
  protectedFindings,
  protectedGlobs,
  protectedTouches,
  protectionOf,
} from "../../src/policy/protected.ts";
import { PROTECTED_RULES } from "../../src/policy/protected_table.ts";

const protect = (over: Partial<Policy["protect"]> = {}) => ({
  protect: { enabled: true, also: [], allow: [], ...over },
});
const byDefault = protectionOf(defaultPolicy().policy);
const ruleOf = (path: string) => byDefault(path)?.rule ?? null;
const bytes = (value: unknown) =>
  new TextEncoder().encode(typeof value === "string" ? value : JSON.stringify(value));

function patch(text: string) {
  const parsed = parsePatch(byteStringOfText(text));
  assert.ok(parsed.ok, JSON.stringify(parsed));
  return parsed.patch;
}

const PROTECTED: Readonly<Record<string, readonly string[]>> = {
  test_files: [
    ...["tests/a.py", "a/test/fixture.json", "src/__tests__/x.ts", "spec/a_spec.rb", "pkg/testdata/in.txt"],
    ...["a.test.ts", "a/b.spec.js", "x_test.go", "x_test.py", "App.Tests/A.cs", "unit_tests/x.c", "test.sh"],
    ...["tests.py", "src/test/java/A.java", "rust/tests/a.rs", "ui.e2e.ts", "a/__snapshots__/b.snap"],
  ],
  python_tests: ["test_a.py", "src/deep/test_b.py", "doc/test_examples.txt"],
  python_shadows: ["iniconfig.py", "py.py", "src/argparse.py", "xml/__init__.py"],
  python_hooks: [
    ...[
      "conftest.py",
      "a/b/conftest.py",
      "sitecustomize.py",
      "lib/usercustomize.py",
      "x.pth",
      "lib/site/y.pth",
    ],
    ...["sitecustomize/__init__.py", "conftest.pyc", "a/__pycache__/test_a.cpython-311-pytest-8.pyc", ...[
      ".pytest_cache/v/cache/lastfailed",
    ]],
    ...["evil.egg-info/entry_points.txt", "x-1.dist-info/entry_points.txt", "pytest.py", "_pytest/runner.py"],
    ...["unittest/__init__.py", "python._pth", "pyvenv.cfg"],
  ],
  python_config: ["pytest.ini", "tox.ini", "setup.cfg", "pyproject.toml", "sub/pyproject.toml", "noxfile.py"],
  installed_packages: [
    ...["node_modules/jest/x.js", "node_modules/jest/package.json", "vendor/github.com/x/y.go"],
    ...[".venv/lib/python3.12/site-packages/xdist/plugin.py", "venv/bin/tox", ".yarn/releases/yarn.cjs"],
  ],
  package_json: ["package.json", "packages/a/package.json"],
  javascript_config: [
    ...["jest.config.ts", "vitest.config.mts", ".mocharc.yml", ".mocharc", "ava.config.js", "karma.conf.js"],
    ...["playwright.config.ts", "cypress.config.js", "cypress.json", "tsconfig.json", "tsconfig.build.json"],
    ...[
      ".npmrc",
      "a/.npmrc",
      "jest.setup.js",
      "src/setupTests.ts",
      "__mocks__/fs.js",
    ],
  ],
  deno_config: ["deno.json", "deno.jsonc", "sub/deno.json", "import_map.json"],
  go_config: ["go.mod", "go.work"],
  rust_config: ["Cargo.toml", "crates/a/Cargo.toml", "build.rs", ".cargo/config.toml"],
  jvm_tests: ["lib/FooTest.java", "x/BarTests.kt", "a/BazIT.java", "a/src/integrationTest/kotlin/X.kt"],
  jvm_config: ["pom.xml", "build.gradle.kts", "app/build.gradle", "gradle/wrapper/gradle-wrapper.properties"],
  ruby_config: ["Rakefile", ".rspec", "lib/tasks/x.rake", "Gemfile"],
  php_tests: ["phpunit.xml.dist", "phpunit.xml", "src/FooTest.php", "composer.json"],
  dotnet_tests: ["src/FooTests.cs", "all.runsettings", "Directory.Build.props", "a.sln"],
  other_languages: ["mix.exs", "x.cabal", "Package.swift", "t/basic.pl", "lib/x.t"],
  build_files: ["Makefile", "src/makefile", "CMakeLists.txt", "meson.build", "BUILD", "rules.mk", "justfile"],
  shell_tests: ["a.bats", "runtests.py", "ci/testrunner.sh"],
  ci_config: [
    ".github/workflows/ci.yml",
    ".gitlab-ci.yml",
    ".circleci/config.yml",
    "Jenkinsfile",
    ".ppignore",
    ".gitattributes",
    "src/.gitmodules",
  ],
};

const FREE = [
  ...[
    "src/app.py",
    "stats.py",
    "contest.py",
    "latest.java",
    "src/attestation.go",
    "lib/protest.rb",
    "README.md",
  ],
  ...[
    "greatest.kt",
    "src/testing.py",
    "config.mjs",
    "config/default.json",
    "app.config.ts",
    "package-lock.json",
  ],
  ...[
    "bin/greet",
    "prices.csv",
    "duration.ts",
    "build/x.c",
    "src/inspect.js",
    "path.py",
    "notes.txt",
    "iTest.md",
  ],
];

for (const { name, about, globs, exactCase = [], freeMembers } of PROTECTED_RULES) {
  Deno.test(`PROTECTED_RULES: ${name} loads and protects what it is for`, () => {
    assert.match(name, /^[a-z_]+$/);
    assert.ok(about.length > 0);
    for (const glob of [...globs, ...exactCase]) {
      const parsed = parseGlob(glob);
      assert.ok(parsed.ok, `${glob}: ${JSON.stringify(parsed)}`);
    }
    const examples = PROTECTED[name] ?? [];
    assert.ok(examples.length > 0, "no example");
    for (const path of examples) assert.equal(ruleOf(path), name, path);
    assert.equal(freeMembers !== undefined, name === "package_json");
  });
}

Deno.test("protectionOf: sources with names near those of tests are free", () => {
  for (const path of FREE) assert.equal(ruleOf(path), null, path);
});

Deno.test("protectionOf: names that some file system takes for a protected one", () => {
  const same = [
    ...["CONFTEST.PY", "Tests/A.py", "TESTS/a.py", "conftest.py.", "conftest.py ", "conftest.py::$DATA"],
    ...[
      "con\u200bftest.py",
      "\ufeffconftest.py",
      "te\u017fts/a.py",
      "PACKAGE.JSON",
      "tests./a.py",
    ],
  ];
  for (const path of same) assert.notEqual(ruleOf(path), null, JSON.stringify(path));
  // A part before a colon hides nothing either.
  assert.notEqual(ruleOf("test_a:b.py"), null);
});

Deno.test("protectionOf: changing case, adding dots at the end or going deeper never frees a path", () => {
  const paths = fc.constantFrom(
    ...Object.entries(PROTECTED)
      .filter(([name]) =>
        !["python_shadows", "jvm_tests", "dotnet_tests", "php_tests", "build_files", "other_languages"]
          .includes(name)
      )
      .flatMap(([, examples]) => examples),
  );
  fc.assert(
    fc.property(
      paths,
      fc.nat(),
      fc.constantFrom("", ".", " ", ". ."),
      fc.boolean(),
      (path, seed, end, deep) => {
        let bits = seed;
        const cased = [...path].map((c) =>
          ((bits = bits * 1103515245 + 12345 | 0) & 65536) ? c.toUpperCase() : c
        ).join("");
        const spelt = `${deep ? "some/where/" : ""}${cased}${end}`;
        assert.notEqual(ruleOf(spelt), null, spelt);
      },
    ),
  );
});

Deno.test("protectionOf: modules that stand in for the standard library count only where Python looks first", () => {
  for (const path of ["json.py", "json/__init__.py", "SRC/Logging.py"]) {
    assert.equal(ruleOf(path), "python_shadows", path);
  }
  for (
    const path of ["pkg/json.py", "src/pkg/types.py", "json/tool.py", "code/main.py", "csv/a.csv", "py.js"]
  ) {
    assert.equal(ruleOf(path), null, path);
  }
});

Deno.test("protectionOf: also adds, allow permits and only as it is written, enabled: false permits all", () => {
  const policy = protect({ also: ["golden/**", "A[X-Z].txt"], allow: ["tests/data/**", "Makefile"] });
  const protection = protectionOf(policy);
  assert.deepEqual({ ...protection("GOLDEN/x.txt"), about: "" }, {
    rule: "policy",
    about: "",
    allowed: false,
    freeMembers: null,
  });
  assert.equal(protection("AY.txt")!.rule, "policy");
  assert.equal(protection("tests/data/x.json")!.allowed, true);
  assert.equal(protection("tests/x.py")!.allowed, false);
  assert.equal(protection("Makefile")!.allowed, true);
  assert.equal(protection("makefile")!.allowed, false);
  assert.equal(protection("src/x.py"), null);
  const off = protectionOf(protect({ enabled: false }));
  assert.deepEqual([off("conftest.py")!.rule, off("conftest.py")!.allowed], ["python_hooks", true]);
});

Deno.test("protectionOf: what a link with a protected name leads to, near and far, but not from inside tests", () => {
  const links = new Map([
    ["conftest.py", "tools/hooks.py"],
    ["tools/hooks.py", "../lib/real.py"],
    ["tests", "./checks"],
    ["checks/src", "../src"],
    ["e2e/app.py", "../src/app.py"],
    ["e2e/conftest.py", "../shared/hooks.py"],
    ["spec", "../outside"],
    ["sub/pytest.ini", "/etc/passwd"],
    ["loop", "loop"],
    ["a", "b"],
    ["b", "a"],
  ]);
  const protection = protectionOf(protect(), links);
  assert.equal(protection("tools/hooks.py")?.rule, "python_hooks");
  assert.equal(protection("lib/real.py")?.rule, "python_hooks");
  assert.equal(protection("shared/hooks.py")?.rule, "test_files", "its name alone is protected");
  assert.equal(protection("checks/a.py")?.rule, "test_files");
  for (const path of ["src/app.py", "lib/other.py", "outside/x", "loop", "a", "b/x"]) {
    assert.equal(protection(path)?.rule ?? null, null, path);
  }
});

Deno.test("protectionOf: twenty thousand links, loops among them, take seconds at most", () => {
  const links = new Map(Array.from({ length: 20_000 }, (_, i) => [`bin/${i}/link`, `../../lib/${i % 7}`]));
  for (
    const [link, target] of [["a/x", "../a"], ["a/y", "../a"], ["a/z", "../b"], ["b/x", "../a"]] as const
  ) {
    links.set(link, target);
  }
  links.set("conftest.py", "b/hooks.txt");
  const start = performance.now();
  const protection = protectionOf(protect(), links);
  assert.equal(protection("b/hooks.txt")?.rule, "python_hooks");
  for (const path of ["a/f", "b/f", "lib/3/f", "lib/9/f"]) assert.equal(protection(path), null, path);
  assert.ok(performance.now() - start < 20_000);
});

Deno.test("protectionOf: hostile paths are judged in time that grows with their length", () => {
  const long = [..."ab"].map((c) => `${`${c}/`.repeat(255)}x`).concat(
    "a".repeat(255),
    `${"*".repeat(200)}.py`,
  );
  const start = performance.now();
  for (const path of long) ruleOf(path);
  assert.ok(performance.now() - start < 2_000);
});

const RENAME = `diff --git a/src/a.py b/tests/a.py
rename from src/a.py
rename to tests/a.py
diff --git a/src/b.py b/src/b.py
--- a/src/b.py
+++ b/src/b.py
@@ -1 +1 @@
-x
+y
diff --git a/conftest.py b/tools.py
rename from conftest.py
rename to tools.py
`;

Deno.test("protectedTouches: creations, deletions, changes of mode, and both sides of a rename", () => {
  const protection = protectionOf(protect());
  const touched = (text: string) => protectedTouches(patch(text), protection).map((t) => t.path);
  assert.deepEqual(touched(RENAME).sort(), ["conftest.py", "tests/a.py"]);
  assert.deepEqual(
    touched(
      "diff --git a/x.pth b/x.pth\nnew file mode 100644\n--- /dev/null\n+++ b/x.pth\n@@ -0,0 +1 @@\n+import x\n",
    ),
    ["x.pth"],
  );
  assert.deepEqual(
    touched(
      "diff --git a/test_a.py b/test_a.py\ndeleted file mode 100644\n--- a/test_a.py\n+++ /dev/null\n@@ -1 +0,0 @@\n-x\n",
    ),
    ["test_a.py"],
  );
  assert.deepEqual(touched("diff --git a/run_tests.sh b/run_tests.sh\nold mode 100755\nnew mode 100644\n"), [
    "run_tests.sh",
  ]);
});

const PACKAGE = `diff --git a/package.json b/package.json
--- a/package.json
+++ b/package.json
@@ -1 +1 @@
-a
+b
`;

Deno.test("protectedTouches: a package.json is free only when its contents show it", () => {
  const protection = protectionOf(protect());
  const touches = (before: unknown, after: unknown) =>
    protectedTouches(patch(PACKAGE), protection, () => ({ before: bytes(before), after: bytes(after) }))
      .length;
  const base = { name: "a", scripts: { test: "jest" }, dependencies: { x: "1" } };
  assert.equal(touches(base, { ...base, dependencies: { x: "2" }, version: "2" }), 0);
  assert.equal(touches(base, { ...base, scripts: { test: "true" } }), 1);
  assert.equal(touches(base, { ...base, scripts: { ...base.scripts, pretest: "rm -r tests" } }), 1);
  assert.equal(touches(base, { ...base, jest: { testMatch: [] } }), 1);
  assert.equal(touches(base, { name: "a" }), 1);
  for (const member of ["imports", "overrides", "workspaces", "packageManager", "config", "c8", "anything"]) {
    assert.equal(touches(base, { ...base, [member]: {} }), 1, member);
  }
  assert.equal(protectedTouches(patch(PACKAGE), protection).length, 1, "nothing is known of its contents");
});

Deno.test("protectedTouches: a package.json that another rule protects as well is protected as a whole", () => {
  const contents = () => ({ before: bytes({ version: "1" }), after: bytes({ version: "2" }) });
  const touches = (path: string, policy = protect()) =>
    protectedTouches(patch(PACKAGE.replaceAll("package.json", path)), protectionOf(policy), contents).map((
      t,
    ) => t.rule);
  assert.deepEqual(touches("package.json"), []);
  assert.deepEqual(touches("package.json", protect({ also: ["package.json"] })), ["policy"]);
  assert.deepEqual(touches("node_modules/jest/package.json"), ["installed_packages"]);
  assert.deepEqual(touches("tests/package.json"), ["test_files"]);
});

Deno.test("changesOnlyMembers: whatever cannot be compared strictly is a change", () => {
  const same = (a: string, b: string) => changesOnlyMembers(bytes(a), bytes(b), ["version"]);
  assert.equal(same('{"version":1,"x":{"b":1,"a":2}}', '{"x":{"a":2,"b":1}}'), true);
  assert.equal(same('{"x":1}', '{"x":1,"x":2}'), false, "a key twice");
  assert.equal(same('{"x":1}', '{"x":1} // a'), false);
  assert.equal(same('{"x":1}', '\ufeff{"x":1}'), false);
  assert.equal(same("[]", "[]"), false);
  assert.equal(same('{"x":1e999}', '{"x":1e999}'), false);
  assert.equal(same('{"x":1}', '{"__proto__":1,"x":1}'), false);
  assert.equal(
    same(`{"x":${"[".repeat(99)}${"]".repeat(99)}}`, `{"x":${"[".repeat(99)}${"]".repeat(99)}}`),
    false,
  );
});

Deno.test("changesOnlyMembers: true exactly when the other members are equal", () => {
  const object = fc.dictionary(
    fc.constantFrom("scripts", "jest", "version", "name", "x"),
    fc.jsonValue({ maxDepth: 2 }),
  );
  fc.assert(fc.property(object, object, (a, b) => {
    const rest = (o: Record<string, unknown>) => {
      const { version: _v, name: _n, ...others } = o;
      return others;
    };
    let equal = true;
    try {
      assert.deepEqual(JSON.parse(JSON.stringify(rest(a))), JSON.parse(JSON.stringify(rest(b))));
    } catch {
      equal = false;
    }
    assert.equal(changesOnlyMembers(bytes(a), bytes(b), ["version", "name"]), equal);
  }));
});

Deno.test("protectedFindings: name path and rule", () => {
  const protection = protectionOf(protect({ allow: ["**"] }));
  const findings = protectedFindings(protectedTouches(patch(PACKAGE), protection));
  assert.deepEqual(findings.map(({ code, path, rule }) => [code, path, rule]), [
    ["protected_touched", "package.json", "package_json"],
  ]);
});

Deno.test("protectedGlobs: of the base's languages and of no others, the policy's own, none when off", () => {
  const globs = protectedGlobs(protect({ also: ["golden/**"] }), ["src/a.py", "README.md"]);
  assert.ok(globs.some((glob) => glob.includes("conftest")));
  assert.ok(globs.includes("golden/**"));
  assert.ok(!globs.some((glob) => glob.includes("jest")));
  assert.deepEqual(protectedGlobs(protect({ enabled: false }), ["a.py"]), []);
});

Deno.test("docs/policy.md: names every rule of protected files", async () => {
  const page = await Deno.readTextFile(new URL("../../docs/policy.md", import.meta.url));
  for (const { name } of PROTECTED_RULES) assert.match(page, new RegExp(`^\\| \`${name}\` `, "m"), name);
});
