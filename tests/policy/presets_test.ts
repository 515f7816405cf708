import assert from "node:assert/strict";
import { parse } from "yaml";
import { checkTarget, configuredTargets } from "../../src/policy/commands.ts";
import { defaultPolicy } from "../../src/policy/defaults.ts";
import { parsePolicy } from "../../src/policy/parse.ts";
import { loadPreset, PRESETS } from "../../src/policy/presets.ts";
import { KNOWN_KEYS, policyJsonSchema } from "../../src/policy/schema.ts";
import { writeCheck } from "../../src/policy/writes.ts";
import { Failure } from "../../src/vocabulary/failure.ts";
import { type JsonSchema, satisfies } from "./json_schema.ts";

for (const { name } of PRESETS) {
  Deno.test(`loadPreset: ${name} loads, allows its own targets, denies secrets and the network`, async () => {
    const preset = await loadPreset(name);
    const targets = configuredTargets(preset.config);
    assert.ok(targets.ok && targets.targets.length > 0);
    for (const target of targets.targets) {
      assert.equal(checkTarget(preset.config, target), null);
      assert.equal(target.shell, false);
    }
    const { policy } = preset.config;
    assert.equal(policy.network, "deny");
    assert.equal(policy.secrets.allow_in_patch, false);
    for (const path of [".env", "src/.env", "a/secrets/key.py", ".git/config"]) {
      assert.notEqual(writeCheck(policy)(path), null, path);
    }
    assert.match(preset.text, /^# /);
  });

  Deno.test(`policyJsonSchema: takes the preset ${name} as written and as loaded`, async () => {
    const preset = await loadPreset(name);
    const schema = policyJsonSchema();
    assert.ok(satisfies(schema, parse(preset.text)));
    assert.ok(satisfies(schema, preset.config));
  });
}

Deno.test("loadPreset: every file in policies/ is a preset, and every preset has its file", async () => {
  const files: string[] = [];
  for await (const entry of Deno.readDir(new URL("../../policies/", import.meta.url))) {
    // Folders hold the rules of the safety check.
    if (entry.isFile) files.push(entry.name);
  }
  assert.deepEqual(files.sort(), PRESETS.map(({ name }) => `${name}.yaml`).sort());
});

Deno.test("loadPreset: any other name is wrong usage, paths included", async () => {
  for (const name of ["pyton", "../pp", "python.yaml", "", "__proto__"]) {
    await assert.rejects(
      loadPreset(name),
      (error) => error instanceof Failure && error.code === "preset_unknown",
    );
  }
  await assert.rejects(loadPreset("pyton"), { hint: /did you mean python\?/ });
});

Deno.test("loadPreset: each lets the files of its language be written, strict leaves tests alone", async () => {
  const cases: [string, string[], string[]][] = [
    ["python", ["a.py", "src/x/y.py", ".hidden/z.pyi"], [
      "pp.yaml",
      "conftest.py",
      "setup.cfg",
      "x/sitecustomize.py",
    ]],
    ["node", ["a.js", "src/a.tsx", "lib/b.mjs"], [
      "package.json",
      "node_modules/a/i.js",
      "jest.config.js",
      ".env.local",
    ]],
    ["deno", ["a.ts", "src/mod.tsx"], ["deno.json", "vendor/x.ts"]],
    ["go", ["a.go", "x/a_test.go"], ["go.sum", "vendor/a/b.go"]],
    [
      "strict",
      ["src/a.py", "src/x/y.rs"],
      ["a.py", "src/tests/a.py", "src/a_test.go", "src/a.spec.ts", "src/test_a.py", "src/.x", "src/.x/a"],
    ],
    ["ci", ["a", "src/b"], ["pp.yaml", "pp.json", ".github/workflows/x.yml", ".ci/run", "x/CODEOWNERS"]],
  ];
  for (const [name, yes, no] of cases) {
    const check = writeCheck((await loadPreset(name)).config.policy);
    for (const path of yes) assert.equal(check(path), null, `${name} ${path}`);
    for (const path of no) assert.notEqual(check(path), null, `${name} ${path}`);
  }
});

Deno.test("policyJsonSchema: describes every known key and closes every section", () => {
  const schema = policyJsonSchema();
  for (const [place, keys] of KNOWN_KEYS) {
    let section = schema as JsonSchema;
    for (const step of place === "" ? [] : place.split(".")) {
      section = mapping((section.properties as Record<string, JsonSchema>)[step.replace("[]", "")]!);
    }
    assert.deepEqual(Object.keys(section.properties as JsonSchema), keys, place);
    assert.equal(section.additionalProperties, false, place);
  }
});

/** The mapping behind `anyOf` and behind a list's items. */
function mapping(schema: JsonSchema): JsonSchema {
  if (schema.properties !== undefined) return schema;
  if (schema.items !== undefined) return mapping(schema.items as JsonSchema);
  const options = schema.anyOf as JsonSchema[];
  return mapping(options.find((option) => option.type !== "null")!);
}

Deno.test("policyJsonSchema: refuses what parsePolicy refuses by kind, bound or spelling", () => {
  const schema = policyJsonSchema();
  const good: unknown[] = [
    {},
    { policy: null, proof_targets: null },
    defaultPolicy(),
    { policy: { allowed_commands: "a", limits: { max_attempts: "3", output_bytes: "1m" } } },
    { policy: { sandbox: { cpu_limit: "1.5", memory_limit: 1073741824, user: 1000 }, minimize: "no" } },
  ];
  for (const value of good) {
    assert.ok(satisfies(schema, value), JSON.stringify(value));
    assert.ok(parsePolicy(JSON.stringify(value), "a.json").ok, JSON.stringify(value));
  }
  const bad: unknown[] = [
    [],
    { polcy: {} },
    { policy: { limits: { max_attempts: 0 } } },
    { policy: { limits: { max_attempts: "x" } } },
    { policy: { network: "maybe" } },
    { policy: { allowed_argv: ["a"] } },
    { policy: { sandbox: { container_workdir: "x" } } },
    { proof_targets: [{ name: "a" }] },
    { proof_targets: [{ cmd: "a", argv: ["a"] }] },
  ];
  for (const value of bad) {
    assert.ok(!satisfies(schema, value), JSON.stringify(value));
    assert.ok(!parsePolicy(JSON.stringify(value), "a.json").ok, JSON.stringify(value));
  }
});
