import { type ContextFiles, directoryOf, isTest, joined } from "./context_files.ts";

const MAX_PER_SPECIFIER = 5;
const SCRIPT_ENDINGS = [".ts", ".tsx", ".js", ".jsx", ".mjs", ".cjs", ".mts", ".cts"];
const RUST_FOREIGN = new Set(["std", "core", "alloc", "proc_macro", "test"]);

type Resolve = (specifier: string, from: string, files: ContextFiles) => readonly string[];

/** `pkg.mod`, `.mod`, `..pkg.mod`: beside the importing file, above it, or in src/ and lib/ of a directory above. */
const python: Resolve = (specifier, from, files) => {
  const dots = /^\.*/.exec(specifier)![0].length;
  const path = specifier.slice(dots).replaceAll(".", "/");
  const roots = dots > 0
    ? [joined(directoryOf(from), "../".repeat(dots - 1))]
    : ancestors(from).flatMap((root) => [root, joined(root, "src"), joined(root, "lib")]);
  for (const root of roots) {
    if (root === null) continue;
    const base = joined(root, path);
    if (base === null) continue;
    const found = [`${base}.py`, `${base}/__init__.py`].filter((candidate) => files.has(candidate));
    if (path !== "" && found.length > 0) return found;
    if (path === "" && files.has(joined(root, "__init__.py")!)) return [joined(root, "__init__.py")!];
  }
  return [];
};

/** Relative specifiers and those from the top (`/x`, `@/x`, `~/x`, `src/x`); packages are not in the workspace. */
const script: Resolve = (specifier, from, files) => {
  const bare = specifier.replace(/[?#].*$/, "");
  const bases = /^\.\.?(?:\/|$)/.test(bare)
    ? [joined(directoryOf(from), bare)]
    : [joined("src", bare.replace(/^[@~]?\//, "")), joined("", bare.replace(/^[@~]?\//, ""))];
  for (const base of bases) {
    if (base === null) continue;
    const stem = base.replace(/\.[mc]?jsx?$/, "");
    const candidates = [
      base,
      ...SCRIPT_ENDINGS.map((ending) => base + ending),
      ...(stem === base ? [] : SCRIPT_ENDINGS.map((ending) => stem + ending)),
      ...SCRIPT_ENDINGS.map((ending) => `${base}/index${ending}`),
    ];
    const found = candidates.find((candidate) => files.has(candidate));
    if (found !== undefined) return [found];
  }
  return [];
};

/** `example.com/module/pkg`: the longest end of it that is a directory here. */
const go: Resolve = (specifier, _from, files) => {
  const segments = specifier.split("/");
  for (let i = 0; i < segments.length; i++) {
    const found = files.inDirectory(segments.slice(i).join("/")).filter(isGoSource);
    if (found.length > 0) return found;
  }
  // The module's own name imports its top package.
  return segments.length > 1 && segments[0]!.includes(".") && files.has("go.mod")
    ? files.inDirectory("").filter(isGoSource)
    : [];
};

const isGoSource = (path: string) => path.endsWith(".go") && !path.endsWith("_test.go");

/** `crate::a::B`, `self::a`, `super::a`, and from a test the crate by its name: the longest module path that exists. */
const rust: Resolve = (specifier, from, files) => {
  const [head, ...rest] = specifier.split("::");
  if (head === undefined || RUST_FOREIGN.has(head)) return [];
  const home = directoryOf(from);
  const stem = from.slice(home.length).replace(/^\//, "").replace(/\.rs$/, "");
  const own = ["mod", "lib", "main"].includes(stem) ? home : joined(home, stem)!;
  const crates = ancestors(from).map((root) => joined(root, "src")!).filter((root) =>
    files.has(`${root}/lib.rs`) || files.has(`${root}/main.rs`)
  );
  const roots = head === "self"
    ? [own, home]
    : head === "super"
    ? [directoryOf(own), home]
    : crates.slice(0, 1);
  for (const root of roots) {
    for (let length = rest.length; length > 0; length--) {
      const base = joined(root, rest.slice(0, length).join("/"))!;
      const found = [`${base}.rs`, `${base}/mod.rs`].filter((path) => path !== from && files.has(path));
      if (found.length > 0) return found;
    }
  }
  return crates.slice(0, 1).map((root) => `${root}/lib.rs`).filter((path) =>
    path !== from && files.has(path)
  );
};

/** `a.b.C`, `a.b.C.member`, `a.b.*` below any source root. */
const java: Resolve = (specifier, _from, files) => {
  if (specifier.endsWith(".*")) {
    const [directory] = files.directoriesEnding(specifier.slice(0, -2).replaceAll(".", "/"));
    return directory === undefined
      ? []
      : files.inDirectory(directory).filter((path) => path.endsWith(".java"));
  }
  const path = specifier.replaceAll(".", "/");
  const found = files.ending(`${path}.java`);
  return found.length > 0 ? found : files.ending(`${directoryOf(path)}.java`);
};

/** A header beside the file, at the top, in include/ or src/, or the only one of that name; and what implements it. */
const cFamily: Resolve = (specifier, from, files) => {
  const name = specifier.replace(/^<|>$/g, "");
  const candidates = [directoryOf(from), "", "include", "src"].map((root) => joined(root, name));
  const header = candidates.find((path) => path !== null && files.has(path)) ?? files.ending(name)[0];
  if (header === undefined || header === null) return [];
  const stem = header.replace(/\.\w+$/, "").replace(/^.*\//, "");
  const sources = ["c", "cc", "cpp", "cxx"].flatMap((ending) => {
    const beside = joined(directoryOf(header), `${stem}.${ending}`)!;
    return files.has(beside) ? [beside] : files.ending(`${stem}.${ending}`);
  });
  return [...sources, header];
};

const relative: Resolve = (specifier, from, files) =>
  [joined(directoryOf(from), specifier), joined("", specifier)].flatMap((base) =>
    base === null ? [] : [base, `${base}.rb`].filter((path) => files.has(path))
  ).slice(0, 1);

const ruby: Resolve = (specifier, from, files) => {
  const found = relative(specifier, from, files);
  return found.length > 0 ? found : [`lib/${specifier}.rb`].filter((path) => files.has(path));
};

const RESOLVERS: readonly (readonly [RegExp, Resolve])[] = [
  [/\.pyi?$/, python],
  [/\.[mc]?[jt]sx?$/, script],
  [/\.go$/, go],
  [/\.rs$/, rust],
  [/\.java$/, java],
  [/\.(?:c|cc|cpp|cxx|h|hh|hpp|hxx)$/, cFamily],
  [/\.rb$/, ruby],
  [/./, relative],
];

/**
 * The workspace files a module specifier means.
 * @param from the importing file, whose ending says the language
 * @returns at most 5 paths of the manifest; none for libraries and what is not found
 */
export function resolveImport(specifier: string, from: string, files: ContextFiles): readonly string[] {
  const [, resolve] = RESOLVERS.find(([pattern]) => pattern.test(from))!;
  return resolve(specifier, from, files).filter((path) => path !== from).slice(0, MAX_PER_SPECIFIER);
}

/**
 * What a test sees without importing it: the other files of its Go package, the class a Java test is named after,
 * and files its text names by path, as tests of scripts do.
 */
export function impliedImports(path: string, text: string, files: ContextFiles): readonly string[] {
  const home = directoryOf(path);
  const implied: string[] = [];
  if (path.endsWith("_test.go")) implied.push(...files.inDirectory(home).filter(isGoSource));
  const javaTest = /([^/]+?)(?:Tests?|IT)\.java$/.exec(path);
  if (javaTest !== null) {
    const inPackage = `${home.replace(/^.*?(?:^|\/)java\//, "")}/${javaTest[1]}.java`;
    implied.push(...files.ending(inPackage));
  }
  if (isTest(path)) implied.push(...namedFiles(home, text, files));
  return [...new Set(implied)].filter((found) => found !== path).slice(0, 2 * MAX_PER_SPECIFIER);
}

const MAX_NAMED = 500;

function namedFiles(home: string, text: string, files: ContextFiles): string[] {
  const found: string[] = [];
  let seen = 0;
  for (const [token] of text.matchAll(/(?<![\w./-])[\w./-]{1,200}(?![\w./-])/g)) {
    if (!token.includes(".") && !token.includes("/")) continue;
    if (seen++ >= MAX_NAMED) break;
    for (const base of [joined(home, token), joined("", token)]) {
      if (base !== null && files.has(base)) found.push(base);
    }
  }
  return found;
}

/** The directories above a file, nearest first, the top last. */
function ancestors(path: string): string[] {
  const list: string[] = [];
  for (let directory = directoryOf(path); directory !== ""; directory = directoryOf(directory)) {
    list.push(directory);
  }
  return [...list.slice(0, 32), ""];
}
