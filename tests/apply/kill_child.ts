/**
 * Does one operation and is killed (SIGKILL, by itself) after a step; told 0, it goes on to its end.
 * Arguments: store, folder, what (`apply`, `rollback`, `redo`, `recover`), after which step, proposals.
 */
import { redo, rollBack } from "../../src/apply/rollback.ts";
import { openAt } from "../store/fixture.ts";
import { apply, portsOf, recover } from "./fixture.ts";

const [place, root, what, after, ...proposals] = Deno.args as [string, string, string, string];
const store = openAt(place);
let steps = 0;
const step = () => {
  if (++steps === Number(after)) Deno.kill(Deno.pid, "SIGKILL");
};
const ports = await portsOf(store, root, step);
const options = { dryRun: false, backupsUntil: null };
if (what === "apply") await apply(ports, proposals.map(Number));
else if (what === "rollback") await rollBack(ports, { kind: "last", count: 1 }, options);
else if (what === "redo") await redo(ports, null, options);
else await recover(store, step);
store.close();
console.log(steps);
