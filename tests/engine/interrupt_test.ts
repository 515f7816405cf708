import assert from "node:assert/strict";
import { leftovers, NOTHING } from "./engine.ts";
import { fingerprint, pp, spawnPp, temporaries, withProject } from "./pp.ts";

/** A session slow enough to be hit in every phase, and the first line of stderr that says it is in one. */
const PROJECT = {
  "check.sh": "sleep 0.4; grep -q '^right$' value.txt\n",
  "value.txt": Array.from({ length: 40 }, (_, i) => `line ${i}\n`).join(""),
};

const PATCH = `--- a/value.txt
+++ b/value.txt
@@ -1,3 +1,4 @@
-line 0
+LINE 0
+right
 line 1
 line 2
@@ -20,3 +21,4 @@
 line 19
-line 20
+LINE 20
+more
 line 21
`;

const PHASES: Readonly<Record<string, RegExp>> = {
  "before the base": /^session/m,
  baseline: /^baseline/m,
  attempt: /applied to/,
  minimize: /wave 1/,
  confirm: /^confirm/m,
};

/** Sends a signal when stderr matches, and waits for the end. */
async function signalled(directory: string, when: RegExp, signal: Deno.Signal) {
  const child = spawnPp(["run", "sh check.sh", "--patch", "fix.diff"], { cwd: directory });
  const decoder = new TextDecoder();
  let stderr = "";
  let sent = false;
  const drain = child.stdout.cancel();
  for await (const chunk of child.stderr) {
    stderr += decoder.decode(chunk, { stream: true });
    if (!sent && when.test(stderr)) {
      sent = true;
      child.kill(signal);
    }
  }
  await drain;
  const status = await child.status;
  const session = /^session\s+(\S+)/m.exec(stderr)?.[1];
  assert.ok(sent && session !== undefined, `the phase was never reached: ${stderr}`);
  return { status, stderr, session };
}

for (const [phase, when] of Object.entries(PHASES)) {
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    Deno.test(`pp run: ${signal} in phase "${phase}" exits 130 and leaves nothing`, async () => {
      await withProject({ ...PROJECT, "fix.diff": PATCH }, async (directory) => {
        const [before, temporary] = [await fingerprint(directory), await temporaries()];
        const { status, stderr, session } = await signalled(directory, when, signal);
        assert.equal(status.code, 130, stderr);
        assert.deepEqual(await leftovers(session), NOTHING);
        assert.deepEqual(await temporaries(), temporary);
        assert.equal(await fingerprint(directory), before);
        await assert.rejects(Deno.stat(`${directory}/.pp-artifacts/${session}/proof_bundle`));
      });
    });
  }

  Deno.test(`pp run: SIGKILL in phase "${phase}" is cleaned up by the next start`, async () => {
    await withProject({ ...PROJECT, "fix.diff": PATCH }, async (directory) => {
      const [before, temporary] = [await fingerprint(directory), await temporaries()];
      const { status, session } = await signalled(directory, when, "SIGKILL");
      assert.equal(status.signal, "SIGKILL");
      assert.equal(await fingerprint(directory), before);
      const next = await pp(["run", "true", "--json"], { cwd: directory });
      assert.equal(JSON.parse(next.stdout).status, "already_passing", next.stderr);
      assert.deepEqual(await leftovers(session), NOTHING);
      assert.deepEqual(await temporaries(), temporary);
    });
  });
}
