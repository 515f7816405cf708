import { sandboxContract } from "../contract/sandbox_contract.ts";
import { bubblewrapSandbox } from "../../src/sandbox/bubblewrap.ts";
import type { SandboxSpec } from "../../src/sandbox/sandbox.ts";
import assert from "node:assert/strict";

const SPEC: SandboxSpec = {
  session: "bubblewrap-session",
  image: "none",
  workdir: "/workspace",
  user: "1000:1000",
  runtime: null,
  network: "deny",
  limits: { cpus: null, memoryBytes: null, pids: null, fileBytes: 64 * 1024 * 1024, diskBytes: null },
  deadline: Date.now() + 600_000,
  parallel: 2,
  pull: false,
  keep: false,
};

/** A temporary directory the sandbox user may pass through, which must be empty again at the end. */
async function temporaryRoot(): Promise<{ tmpRoot: string; empty(): Promise<void> }> {
  const tmpRoot = await Deno.makeTempDir({ prefix: "bubblewrap-test-" });
  await Deno.chmod(tmpRoot, 0o711);
  const empty = async () => {
    try {
      assert.deepEqual([...Deno.readDirSync(tmpRoot)].map((e) => e.name), [], "left behind");
    } finally {
      await Deno.remove(tmpRoot, { recursive: true });
    }
  };
  return { tmpRoot, empty };
}

sandboxContract("copy", async () => {
  const { tmpRoot, empty } = await temporaryRoot();
  return { sandbox: bubblewrapSandbox({ kind: "copy", tmpRoot }), spec: SPEC, cleanUp: empty };
});
