import assert from "node:assert/strict";
import fc from "fast-check";
import {
  checkTarget,
  configuredTargets,
  targetFromArgv,
  targetFromCommand,
} from "../../src/policy/commands.ts";
import { parsePolicy } from "../../src/policy/parse.ts";
import type { PolicyConfig } from "../../src/policy/policy.ts";
import type { ProofTarget } from "../../src/vocabulary/session.ts";

function policy(file: unknown): PolicyConfig {
  const parsed = parsePolicy(JSON.stringify(file), "pp.json");
  assert.ok(parsed.ok, JSON.stringify(parsed));
  return parsed.config;
}

function command(cmd: string): ProofTarget {
  const resolved = targetFromCommand("t", cmd);
  assert.ok(resolved.ok, cmd);
  return resolved.target;
}

function argv(...words: string[]): ProofTarget {
  const resolved = targetFromArgv("t", words);
  assert.ok(resolved.ok, words.join(" "));
  return resolved.target;
}

function allowed(config: PolicyConfig, target: ProofTarget): boolean {
  const refusal = checkTarget(config, target);
  if (refusal !== null) assert.equal(refusal.reason, "command_not_allowed");
  return refusal === null;
}

Deno.test("targetFromCommand: splits without shell syntax, runs sh -c with it", () => {
  assert.deepEqual(command(" pytest -q 'a b'\n"), {
    name: "t",
    command: "pytest -q 'a b'",
    argv: ["pytest", "-q", "a b"],
    shell: false,
  });
  assert.deepEqual(command("make && make test"), {
    name: "t",
    command: "make && make test",
    argv: ["sh", "-c", "make && make test"],
    shell: true,
  });
});

Deno.test("targetFromCommand: refuses what cannot be run", () => {
  const cases: [string, string][] = [
    ["", "command_empty"],
    [" \n", "command_empty"],
    ["'' a", "command_empty"],
    ["a 'b", "command_malformed"],
    ["a\\", "command_malformed"],
    ["-x", "command_malformed"],
    ["-e; rm", "command_malformed"],
    ["+x | y", "command_malformed"],
    ["a\0b", "command_malformed"],
  ];
  for (const [cmd, reason] of cases) {
    const resolved = targetFromCommand("t", cmd);
    assert.ok(!resolved.ok, cmd);
    assert.equal(resolved.refusal.reason, reason, cmd);
  }
});

Deno.test("targetFromCommand: blanks around do not count, a blank a backslash keeps does", () => {
  assert.deepEqual(command("a\\ ").argv, ["a "]);
  assert.deepEqual(command("a \\\\ ").argv, ["a", "\\"]);
  assert.deepEqual(command("\n\t a \t\r\n").argv, ["a"]);
});

Deno.test("targetFromArgv: runs words as they are and shows them quoted", () => {
  assert.deepEqual(argv("a b", "$X", ""), {
    name: "t",
    command: "'a b' '$X' ''",
    argv: ["a b", "$X", ""],
    shell: false,
  });
  for (const words of [[], [""], ["-x"], ["a", "\0"], ["a", "\ud800"]]) {
    assert.ok(!targetFromArgv("t", words).ok, JSON.stringify(words));
  }
});

Deno.test("checkTarget: argv must equal an allowed argv word by word", () => {
  const config = policy({
    policy: { allowed_argv: [["pytest", "-q"]], allowed_commands: ["make 'a b'", "a | b"] },
  });
  assert.ok(allowed(config, command("pytest -q")));
  assert.ok(allowed(config, command("  pytest   '-q' ")));
  assert.ok(allowed(config, argv("make", "a b")));
  assert.ok(allowed(config, command("make a\\ b")));
  assert.ok(allowed(config, command("a | b")));
  for (
    const no of [
      command("pytest"),
      command("pytest -q x"),
      command("pytest -q; x"),
      command("pytest '-q '"),
      command("Pytest -q"),
      command("make a b"),
      command("a |b"),
      argv("pytest -q"),
      argv("a", "|", "b"),
      argv("sh", "-c", "pytest -q"),
    ]
  ) assert.ok(!allowed(config, no), no.command);
});

Deno.test("checkTarget: what is shown does not decide, what is run does", () => {
  const config = policy({ policy: { allowed_commands: ["pytest -q"] } });
  assert.ok(!allowed(config, { name: "t", command: "pytest -q", argv: ["rm", "-r", "x"], shell: false }));
  assert.ok(
    !allowed(config, { name: "t", command: "pytest -q", argv: ["sh", "-c", "pytest -q"], shell: true }),
  );
});

Deno.test("checkTarget: without lists the policy's own targets are allowed, and nothing is added to them", () => {
  const config = policy({ proof_targets: [{ cmd: "pytest -q" }, { argv: ["a", "b c"] }] });
  assert.ok(allowed(config, command("pytest -q")));
  assert.ok(allowed(config, argv("a", "b c")));
  assert.ok(!allowed(config, command("pytest")));
  assert.ok(!allowed(config, command("curl x")));
});

Deno.test("checkTarget: without lists and targets the command given is allowed; one list closes the other", () => {
  assert.ok(allowed(policy({}), command("anything at all")));
  assert.ok(!allowed(policy({ policy: { allowed_argv: [["a"]] } }), command("b")));
  const config = policy({ proof_targets: [{ cmd: "b" }], policy: { allowed_commands: ["a"] } });
  assert.ok(!allowed(config, command("b")), "a target outside the lists is not allowed by being a target");
});

Deno.test("checkTarget: an argv that can never run is refused even where all is allowed", () => {
  for (const words of [[], [""], ["-x"], ["a\0"]]) {
    const refusal = checkTarget(policy({}), { name: "t", command: "x", argv: words, shell: false });
    assert.notEqual(refusal, null, JSON.stringify(words));
  }
});

Deno.test("checkTarget: lists what is allowed, shortened", () => {
  const config = policy({
    policy: { allowed_argv: Array.from({ length: 50 }, (_, i) => ["x".repeat(500), `${i}`]) },
  });
  const detail = checkTarget(config, command("y"))?.detail ?? "";
  assert.match(detail, /and 40 more/);
  assert.ok(detail.length < 3_000);
});

Deno.test("checkTarget: admits exactly the argvs listed", () => {
  const words = fc.array(fc.constantFrom("a", "b", "a b", "'", "", "-q", "|"), { minLength: 1, maxLength: 3 })
    .map((w) => ["run", ...w]);
  fc.assert(
    fc.property(fc.array(words, { minLength: 1, maxLength: 4 }), words, (list, words) => {
      const config = policy({ policy: { allowed_argv: list } });
      const listed = list.some((l) => JSON.stringify(l) === JSON.stringify(words));
      assert.equal(allowed(config, argv(...words)), listed);
      const lines = policy({ policy: { allowed_commands: list.map((l) => argv(...l).command) } });
      assert.equal(allowed(lines, argv(...words)), listed);
    }),
    { numRuns: 150 },
  );
});

Deno.test("configuredTargets: resolves all targets, or says which one cannot be", () => {
  const config = policy({ proof_targets: [{ name: "u", cmd: "a | b" }, { argv: ["x", "y z"] }] });
  assert.deepEqual(configuredTargets(config), {
    ok: true,
    targets: [
      { name: "u", command: "a | b", argv: ["sh", "-c", "a | b"], shell: true },
      { name: "target-2", command: "x 'y z'", argv: ["x", "y z"], shell: false },
    ],
  });
  const broken = configuredTargets({ ...config, proof_targets: [{ name: "u", cmd: "a '" }] });
  assert.ok(!broken.ok);
  assert.match(broken.refusal.detail, /proof target u/);
});
