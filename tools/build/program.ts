import type { BuildOptions, Plugin } from "esbuild";
import { builtinModules } from "node:module";
import { UNUSED } from "../../src/sandbox/docker/dockerode.ts";
import { ROOT } from "../pp.ts";
import { filesBelow } from "./files.ts";
import { inOneFile } from "./one_file.ts";

/** The program as files that need the runtime and nothing else. Paths are relative to its folder. */
export interface Program {
  /** Code, policies and grammars. */
  readonly files: ReadonlyMap<string, Uint8Array>;
  /** Folders of the npm packages that are in it, absolute until `stage` is removed. */
  readonly packages: readonly string[];
}

/** What a build starts from; everything else of a checkout stays outside. */
const SOURCES = ["main.ts", "deno.json", "deno.lock", "src", "policies", "docs"];
/** Records of decisions are about the program, not for its users. */
const LEFT_OUT = /^docs\/decisions\//;

/** What a plain `verify-attestation` needs: one file. */
const QUICK = { source: "src/cli/verify_attestation_quick.ts", file: "verify_attestation_quick.js" };
/** A thread is started by the name of its module, which `namedBy` has as `name`. */
const WORKER = {
  source: "src/workspace/hash_worker.ts",
  out: "hash_worker",
  namedBy: "src/workspace/hashing.ts",
  name: "./hash_worker.ts",
};

/** Packages whose WebAssembly is read as files. */
const GRAMMARS = "@vscode/tree-sitter-wasm/wasm";
const TREE_SITTER = "web-tree-sitter/web-tree-sitter.wasm";

/**
 * Copies the sources and lays the locked npm packages beside them.
 * @param stage an empty folder
 * @throws Error when packages are neither cached nor reached
 */
export async function stageSources(stage: string): Promise<void> {
  const paths = (await Promise.all(SOURCES.map((source) => filesBelow(ROOT, source)))).flat();
  for (const path of paths.filter((path) => !LEFT_OUT.test(path))) {
    const to = `${stage}/${path}`;
    await Deno.mkdir(to.replace(/\/[^/]*$/, ""), { recursive: true });
    await Deno.copyFile(`${ROOT}/${path}`, to);
  }
  const install = new Deno.Command(Deno.execPath(), {
    args: ["install", "--quiet", "--frozen", "--node-modules-dir=auto"],
    cwd: stage,
    stdin: "null",
    stdout: "null",
  });
  const { success, stderr } = await install.output();
  if (!success) throw new Error(`deno install failed: ${new TextDecoder().decode(stderr).trim()}`);
}

/**
 * Bundles staged sources. The same sources give the same bytes, wherever they are staged.
 * @param stage made by `stageSources`
 * @throws Error when the code names a file that would not be in the program
 */
export async function bundleProgram(stage: string): Promise<Program> {
  const files = new Map<string, Uint8Array>();
  // What the code reads by its path beside it: policies, and the pages of `pp help`.
  for (const top of ["policies", "docs"]) {
    for (const path of await filesBelow(stage, top)) files.set(path, await Deno.readFile(`${stage}/${path}`));
  }
  const modules = `${stage}/node_modules`;
  const grammars = (await filesBelow(modules, GRAMMARS)).filter((path) =>
    /\/tree-sitter-[^/]*\.wasm$/.test(path)
  );
  for (const path of [TREE_SITTER, ...grammars]) {
    files.set(`npm/${path}`, await Deno.readFile(`${modules}/${path}`));
  }

  const esbuild = await import("esbuild");
  const options = {
    absWorkingDir: stage,
    bundle: true,
    format: "esm",
    platform: "node",
    target: "esnext",
    conditions: ["deno", "node", "import"],
    charset: "utf8",
    minifyWhitespace: true,
    minifySyntax: true,
    legalComments: "none",
    // Read by a part of a package that pp never calls (protocol files of BuildKit).
    define: { __dirname: "import.meta.dirname" },
    plugins: [builtins, unused, ownPaths(stage, files)],
    logLevel: "error",
  } satisfies BuildOptions;
  const bundled = async () => {
    const quick = await inOneFile(stage, QUICK.source, QUICK.file, options);
    // The order in which imports are resolved differs from build to build, and the order of entries shows in the chunks.
    const late = [...quick.late].sort(([a], [b]) => a < b ? -1 : 1).map(([out, path]) => ({ in: path, out }));
    const entries = [
      { in: "main.ts", out: "main" },
      { in: "src/cli/program.ts", out: "program" },
      { in: WORKER.source, out: WORKER.out },
    ];
    const result = await esbuild.build({
      ...options,
      entryPoints: [...entries, ...late],
      outdir: `${stage}/out`,
      write: false,
      metafile: true,
      splitting: true,
      plugins: [quick.plugin, ...options.plugins],
    });
    return { quick, result };
  };
  const { quick, result } = await bundled().finally(() => esbuild.stop());
  const put = (name: string, code: string) => files.set(name, new TextEncoder().encode(loadedLate(code)));
  put(QUICK.file, quick.code);
  for (const { path, text } of result.outputFiles) put(path.slice(`${stage}/out/`.length), text);

  const packages = new Set<string>(
    [TREE_SITTER, GRAMMARS].map((path) => packageFolder(`${modules}/${path}`)),
  );
  for (const input of Object.keys(result.metafile.inputs)) {
    if (input.startsWith("node_modules/")) packages.add(packageFolder(`${stage}/${input}`));
  }
  const real = await Promise.all([...packages].map((path) => Deno.realPath(path)));
  return { files: new Map([...files].sort(byPath)), packages: [...new Set(real)].sort() };
}

/** Orders entries by path, by UTF-16 code units. */
export function byPath([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/**
 * Modules built into the runtime are asked for when a package first needs them: an import would load them, and what
 * they load, at every start.
 */
const builtins: Plugin = {
  name: "builtins",
  setup(build) {
    build.onResolve({ filter: /^(node:)?[a-z][a-z0-9_/]*$/ }, ({ path, kind }) => {
      const name = path.replace(/^node:/, "");
      if (!path.startsWith("node:") && !builtinModules.includes(name)) return;
      if (kind === "require-call") return { path: name, namespace: "builtin" };
      return { path: `node:${name}`, external: true, sideEffects: false };
    });
    build.onLoad({ filter: /.*/, namespace: "builtin" }, ({ path }) => ({
      contents: `module.exports = process.getBuiltinModule("node:${path}");`,
      loader: "js",
    }));
  },
};

/** What packages ask for and pp never uses of them is empty. */
const unused: Plugin = {
  name: "unused",
  setup(build) {
    build.onResolve(
      { filter: /^[@\w]/ },
      ({ path }) => UNUSED.has(path) ? { path, namespace: "empty" } : undefined,
    );
  },
};

/** Bundled code lies in one folder, the root: what our modules name relative to themselves is named from there. */
function ownPaths(stage: string, files: ReadonlyMap<string, Uint8Array>): Plugin {
  return {
    name: "own-paths",
    setup(build) {
      // Imported only so that Deno downloads it; its files are read by path.
      build.onResolve(
        { filter: /^@vscode\/tree-sitter-wasm$/ },
        () => ({ path: "grammars", namespace: "empty" }),
      );
      build.onLoad({ filter: /.*/, namespace: "empty" }, () => ({ contents: "" }));
      build.onLoad({ filter: /\.ts$/ }, async ({ path }) => {
        if (!path.startsWith(`${stage}/src/`) && path !== `${stage}/main.ts`) return;
        const module = path.slice(stage.length + 1);
        return { contents: fromRoot(module, await Deno.readTextFile(path), files), loader: "ts" };
      });
    },
  };
}

function fromRoot(module: string, source: string, files: ReadonlyMap<string, Uint8Array>): string {
  if (module === WORKER.namedBy) {
    if (source.split(`"${WORKER.name}"`).length !== 2) {
      throw new Error(`${module} does not name ${WORKER.name} once`);
    }
    // `new URL(…, import.meta.url)` below is about the module's place in the sources.
    const up = module.split("/").slice(1).map(() => "../").join("");
    source = source.replace(`"${WORKER.name}"`, `"./${up}${WORKER.out}.js"`);
  }
  for (const [, relative] of source.matchAll(/new URL\(\s*["`]([^"`]+)["`],\s*import\.meta\.url\s*\)/g)) {
    const target = new URL(relative!.replace(/\$\{.*$/s, ""), `file:///${module}`).pathname.slice(1);
    const there = target === "" || target === `${WORKER.out}.js` ||
      [...files.keys()].some((path) =>
        path === target || relative!.includes("${") && path.startsWith(target)
      );
    if (!there) throw new Error(`${module} reads ${relative}, which the build does not carry`);
  }
  const unnamed = source.replaceAll(/(?:\bfrom|\bimport\(?)\s*"[^"]*"/g, "").match(/"\.\.?\/[^"\s]*\.ts"/);
  if (unnamed !== null) {
    throw new Error(`${module} names ${unnamed[0]}, which is not in the build by that name`);
  }
  return source
    .replaceAll(/\bimport\.meta\.url\b/g, `new URL("./${module}", import.meta.url).href`)
    .replaceAll(/\bimport\.meta\.resolve\(/g, `((path) => new URL("./npm/" + path, import.meta.url).href)(`);
}

/** The runtime reads and analyses every module that is named by a literal, needed or not, before it starts. */
function loadedLate(code: string): string {
  return code.replaceAll(/\bimport\("(\.\/[\w-]+\.js)"\)/g, `import((0,"$1"))`);
}

/** The folder of the package that a file below node_modules belongs to. */
function packageFolder(path: string): string {
  return /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path)![0];
}
