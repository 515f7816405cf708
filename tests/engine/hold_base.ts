// Run as a process of its own by docker_orphans_test.ts: opens a base, checks out a copy, says so and stays.
import { file, tarOf } from "../contract/tar_of.ts";
import { engineSandbox, engineSpec } from "./engine.ts";

const base = await engineSandbox().open(
  engineSpec({ session: Deno.args[0]! }),
  tarOf([file("a.txt", "a\n")]),
);
const copy = await base.checkout([]);
console.log("holding");
await copy.exec(["sleep", "300"], { timeoutMs: 300_000, outputBytes: 10 });
