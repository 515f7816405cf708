import assert from "node:assert/strict";
import { rollBack } from "../../src/apply/rollback.ts";
import { examine } from "../../src/store/artifact/upkeep.ts";
import type { FolderStore } from "../../src/store/folder/open.ts";
import { Failure } from "../../src/vocabulary/failure.ts";
import { createFrom, openAt, withStoreFolder } from "../store/fixture.ts";
import { canMount, withSmallDisk } from "../store/small_disk.ts";
import { snapshot, write, writeFiles } from "../workspace/trees.ts";
import { apply, portsOf, proposeChanges, recover, stateOf } from "./fixture.ts";

const BIG = "x".repeat(79) + "\n";
const ignore = !canMount();

async function assertSound(store: FolderStore, what: string): Promise<void> {
  const health = await examine(store, {});
  const problems = [health.damages, health.database, health.strangers, health.log.problems];
  assert.deepEqual(problems, [[], [], [], []], what);
  assert.deepEqual(store.records.read((rows) => rows.operations({ state: "applying" })), [], what);
}

/** Without what fills the disk. */
function contentOf(root: string): Record<string, string> {
  const { filler: _, ...content } = snapshot(root);
  return content;
}

Deno.test({
  name: "applyProposals, rollBack: into a full folder nothing goes, the path is named, and all is as before",
  ignore,
  fn: async () => {
    await withStoreFolder(async (store, root) => {
      await withSmallDisk(root, 1 << 20, async (disk) => {
        writeFiles(root, { a: "a\n", "d/big": BIG, ".ppignore": "filler\n" });
        const { version } = await createFrom(store, root);
        const changes = [write("a", "A\n"), write("d/big", BIG.repeat(500)), write("new/n", "n\n")];
        const proposal = await proposeChanges(store, version, changes);
        const before = contentOf(root);
        for (const pages of [0, 1, 3, 9]) {
          disk.fill(pages);
          const failing = (error: unknown) =>
            error instanceof Failure && error.code === "apply_failed" &&
            / at (a|d\/big|new\/n), /.test(error.message) &&
            /make room/.test(error.hint ?? "");
          await assert.rejects(apply(await portsOf(store, root), [proposal]), failing, `${pages}`);
          assert.deepEqual(contentOf(root), before, `${pages}`);
          assert.equal(stateOf(store, proposal), "approved");
        }
        disk.empty();
        await apply(await portsOf(store, root), [proposal]);
        const after = contentOf(root);
        disk.fill(0);
        const back = async () =>
          await rollBack(await portsOf(store, root), { kind: "last", count: 1 }, {
            dryRun: false,
            backupsUntil: null,
          });
        await assert.rejects(back(), (error: Failure) => error.code === "apply_failed");
        assert.deepEqual(contentOf(root), after);
        disk.empty();
        await back();
        assert.deepEqual(contentOf(root), before);
        await assertSound(store, "at the end");
      });
    });
  },
});

Deno.test({
  name:
    "applyProposals: with a store that is full at any time, all-before or all-after, and the next start says which",
  ignore,
  fn: async () => {
    await withStoreFolder(async (_, root, home) => {
      const seen = new Set<string>();
      for (let pages = 0; pages <= 80; pages += 2) {
        const place = `${home}/small`;
        Deno.mkdirSync(place);
        await withSmallDisk(place, 4 << 20, async (disk) => {
          writeFiles(root, { a: "a\n", b: "b\n" });
          const store = openAt(`${place}/store`);
          const { version } = await createFrom(store, root);
          const proposal = await proposeChanges(store, version, [
            write("a", "A\n"),
            write("b", BIG.repeat(200)),
          ]);
          const before = snapshot(root);
          disk.fill(pages);
          const outcome = await apply(await portsOf(store, root), [proposal]).then(
            () => "done",
            (error: Failure) => {
              assert.ok(error instanceof Failure, error);
              assert.equal(error.kind, "unavailable", error.message);
              return error.code;
            },
          );
          seen.add(outcome);
          store.close();
          disk.empty();
          const again = openAt(`${place}/store`, false);
          await recover(again);
          await assertSound(again, `${pages}: ${outcome}`);
          const isAfter = outcome === "done" || outcome === "operation_unwritten";
          assert.equal(stateOf(again, proposal), isAfter ? "applied" : "approved", `${pages}: ${outcome}`);
          if (!isAfter) assert.deepEqual(snapshot(root), before, `${pages}: ${outcome}`);
          else assert.equal(Deno.readTextFileSync(`${root}/a`), "A\n", `${pages}: ${outcome}`);
          again.close();
        });
        Deno.removeSync(place);
        if (seen.has("done")) break;
      }
      assert.ok(seen.has("store_io") && seen.has("done"), [...seen].join(", "));
    });
  },
});

Deno.test({
  name:
    "createVersion: into a full store nothing goes, half written files are removed, and the next one is whole",
  ignore,
  fn: async () => {
    await withStoreFolder(async (_, root, home) => {
      const place = `${home}/small`;
      Deno.mkdirSync(place);
      await withSmallDisk(place, 4 << 20, async (disk) => {
        writeFiles(root, { a: "a\n" });
        const store = openAt(`${place}/store`);
        await createFrom(store, root);
        writeFiles(root, { big: BIG.repeat(1_000), huge: "y".repeat(9 << 20) });
        disk.fill(10);
        const full = (error: Failure) =>
          error.code === "store_io" && error.kind === "unavailable" && /make room/.test(error.hint ?? "");
        await assert.rejects(createFrom(store, root), full);
        Deno.removeSync(`${root}/big`);
        await assert.rejects(createFrom(store, root), full);
        assert.deepEqual([...Deno.readDirSync(`${place}/store/incoming`)], []);
        disk.empty();
        Deno.removeSync(`${root}/huge`);
        writeFiles(root, { big: BIG.repeat(1_000) });
        assert.equal((await createFrom(store, root)).version.number, 2);
        await assertSound(store, "at the end");
        store.close();
      });
      Deno.removeSync(place);
    });
  },
});
