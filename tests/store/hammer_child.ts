/**
 * Works on a store until it is done or killed, printing each thing it was told is done.
 * Arguments: store, workspace of its own, artifact, a number of its own, rounds, what (`create` or `all`).
 */
import { rollBack } from "../../src/store/artifact/create.ts";
import { collectGarbage, pruneVersions } from "../../src/store/artifact/upkeep.ts";
import { authorOf } from "../contract/store_contract.ts";
import { createFrom, openAt } from "./fixture.ts";

const [place, workspace, artifact, own, rounds, what] = Deno.args as [
  string,
  string,
  string,
  string,
  string,
  string,
];
const store = openAt(place);
const by = authorOf(store, `child ${own}`);
const say = (value: unknown) => Deno.stdout.writeSync(new TextEncoder().encode(`${JSON.stringify(value)}\n`));
say("ready");
for (let round = 0; round < Number(rounds); round++) {
  Deno.writeTextFileSync(`${workspace}/f`, `${own} ${round}`);
  Deno.writeTextFileSync(`${workspace}/round`, `${round}`);
  Deno.writeFileSync(`${workspace}/large`, new Uint8Array(50_000).fill(round));
  const { version } = await createFrom(store, workspace, artifact, `child ${own}`);
  say({ created: version.number, root: version.root });
  if (what !== "all") continue;
  if (round % 3 === 1) {
    const { version: back } = rollBack(store, by, { artifact, number: version.number - 1 }, "");
    say({ created: back.number, root: back.root });
  }
  if (round % 4 === 3) pruneVersions(store, by, artifact, { kind: "keep", newest: 3 }, false);
  if (round % 2 === 1) await collectGarbage(store, by, false, {});
}
store.close();
