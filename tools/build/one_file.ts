import type { Plugin } from "esbuild";

/** Code that starts in one file, and what the rest of the program takes from it. */
interface OneFile {
  readonly code: string;
  /** Modules that are in it, absolute; to the rest of the program each is this file. */
  readonly plugin: Plugin;
  /** Modules that it loads late, absolute, by the name of the file it expects them in. */
  readonly late: ReadonlyMap<string, string>;
}

/**
 * Bundles a module and all it imports at once into one file, which the runtime loads several times faster than as many
 * as the code is split into. Each module stays one for the whole program (a Failure thrown elsewhere is a Failure
 * here): the file exports what every module in it does, and others import that.
 * @param stage holds the sources
 * @param entry relative to `stage`
 * @param file the name of the file to be
 * @param options of the rest of the program, without its entries
 * @throws Error when a package would be in the file
 */
export async function inOneFile(
  stage: string,
  entry: string,
  file: string,
  options: import("esbuild").BuildOptions & { readonly plugins: Plugin[] },
): Promise<OneFile> {
  const esbuild = await import("esbuild");
  const analysed = {
    ...options,
    write: false,
    metafile: true,
    splitting: true,
    outdir: `${stage}/out`,
  } as const;
  const { inputs } = (await esbuild.build({ ...analysed, entryPoints: [entry] })).metafile;
  const modules = new Set([entry]);
  for (const module of modules) {
    for (const { path, kind } of inputs[module]?.imports ?? []) {
      if (kind === "import-statement" && path in inputs) modules.add(path);
    }
  }
  const packaged = [...modules].find((module) => !module.startsWith("src/"));
  if (packaged !== undefined) throw new Error(`${entry} loads ${packaged} at once`);

  const { outputs } = (await esbuild.build({ ...analysed, entryPoints: [...modules] })).metafile;
  const exported = new Map<string, readonly string[]>();
  for (const { entryPoint, exports } of Object.values(outputs)) {
    if (entryPoint !== undefined && modules.has(entryPoint)) exported.set(entryPoint, exports);
  }
  const names = [...exported].sort(([a], [b]) => a < b ? -1 : 1);
  const renamed = ([module, exports]: readonly [string, readonly string[]], i: number) => ({
    module,
    list: exports.map((name) => ({ name, as: module === entry ? name : `m${i}_${name}` })),
  });
  const parts = names.map(renamed);

  const late = new Map<string, string>();
  const result = await esbuild.build({
    ...options,
    write: false,
    metafile: false,
    splitting: false,
    stdin: {
      resolveDir: stage,
      contents: parts.map(({ module, list }) =>
        `export { ${list.map(({ name, as }) => `${name} as ${as}`).join(", ")} } from "./${module}";`
      ).join("\n"),
    },
    outfile: `${stage}/out/${file}`,
    plugins: [lateImports(stage, late), ...options.plugins],
  });

  const stubs = new Map(parts.map(({ module, list }) => [
    `${stage}/${module}`,
    `export { ${list.map(({ name, as }) => `${as} as ${name}`).join(", ")} } from "./${file}";`,
  ]));
  return { code: result.outputFiles![0]!.text, plugin: elsewhere(entry, file, stubs), late };
}

/** What is imported late stays outside. */
function lateImports(stage: string, late: Map<string, string>): Plugin {
  return {
    name: "late-imports",
    setup(build) {
      build.onResolve({ filter: /^\.\.?\// }, async ({ path, kind, resolveDir, pluginData }) => {
        if (kind !== "dynamic-import" || pluginData === "seen") return;
        const resolved = await build.resolve(path, { kind, resolveDir, pluginData: "seen" });
        const name = resolved.path.slice(`${stage}/src/`.length).replace(/\.ts$/, "").replaceAll("/", "-");
        late.set(name, resolved.path);
        return { path: `./${name}.js`, external: true };
      });
    },
  };
}

/** Modules whose code is in another file already; the entry, loaded late, is that file. */
function elsewhere(entry: string, file: string, stubs: ReadonlyMap<string, string>): Plugin {
  return {
    name: "elsewhere",
    setup(build) {
      build.onResolve({ filter: new RegExp(`^\\./${file.replaceAll(".", "\\.")}$`) }, ({ path }) => ({
        path,
        external: true,
      }));
      build.onResolve(
        { filter: new RegExp(`/${entry.replace(/^.*\//, "").replaceAll(".", "\\.")}$`) },
        ({ kind }) => kind === "dynamic-import" ? { path: `./${file}`, external: true } : undefined,
      );
      build.onLoad({ filter: /\.ts$/ }, ({ path }) => {
        const contents = stubs.get(path);
        return contents === undefined ? undefined : { contents, loader: "js" };
      });
    },
  };
}
