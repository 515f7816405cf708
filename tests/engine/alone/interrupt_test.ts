import assert from "node:assert/strict";
import { leftovers, NOTHING } from "../engine.ts";
import { readBundle } from "../../../src/bundle/read.ts";
import { fingerprint, pp, spawnPp, withProject } from "../pp.ts";

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

/** Where `pp` has its temporary files here, and nothing else has. */
const TMPDIR = Deno.makeTempDirSync({ prefix: "veripatch-test-" });
globalThis.addEventListener("unload", () => Deno.removeSync(TMPDIR, { recursive: true }));
const env = { TMPDIR };
const temporaries = () => Array.fromAsync(Deno.readDir(TMPDIR), (entry) => entry.name);

/** When to send: what stderr must say, or what must be in the session's folder of artifacts. */
type When = RegExp | { readonly file: string };

/** Sends a signal at a moment, and waits for the end. */
async function signalled(directory: string, when: When, signal: Deno.Signal, ...flags: string[]) {
  const child = spawnPp(["run", "sh check.sh", "--patch", "fix.diff", ...flags], { cwd: directory, env });
  const decoder = new TextDecoder();
  let stderr = "";
  let sent = false;
  let ended = false;
  const session = () => /^session\s+(\S+)/m.exec(stderr)?.[1];
  const send = () => {
    if (!sent && !ended) child.kill(signal);
    sent = true;
  };
  const watching = "file" in when ? sendOnceThere(when.file) : Promise.resolve();
  async function sendOnceThere(file: string): Promise<void> {
    for (; !ended && !sent; await new Promise((resolve) => setTimeout(resolve, 1))) {
      const path = `${directory}/.pp-artifacts/${session()}/${file}`;
      if (await Deno.stat(path).then(() => true, () => false)) send();
    }
  }
  const drain = child.stdout.cancel();
  for await (const chunk of child.stderr) {
    stderr += decoder.decode(chunk, { stream: true });
    if (when instanceof RegExp && when.test(stderr)) send();
  }
  await drain;
  const status = await child.status;
  ended = true;
  await watching;
  const id = session();
  assert.ok(id !== undefined, stderr);
  return { status, stderr, session: id, sent };
}

for (const [phase, when] of Object.entries(PHASES)) {
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    Deno.test(`pp run: ${signal} in phase "${phase}" exits 130 and leaves nothing`, async () => {
      await withProject({ ...PROJECT, "fix.diff": PATCH }, async (directory) => {
        const before = await fingerprint(directory);
        const { status, stderr, session, sent } = await signalled(directory, when, signal);
        assert.ok(sent, `the phase was never reached: ${stderr}`);
        assert.equal(status.code, 130, stderr);
        assert.deepEqual(await leftovers(session), NOTHING);
        assert.deepEqual(await temporaries(), []);
        assert.equal(await fingerprint(directory), before);
        await assert.rejects(Deno.stat(`${directory}/.pp-artifacts/${session}/proof_bundle`));
      });
    });
  }

  Deno.test(`pp run: SIGKILL in phase "${phase}" is cleaned up by the next start`, async () => {
    await withProject({ ...PROJECT, "fix.diff": PATCH }, async (directory) => {
      const before = await fingerprint(directory);
      const { status, session, sent } = await signalled(directory, when, "SIGKILL");
      assert.ok(sent, "the phase was reached");
      assert.equal(status.signal, "SIGKILL");
      assert.equal(await fingerprint(directory), before);
      const next = await pp(["run", "true", "--json"], { cwd: directory, env });
      assert.equal(JSON.parse(next.stdout).status, "already_passing", next.stderr);
      assert.deepEqual(await leftovers(session), NOTHING);
      assert.deepEqual(await temporaries(), []);
    });
  });
}

/** The end goes by in moments: the signal may come before, in or after it, so only what must hold in each is asserted. */
const QUICK = { ...PROJECT, "check.sh": "grep -q '^right$' value.txt\n", "fix.diff": PATCH };
const WHOLE = { minimize: false };
const ENDINGS: Readonly<Record<string, When>> = {
  "clean up": /^confirm\n( .*\n)*? +green/m,
  bundle: { file: "." },
  apply: { file: "proof_bundle" },
};

/** @returns whether there is a bundle, which is then whole; nothing else may stand beside it */
async function wholeBundle(directory: string, session: string): Promise<boolean> {
  const home = `${directory}/.pp-artifacts/${session}`;
  const names = await Array.fromAsync(Deno.readDir(home), (entry) => entry.name).catch(() => []);
  if (names.length === 0) return false;
  assert.deepEqual(names, ["proof_bundle"]);
  const read = await readBundle(`${home}/proof_bundle`);
  assert.ok(read.ok, read.ok ? "" : read.refusal.detail);
  return true;
}

for (const [phase, when] of Object.entries(ENDINGS)) {
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    Deno.test(`pp run --apply: ${signal} around "${phase}" leaves a whole bundle or none, and a whole patch or none`, async () => {
      await withProject(QUICK, async (directory) => {
        const { status, stderr, session } = await signalled(directory, when, signal, "--apply");
        assert.ok(status.code === 130 || status.code === 0, `${status.code}: ${stderr}`);
        assert.deepEqual(await leftovers(session), NOTHING);
        assert.deepEqual(await temporaries(), []);
        const bundle = await wholeBundle(directory, session);
        const text = await Deno.readTextFile(`${directory}/value.txt`);
        const applied = text !== PROJECT["value.txt"];
        if (status.code === 0) assert.ok(bundle && applied, "exit 0 means that all was done");
        if (applied) {
          assert.ok(bundle, "nothing is applied without its proof");
          assert.match(text, /^right$/m);
          assert.equal(text.split("\n").length, PROJECT["value.txt"].split("\n").length + 2);
        }
        const names = await Array.fromAsync(Deno.readDir(directory), (entry) => entry.name);
        const expected = [
          ...Object.keys(PROJECT),
          "fix.diff",
          "pp.json",
          ...(bundle ? [".pp-artifacts"] : []),
        ];
        assert.deepEqual(names.filter((n) => bundle || n !== ".pp-artifacts").sort(), expected.sort());
      }, WHOLE);
    });
  }

  Deno.test(`pp run: SIGKILL around "${phase}" leaves a whole bundle or none, once the next start was there`, async () => {
    await withProject(QUICK, async (directory) => {
      const before = await fingerprint(directory);
      const { session } = await signalled(directory, when, "SIGKILL");
      assert.equal(await fingerprint(directory), before);
      const next = await pp(["run", "true", "--json"], { cwd: directory, env });
      assert.equal(next.code, 2, next.stderr);
      assert.deepEqual(await leftovers(session), NOTHING);
      assert.deepEqual(await temporaries(), []);
      await wholeBundle(directory, session);
    }, WHOLE);
  });
}
