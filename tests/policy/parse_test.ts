import assert from "node:assert/strict";
import fc from "fast-check";
import { defaultPolicy } from "../../src/policy/defaults.ts";
import { policyDigest } from "../../src/policy/digest.ts";
import { MAX_PROBLEMS } from "../../src/document/parse.ts";
import { showProblem } from "../../src/document/problem.ts";
import { parsePolicy } from "../../src/policy/parse.ts";
import type { PolicyConfig } from "../../src/policy/policy.ts";

function config(text: string, name = "pp.yaml"): PolicyConfig {
  const parsed = parsePolicy(text, name);
  assert.ok(parsed.ok, parsed.ok ? "" : parsed.problems.map((p) => showProblem(name, p)).join("\n"));
  return parsed.config;
}

function problems(text: string, name = "pp.yaml"): string[] {
  const parsed = parsePolicy(text, name);
  assert.ok(!parsed.ok, `${text.slice(0, 200)} was taken`);
  return parsed.problems.map((p) => showProblem(name, p));
}

/** The policy of a file that sets one key, given as YAML in flow style. */
function withKey(key: string, value: string): string {
  const steps = key.split(".");
  return `${steps.map((step) => `{${step}: `).join("")}${value}${"}".repeat(steps.length)}`;
}

function at(value: unknown, key: string): unknown {
  return key.split(".").reduce<unknown>((v, step) => (v as Record<string, unknown>)[step], value);
}

Deno.test("defaultPolicy: the Python tool's defaults and the documented new ones", () => {
  assert.deepEqual(defaultPolicy(), {
    proof_targets: [],
    policy: {
      network: "deny",
      allowed_commands: [],
      allowed_argv: [],
      write_allowlist: ["**"],
      deny_write: [],
      protect: { enabled: true, also: [], allow: [] },
      limits: {
        max_attempts: 3,
        max_files_changed: 8,
        max_patch_bytes: 200_000,
        per_command_timeout_sec: 600,
        session_sec: 3_600,
        output_bytes: 1_048_576,
        pids: null,
        file_bytes: null,
        disk_bytes: null,
        minimize_runs: 400,
        minimize_sec: 1_800,
      },
      minimize: true,
      verify: { repeat: 1, negative_control: null },
      secrets: { allow_in_patch: false },
      safety: { deny: [], require_approval: [], max_diff_lines: 10_000 },
      approval: {
        required: "always",
        threshold: 1,
        expires: 604_800,
        keep_on_clean_rebase: false,
        signed_proposals: false,
        bypass: false,
        review_within: 259_200,
        automatic: [],
      },
      sandbox: {
        backend: "auto",
        container_runtime: "docker",
        container_image: "python:3.11-slim",
        container_workdir: "/workspace",
        cpu_limit: null,
        memory_limit: null,
        runtime: null,
        user: "65534:65534",
        parallel: null,
      },
      attestation: { enabled: false, mode: "none", key_env: "PP_ATTEST_HMAC_KEY", key_file: null },
    },
  });
});

Deno.test("parsePolicy: every key takes what it is documented to take", () => {
  const cases: [string, string, unknown][] = [
    ["policy.network", "allow", "allow"],
    ["policy.allowed_commands", "[pytest -q, 'a | b']", ["pytest -q", "a | b"]],
    ["policy.allowed_commands", "pytest -q", ["pytest -q"]],
    ["policy.allowed_commands", "' pytest -q '", ["pytest -q"]],
    ["policy.allowed_commands", "null", []],
    ["policy.allowed_argv", "[[pytest, -q, '']]", [["pytest", "-q", ""]]],
    ["policy.allowed_argv", "null", []],
    ["policy.write_allowlist", "[src/**, '*.py']", ["src/**", "*.py"]],
    ["policy.write_allowlist", "src/**", ["src/**"]],
    ["policy.write_allowlist", "[]", ["**"]],
    ["policy.write_allowlist", "null", ["**"]],
    ["policy.deny_write", "'**/.env'", ["**/.env"]],
    ["policy.deny_write", "null", []],
    ["policy.minimize", "false", false],
    ["policy.minimize", "no", false],
    ["policy.minimize", "On", true],
    ["policy.verify.repeat", "100", 100],
    ["policy.secrets.allow_in_patch", "true", true],
    ["policy.limits.max_attempts", "'7'", 7],
    ["policy.limits.max_files_changed", "1", 1],
    ["policy.limits.max_patch_bytes", "67108864", 67_108_864],
    ["policy.limits.per_command_timeout_sec", "86400", 86_400],
    ["policy.limits.session_sec", "1", 1],
    ["policy.limits.output_bytes", "64k", 65_536],
    ["policy.limits.pids", "128", 128],
    ["policy.limits.pids", "null", null],
    ["policy.limits.file_bytes", "1.5m", 1_572_864],
    ["policy.limits.disk_bytes", "4g", 4_294_967_296],
    ["policy.limits.minimize_runs", "1", 1],
    ["policy.limits.minimize_sec", "60", 60],
    ["policy.approval.required", "findings", "findings"],
    ["policy.approval.threshold", "64", 64],
    ["policy.approval.expires", "12h", 43_200],
    ["policy.approval.expires", "'90'", 90],
    ["policy.approval.expires", "31536000", 31_536_000],
    ["policy.approval.review_within", "2w", 1_209_600],
    ["policy.approval.bypass", "yes", true],
    ["policy.approval.automatic", "null", []],
    [
      "policy.approval.automatic",
      "[{name: words, paths: ['docs/**']}]",
      [{ name: "words", paths: ["docs/**"], max_lines: 20, max_files: 1 }],
    ],
    ["policy.sandbox.backend", "git_worktree", "git_worktree"],
    ["policy.sandbox.container_runtime", "podman", "podman"],
    [
      "policy.sandbox.container_image",
      "localhost:5000/a/b@sha256:abc",
      "localhost:5000/a/b@sha256:abc",
    ],
    ["policy.sandbox.container_workdir", "/a/.b c", "/a/.b c"],
    ["policy.sandbox.cpu_limit", "'2'", 2],
    ["policy.sandbox.cpu_limit", "2", 2],
    ["policy.sandbox.cpu_limit", "'1.5'", 1.5],
    ["policy.sandbox.cpu_limit", "null", null],
    ["policy.sandbox.memory_limit", "2g", 2_147_483_648],
    ["policy.sandbox.memory_limit", "'512m'", 536_870_912],
    ["policy.sandbox.memory_limit", "'1073741824'", 1_073_741_824],
    ["policy.sandbox.memory_limit", "1073741824", 1_073_741_824],
    ["policy.sandbox.memory_limit", "64 MiB", 67_108_864],
    ["policy.sandbox.memory_limit", "null", null],
    ["policy.sandbox.runtime", "runsc", "runsc"],
    ["policy.sandbox.user", "1000:100", "1000:100"],
    ["policy.sandbox.user", "1000", "1000:1000"],
    ["policy.sandbox.parallel", "4", 4],
    ["policy.attestation.enabled", "yes", true],
    ["policy.attestation.mode", "ed25519", "ed25519"],
    ["policy.attestation.mode", "hmac-sha256", "hmac-sha256"],
    ["policy.attestation.key_env", "MY_KEY", "MY_KEY"],
    ["policy.attestation.key_file", "keys/a.pem", "keys/a.pem"],
    ["policy.limits", "null", defaultPolicy().policy.limits],
    ["policy.sandbox", "null", defaultPolicy().policy.sandbox],
    ["policy.attestation", "{}", defaultPolicy().policy.attestation],
    ["policy.verify", "null", { repeat: 1, negative_control: null }],
    ["policy.protect.enabled", "no", false],
    ["policy.protect.also", "golden/**", ["golden/**"]],
    ["policy.protect.allow", "[Makefile, 'tests/**']", ["Makefile", "tests/**"]],
    ["policy.verify.negative_control", "{files: {tests/test_no.py: 'assert False'}}", {
      files: { "tests/test_no.py": "assert False" },
      targets: [],
    }],
    ["policy.secrets", "null", { allow_in_patch: false }],
    ["policy", "null", defaultPolicy().policy],
    ["proof_targets", "null", []],
    ["proof_targets", "[{name: unit, cmd: pytest -q}]", [{ name: "unit", cmd: "pytest -q" }]],
    ["proof_targets", "[{argv: [a, b]}]", [{ name: "target-1", argv: ["a", "b"] }]],
    ["proof_targets", "[{name: 7, cmd: a}, {name: '', cmd: b}, {name: null, cmd: c}]", [
      { name: "7", cmd: "a" },
      { name: "target-2", cmd: "b" },
      { name: "target-3", cmd: "c" },
    ]],
  ];
  for (const [key, value, expected] of cases) {
    assert.deepEqual(at(config(withKey(key, value)), key), expected, `${key}: ${value}`);
  }
});

Deno.test("parsePolicy: every key has bounds, and the problem names the key", () => {
  const cases: [string, ...string[]][] = [
    ["policy.network", "none", "true", "null"],
    ["policy.allowed_commands", "[1]", '["a \'b"]', "['']", "[-x]", "{a: b}"],
    ["policy.allowed_argv", "pytest", "[pytest]", "[[]]", "[['']]", "[[a, 1]]", "[[-x]]", '[["a\\0"]]'],
    ["policy.write_allowlist", "[/etc]", "[../a]", "[a/../b]", "['!a']", "[1]", "['']", "['a{b']"],
    ["policy.deny_write", "[src/]", "['+(a)']"],
    ["policy.minimize", "maybe", "1", "null"],
    ["policy.verify.repeat", "0", "101", "1.5", "-1"],
    ["policy.secrets.allow_in_patch", "sometimes"],
    ["policy.limits.max_attempts", "0", "101", "'-1'", "1e99", ".inf", ".nan", "three", "null", "[1]"],
    ["policy.limits.max_files_changed", "0", "10001"],
    ["policy.limits.max_patch_bytes", "0", "67108865"],
    ["policy.limits.per_command_timeout_sec", "0", "86401"],
    ["policy.limits.session_sec", "0", "604801"],
    ["policy.limits.output_bytes", "1023", "65m", "1x"],
    ["policy.limits.pids", "3", "4194305"],
    ["policy.limits.file_bytes", "4095", "17t", "-1", "1.5"],
    ["policy.limits.disk_bytes", "1023k", "17t"],
    ["policy.limits.minimize_runs", "0", "100001"],
    ["policy.limits.minimize_sec", "0", "604801"],
    ["policy.approval.required", "sometimes", "null"],
    ["policy.approval.threshold", "0", "65"],
    ["policy.approval.expires", "59", "366d", "1y", "'-1d'", "null", "1e3d"],
    ["policy.approval.review_within", "59s"],
    ["policy.approval.bypass", "perhaps"],
    [
      "policy.approval.automatic",
      "{name: a}",
      "[a]",
      "[{name: a}]",
      "[{name: a, paths: []}]",
      "[{paths: [b]}]",
      "[{name: a, paths: [/b]}]",
      "[{name: a, paths: [b], max_lines: 0}]",
      "[{name: a, paths: [b], max_files: 1001}]",
      "[{name: a, paths: [b]}, {name: a, paths: [c]}]",
    ],
    ["policy.sandbox.backend", "docker"],
    ["policy.sandbox.container_runtime", "lxc"],
    ["policy.sandbox.container_image", "''", "'a b'", "-rm", '"a\\n"'],
    [
      "policy.sandbox.container_workdir",
      "/",
      "a",
      "/a/",
      "/a/../b",
      "/a//b",
      "/./a",
      "/proc/x",
      '"/a\\n"',
      "//",
    ],
    ["policy.sandbox.cpu_limit", "0", "'0.001'", "1025", "1:30", "two"],
    ["policy.sandbox.memory_limit", "1m", "17t", "2x", "g"],
    ["policy.sandbox.runtime", "'a b'", "/bin/x"],
    [
      "policy.sandbox.user",
      "root",
      "0",
      "0:0",
      "1000:0",
      "0:1000",
      "nobody",
      "4294967296:1",
      "4294967295",
      "'01:1'",
    ],
    ["policy.sandbox.parallel", "0", "257"],
    ["policy.attestation.mode", "rsa"],
    ["policy.attestation.key_env", "'A B'", "1A", "''"],
    ["policy.attestation.key_file", "''"],
    ["policy.limits", "3", "[]"],
    ["policy", "text", "[]"],
    [
      "proof_targets",
      "{a: b}",
      "[pytest]",
      "[{name: a}]",
      "[{cmd: a, argv: [a]}]",
      "[{cmd: ''}]",
      "[{cmd: 1}]",
    ],
    ["proof_targets", "[{name: a/b, cmd: a}]", "[{name: '..', cmd: a}]", "[{name: ' a', cmd: a}]"],
    ["proof_targets", "[{name: a, cmd: a}, {name: A, cmd: b}]", "[{name: target-2, cmd: a}, {cmd: b}]"],
  ];
  for (const [key, ...values] of cases) {
    for (const value of values) {
      const found = problems(withKey(key, value));
      assert.equal(found.length, 1, `${key}: ${value}: ${found.join("; ")}`);
      const place = `pp.yaml:1:\\d+ ${key.replaceAll(".", "\\.")}(\\[|\\.|:)`;
      assert.match(found[0]!, new RegExp(`^${place}`), value);
    }
  }
});

Deno.test("parsePolicy: every problem at once, each at its line and column", () => {
  const text = `proof_targets:
  - cmd: "a 'b"
  - {name: X, cmd: x}
  - {name: x, argv: [y]}
  - nme: 1
policy:
  netwrok: deny
  network: dney
  max_attempts: 3
  limits:
    max_attempts: 0
    max_files_changed: lots
    pids: "3"
    session_sec: 5
    session_sec: 6
  sandbox: {memory_limit: 1k, user: "0:5"}
  allowed_commands:
    - ok
    - 1
  write_allowlist: /a
`;
  const places = problems(text).map((line) =>
    line.replace(/^pp\.yaml:/, "").split(/: | /).slice(0, 2).join(" ")
  );
  assert.deepEqual(places, [
    "2:10 proof_targets[0].cmd",
    "4:12 proof_targets[2].name",
    "5:5 proof_targets[3].nme",
    "5:5 proof_targets[3]",
    "7:3 policy.netwrok",
    "8:12 policy.network",
    "9:3 policy.max_attempts",
    "11:19 policy.limits.max_attempts",
    "12:24 policy.limits.max_files_changed",
    "13:11 policy.limits.pids",
    "15:5 policy.limits.session_sec",
    "16:27 policy.sandbox.memory_limit",
    "16:37 policy.sandbox.user",
    "19:7 policy.allowed_commands[1]",
    "20:20 policy.write_allowlist",
  ]);
  const shown = problems(text).join("\n");
  assert.match(shown, /netwrok: unknown key; did you mean network\?/);
  assert.match(shown, /"dney"; did you mean deny\?/);
  assert.match(shown, /max_attempts belongs under policy\.limits/);
  assert.match(shown, /max_attempts: must be at least 1, not 0/);
  assert.match(shown, /this key is there twice/);
});

Deno.test("parsePolicy: a .json file is strict JSON and means the same as YAML", () => {
  const json = `{\n\t"policy": {\n\t\t"limits": {"max_attempts": 5}\n\t}\n}\n`;
  assert.deepEqual(config(json, "pp.json"), config("policy: {limits: {max_attempts: 5}}"));
  assert.match(problems("policy: {}", "pp.json")[0]!, /^pp\.json(:\d+:\d+)? not strict JSON/);
  assert.match(problems('{"policy": {},}', "pp.json")[0]!, /^pp\.json:1:\d+ not strict JSON/);
  assert.match(problems('{"policy": {} /* x */}', "PP.JSON")[0]!, /not strict JSON/);
  assert.deepEqual(problems('{\n "policy": {\n  "minimize": true,\n  "minimize": true}}', "pp.json"), [
    "pp.json:4:3 policy.minimize: this key is there twice",
  ]);
  assert.match(problems('{\n"policy":\n{"limits": {"max_attempts": 0}}}', "pp.json")[0]!, /^pp\.json:3:29 /);
});

Deno.test("parsePolicy: YAML that is broken or no policy", () => {
  const cases: [string, RegExp][] = [
    ["", /empty/],
    ["# nothing\n", /empty/],
    ["[]", /^pp\.yaml:1:1 expected a policy file/],
    ["just text", /expected a policy file/],
    ["a: b: c", /^pp\.yaml:1:4 not valid YAML/],
    ["policy:\n\tminimize: true", /^pp\.yaml:2:1 not valid YAML/],
    ["policy: {}\n---\npolicy: {}\n", /one document/],
    ["policy: {minimize: !!python/object:x true}", /Unresolved tag/],
    ["policy: {minimize: *nothing}", /anchor|alias/i],
    ["? [a, b]\n: 1", /plain text/],
    ["__proto__: {policy: 1}", /__proto__: unknown key/],
    ["constructor: 1", /constructor: unknown key/],
    ["policy: {<<: 3}", /<< can only merge mappings/],
  ];
  for (const [text, message] of cases) assert.match(problems(text)[0]!, message, text);
});

Deno.test("parsePolicy: anchors, aliases and merge keys work as in the Python tool's YAML", () => {
  const text = `proof_targets:
  - &unit {name: unit, cmd: &cmd pytest -q}
  - {<<: *unit, name: again}
policy:
  allowed_commands: [*cmd]
`;
  assert.deepEqual(config(text).proof_targets, [
    { name: "unit", cmd: "pytest -q" },
    { name: "again", cmd: "pytest -q" },
  ]);
  assert.deepEqual(config(text).policy.allowed_commands, ["pytest -q"]);
});

Deno.test("parsePolicy: hostile texts are refused quickly", () => {
  const bomb = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"];
  for (let i = 1; i < 12; i++) bomb.push(`a${i}: &a${i} [${`*a${i - 1}, `.repeat(9)}]`);
  const texts = [
    bomb.join("\n"),
    "policy: &a {limits: *a}",
    "policy: &a [*a, *a]",
    "[".repeat(500_000),
    "{a: ".repeat(200_000),
    "- ".repeat(500_000),
    "? ".repeat(500_000),
    "&a ".repeat(300_000),
    "!!str ".repeat(150_000),
    "'".repeat(1_000_001),
    Array.from({ length: 1_400 }, (_, i) => `${" ".repeat(i)}a:`).join("\n"),
    Array.from({ length: 90_000 }, (_, i) => `k${i}: 1`).join("\n"),
    `policy: {allowed_commands: [${"1,".repeat(400_000)}]}`,
    `policy: {write_allowlist: [${"'[',".repeat(15_000)}]}`,
    `a: ${"x ".repeat(500_000)}`,
    "x".repeat(1_048_577),
  ];
  for (const text of texts) {
    for (const name of ["pp.yaml", "pp.json"]) {
      const start = performance.now();
      const found = problems(text, name);
      const spent = performance.now() - start;
      assert.ok(found.length <= MAX_PROBLEMS + 1);
      assert.ok(found.join("").length < 100_000);
      assert.ok(spent < 4_000, `${text.slice(0, 30)} took ${Math.round(spent)} ms`);
    }
  }
});

Deno.test("parsePolicy: never throws, whatever the text", () => {
  const piece = fc.constantFrom(
    ...[
      "policy",
      "proof_targets",
      ":",
      " ",
      "\n",
      "  ",
      "- ",
      "[",
      "]",
      "{",
      "}",
      "&a",
      "*a",
      "!x",
      "<<",
      "'",
      '"',
    ],
    ...[
      "|",
      ">",
      "#",
      "%YAML 1.1",
      "---",
      "...",
      "?",
      ",",
      "0",
      "null",
      "~",
      "\t",
      "\ufeff",
      "\0",
      "\ud800",
      "\\",
    ],
  );
  const text = fc.oneof(fc.string(), fc.array(piece, { maxLength: 30 }).map((p) => p.join("")));
  fc.assert(
    fc.property(text, fc.constantFrom("pp.yaml", "pp.json"), (t, name) => {
      const parsed = parsePolicy(t, name);
      assert.ok(parsed.ok || parsed.problems.length > 0);
    }),
    { numRuns: 1_500 },
  );
});

Deno.test("policyDigest: the same for the same meaning, and a loaded policy loads again", () => {
  const yaml = config("# x\npolicy:\n  network: deny\n  allowed_commands: a b\n");
  const json = config('{"policy": {"allowed_commands": ["a b"], "limits": {"max_attempts": 3}}}', "a.json");
  assert.equal(policyDigest(yaml), policyDigest(json));
  assert.notEqual(policyDigest(yaml), policyDigest(defaultPolicy()));
  const full = config(
    "{proof_targets: [{cmd: a}, {argv: [b]}], policy: {sandbox: {memory_limit: 2g, cpu_limit: '1.5', user: 1000}}}",
  );
  assert.deepEqual(config(JSON.stringify(full), "policy.json"), full);
});
