/**
 * `deno task bench [NAME …]`: every figure beside its peer, measured in one run, as a table. Nothing is asserted.
 * Names: verification, minimization, streaming, startup, bundles, safety, store, proposals.
 */
import { onSignal } from "../tools/on_signal.ts";
import { ensureEngine } from "../tools/engine.ts";
import { ensureExamplesImage } from "../tools/image.ts";
import { step } from "../tools/log.ts";
import type { Row } from "./measure.ts";
import { bundles } from "./bundles.ts";
import { minimization } from "./minimization.ts";
import { proposals } from "./proposals.ts";
import { safety } from "./safety.ts";
import { startup } from "./startup.ts";
import { store } from "./store.ts";
import { streaming } from "./streaming.ts";
import { verification } from "./verification.ts";

const SECTIONS: Readonly<Record<string, (host: string) => Promise<Row[]>>> = {
  verification,
  minimization,
  streaming,
  startup,
  bundles,
  safety,
  store,
  proposals,
};
/** Sections that need no engine. */
const ON_THE_HOST = ["store", "proposals"];

const names = Deno.args.length > 0 ? Deno.args : Object.keys(SECTIONS);
const engine = names.every((name) => ON_THE_HOST.includes(name)) ? null : await ensureEngine();
if (engine !== null) onSignal(engine.stop);
const rows: Row[] = [];
try {
  if (engine !== null) await ensureExamplesImage(engine);
  for (const name of names) {
    const section = SECTIONS[name];
    if (section === undefined) {
      throw new Error(`no benchmark ${name}; there are ${Object.keys(SECTIONS).join(", ")}`);
    }
    step(`bench ${name}`);
    rows.push(...await section(engine?.host ?? ""));
  }
} finally {
  await engine?.stop();
}

const { availableParallelism, cpus } = await import("node:os");
console.log(
  `\nMeasured on ${availableParallelism()} cores, ${cpus()[0]?.model.trim() ?? "unknown processor"}\n`,
);
console.log("| what | ours | beside | figure | target | met |");
console.log("| --- | --- | --- | --- | --- | --- |");
for (const r of rows) {
  console.log(
    `| ${r.what} | ${r.ours} | ${r.peer} | ${r.figure} | ${r.target} | ${
      r.met === null ? "" : r.met ? "yes" : "no"
    } |`,
  );
}
