import assert from "node:assert/strict";
import Module from "node:module";
import { loadClient, UNUSED } from "../../../src/sandbox/docker/dockerode.ts";

Deno.test("loadClient: callers share one load, without what is never used, and the loader of modules is as before", async () => {
  const loader = Module as unknown as { _load: (request: string, ...rest: unknown[]) => unknown };
  const whole = loader._load;
  const asked: string[] = [];
  const watching: typeof whole = (request, ...rest) => {
    asked.push(request);
    return whole.call(loader, request, ...rest);
  };
  loader._load = watching;
  try {
    const loading = loadClient();
    assert.notEqual(loader._load, watching);
    assert.equal(await loadClient(), await loading);
    assert.equal(loader._load, watching);
    assert.ok(asked.includes("./ssh") && asked.includes("split-ca"), asked.join(" "));
    assert.deepEqual(asked.filter((request) => UNUSED.has(request)), []);
  } finally {
    loader._load = whole;
  }
});
