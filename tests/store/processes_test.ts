import assert from "node:assert/strict";
import { collectGarbage, examine } from "../../src/store/artifact/upkeep.ts";
import { authorOf } from "../contract/store_contract.ts";
import { ROOT } from "../../tools/pp.ts";
import { openAt, withStoreFolder } from "./fixture.ts";

const CHILD = new URL("./hammer_child.ts", import.meta.url).pathname;

function start(...args: readonly string[]): Deno.ChildProcess {
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--quiet", "--no-check", "--config", `${ROOT}/deno.json`, CHILD, ...args],
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
}

interface Said {
  readonly created: number;
  readonly root: string;
}

function linesOf(output: Uint8Array): Said[] {
  const lines = new TextDecoder().decode(output).split("\n").slice(0, -1);
  return lines.map((line) => JSON.parse(line)).filter((said) => said !== "ready");
}

Deno.test("store: ten processes at once lose nothing and do nothing twice", async () => {
  await withStoreFolder(async (store, workspace, place) => {
    const rounds = 6;
    const children = Array.from({ length: 10 }, (_, i) => {
      Deno.mkdirSync(`${workspace}/${i}`);
      return start(place, `${workspace}/${i}`, "shared", String(i), String(rounds), "create");
    });
    const outputs = await Promise.all(children.map((child) => child.output()));
    for (const { success, stderr } of outputs) assert.ok(success, new TextDecoder().decode(stderr));
    const said = outputs.flatMap(({ stdout }) => linesOf(stdout));
    assert.deepEqual(
      said.map(({ created }) => created).sort((a, b) => a - b),
      Array.from({ length: 10 * rounds }, (_, i) => i + 1),
    );
    const versions = store.records.read((rows) => rows.versions("shared"));
    assert.deepEqual(
      versions.map(({ number, root }) => `${number} ${root}`).sort(),
      said.map(({ created, root }) => `${created} ${root}`).sort(),
    );
    const health = await examine(store, {});
    assert.deepEqual([health.damages, health.database, health.strangers, health.log.problems], [
      [],
      [],
      [],
      [],
    ]);
    assert.equal(health.log.events, 2 + 10 * rounds);
    // Of the large file each round's content is stored once, whoever put it.
    assert.equal(health.blobs, 10 * rounds + 2 * rounds);
  });
});

Deno.test("store: kill -9 at any instant of create, rollback, prune and gc leaves whole versions only", async () => {
  await withStoreFolder(async (store, workspace, place) => {
    store.close();
    Deno.mkdirSync(`${workspace}/own`);
    let told = 0, killed = 0;
    for (let round = 0; round < 24; round++) {
      const child = start(place, `${workspace}/own`, "a", `r${round}`, "200", "all");
      const reader = child.stdout.getReader();
      const chunks: Uint8Array[] = [];
      const first = await reader.read();
      assert.equal(
        new TextDecoder().decode(first.value).split("\n")[0],
        '"ready"',
        "the child opened the store",
      );
      chunks.push(first.value!);
      // Not by the clock alone: on a busy machine a child would be killed before it did anything.
      let left = Math.floor(Math.random() * 6), timer: ReturnType<typeof setTimeout> | undefined;
      const killSoon = () => timer ??= setTimeout(() => child.kill("SIGKILL"), 1 + Math.random() * 60);
      if (left === 0) killSoon();
      for (let part = await reader.read(); !part.done; part = await reader.read()) {
        chunks.push(part.value);
        left -= part.value.filter((byte) => byte === 10).length;
        if (left <= 0) killSoon();
      }
      const { signal } = await child.status;
      await child.stderr.cancel();
      clearTimeout(timer);
      if (signal === "SIGKILL") killed++;
      const again = openAt(place);
      try {
        const said = linesOf(Uint8Array.from(chunks.flatMap((chunk) => [...chunk])));
        const last = Math.max(0, ...said.map(({ created }) => created));
        told = Math.max(told, last);
        const health = await examine(again, {});
        const problems = [health.damages, health.database, health.strangers, health.log.problems];
        assert.deepEqual(problems, [[], [], [], []], `after kill ${round}`);
        const artifact = again.records.read((rows) => rows.artifact("a"));
        assert.ok((artifact?.lastNumber ?? 0) >= told, "what was told to be done is there");
        const newest = again.records.read((rows) => rows.latest("a"));
        const saidOfIt = said.find(({ created }) => created === newest?.number);
        if (saidOfIt !== undefined) assert.equal(newest!.root, saidOfIt.root);
        if (round % 3 === 2) {
          await collectGarbage(again, authorOf(again), false, {});
          assert.deepEqual([...Deno.readDirSync(`${place}/incoming`)], [], "leftovers are swept");
          assert.equal((await examine(again, {})).unused, 0);
        }
      } finally {
        again.close();
      }
    }
    assert.ok(killed > 12 && told > 20, `killed ${killed} times, told of ${told} versions`);
  });
});

Deno.test("store: who collects garbage waits for who creates, and the other way round", async () => {
  await withStoreFolder(async (store) => {
    const order: string[] = [];
    let release = () => {};
    const held = new Promise<void>((resolve) => release = resolve);
    let inside = () => {};
    const entered = new Promise<void>((resolve) => inside = resolve);
    const shared = store.keeper.shared(async () => {
      inside();
      await held;
      order.push("created");
    }, {});
    await entered;
    let waited = false;
    const alone = store.keeper.alone(() => Promise.resolve(void order.push("collected")), {
      waiting: () => {
        waited = true;
        release();
      },
    });
    await Promise.all([shared, alone]);
    assert.deepEqual([order, waited], [["created", "collected"], true]);
  });
});
