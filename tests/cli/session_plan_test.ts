import assert from "node:assert/strict";
import { isSessionId } from "../../src/bundle/session_id.ts";
import { freshSessionId, sandboxSpec, withFlags } from "../../src/cli/session_plan.ts";
import { defaultPolicy } from "../../src/policy/defaults.ts";
import { parsePolicy } from "../../src/policy/parse.ts";
import { Failure } from "../../src/vocabulary/failure.ts";

Deno.test("withFlags: flags stand in the policy that is used, digested and recorded", () => {
  const config = defaultPolicy();
  const { policy } = withFlags(config, { repeat: "3", image: "other:1" });
  assert.equal(policy.verify.repeat, 3);
  assert.equal(policy.sandbox.container_image, "other:1");
  assert.deepEqual(withFlags(config, {}), config);
  assert.equal(config.policy.verify.repeat, 1, "the loaded policy is not changed");
});

Deno.test("withFlags: --repeat takes whole numbers from 1 to 100", () => {
  for (const text of ["1", "100", "007"]) {
    assert.equal(withFlags(defaultPolicy(), { repeat: text }).policy.verify.repeat, Number(text));
  }
  for (
    const text of ["0", "101", "-1", "1.5", "1e1", "0x10", " 1", "", "two", "９", "99999999999999999999"]
  ) {
    assert.throws(
      () => withFlags(defaultPolicy(), { repeat: text }),
      (error: unknown) =>
        error instanceof Failure && error.kind === "usage" && error.code === "repeat_malformed",
      JSON.stringify(text),
    );
  }
});

Deno.test("sandboxSpec: every limit of the policy reaches the sandbox", () => {
  const parsed = parsePolicy(
    `policy:
  network: allow
  limits: {pids: 7, file_bytes: 8k, disk_bytes: 2m, session_sec: 17}
  sandbox:
    container_image: i:1
    container_workdir: /w
    user: "5:6"
    runtime: runsc
    cpu_limit: 1.5
    memory_limit: 64m
    parallel: 3
`,
    "pp.yaml",
  );
  assert.ok(parsed.ok);
  const before = Date.now();
  const { deadline, ...spec } = sandboxSpec("id", parsed.config, { pull: true, keep: false });
  assert.deepEqual(spec, {
    session: "id",
    image: "i:1",
    workdir: "/w",
    user: "5:6",
    runtime: "runsc",
    network: "allow",
    limits: { cpus: 1.5, memoryBytes: 64 * 1024 ** 2, pids: 7, fileBytes: 8192, diskBytes: 2 * 1024 ** 2 },
    parallel: 3,
    pull: true,
    keep: false,
  });
  assert.ok(deadline >= before + 17_000 && deadline <= Date.now() + 17_000);
});

Deno.test("sandboxSpec: the machine decides how many copies are used at once when the policy does not", () => {
  const { parallel } = sandboxSpec("id", defaultPolicy(), { pull: false, keep: true });
  assert.ok(Number.isInteger(parallel) && parallel >= 1 && parallel <= 8);
});

Deno.test("freshSessionId: well formed and never the same", () => {
  const ids = Array.from({ length: 50 }, freshSessionId);
  assert.ok(ids.every(isSessionId));
  assert.equal(new Set(ids).size, 50);
});

Deno.test("withFlags: --allow-protected adds to what the policy allows, and takes globs only", () => {
  const parsed = parsePolicy("policy: {protect: {allow: Makefile}}", "pp.yaml");
  assert.ok(parsed.ok);
  const { policy } = withFlags(parsed.config, { allowProtected: ["tests/**"] });
  assert.deepEqual(policy.protect.allow, ["Makefile", "tests/**"]);
  for (const glob of ["", "/etc/**", "../x", "a(b)", "**x"]) {
    assert.throws(
      () => withFlags(defaultPolicy(), { allowProtected: [glob] }),
      (error) => error instanceof Failure && error.kind === "usage" && error.code === "glob_malformed",
      glob,
    );
  }
});

Deno.test("withFlags: --image takes what a policy takes as an image, and nothing that means more in a URL", () => {
  for (const image of ["python:3.11-slim", "host:5000/a/b@sha256:0123", "3e93c6af7329"]) {
    assert.equal(withFlags(defaultPolicy(), { image }).policy.sandbox.container_image, image);
  }
  for (const image of ["", " ", "a b", "/images", "../x", "a?b", "a#b", "x".repeat(513)]) {
    assert.throws(
      () => withFlags(defaultPolicy(), { image }),
      (error) => error instanceof Failure && error.kind === "usage" && error.code === "image_malformed",
      image,
    );
    assert.ok(
      !parsePolicy(JSON.stringify({ policy: { sandbox: { container_image: image } } }), "pp.json").ok,
    );
  }
});
