import assert from "node:assert/strict";
import { sandboxContract } from "../contract/sandbox_contract.ts";
import { engineSandbox, engineSpec, leftovers, NOTHING } from "./engine.ts";

sandboxContract("docker", () => {
  const spec = engineSpec({
    parallel: 1,
    limits: {
      cpus: 1,
      memoryBytes: 512 * 1024 ** 2,
      pids: 128,
      fileBytes: 1024 ** 3,
      diskBytes: 2 * 1024 ** 3,
    },
  });
  return Promise.resolve({
    sandbox: engineSandbox(),
    spec,
    cleanUp: async () => assert.deepEqual(await leftovers(spec.session), NOTHING),
  });
});
