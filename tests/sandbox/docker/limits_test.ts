import assert from "node:assert/strict";
import { type EngineInfo, harden, sandboxUser } from "../../../src/sandbox/docker/limits.ts";
import type { SandboxLimits, SandboxSpec } from "../../../src/sandbox/sandbox.ts";
import { Failure } from "../../../src/vocabulary/failure.ts";

const NONE: SandboxLimits = { cpus: null, memoryBytes: null, pids: null, fileBytes: null, diskBytes: null };
const ABLE: EngineInfo = {
  NCPU: 8,
  MemoryLimit: true,
  SwapLimit: true,
  PidsLimit: true,
  CpuCfsPeriod: true,
  CpuCfsQuota: true,
  SecurityOptions: ["name=apparmor", "name=seccomp,profile=default"],
  Runtimes: { runc: {} },
  DefaultRuntime: "runc",
};

function spec(changes: Partial<SandboxSpec> = {}): SandboxSpec {
  return {
    session: "s",
    image: "i",
    workdir: "/workspace",
    user: "1000",
    runtime: null,
    network: "deny",
    limits: NONE,
    deadline: 1_800_000_000_000,
    parallel: 1,
    pull: false,
    keep: false,
    ...changes,
  };
}

function refusal(changes: Partial<SandboxSpec>, info: EngineInfo): Failure {
  try {
    harden(spec(changes), info);
  } catch (error) {
    assert.ok(error instanceof Failure);
    return error;
  }
  throw new assert.AssertionError({ message: "was not refused" });
}

Deno.test("harden: without wishes everything has a default, and nothing of the host is let in", () => {
  const { hostConfig, enforced, user } = harden(spec(), ABLE);
  assert.deepEqual(user, { uid: 1000, gid: 1000 });
  assert.equal(hostConfig.NetworkMode, "none");
  assert.deepEqual(hostConfig.CapDrop, ["ALL"]);
  assert.deepEqual(hostConfig.SecurityOpt, ["no-new-privileges"]);
  assert.deepEqual(hostConfig.Binds, []);
  assert.equal(hostConfig.NanoCpus, 2e9);
  assert.equal(hostConfig.Memory, 2 * 1024 ** 3);
  assert.equal(hostConfig.MemorySwap, hostConfig.Memory);
  assert.equal(hostConfig.PidsLimit, 512);
  assert.ok(enforced.every((row) => row.by !== "none"));
});

Deno.test("harden: the engine sets up no network where none is allowed and the runtime has a loopback by itself", () => {
  assert.equal(harden(spec(), ABLE).unnetworked, true);
  assert.equal(harden(spec({ network: "allow" }), ABLE).unnetworked, false);
  const runtimes = { ...ABLE, Runtimes: { runc: {}, runsc: {} } };
  assert.equal(harden(spec({ runtime: "runsc" }), runtimes).unnetworked, false);
  const other = { ...runtimes, DefaultRuntime: "runsc" };
  assert.deepEqual(
    [harden(spec(), other).unnetworked, harden(spec({ runtime: "runc" }), other).unnetworked],
    [
      false,
      true,
    ],
  );
});

Deno.test("harden: every wish an incapable engine cannot keep is named, all at once", () => {
  const asked = { cpus: 1, memoryBytes: 2 ** 30, pids: 10, fileBytes: 1, diskBytes: 1 };
  const unable = { ...ABLE, MemoryLimit: false, PidsLimit: false, CpuCfsQuota: false, SecurityOptions: [] };
  const failure = refusal({ limits: asked }, unable);
  assert.deepEqual([failure.kind, failure.code], ["denied", "cannot_enforce"]);
  assert.deepEqual(failure.details.map((line) => line.split(":")[0]), ["cpus", "memory", "pids", "syscalls"]);
});

Deno.test("harden: what was not asked for and cannot be done is reported, not refused", () => {
  const { hostConfig, enforced } = harden(spec(), { ...ABLE, MemoryLimit: false, PidsLimit: false });
  const by = Object.fromEntries(enforced.map((row) => [row.limit, row.by]));
  assert.deepEqual([by.memory, by.pids, by.cpus], ["none", "none", "cgroup"]);
  assert.equal(hostConfig.Memory, undefined);
  assert.equal(hostConfig.PidsLimit, undefined);
});

Deno.test("harden: an asked-for memory limit without a swap limit is refused, a default one is said to be so", () => {
  const noSwap = { ...ABLE, SwapLimit: false };
  assert.match(refusal({ limits: { ...NONE, memoryBytes: 2 ** 30 } }, noSwap).message, /swap/);
  const row = harden(spec(), noSwap).enforced.find((r) => r.limit === "memory");
  assert.equal(row?.by, "cgroup, swap not limited");
});

Deno.test("harden: seccomp that is off counts as missing", () => {
  for (const options of [null, [], ["name=apparmor"], ["name=seccomp,profile=unconfined"]]) {
    assert.equal(refusal({}, { ...ABLE, SecurityOptions: options }).code, "cannot_enforce");
  }
});

Deno.test("harden: asked-for values are never clamped", () => {
  for (
    const limits of [
      { cpus: 9 },
      { cpus: 0 },
      { cpus: NaN },
      { memoryBytes: 1000 },
      { pids: 0 },
      { pids: 1.5 },
      {
        fileBytes: 0,
      },
      { diskBytes: 0 },
      { diskBytes: NaN },
    ]
  ) {
    const failure = refusal({ limits: { ...NONE, ...limits } }, ABLE);
    assert.equal(failure.code, "cannot_enforce", JSON.stringify(limits));
  }
});

Deno.test("sandboxUser: numbers other than root only", () => {
  assert.deepEqual(sandboxUser("65534"), { uid: 65534, gid: 65534 });
  assert.deepEqual(sandboxUser("5:7"), { uid: 5, gid: 7 });
  for (const text of ["", "0", "00", "0:5", "root", "me:me", "-1", "1:", "1 ", "1:2:3", "99999999999"]) {
    assert.throws(
      () => sandboxUser(text),
      (error) => error instanceof Failure && error.kind === "denied",
      text,
    );
  }
});
