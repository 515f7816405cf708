import assert from "node:assert/strict";
import { ROOT } from "../../tools/pp.ts";

/**
 * MiB by reader, with the runtime and the inputs themselves (tens of megabytes, in two encodings). What reads a bundle
 * whole may hold all of one, and documents of four million values.
 */
const MOST = { envelope: 900, statement: 900, trust: 500, documents: 500, bundle: 1_800, tar: 300 };

for (const [reader, most] of Object.entries(MOST)) {
  Deno.test(`${reader} reader: hostile bytes end in a value, in bounded time and memory`, async () => {
    const child = await new Deno.Command(Deno.execPath(), {
      args: ["run", "--quiet", "-A", "--no-check", `${ROOT}/tests/verify/hostile_child.ts`, reader],
      cwd: ROOT,
      signal: AbortSignal.timeout(180_000),
    }).output();
    assert.ok(child.success, new TextDecoder().decode(child.stderr));
    const peak = Number(new TextDecoder().decode(child.stdout));
    assert.ok(peak > 0 && peak < most * 2 ** 20, `${peak} bytes`);
  });
}
