import assert from "node:assert/strict";
import { openDatabase } from "../../src/store/sqlite/driver.ts";
import { pp, type PpResult, spawnPp, withFolder } from "./process.ts";

const OPTIONS = { enableForeignKeyConstraints: true, enableDoubleQuotedStringLiterals: false, timeout: 1000 };

/** A store with two versions, and a key pair `k`. */
async function withLog(
  use: (run: (...args: readonly string[]) => Promise<PpResult>, cwd: string) => Promise<void>,
): Promise<void> {
  await withFolder({ "w/a": "1" }, async (cwd) => {
    const run = (...args: readonly string[]) =>
      pp(args, { cwd, env: { PP_STORE: `${cwd}/s`, PP_ACTOR: "tester" } });
    await run("artifact", "create", "api", "--workspace", "w");
    await Deno.writeTextFile(`${cwd}/w/a`, "2");
    await run("artifact", "create", "api", "--workspace", "w");
    await use(run, cwd);
  });
}

/** Changes a store as somebody with the file and SQL would. */
function tamper(cwd: string, sql: string): void {
  const db = openDatabase(`${cwd}/s/store.sqlite`, OPTIONS);
  try {
    db.exec(`DROP TRIGGER IF EXISTS events_stay; DROP TRIGGER IF EXISTS events_as_they_are; ${sql}`);
  } finally {
    db.close();
  }
}

Deno.test("pp events: shows who did what, from a sequence on, as text and JSON", async () => {
  await withLog(async (run) => {
    const all = await run("events");
    assert.match(all.stdout, /^ {4}1 {2}\S+ \S+ {2}tester {2}store_created/);
    assert.match(all.stdout, /version_created {2}artifact=api .*version=2$/m);
    const { events, format } = JSON.parse((await run("events", "--since", "3", "--json")).stdout);
    assert.equal(format, "veripatch-events/v1");
    assert.deepEqual(events.map((e: { sequence: number; kind: string }) => [e.sequence, e.kind]), [
      [4, "version_created"],
    ]);
    assert.equal((await run("events", "--since", "x")).code, 64);
    assert.equal((await run("events", "--key", "k.pub.pem")).code, 64);
  });
});

Deno.test("pp events --follow: prints what is added, and ends with Ctrl-C", async () => {
  await withLog(async (run, cwd) => {
    const child = spawnPp(["events", "--follow", "--since", "3", "--json"], {
      cwd,
      env: { PP_STORE: `${cwd}/s` },
    });
    const lines = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
    const first = await lines.read();
    assert.equal(JSON.parse(first.value!).sequence, 4);
    await run("artifact", "rollback", "api@1");
    const next = await lines.read();
    assert.deepEqual([JSON.parse(next.value!).sequence, JSON.parse(next.value!).format], [
      5,
      "veripatch-event/v1",
    ]);
    child.kill("SIGINT");
    assert.equal((await child.status).code, 130);
    await lines.cancel();
    await child.stderr.cancel();
  });
});

Deno.test("pp events --checkpoint: a signed checkpoint shows a cut end and a log written anew", async () => {
  await withLog(async (run, cwd) => {
    await run("keygen", "-o", "k");
    await run("keygen", "-o", "other");
    const written = await run("events", "--checkpoint", "k.key.pem", "-o", "point.json");
    assert.equal(written.code, 0, written.stderr);
    const verify = (...more: readonly string[]) =>
      run("events", "--verify", "--checkpoint", "point.json", "--key", "k.pub.pem", ...more);
    const sound = await verify();
    assert.equal(sound.code, 0, sound.stdout + sound.stderr);
    assert.match(sound.stdout, /^sound: 4 events; 1 checkpoint, up to event 4/);
    const untrusted = await run("events", "--verify", "--checkpoint", "point.json", "--key", "other.pub.pem");
    assert.equal(untrusted.code, 77);
    assert.equal((await run("events", "--verify", "--checkpoint", "point.json")).code, 77);
    await new Deno.Command("cp", { args: ["-r", "s", "kept"], cwd }).output();
    // The newest version and all that tells of it: without a checkpoint nothing shows.
    tamper(cwd, "DELETE FROM events WHERE sequence = 4; DELETE FROM versions WHERE number = 2");
    assert.equal((await run("events", "--verify")).code, 0);
    const cut = await verify();
    assert.equal(cut.code, 2);
    assert.match(cut.stdout, /event 4: truncated: the log ends with 3; the checkpoint has seen 4/);
    await run("artifact", "create", "api", "--workspace", "w", "-m", "anew");
    const anew = await verify();
    assert.equal(anew.code, 2);
    assert.match(anew.stdout, /event 4: rewritten/);
    const other = await run(
      "events",
      "--verify",
      "--checkpoint",
      "point.json",
      "--key",
      "k.pub.pem",
      "--store",
      "kept",
    );
    assert.equal(other.code, 0);
  });
});

Deno.test("pp events --verify: an edit is found and named; a log that does not hold is not signed", async () => {
  await withLog(async (run, cwd) => {
    tamper(cwd, "UPDATE events SET actor = 'mallory' WHERE sequence = 3");
    const edited = await run("events", "--verify");
    assert.equal(edited.code, 2);
    assert.match(edited.stdout, /event 3: event_edited/);
    assert.match((await run("artifact", "fsck")).stdout, /log {6}event 3: event_edited/);
    await run("keygen", "-o", "k");
    const refused = await run("events", "--checkpoint", "k.key.pem");
    assert.equal(refused.code, 65);
    assert.match(refused.stderr, /the log does not verify/);
  });
});

Deno.test("pp events prune: payloads go, the chain verifies, checkpoints hold", async () => {
  await withLog(async (run) => {
    await run("keygen", "-o", "k");
    await run("events", "--checkpoint", "k.key.pem", "-o", "point.json");
    const pruned = await run("events", "prune", "--older-than", "0s", "--json");
    assert.equal(JSON.parse(pruned.stdout).payloads, 4);
    const verified = await run(
      "events",
      "--verify",
      "--checkpoint",
      "point.json",
      "--key",
      "k.pub.pem",
      "--json",
    );
    assert.equal(verified.code, 0, verified.stdout);
    const report = JSON.parse(verified.stdout);
    assert.deepEqual([report.sound, report.tombstones, report.events], [true, 4, 5]);
    assert.match((await run("events")).stdout, /\(payload pruned\)/);
    assert.equal((await run("events", "prune")).code, 64);
  });
});
