import assert from "node:assert/strict";
import { rollBack } from "../../src/apply/rollback.ts";
import { requireAsShown } from "../../src/proposal/shown.ts";
import type { FolderStore } from "../../src/store/folder/open.ts";
import { type NewOperation, OPERATION_KINDS } from "../../src/store/operations.ts";
import { beginOperation } from "../../src/store/operation/change.ts";
import { type Database, openDatabase } from "../../src/store/sqlite/driver.ts";
import { requireRevision } from "../../src/store/proposal/find.ts";
import type { Version } from "../../src/store/store.ts";
import { sha256 } from "../../src/vocabulary/digest.ts";
import type { Failure } from "../../src/vocabulary/failure.ts";
import { createFrom, withStoreFolder } from "../store/fixture.ts";
import { snapshot, write, writeFiles } from "../workspace/trees.ts";
import { apply, author, logProblems, portsOf, proposeChanges, recover } from "./fixture.ts";

/** A store that somebody else can write, and a folder in it that is a version. */
async function given(
  use: (store: FolderStore, root: string, base: Version, database: Database) => Promise<void>,
): Promise<void> {
  await withStoreFolder(async (store, root, place) => {
    writeFiles(root, { a: "one\n", "d/b": "b\n" });
    const { version } = await createFrom(store, root);
    const database = openDatabase(`${place}/store.sqlite`, {
      ...{ enableForeignKeyConstraints: true, enableDoubleQuotedStringLiterals: false, timeout: 1_000 },
    });
    try {
      await use(store, root, version, database);
    } finally {
      database.close();
    }
  });
}

/** Puts an operation under way into the tables that brings `a`'s content to a path. */
function forge(database: Database, folder: string, path: string, stageIn = ""): void {
  const base = database.prepare("SELECT root, manifest, artifact FROM versions").get() as unknown as {
    readonly root: string;
    readonly manifest: string;
    readonly artifact: number;
  };
  const number = 1 + Number(database.prepare("SELECT count(*) AS n FROM operations").get()!.n);
  database.prepare(`INSERT INTO operations (number, kind, state, reason, folder, staging, artifact, actor,
    created_at, files, before_manifest, after_manifest, after_root, after_files, after_bytes, backups, directories)
    VALUES (?, ?, 'applying', '', ?, ?, ?, 'tester', ?, 2, ?, ?, ?, 1, 1, 'kept', '[]')`).run(
    ...[number, OPERATION_KINDS[0], folder, "ab".repeat(8), base.artifact, new Date().toISOString()],
    ...[base.manifest, base.manifest, base.root],
  );
  const insert = database.prepare(
    `INSERT INTO operation_paths (operation, position, path, stage_in, before_mode,
    before_size, before_sha256, before_permissions, before_uid, before_gid, after_mode, after_size, after_sha256)
    VALUES (?, ?, ?, ?, '100644', 4, ?, 420, 0, 0, ?, ?, ?)`,
  );
  insert.run(number, 0, path, stageIn, sha256("one\n"), null, null, null);
  // Not as after, so that what is there is put back.
  insert.run(number, 1, "zz", "", sha256("one\n"), "100644", 1, sha256("z"));
}

const corrupt = (error: Failure) => error.code === "operation_corrupt";

Deno.test("recoverOperations: a forged operation writes neither outside of its folder nor where nothing is written", async () => {
  for (
    const [path, stageIn] of [["../out", ""], ["/tmp/out", ""], [".git/hooks/post-checkout", ""], [
      "d/c",
      "..",
    ]]
  ) {
    await given(async (store, root, _base, database) => {
      const before = snapshot(`${root}/..`);
      forge(database, root, path!, stageIn);
      await assert.rejects(recover(store), corrupt, path);
      const now = snapshot(`${root}/..`);
      const files = (all: Record<string, string>) =>
        Object.keys(all).filter((name) => !name.startsWith("store"));
      assert.deepEqual(files(now), files(before), path);
    });
  }
});

Deno.test("recoverOperations: an operation whose rows or directories are none of ours is not finished", async () => {
  const directory = (over: Record<string, unknown>) =>
    JSON.stringify([{ path: "d", change: "made", attributes: null, ...over }]);
  for (
    const [what, set] of [
      ["no JSON", "UPDATE operations SET directories = '{'"],
      ["no list", "UPDATE operations SET directories = '{}'"],
      ["an unknown change", `UPDATE operations SET directories = '${directory({ change: "eaten" })}'`],
      ["a directory outside", `UPDATE operations SET directories = '${directory({ path: "../d" })}'`],
      ["a member more", `UPDATE operations SET directories = '${directory({ more: 1 })}'`],
      ["a number as a path", `UPDATE operations SET directories = '${directory({ path: 7 })}'`],
      [
        "attributes of none",
        `UPDATE operations SET directories = '${directory({ attributes: { uid: 0 } })}'`,
      ],
      ["bits that there are not", "UPDATE operation_paths SET before_permissions = 65536"],
      ["an owner below none", "UPDATE operation_paths SET before_uid = -1"],
      ["no digest", "UPDATE operation_paths SET after_sha256 = 'x' WHERE position = 1"],
      ["a path that is missing", "UPDATE operation_paths SET position = 2 WHERE position = 1"],
      ["a staging id outside", "UPDATE operations SET staging = 'a/../../../../xy'"],
    ]
  ) {
    await given(async (store, root, _base, database) => {
      forge(database, root, "a");
      const triggers = database.prepare("SELECT name FROM sqlite_master WHERE type = 'trigger'").all();
      for (const { name } of triggers) database.exec(`DROP TRIGGER ${name}`);
      database.exec(set!);
      const before = snapshot(root);
      await assert.rejects(recover(store), corrupt, what);
      assert.deepEqual(snapshot(root), before, what);
    });
  }
});

Deno.test("recoverOperations: a store has nothing written to another folder than the one asked for", async () => {
  await given(async (store, root, _base, database) => {
    const home = await Deno.realPath(await Deno.makeTempDir({ prefix: "veripatch-test-" }));
    try {
      forge(database, home, "authorized_keys");
      const [one] = await recover(store, undefined, root);
      assert.equal(one?.outcome, "elsewhere");
      assert.deepEqual(snapshot(home), {});
      // Whoever asks for that folder ends it there.
      const [there] = await recover(store, undefined, home);
      assert.equal(there?.outcome, "stuck");
    } finally {
      await Deno.remove(home, { recursive: true });
    }
  });
});

Deno.test("verifyLog: an operation that was edited, invented or finished in the tables does not pass", async () => {
  await given(async (store, root, base, database) => {
    const ports = await portsOf(store, root);
    await apply(ports, [await proposeChanges(store, base, [write("a", "two\n")])]);
    await rollBack(ports, { kind: "last", count: 1 }, { dryRun: false, backupsUntil: null });
    assert.deepEqual(logProblems(store), []);
    for (const table of ["operations", "operation_paths", "operation_revisions", "operation_targets"]) {
      database.exec(`CREATE TEMP TABLE kept_${table} AS SELECT * FROM ${table}`);
    }
    const triggers = database.prepare("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").all();
    const edits = [
      `UPDATE operation_paths SET before_sha256 = '${sha256("two\n")}', after_sha256 = NULL, after_mode = NULL
        WHERE operation = 1`,
      "UPDATE operation_paths SET before_permissions = 2541 WHERE operation = 1",
      "UPDATE operation_paths SET stage_in = 'd' WHERE operation = 1",
      "UPDATE operations SET folder = '/elsewhere' WHERE number = 1",
      "UPDATE operations SET state = 'failed', version = NULL WHERE number = 2",
      "UPDATE operations SET directories = '[]', actor = 'ann' WHERE number = 2",
      "UPDATE operation_revisions SET from_state = 'rejected'",
      "DELETE FROM operation_targets",
    ];
    for (const edit of edits) {
      database.exec("BEGIN");
      database.exec("PRAGMA defer_foreign_keys = ON");
      for (const { name } of triggers) database.exec(`DROP TRIGGER ${name}`);
      database.exec(edit);
      database.exec("COMMIT");
      assert.deepEqual([...new Set(logProblems(store).map(({ code }) => code))], ["operation_edited"], edit);
      database.exec("BEGIN");
      database.exec("PRAGMA defer_foreign_keys = ON");
      undo(edit);
      for (const { sql } of triggers) database.exec(String(sql));
      database.exec("COMMIT");
      assert.deepEqual(logProblems(store), [], `after ${edit}`);
    }
    forge(database, root, "a");
    assert.deepEqual(logProblems(store).map(({ code }) => code), ["operation_unknown"]);

    function undo(edit: string): void {
      const table = /(?:UPDATE|DELETE FROM) (\w+)/.exec(edit)![1]!;
      database.exec(`DELETE FROM ${table}; INSERT INTO ${table} SELECT * FROM kept_${table}`);
    }
  });
});

Deno.test("beginOperation: while a folder is changed, none above or in it is", async () => {
  await given((store, root, base) => {
    const asked = (folder: string, staging: string): Parameters<typeof beginOperation>[2] => ({
      operation: {
        ...{ kind: "apply", folder, staging, artifact: "a", directories: "[]", backupsUntil: null },
        ...{ beforeManifest: base.manifest, afterManifest: base.manifest, afterRoot: base.root },
        ...{ afterFiles: 0, afterBytes: 0 },
      },
      ...{ paths: [] as NewOperation["paths"], revisions: [], targets: [] },
    });
    const begin = (folder: string, n: number) =>
      store.records.write((rows) => beginOperation(rows, author(store), asked(folder, String(n).repeat(16))));
    begin(`${root}/d`, 1);
    for (const folder of [root, `${root}/d`, `${root}/d/e`]) {
      assert.throws(() => begin(folder, 2), (error: Failure) => error.code === "folder_busy", folder);
    }
    assert.equal(begin(`${root}/dd`, 3).number, 2);
    return Promise.resolve();
  });
});

Deno.test("requireAsShown: a patch that makes another tree than the one that is applied is not shown as it", async () => {
  await given(async (store, root, base) => {
    const honest = await proposeChanges(store, base, [write("a", "two\n")]);
    const find = (proposal: number) =>
      store.records.read((rows) => requireRevision(rows, { proposal, revision: null }));
    await requireAsShown(store, find(honest));
    const shown = { shown: [write("a", "harmless\n")] };
    const forged = await proposeChanges(store, base, [write("a", "evil\n")], "approved", undefined, shown);
    const refused = (error: Failure) => error.code === "revision_corrupt";
    await assert.rejects(requireAsShown(store, find(forged)), refused);
    const asShown = { asShown: requireAsShown.bind(null, store) };
    await assert.rejects(apply(await portsOf(store, root), [forged], asShown), refused);
    assert.equal(Deno.readTextFileSync(`${root}/a`), "one\n");
    const files = { files: [{ path: "docs/a", old_path: null, change: "modified" as const }] };
    const renamed = await proposeChanges(store, base, [write("a", "evil\n")], "approved", undefined, files);
    await assert.rejects(requireAsShown(store, find(renamed)), refused);
  });
});

Deno.test("sqlite: nothing that an operation was begun with can be changed after, whatever its state", async () => {
  await given(async (store, root, base, database) => {
    const ports = await portsOf(store, root);
    await apply(ports, [await proposeChanges(store, base, [write("a", "two\n")])]);
    const columns = database.prepare("PRAGMA table_info(operations)").all().map(({ name }) => String(name));
    const moving = ["state", "reason", "version", "finished_at", "backups"];
    assert.ok(columns.includes("after_files") && columns.includes("backups_until"));
    for (const column of columns.filter((name) => !moving.includes(name))) {
      const { type } = database.prepare("SELECT type FROM pragma_table_info('operations') WHERE name = ?")
        .get(column)!;
      const edit = `UPDATE operations SET ${column} = ${type === "TEXT" ? "'2026'" : "7"}`;
      assert.throws(() => database.exec(edit), /what an operation did is never changed/, column);
    }
    forge(database, root, "a");
    const open = "UPDATE operations SET after_bytes = 9 WHERE state = 'applying'";
    assert.throws(() => database.exec(open), /never changed/);
  });
});
