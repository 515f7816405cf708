import assert from "node:assert/strict";
import { examine } from "../../src/store/artifact/upkeep.ts";
import { ROOT } from "../../tools/pp.ts";
import { ANN, BOB, NOW, termsOf } from "../approve/fixture.ts";
import { addFiles, authorOf } from "../contract/store_contract.ts";
import { withStoreFolder } from "./fixture.ts";
import { decideAs, proposeChange, toldStates } from "./proposals.ts";

interface Said {
  readonly did: "proposed" | "approved" | "rejected" | "applying" | "applied";
  readonly name: string;
}

function child(...args: readonly string[]): Promise<Deno.CommandOutput> {
  const path = new URL("./decide_child.ts", import.meta.url).pathname;
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--quiet", "--no-check", "--config", `${ROOT}/deno.json`, path, ...args],
    stdin: "null",
  }).output();
}

Deno.test("proposals: ten processes propose, revise, decide, apply and expire at once; one wins each step, nothing is lost", async () => {
  await withStoreFolder(async (store, _workspace, place) => {
    await addFiles(store, "shared", { "src/a.py": "one\n" });
    const people = ["ann", "bob", "maker"];
    const outputs = await Promise.all(
      Array.from({ length: 10 }, (_, i) => child(place, "shared", people[i % 3]!, String(i + 1), "40")),
    );
    for (const { success, stderr } of outputs) assert.ok(success, new TextDecoder().decode(stderr));
    const said = outputs.flatMap(({ stdout }) =>
      new TextDecoder().decode(stdout).split("\n").slice(0, -1).map((line): Said => JSON.parse(line))
    );
    const told = toldStates(store);
    const twice = (did: Said["did"]) => {
      const names = said.filter((one) => one.did === did).map(({ name }) => name);
      assert.equal(new Set(names).size, names.length, `${did} twice`);
      return names;
    };
    // Each is told to one alone, and is in the log once.
    for (const did of ["proposed", "applying", "applied", "rejected"] as const) {
      const names = twice(did);
      for (const name of names) assert.ok(told.get(name)!.includes(did), `${name} ${did}`);
      assert.equal([...told.values()].filter((states) => states.includes(did)).length, names.length, did);
    }
    assert.ok(twice("applying").length > 3 && twice("proposed").length > 20, "there was something to do");
    for (const { proposal, number, state } of store.records.read((rows) => [...rows.allRevisions()])) {
      const states = told.get(`${proposal}.${number}`)!;
      assert.equal(states.at(-1), state);
      // What was applied was approved right before, and nothing that ended went on.
      if (states.includes("applying")) assert.equal(states[states.indexOf("applying") - 1], "approved");
      for (const end of ["rejected", "expired", "superseded"]) {
        const at = states.indexOf(end);
        if (at >= 0) assert.ok(states.slice(at + 1).every((next) => next === "superseded"), states.join(" "));
      }
    }
    const health = await examine(store, {});
    assert.deepEqual([health.damages, health.database, health.log.problems], [[], [], []]);
    assert.equal(told.size, twice("proposed").length);
  });
});

Deno.test("proposals: of two who decide at once on what needs one, one wins, and the other learns where it stands", async () => {
  await withStoreFolder(async (store) => {
    const terms = termsOf();
    const by = authorOf(store, "maker", NOW);
    for (
      const [first, second, then] of [["approve", "approve", "approved"], [
        "reject",
        "approve",
        "rejected",
      ]] as const
    ) {
      const target = await proposeChange(store, by, terms);
      // Both have seen the same evidence; each decides in a transaction of its own.
      const one = decideAs(store, by, target, ANN, terms, { decision: first, reason: "r" });
      const other = decideAs(store, by, target, BOB, terms, { decision: second, reason: "r" });
      assert.equal(one.ok, true);
      assert.deepEqual(other, { ok: false, code: "state_differs", state: then });
      assert.equal(store.records.read((rows) => rows.approvals(target.proposal, 1)).length, 1);
    }
  });
});
