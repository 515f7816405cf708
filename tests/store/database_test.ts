import assert from "node:assert/strict";
import { openDatabase } from "../../src/store/sqlite/driver.ts";
import { MIGRATIONS } from "../../src/store/sqlite/migrations.ts";
import { verifyLog } from "../../src/store/log/verify.ts";
import { examine } from "../../src/store/artifact/upkeep.ts";
import { Failure } from "../../src/vocabulary/failure.ts";
import { createFrom, NOW, openAt, withStoreFolder } from "./fixture.ts";

const OPTIONS = { enableForeignKeyConstraints: true, enableDoubleQuotedStringLiterals: false, timeout: 1000 };

function codeOf(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    if (error instanceof Failure) return error.code;
    throw error;
  }
  return "none";
}

async function withTwoVersions(
  use: (folder: string, workspace: string) => Promise<void> | void,
): Promise<void> {
  await withStoreFolder(async (store, workspace, folder) => {
    for (const text of ["1", "2"]) {
      Deno.writeTextFileSync(`${workspace}/f`, text);
      await createFrom(store, workspace);
    }
    store.close();
    await use(folder, workspace);
  });
}

Deno.test("sqliteRecords: a database of a newer pp, and of another program, are refused and stay as they are", async () => {
  await withTwoVersions((folder) => {
    const path = `${folder}/store.sqlite`;
    const db = openDatabase(path, OPTIONS);
    db.exec(`PRAGMA user_version = ${MIGRATIONS.length + 1}`);
    db.close();
    const before = Deno.readFileSync(path);
    assert.equal(codeOf(() => openAt(folder)), "store_newer");
    assert.deepEqual(Deno.readFileSync(path), before);
    const again = openDatabase(path, OPTIONS);
    again.exec(`PRAGMA user_version = 0; PRAGMA application_id = 7`);
    again.close();
    assert.equal(codeOf(() => openAt(folder)), "store_foreign");
  });
});

Deno.test("sqliteRecords: a database cut off at any length never opens as another, smaller store", async () => {
  await withTwoVersions((folder) => {
    const path = `${folder}/store.sqlite`;
    const whole = Deno.readFileSync(path);
    for (let length = 0; length < whole.length; length += 1_024) {
      Deno.writeFileSync(path, whole.subarray(0, length));
      const code = codeOf(() => {
        const store = openAt(folder);
        try {
          const problems = store.records.check();
          if (problems.length > 0) throw new Failure("malformed", "store_corrupt", problems[0]!);
          store.records.read((rows) => {
            if (rows.versions("a").length !== 2) {
              throw new Failure("malformed", "lost", "versions are missing");
            }
          });
        } finally {
          store.close();
        }
      });
      // A page that was cut off is read with zeros for the rest of it, and may have had nothing else there.
      const lost = whole.subarray(length).some((byte) => byte !== 0);
      if (lost) assert.equal(code, "store_corrupt", `cut at ${length} of ${whole.length}`);
      else assert.ok(["none", "store_corrupt"].includes(code), code);
      for (const side of ["-wal", "-shm"]) {
        try {
          Deno.removeSync(path + side);
        } catch { /* not there */ }
      }
    }
  });
});

Deno.test("sqliteRecords: with its write-ahead log taken away a store has whole, older versions, and says what is gone", async () => {
  await withStoreFolder(async (store, workspace, folder) => {
    Deno.writeTextFileSync(`${workspace}/f`, "1");
    await createFrom(store, workspace);
    store.close();
    // A process that is killed leaves the log behind: copied while it is open.
    const again = openAt(folder);
    Deno.writeTextFileSync(`${workspace}/f`, "2");
    await createFrom(again, workspace);
    const seen = again.records.read((rows) => rows.lastEvent())!;
    const copy = `${workspace}/copy`;
    await new Deno.Command("cp", { args: ["-r", folder, copy] }).output();
    again.close();
    Deno.removeSync(`${copy}/store.sqlite-wal`);
    Deno.removeSync(`${copy}/store.sqlite-shm`);
    Deno.chmodSync(copy, 0o700);
    const older = openAt(copy);
    try {
      assert.deepEqual(older.records.read((rows) => rows.versions("a")).map((v) => v.number), [1]);
      const health = await examine(older, {});
      assert.deepEqual([health.damages, health.database, health.log.problems], [[], [], []]);
      const point = { store: older.records.storeId, sequence: seen.sequence, hash: seen.hash };
      const { problems } = older.records.read((rows) => verifyLog(rows, older.records.storeId, [point]));
      assert.deepEqual(problems.map(({ code }) => code), ["truncated"]);
    } finally {
      older.close();
    }
  });
});

Deno.test("sqliteRecords: an emptied database beside blobs is damage, never a new store", async () => {
  await withTwoVersions((folder) => {
    Deno.truncateSync(`${folder}/store.sqlite`, 0);
    assert.equal(codeOf(() => openAt(folder)), "store_corrupt");
    assert.equal(codeOf(() => openAt(folder, false)), "store_corrupt");
    Deno.removeSync(`${folder}/store.sqlite`);
    assert.equal(codeOf(() => openAt(folder)), "store_corrupt");
  });
});

Deno.test("sqliteRecords: history cannot be changed by a statement of ours", async () => {
  await withTwoVersions((folder) => {
    const db = openDatabase(`${folder}/store.sqlite`, OPTIONS);
    try {
      for (
        const sql of [
          "DELETE FROM events WHERE sequence = 1",
          "UPDATE events SET actor = 'other' WHERE sequence = 1",
          "UPDATE events SET payload = '{}' WHERE sequence = 1",
          "UPDATE versions SET message = 'other'",
          "DELETE FROM trees",
          "INSERT INTO versions VALUES (99, 1, 'x', 'x', 0, 0, 'x', 'x', 'x', NULL)",
        ]
      ) assert.throws(() => db.exec(sql), sql);
    } finally {
      db.close();
    }
  });
});

Deno.test("sqliteRecords: a store of the first schema is brought to this one and keeps its versions", async () => {
  await withTwoVersions((folder) => {
    const path = `${folder}/store.sqlite`;
    const db = openDatabase(path, OPTIONS);
    const later = [
      ...["conflicts", "operation_targets", "operation_revisions", "operation_paths", "operations"],
      ...["approvals", "checks", "revisions", "proposals"],
    ];
    for (const table of later) db.exec(`DROP TABLE ${table}`);
    db.exec("PRAGMA user_version = 1");
    db.close();
    const store = openAt(folder);
    try {
      const found = store.records.read((rows) => [rows.versions("a").length, rows.proposals().length]);
      assert.deepEqual([found, store.records.check()], [[2, 0], []]);
    } finally {
      store.close();
    }
  });
});

Deno.test("sqliteRecords: what was proposed and decided cannot be changed by a statement of ours", async () => {
  await withTwoVersions((folder) => {
    const db = openDatabase(`${folder}/store.sqlite`, OPTIONS);
    const time = NOW.toISOString();
    try {
      const tree = "(SELECT digest FROM trees LIMIT 1)";
      db.exec(`INSERT INTO proposals VALUES (1, 1, 't', 'me', '${time}', 0)`);
      db.exec(
        `INSERT INTO revisions VALUES (1, 1, 1, 'draft', '${time}', 1, 1, 1, 1, '${time}', NULL, NULL, 'me', '',
        ${tree}, 'm', ${tree}, 'm', 'p', 1, NULL, 'i', '{}', NULL, NULL)`,
      );
      db.exec("UPDATE proposals SET last_revision = 1");
      db.exec("UPDATE revisions SET evidence = 'e', evidence_document = '{}'");
      db.exec("UPDATE revisions SET state = 'proposed'");
      db.exec(`INSERT INTO checks VALUES (1, 1, 'patch', 'passed', '${time}', '{}')`);
      db.exec(
        `INSERT INTO approvals VALUES (1, 1, 1, 'e', 'approve', 'ann', 'k', '', '${time}', NULL, NULL, '{}')`,
      );
      for (
        const sql of [
          ...["proposals", "revisions", "checks", "approvals"].map((table) => `DELETE FROM ${table}`),
          ...["title", "actor", "created_at"].map((column) => `UPDATE proposals SET ${column} = 'other'`),
          ...["patch", "base_root", "instruction", "source", "actor", "evidence", "evidence_document"]
            .map((column) => `UPDATE revisions SET ${column} = 'other'`),
          "UPDATE revisions SET expires_at = 'later'",
          "UPDATE revisions SET state = 'done'",
          "UPDATE checks SET outcome = 'failed'",
          "UPDATE approvals SET principal = 'eve'",
        ]
      ) assert.throws(() => db.exec(sql), sql);
    } finally {
      db.close();
    }
  });
});
