/**
 * `deno task demo`: sets up an engine and an image where they are missing, then proves every shipped failing target
 * with a scripted proposer. Ends with one line per target.
 */
import { onSignal } from "./on_signal.ts";
import { ensureEngine } from "./engine.ts";
import { ensureExamplesImage } from "./image.ts";
import { reportSetUpNeeded, SetUpNeeded, step } from "./log.ts";

const ROOT = new URL("..", import.meta.url).pathname;

interface Row {
  readonly name: string;
  readonly status: string;
  readonly seconds: string;
}

async function demo(): Promise<number> {
  const engine = await ensureEngine();
  onSignal(engine.stop);
  const rows: Row[] = [];
  try {
    await ensureExamplesImage(engine);
    for (const name of await exampleNames()) rows.push(await proveExample(name, engine.host));
  } finally {
    await engine.stop();
  }
  console.log("\nAll targets:");
  for (const row of rows) console.log(`  ${row.status.padEnd(10)} ${row.seconds.padStart(6)} s  ${row.name}`);
  console.log(
    "\nEach bundle lies under examples/NAME/workspace/.pp-artifacts; final_summary.md is the page to read.",
  );
  return rows.length > 0 && rows.every((row) => row.status === "proved") ? 0 : 2;
}

/** Folders of examples/ that hold a workspace and proposals, in order. */
export async function exampleNames(): Promise<string[]> {
  const names: string[] = [];
  for await (const entry of Deno.readDir(`${ROOT}examples`)) {
    const proposals = await Deno.stat(`${ROOT}examples/${entry.name}/proposals`).catch(() => null);
    if (proposals?.isDirectory) names.push(entry.name);
  }
  return names.sort();
}

async function proveExample(name: string, host: string): Promise<Row> {
  const directory = `${ROOT}examples/${name}`;
  console.log(`\n━━ ${name}: ${(await Deno.readTextFile(`${directory}/about.txt`)).trim()}`);
  const proposer = [Deno.execPath(), "run", "--quiet", "--no-config", "--allow-read"];
  const startedAt = Date.now();
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "-A",
      "--quiet",
      "--config",
      `${ROOT}deno.json`,
      `${ROOT}main.ts`,
      "prove",
      "--provider",
      "command",
    ],
    cwd: `${directory}/workspace`,
    env: {
      DOCKER_HOST: host,
      PP_COMMAND: JSON.stringify([
        ...proposer,
        `${ROOT}examples/scripted_proposer.ts`,
        `${directory}/proposals`,
      ]),
    },
    stdin: "null",
  }).spawn();
  const { code } = await child.status;
  const seconds = ((Date.now() - startedAt) / 1000).toFixed(1);
  return { name, status: code === 0 ? "proved" : `exit ${code}`, seconds };
}

if (import.meta.main) {
  try {
    Deno.exit(await demo());
  } catch (error) {
    if (error instanceof SetUpNeeded) Deno.exit(reportSetUpNeeded(error));
    step("the demo could not go on");
    throw error;
  }
}
