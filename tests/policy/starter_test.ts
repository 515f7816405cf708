import assert from "node:assert/strict";
import fc from "fast-check";
import type { Project } from "../../src/policy/ecosystems.ts";
import { parsePolicy } from "../../src/policy/parse.ts";
import type { PolicyConfig } from "../../src/policy/policy.ts";
import { starterPolicy } from "../../src/policy/starter.ts";

function starter(contents: Record<string, string>, more: Partial<Project> = {}): PolicyConfig {
  const files = new Map(Object.entries(contents));
  const project = {
    fileNames: [...files.keys()],
    directories: [],
    testFileNames: [],
    pythonPackages: [],
    contents: files,
    ...more,
  };
  const parsed = parsePolicy(starterPolicy(project).text, "pp.yaml");
  assert.ok(parsed.ok, JSON.stringify(parsed));
  return parsed.config;
}

Deno.test("starterPolicy: picks target and image by the project's own files", () => {
  const pkg = (test?: string) => JSON.stringify(test === undefined ? {} : { scripts: { test } });
  const cases: [Record<string, string>, string, string][] = [
    [{ "pyproject.toml": "[tool.pytest.ini_options]" }, "pytest -q", "python:3.11-slim"],
    [{ "pyproject.toml": 'requires-python = ">=3.13"\npytest' }, "pytest -q", "python:3.13-slim"],
    [{ "pyproject.toml": 'requires-python = ">=3.8"\npytest' }, "pytest -q", "python:3.11-slim"],
    [{ "setup.cfg": "[tool:pytest]" }, "pytest -q", "python:3.11-slim"],
    [{ "requirements.txt": "pytest==8\n" }, "pytest -q", "python:3.11-slim"],
    [{ "requirements.txt": "requests\n" }, "python -m unittest", "python:3.11-slim"],
    [{ "package.json": pkg("jest") }, "npm test", "node:22-slim"],
    [{ "package.json": pkg("jest"), "yarn.lock": "" }, "yarn test", "node:22-slim"],
    [{ "package.json": pkg("jest"), "pnpm-lock.yaml": "" }, "pnpm test", "node:22-slim"],
    [{ "package.json": pkg('echo "Error: no test specified" && exit 1') }, "node --test", "node:22-slim"],
    [{ "package.json": "{" }, "node --test", "node:22-slim"],
    [{ "deno.json": "{}" }, "deno test", "denoland/deno:2.9.6"],
    [{ "deno.jsonc": '{"tasks": {"lint": "x", "test": "y"}}' }, "deno task test", "denoland/deno:2.9.6"],
    [{ "go.mod": "module x\n\ngo 1.22.3\n" }, "go test ./...", "golang:1.22"],
    [{ "Cargo.toml": "" }, "cargo test --offline --quiet", "rust:1-slim"],
    [{ "pom.xml": "" }, "mvn --offline --quiet test", "maven:3-eclipse-temurin-21"],
    [{ "build.gradle.kts": "", gradlew: "" }, "./gradlew --offline --quiet test", "gradle:8-jdk21"],
    [{ "Makefile": "all:\n\ntest: all\n\ttrue\n" }, "make test", "debian:12-slim"],
    [{ "Makefile": "check:\n" }, "make check", "debian:12-slim"],
    [{ "test_a.py": "" }, "pytest -q", "python:3.11-slim"],
    [{ "a.test.mjs": "" }, "node --test", "node:22-slim"],
    [{ "run_tests.sh": "" }, "sh run_tests.sh", "debian:12-slim"],
    [{ "deno.json": "{}", "a.test.js": "" }, "deno test", "denoland/deno:2.9.6"],
  ];
  for (const [contents, cmd, image] of cases) {
    const config = starter(contents);
    assert.deepEqual(config.proof_targets.map((t) => t.cmd), [cmd], JSON.stringify(contents));
    assert.deepEqual(config.policy.allowed_commands, [cmd]);
    assert.equal(config.policy.sandbox.container_image, image, JSON.stringify(contents));
  }
});

Deno.test("starterPolicy: the names in folders of tests tell what they are written in", () => {
  const python = starter({}, { directories: ["tests"], testFileNames: ["test_a.py"] });
  assert.deepEqual(python.proof_targets.map((t) => t.cmd), ["pytest -q"]);
  const node = starter({}, { directories: ["test"], testFileNames: ["a.test.js"] });
  assert.deepEqual(node.proof_targets.map((t) => t.cmd), ["node --test"]);
  assert.deepEqual(starter({}, { testFileNames: ["data.json"] }).proof_targets, []);
});

Deno.test("starterPolicy: says what the image named has not", () => {
  const note = (contents: Record<string, string>) => {
    const of = { fileNames: Object.keys(contents), directories: [], testFileNames: [], pythonPackages: [] };
    const { text, imageNote } = starterPolicy({ ...of, contents: new Map(Object.entries(contents)) });
    if (imageNote !== null) assert.ok(text.includes(`    # ${imageNote}\n    container_image:`), text);
    return imageNote;
  };
  assert.match(note({ "pytest.ini": "" })!, /no pytest/);
  assert.match(note({ "Makefile": "test:\n" })!, /no make/);
  assert.match(note({ "package.json": '{"scripts": {"test": "x"}}', "pnpm-lock.yaml": "" })!, /no pnpm/);
  assert.match(note({ "pytest.ini": "", "go.mod": "" })!, /all the tools/);
  for (const known of ["go.mod", "Cargo.toml", "deno.json"]) assert.equal(note({ [known]: "" }), null, known);
});

Deno.test("starterPolicy: allows the source directories that are there, or everything", () => {
  const config = starter({ "setup.py": "", "run.py": "" }, {
    fileNames: ["setup.py", "run.py"],
    directories: ["docs", "my.pkg[1]", "src", "tests"],
    pythonPackages: ["my.pkg[1]"],
  });
  assert.deepEqual(config.policy.write_allowlist, ["my.pkg\\[1\\]/**", "src/**", "tests/**", "*.py"]);
  assert.deepEqual(starter({ "Cargo.toml": "" }).policy.write_allowlist, ["**"]);
  assert.ok(config.policy.deny_write.includes("pp.{yaml,yml,json}"));
});

Deno.test("starterPolicy: several kinds give several targets, none gives a file to fill in", () => {
  const both = starter({ "go.mod": "", "package.json": '{"scripts": {"test": "x"}}', "Makefile": "test:\n" });
  assert.deepEqual(both.proof_targets.map((t) => t.cmd), ["npm test", "go test ./..."]);
  assert.deepEqual(starter({ "Makefile": "test := x\n" }).proof_targets, []);
});

Deno.test("starterPolicy: whatever the names and contents, the file loads", () => {
  const name = fc.oneof(
    fc.string(),
    fc.constantFrom("src", "a b", "#", "x: y", "[", "{a}", "\n", "é", "!x", "*"),
  );
  const marker = fc.constantFrom(
    "pyproject.toml",
    "package.json",
    "deno.json",
    "go.mod",
    "Makefile",
    "Cargo.toml",
  );
  fc.assert(
    fc.property(
      fc.array(name, { maxLength: 6 }),
      fc.array(fc.tuple(marker, fc.string()), { maxLength: 4 }),
      (directories, markers) => {
        starter(Object.fromEntries(markers), { directories, pythonPackages: directories });
      },
    ),
    { numRuns: 150 },
  );
});
