import assert from "node:assert/strict";
import { fakeSandbox } from "../../src/sandbox/fake/fake.ts";
import type { SandboxSpec } from "../../src/sandbox/sandbox.ts";
import { Failure } from "../../src/vocabulary/failure.ts";
import { parseRelativePath } from "../../src/vocabulary/path.ts";
import { sandboxContract } from "../contract/sandbox_contract.ts";
import { file, link, tarOf } from "../contract/tar_of.ts";

const SPEC: SandboxSpec = {
  session: "fake-session",
  image: "none",
  workdir: "/workspace",
  user: "1000:1000",
  runtime: null,
  network: "deny",
  limits: { cpus: null, memoryBytes: null, pids: null, fileBytes: null, diskBytes: null },
  deadline: Date.now() + 600_000,
  parallel: 2,
  pull: false,
  keep: false,
};
const CALL = { timeoutMs: 5_000, outputBytes: 1_000 };

sandboxContract("fake", () => {
  const sandbox = fakeSandbox();
  const cleanUp = () => {
    assert.deepEqual(sandbox.notClosed(), []);
    return Promise.resolve();
  };
  return Promise.resolve({ sandbox, spec: SPEC, cleanUp });
});

Deno.test("fakeSandbox: programs of a test see and change the copy, with env", async () => {
  const sandbox = fakeSandbox({
    programs: {
      pytest: (argv, files, env) => {
        files.write("seen.txt", `${argv.join(" ")} ${env.MODE}`);
        const fixed = files.readText("src/app.py")?.includes("fixed") ?? false;
        return { exitCode: fixed ? 0 : 1, stdout: fixed ? "1 passed\n" : "1 failed\n", stderr: "" };
      },
    },
  });
  const base = await sandbox.open(SPEC, tarOf([file("src/app.py", "fixed\n")]));
  const copy = await base.checkout([]);
  const result = await copy.exec(["pytest", "-q"], { ...CALL, env: { MODE: "fast" } });
  assert.equal(result.exitCode, 0);
  assert.equal(new TextDecoder().decode(result.stdout.head), "1 passed\n");
  const seen = await copy.exec(["cat", "/workspace/seen.txt"], CALL);
  assert.equal(new TextDecoder().decode(seen.stdout.head), "pytest -q fast");
  await base.close();
});

Deno.test("fakeSandbox: counts runs, the most at one time, checkouts and what was not discarded", async () => {
  const sandbox = fakeSandbox();
  const base = await sandbox.open(SPEC, tarOf([]));
  const copies = await Promise.all([
    base.checkout([]),
    base.checkout([]),
    base.checkout([], { fresh: true }),
  ]);
  await Promise.all(copies.map((copy) => copy.exec(["sleep", "0.05"], CALL)));
  await copies[0]!.exec(["true"], CALL);
  assert.equal(sandbox.runs, 4);
  assert.equal(sandbox.maxParallel, 3);
  assert.deepEqual(sandbox.argvs.at(-1), ["true"]);
  assert.deepEqual([sandbox.checkouts, sandbox.freshCheckouts], [3, 1]);
  assert.equal(sandbox.notDiscarded().length, 3);
  await copies[1]!.discard();
  assert.deepEqual(sandbox.notDiscarded(), ["fake-session/base-1/copy-1", "fake-session/base-1/copy-3"]);
  assert.deepEqual(sandbox.notClosed(), ["fake-session/base-1"]);
  await base.close();
  assert.deepEqual([sandbox.notDiscarded(), sandbox.notClosed()], [[], []]);
});

Deno.test("fakeSandbox: a program that throws a Failure stands for a broken engine", async () => {
  const gone = () => {
    throw new Failure("unavailable", "engine_unavailable", "the engine is gone");
  };
  const base = await fakeSandbox({ programs: { gone } }).open(SPEC, tarOf([]));
  const copy = await base.checkout([]);
  await assert.rejects(copy.exec(["gone"], CALL), { code: "engine_unavailable" });
  await base.close();
});

Deno.test("fakeSandbox: a program that ends out of memory has no exit code", async () => {
  const hog = () => ({ exitCode: 137, end: "out_of_memory" as const });
  const base = await fakeSandbox({ programs: { hog } }).open(SPEC, tarOf([]));
  const copy = await base.checkout([]);
  const result = await copy.exec(["sh", "-c", "hog; echo after"], CALL);
  assert.deepEqual([result.end, result.exitCode, result.stdout.totalBytes], ["out_of_memory", null, 0]);
  await base.close();
});

Deno.test("fakeSandbox: a program deaf to the signal is left behind at the timeout", async () => {
  let finish = () => {};
  const deaf = () =>
    new Promise<{ exitCode: number; stdout: string }>((done) => {
      finish = () => done({ exitCode: 0, stdout: "late" });
    });
  const base = await fakeSandbox({ programs: { deaf } }).open(SPEC, tarOf([]));
  const copy = await base.checkout([]);
  const result = await copy.exec(["deaf"], { ...CALL, timeoutMs: 50 });
  assert.equal(result.end, "timed_out");
  finish();
  await new Promise((done) => setTimeout(done, 10));
  assert.equal(result.stdout.totalBytes, 0);
  await base.close();
});

Deno.test("fakeSandbox: shell syntax it does not know is an error, never a guess", async () => {
  const base = await fakeSandbox().open(SPEC, tarOf([]));
  const copy = await base.checkout([]);
  for (const script of ["echo a | cat", "echo a > file", "(true)", "echo a # comment"]) {
    assert.equal((await copy.exec(["sh", "-c", script], CALL)).exitCode, 2, script);
  }
  const joined = await copy.exec(["sh", "-c", "false && echo no || echo yes\ntrue && exit 5"], CALL);
  assert.equal(new TextDecoder().decode(joined.stdout.head), "yes\n");
  assert.equal(joined.exitCode, 5);
  await base.close();
});

Deno.test("fakeSandbox: links lead nowhere but into the workspace and never in circles", async () => {
  const base = await fakeSandbox().open(
    SPEC,
    tarOf([
      link("out", "/etc/passwd"),
      link("up", "../../etc"),
      link("a", "b"),
      link("b", "a"),
      link("self", "."),
    ]),
  );
  const copy = await base.checkout([]);
  for (const path of ["out", "up", "a", "/etc/passwd", "../etc/passwd"]) {
    assert.equal((await copy.exec(["cat", path], CALL)).exitCode, 1, path);
  }
  assert.equal((await copy.exec(["test", "-d", "self/self/self"], CALL)).exitCode, 0);
  await base.close();
});

Deno.test("fakeSandbox: a change whose path leads through a link or file is refused", async () => {
  const base = await fakeSandbox().open(SPEC, tarOf([file("dir/inner.txt", "inner\n"), link("to", "dir")]));
  for (const text of ["to/new.txt", "dir/inner.txt/new.txt"]) {
    const parsed = parseRelativePath(text);
    assert.ok(parsed.ok);
    const change = { kind: "write", path: parsed.path, mode: "100644", bytes: new Uint8Array() } as const;
    await assert.rejects(base.checkout([change]), { code: "change_unsafe" });
  }
  await base.close();
});
