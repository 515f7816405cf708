import assert from "node:assert/strict";
import { admit, targetsOf } from "../../src/cli/targets.ts";
import { defaultPolicy } from "../../src/policy/defaults.ts";
import { parsePolicy } from "../../src/policy/parse.ts";
import type { PolicyConfig } from "../../src/policy/policy.ts";
import { Failure, type FailureKind } from "../../src/vocabulary/failure.ts";

function policy(text: string): PolicyConfig {
  const parsed = parsePolicy(text, "pp.yaml");
  assert.ok(parsed.ok);
  return parsed.config;
}

const refused = (kind: FailureKind, code: string) => (error: unknown) =>
  error instanceof Failure && error.kind === kind && error.code === code;
const run = (words: readonly string[], literal = false) => ({ verb: "run", words, literal }) as const;

Deno.test("targetsOf run: one string is split, or run by a shell when it has its syntax", () => {
  const [split] = targetsOf(run(["pytest -q 'a b'"]), defaultPolicy(), null);
  assert.deepEqual(split, {
    name: "command",
    command: "pytest -q 'a b'",
    argv: ["pytest", "-q", "a b"],
    shell: false,
  });
  const [shell] = targetsOf(run(["a && b"]), defaultPolicy(), null);
  assert.deepEqual(shell!.argv, ["sh", "-c", "a && b"]);
  assert.ok(shell!.shell);
});

Deno.test("targetsOf run: a command that cannot be read says how it can be given", () => {
  assert.throws(() => targetsOf(run(["grep 'a"]), defaultPolicy(), null), (error: unknown) => {
    assert.ok(refused("usage", "command_malformed")(error));
    assert.match((error as Failure).hint!, /pp run -- /);
    return true;
  });
});

Deno.test("targetsOf run: several words, and one word after --, are an argv as they are", () => {
  assert.deepEqual(targetsOf(run(["go", "test", "a b && c"]), defaultPolicy(), null)[0]!.argv, [
    "go",
    "test",
    "a b && c",
  ]);
  const [literal] = targetsOf(run(["my tool"], true), defaultPolicy(), null);
  assert.deepEqual(literal!.argv, ["my tool"]);
  assert.equal(literal!.command, "'my tool'", "shown as a shell would need it");
});

Deno.test("targetsOf run: a command that cannot be read is wrong usage", () => {
  assert.throws(() => targetsOf(run(["  "]), defaultPolicy(), null), refused("usage", "command_empty"));
  assert.throws(() => targetsOf(run(["a 'b"]), defaultPolicy(), null), refused("usage", "command_malformed"));
  assert.throws(
    () => targetsOf(run(["", "x"], true), defaultPolicy(), null),
    refused("usage", "command_empty"),
  );
});

Deno.test("targetsOf run: a policy with commands admits exactly those", () => {
  const strict = policy("policy: {allowed_commands: [pytest -q], allowed_argv: [[go, test]]}");
  assert.equal(targetsOf(run(["pytest -q"]), strict, null).length, 1);
  assert.equal(targetsOf(run(["pytest", "-q"], true), strict, null).length, 1);
  assert.equal(targetsOf(run(["go", "test"], true), strict, null).length, 1);
  for (const words of [["pytest"], ["pytest -q -x"], ["pytest -q; rm -rf /"], ["sh -c 'pytest -q'"]]) {
    assert.throws(
      () => targetsOf(run(words), strict, null),
      refused("denied", "command_not_allowed"),
      words[0],
    );
  }
});

Deno.test("targetsOf run: a command that is a target of the policy has its name and is judged by its report", () => {
  const known = policy(
    "proof_targets: [{name: unit, cmd: pytest -q, report: {format: junit, path: r.xml}}, {name: web, argv: [make, a]}]",
  );
  const brief = (words: string[], report?: string) =>
    targetsOf({ ...run(words), report }, known, null).map((t) => `${t.name} ${t.report?.format ?? "-"}`);
  assert.deepEqual(brief(["pytest -q"]), ["unit junit"]);
  assert.deepEqual(brief(["pytest '-q'"]), ["unit junit"]);
  assert.deepEqual(brief(["make", "a"]), ["web -"]);
  assert.deepEqual(brief(["pytest -q"], "junit:r.xml"), ["unit junit"], "the policy's own, said again");
  assert.deepEqual(brief(["make", "a"], "tap"), ["web tap"], "the policy names none");
  for (const other of ["tap", "junit:other.xml"]) {
    assert.throws(() => brief(["pytest -q"], other), refused("usage", "report_of_policy"), other);
  }
  const other = policy(
    "proof_targets: [{name: unit, cmd: pytest -q, report: {format: junit, path: r.xml}}]\n" +
      "policy: {allowed_commands: [pytest]}",
  );
  assert.deepEqual(targetsOf(run(["pytest"]), other, null).map((t) => [t.name, t.report]), [[
    "command",
    undefined,
  ]]);
});

Deno.test("targetsOf prove: all targets in the policy's order, or wrong usage when it has none", () => {
  const two = policy("proof_targets: [{name: build, cmd: make}, {name: test, argv: [make, 'a b']}]");
  assert.deepEqual(targetsOf({ verb: "prove" }, two, null).map((t) => [t.name, t.argv]), [
    ["build", ["make"]],
    ["test", ["make", "a b"]],
  ]);
  assert.throws(() => targetsOf({ verb: "prove" }, defaultPolicy(), null), refused("usage", "no_targets"));
  assert.throws(() => targetsOf({ verb: "prove" }, defaultPolicy(), null), /no pp\.yaml/);
  assert.throws(
    () => targetsOf({ verb: "prove" }, defaultPolicy(), "mine.yaml"),
    /mine\.yaml names no proof targets/,
  );
});

Deno.test("targetsOf prove: one target that the policy does not admit denies all", () => {
  const mixed = policy(
    "{proof_targets: [{name: a, cmd: make}, {name: b, cmd: rm x}], policy: {allowed_commands: [make]}}",
  );
  assert.throws(() => targetsOf({ verb: "prove" }, mixed, null), refused("denied", "command_not_allowed"));
});

Deno.test("admit: says whose command it is and how to admit it", () => {
  const strict = policy("policy: {allowed_commands: [make]}");
  const target = { name: "t", command: "x", argv: ["x"], shell: false };
  assert.throws(() => admit(strict, target, "the bundle's: "), (error: unknown) => {
    assert.ok(error instanceof Failure);
    assert.match(error.message, /^the bundle's: .*"x".*"make"/);
    assert.match(error.hint!, /allowed_commands/);
    return true;
  });
  admit(defaultPolicy(), target);
});

Deno.test("targetsOf: --report and the policy's reports go with their targets", () => {
  const of = (report: string) => targetsOf({ ...run(["t"]), report }, defaultPolicy(), null)[0]!.report;
  assert.deepEqual(of("junit:out/r.xml"), { format: "junit", path: "out/r.xml" });
  assert.deepEqual(of("tap"), { format: "tap", path: "-" });
  assert.deepEqual(of("tap:-"), { format: "tap", path: "-" });
  assert.deepEqual(of("tap:a:b.tap"), { format: "tap", path: "a:b.tap" });
  for (const wrong of ["", "junit", "junit:", "xml:a", "junit:/a", "junit:a/../../b", "tap:pp.yaml"]) {
    assert.throws(() => of(wrong), refused("usage", "report_malformed"), wrong);
  }
  const text = "proof_targets:\n  - {name: a, cmd: t, report: {format: tap}}\n  - {name: b, cmd: u}\n";
  const targets = targetsOf({ verb: "prove" }, policy(text), "pp.yaml");
  assert.deepEqual(targets.map((t) => t.report), [{ format: "tap", path: "-" }, undefined]);
});
