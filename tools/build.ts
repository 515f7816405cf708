/**
 * `deno task build`: dist/pp with `deno compile`, or with `--portable` from what npm has; beside it a list of what is
 * inside and dist/SHA256SUMS.
 */
import { parseArgs } from "node:util";
import { buildInfo, type BuildRecord } from "../src/build_info.ts";
import { builtFrom, isCommit, OtherCommit } from "./build/commit.ts";
import { checkStub, compileProgram, StubMissing } from "./build/compile.ts";
import { writeFiles } from "./build/files.ts";
import { cycloneDx, materialsOf, noticesOf } from "./build/materials.ts";
import { portableFile, sha256Of, startScript } from "./build/portable.ts";
import { bundleProgram, byPath, stageSources } from "./build/program.ts";
import { PORTABLE_TARGETS, type Runtime, runtimeOf, type Target, TARGETS } from "./build/runtime.ts";
import { step } from "./log.ts";
import { ROOT } from "./pp.ts";

const HELP = `deno task build [--portable] [--target NAME …] [--out FOLDER] [--commit ID]

  --portable      one file that carries the runtime from npm and unpacks itself once (${
  PORTABLE_TARGETS.join(", ")
})
  --target NAME   ${
  TARGETS.map(({ name }) => name).join(", ")
}, or all; without it this machine's, as FOLDER/pp
  --out FOLDER    dist when not given
  --commit ID     the commit of these sources, where git cannot say

DENORT_BIN names the runtime stub of \`deno compile\` where it cannot be downloaded.`;

interface Asked {
  readonly portable: boolean;
  readonly targets: readonly Target[];
  /** Whether targets were named: then they are part of the names of the files. */
  readonly named: boolean;
  readonly out: string;
  readonly commit: string | null;
}

class WrongUsage extends Error {}

function ask(args: readonly string[]): Asked {
  const options = {
    portable: { type: "boolean", default: false },
    target: { type: "string", multiple: true, default: [] as string[] },
    out: { type: "string", default: `${ROOT}/dist` },
    commit: { type: "string" },
  } as const;
  let values;
  try {
    values = parseArgs({ args: [...args], options }).values;
  } catch (error) {
    throw new WrongUsage((error as Error).message);
  }
  const possible = TARGETS.filter(({ name }) => !values.portable || PORTABLE_TARGETS.includes(name));
  const named = values.target.length > 0;
  const wanted = named ? values.target : [Deno.build.target];
  const targets = wanted.includes("all")
    ? possible
    : wanted.map((want) => possible.find(({ name, triple }) => name === want || triple === want));
  if (targets.includes(undefined)) {
    const names = possible.map(({ name }) => name).join(", ");
    throw new WrongUsage(`${wanted.join(", ")}: ${values.portable ? "portable " : ""}targets are ${names}`);
  }
  const commit = values.commit ?? null;
  if (commit !== null && !isCommit(commit)) {
    throw new WrongUsage(
      `--commit takes a whole commit id (git rev-parse HEAD), not ${JSON.stringify(commit)}`,
    );
  }
  const out = values.out.startsWith("/") ? values.out : `${Deno.cwd()}/${values.out}`;
  return { portable: values.portable, targets: targets as Target[], named, out, commit };
}

async function build({ portable, targets, named, out, commit: given }: Asked): Promise<void> {
  if (!portable) await checkStub();
  const { commit, modified } = builtFrom(await buildInfo(), given);
  const stage = await Deno.realPath(await Deno.makeTempDir({ prefix: "veripatch-build-" }));
  try {
    step("bundling the program");
    await stageSources(`${stage}/sources`);
    const { files, packages } = await bundleProgram(`${stage}/sources`);
    const materials = await materialsOf(packages);
    const program = new Map(files);
    program.set("THIRD_PARTY_LICENSES", new TextEncoder().encode(noticesOf(materials)));
    await Deno.mkdir(out, { recursive: true });
    for (const target of targets) {
      const output = `${out}/${named ? `pp-${target.name}` : "pp"}`;
      const runtime = portable ? await runtimeOf(target.name) : null;
      const kind = portable ? "portable" : "compiled";
      const carried = new Map(program);
      if (portable) {
        const entry = await Deno.readTextFile(new URL("build/portable_entry.js", import.meta.url));
        carried.set("outer_environment.js", new TextEncoder().encode(entry));
        const main = `import "./outer_environment.js";\nimport "./main.js";\n`;
        carried.set("portable.js", new TextEncoder().encode(main));
        carried.set("start.sh", new TextEncoder().encode(await startScript()));
      }
      const inside = new Map([...carried, ...(runtime === null ? [] : [["deno", runtime.program] as const])]);
      const embedded = [...inside].sort(byPath).map(([path, bytes]) => ({ path, sha256: sha256Of(bytes) }));
      const record: BuildRecord = { commit, modified, kind, embedded };
      carried.set("build.json", new TextEncoder().encode(JSON.stringify(record)));
      const all = [...materials, ...(runtime === null ? [] : [asMaterial(runtime)])];
      const list = cycloneDx({ commit, target: target.name, kind }, all, embedded);

      const unfinished = await Deno.makeTempDir({ dir: out, prefix: "unfinished-" });
      try {
        if (runtime === null) await compileProgram(target, carried, unfinished, `${unfinished}/pp`);
        else await Deno.writeFile(`${unfinished}/pp`, await portableFile(target, runtime.program, carried));
        await Deno.chmod(`${unfinished}/pp`, 0o755);
        await writeFiles(unfinished, new Map([["pp.cdx.json", new TextEncoder().encode(list)]]));
        await Deno.rename(`${unfinished}/pp`, output);
        await Deno.rename(`${unfinished}/pp.cdx.json`, `${output}.cdx.json`);
      } finally {
        await Deno.remove(unfinished, { recursive: true });
      }
      step(`${output}, ${((await Deno.stat(output)).size / 1e6).toFixed(1)} MB`);
    }
    await writeChecksums(out);
  } finally {
    await Deno.remove(stage, { recursive: true });
  }
}

function asMaterial({ name, version, integrity }: Runtime) {
  return { name, version, integrity, license: "MIT", notices: [] };
}

/** SHA256SUMS of what builds made, for `sha256sum -c`. */
async function writeChecksums(folder: string): Promise<void> {
  const names = (await Array.fromAsync(Deno.readDir(folder)))
    .filter(({ name, isFile }) => isFile && /^pp(-[a-z0-9-]+)?(\.cdx\.json)?$/.test(name))
    .map(({ name }) => name).sort();
  const lines = await Promise.all(
    names.map(async (name) => `${sha256Of(await Deno.readFile(`${folder}/${name}`))}  ${name}\n`),
  );
  await Deno.writeTextFile(`${folder}/SHA256SUMS`, lines.join(""));
}

try {
  if (Deno.args.includes("--help")) console.log(HELP);
  else await build(ask(Deno.args));
} catch (error) {
  if (error instanceof WrongUsage || error instanceof OtherCommit) {
    console.error(`build: ${error.message}${error instanceof WrongUsage ? `\n\n${HELP}` : ""}`);
    Deno.exit(64);
  }
  if (!(error instanceof StubMissing)) throw error;
  console.error(`\n${error.message}\n
\`deno compile\` starts its programs with a stub (denort) that it downloads from Deno's release host, and that
is not there. Either

    deno task build --portable                      needs nothing but the npm registry
    DENORT_BIN=/path/to/denort deno task build      with the stub of Deno ${Deno.version.deno}, brought here by hand
`);
  Deno.exit(69);
}
