import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { readFile } from "node:fs/promises";
import { ownerState, thisOwner } from "../../src/sandbox/owner.ts";

Deno.test("ownerState: this process is alive, and its name is stable", async () => {
  assert.equal(await thisOwner(), await thisOwner());
  assert.equal(await ownerState(await thisOwner()), "alive");
});

Deno.test("ownerState: another start time of the same PID is another, gone, process", async () => {
  const owner = await thisOwner();
  assert.equal(await ownerState(owner.replace(/\d+$/, "1")), "gone");
});

Deno.test("ownerState: a process that was killed is gone", async () => {
  const child = spawn("sleep", ["60"], { stdio: "ignore" });
  const ended = new Promise((resolve) => child.on("exit", resolve));
  const stat = await readFile(`/proc/${child.pid}/stat`, "latin1");
  const start = stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
  const owner = (await thisOwner()).replace(/:\d+:\d+$/, `:${child.pid}:${start}`);
  assert.equal(await ownerState(owner), "alive");
  child.kill("SIGKILL");
  await ended;
  assert.equal(await ownerState(owner), "gone");
});

Deno.test("ownerState: nobody is taken for dead because the system has no file to spare", async () => {
  const owner = await thisOwner();
  const failing = (code: string) => () => Promise.reject(Object.assign(new Error(code), { code }));
  assert.equal(await ownerState(owner, failing("EMFILE")), "elsewhere");
  assert.equal(await ownerState(owner, failing("EIO")), "elsewhere");
  assert.equal(await ownerState(owner, () => Promise.resolve("")), "elsewhere");
  assert.equal(await ownerState(owner, failing("ENOENT")), "gone");
  assert.equal(await ownerState(owner, failing("ESRCH")), "gone");
});

Deno.test("ownerState: another host, another namespace and nonsense cannot be told", async () => {
  const [version, boot, namespace, pid, start] = (await thisOwner()).split(":");
  const elsewhere = [
    `${version}:00000000-0000-0000-0000-000000000000:${namespace}:${pid}:${start}`,
    `${version}:${boot}:1:${pid}:${start}`,
    `v2:${boot}:${namespace}:${pid}:${start}`,
    "",
    "v1:::::",
  ];
  for (const owner of elsewhere) assert.equal(await ownerState(owner), "elsewhere", owner);
});
