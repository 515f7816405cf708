/**
 * Says that it is there, waits for one line of JSON that says what to do, does it and is killed (SIGKILL, by itself) after
 * a step; told 0, it goes on to its end. Started before it is needed, it has all loaded by then.
 */
import { redo, rollBack } from "../../src/apply/rollback.ts";
import { openAt } from "../store/fixture.ts";
import { apply, APPROVED, portsOf, recover } from "./fixture.ts";

/** What a child does. */
export interface Job {
  readonly place: string;
  readonly root: string;
  readonly what: "apply" | "rollback" | "redo" | "recover";
  /** After which step it is killed, from 1. */
  readonly after: number;
  readonly proposals: readonly number[];
}

async function work({ place, root, what, after, proposals }: Job): Promise<void> {
  const store = openAt(place);
  let steps = 0;
  const step = () => {
    if (++steps === after) Deno.kill(Deno.pid, "SIGKILL");
  };
  const ports = await portsOf(store, root, step);
  const options = { dryRun: false, backupsUntil: null };
  if (what === "apply") await apply(ports, proposals);
  else if (what === "rollback") await rollBack(ports, { kind: "last", count: 1 }, options);
  else if (what === "redo") {
    await redo(ports, null, {
      ...options,
      clear: () => APPROVED,
      proofHolds: () => Promise.resolve(),
    });
  } else await recover(store, step);
  store.close();
}

if (import.meta.main) {
  const asked = await new Response(Deno.stdin.readable).text();
  if (asked !== "") await work(JSON.parse(asked));
}
