/**
 * `deno task demo`: sets up an engine and an image where they are missing, then proves every shipped failing target
 * with a scripted proposer. Ends with one line per target.
 */
import { onSignal } from "./on_signal.ts";
import { stripVTControlCharacters } from "node:util";
import { ensureEngine } from "./engine.ts";
import { ensureExamplesImage } from "./image.ts";
import { reportSetUpNeeded, SetUpNeeded, step } from "./log.ts";
import { PP_FROM_CHECKOUT, ROOT } from "./pp.ts";

interface Row {
  readonly name: string;
  readonly status: string;
  readonly seconds: string;
  /** What `pp` says of the patch, and where the bundle is. */
  readonly patch: string;
  readonly bundle: string;
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
  for (const row of rows) {
    console.log(
      `  ${row.status.padEnd(8)} ${row.seconds.padStart(5)} s  ${row.name.padEnd(22)} ${row.patch}`,
    );
    console.log(`                     ${row.bundle}`);
  }
  console.log("\nfinal_summary.md is the page of a bundle to read first.");
  console.log(
    "An engine that the demo started is stopped when it ends. For your projects start Docker, or keep one:",
  );
  console.log("    npx -y deno@2.9.6 task engine");
  return rows.length > 0 && rows.every((row) => row.status === "proved") ? 0 : 2;
}

/** Folders of examples/ that hold a workspace and proposals, in order. */
export async function exampleNames(): Promise<string[]> {
  const names: string[] = [];
  for await (const entry of Deno.readDir(`${ROOT}/examples`)) {
    const proposals = await Deno.stat(`${ROOT}/examples/${entry.name}/proposals`).catch(() => null);
    if (proposals?.isDirectory) names.push(entry.name);
  }
  return names.sort();
}

async function proveExample(name: string, host: string): Promise<Row> {
  const directory = `${ROOT}/examples/${name}`;
  console.log(`\n━━ ${name}: ${(await Deno.readTextFile(`${directory}/about.txt`)).trim()}`);
  const proposer = [Deno.execPath(), "run", "--quiet", "--no-config", "--allow-read"];
  const startedAt = Date.now();
  const [program, ...args] = [...PP_FROM_CHECKOUT, "prove", "--provider", "command"];
  const child = new Deno.Command(program!, {
    args,
    cwd: `${directory}/workspace`,
    env: {
      DOCKER_HOST: host,
      ...(Deno.stdout.isTerminal() && !Deno.env.get("NO_COLOR") ? { FORCE_COLOR: "1" } : {}),
      PP_COMMAND: JSON.stringify([
        ...proposer,
        `${ROOT}/examples/scripted_proposer.ts`,
        `${directory}/proposals`,
      ]),
    },
    stdin: "null",
    stdout: "piped",
  }).spawn();
  const [text, { code }] = await Promise.all([printed(child.stdout), child.status]);
  const seconds = ((Date.now() - startedAt) / 1000).toFixed(1);
  const said = (word: string) => new RegExp(`^${word} +(.*)$`, "m").exec(text)?.[1] ?? "";
  const bundle = `examples/${name}/workspace/${said("bundle").replace(/ \(.*$/, "")}`;
  return { name, status: code === 0 ? "proved" : `exit ${code}`, seconds, patch: said("patch"), bundle };
}

/** Passes output on as it comes and gives it back without colours. */
async function printed(stream: ReadableStream<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) {
    await Deno.stdout.write(chunk);
    chunks.push(chunk);
  }
  return stripVTControlCharacters(await new Blob(chunks as BlobPart[]).text());
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
