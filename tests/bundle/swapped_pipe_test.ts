import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { withFolder } from "../cli/process.ts";

const MODULES = {
  takeInventory: new URL("../../src/bundle/inventory.ts", import.meta.url).href,
  readBoundedFile: new URL("../../src/cli/bounded_file.ts", import.meta.url).href,
};

/** Puts a file and a FIFO under one name in turn, as fast as it can. */
const SWAPPER = `
import os, sys
base, name = sys.argv[1:]
print("ready", flush=True)
while True:
    os.link(base + "/file", base + "/a"); os.rename(base + "/a", name)
    os.link(base + "/pipe", base + "/a"); os.rename(base + "/a", name)
`;

/** Calls a reader for a second beside the swapper, in a process of its own, which may hang. */
async function endsInTime(call: string, source: string, base: string, name: string): Promise<void> {
  const swapper = new Deno.Command("python3", { args: ["-c", SWAPPER, base, name], stdout: "piped" }).spawn();
  try {
    const output = swapper.stdout.getReader();
    await output.read();
    output.releaseLock();
    const script = `import { ${call.slice(0, call.indexOf("("))} } from ${JSON.stringify(source)};
      let calls = 0;
      for (const end = Date.now() + 1_500; Date.now() < end; calls++) {
        await ${call}.catch(() => {});
      }
      console.log(calls > 20 ? "done" : "too few: " + calls);`;
    await Deno.writeTextFile(`${base}/reader.ts`, script);
    const ended = await new Deno.Command(Deno.execPath(), {
      args: ["run", "-q", "-A", "--no-check", `${base}/reader.ts`],
      cwd: new URL("../..", import.meta.url),
      signal: AbortSignal.timeout(30_000),
    }).output();
    assert.equal(new TextDecoder().decode(ended.stdout).trim(), "done", "it waits for a writer");
  } finally {
    swapper.kill("SIGKILL");
    await swapper.stdout.cancel();
    await swapper.status;
  }
}

Deno.test("takeInventory: a FIFO that others can swap in for a file is not waited for", async () => {
  await withFolder({ "file": "{}", "bundle/policy.json": "{}" }, async (dir) => {
    execFileSync("mkfifo", [`${dir}/pipe`]);
    await Deno.chmod(`${dir}/bundle`, 0o777);
    const call = `takeInventory(${JSON.stringify(`${dir}/bundle`)})`;
    await endsInTime(call, MODULES.takeInventory, dir, `${dir}/bundle/policy.json`);
  });
});

Deno.test("readBoundedFile: a FIFO that others can swap in for a file is not waited for", async () => {
  await withFolder({ "file": "{}", "keys/key": "{}" }, async (dir) => {
    execFileSync("mkfifo", [`${dir}/pipe`]);
    await Deno.chmod(`${dir}/keys`, 0o777);
    const call = `readBoundedFile(${JSON.stringify(`${dir}/keys/key`)}, 100, "key file")`;
    await endsInTime(call, MODULES.readBoundedFile, dir, `${dir}/keys/key`);
  });
});
