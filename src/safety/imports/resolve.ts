import type { Declared } from "./declared.ts";
import { NODE_BUILTINS, PYTHON_DISTRIBUTIONS, PYTHON_STDLIB } from "./known_modules.ts";
import type { Import } from "./specifiers.ts";

/** An import that leads nowhere, or of which nobody can say where it leads. */
export interface ImportFinding {
  readonly file: string;
  readonly line: number;
  readonly specifier: string;
  readonly verdict: "missing" | "unknown";
  readonly why: string;
}

/** A tree of files, as paths alone. */
export interface Paths {
  has(path: string): boolean;
  hasFolder(path: string): boolean;
  /** Whether what is not there is not there, and not only outside of what was looked at. */
  covers(path: string): boolean;
}

/** @param roots folders that were looked at whole; empty for the whole tree */
export function pathsOf(paths: Iterable<string>, roots: readonly string[] = []): Paths {
  const files = new Set(paths);
  const folders = new Set<string>([""]);
  for (const path of files) {
    for (let slash = path.indexOf("/"); slash >= 0; slash = path.indexOf("/", slash + 1)) {
      folders.add(path.slice(0, slash));
    }
  }
  return {
    has: (path) => files.has(path),
    hasFolder: (path) => folders.has(path),
    covers: (path) =>
      roots.length === 0 || roots.some((root) => path === root || path.startsWith(`${root}/`)),
  };
}

type Verdict = "there" | { readonly verdict: "missing" | "unknown"; readonly why: string };

const missing = (why: string): Verdict => ({ verdict: "missing", why });
const OUTSIDE = "it would lie outside of what was looked at";
const noFile = (path: string, end: string, paths: Paths): Verdict =>
  paths.covers(path) ? missing(`there is no ${path}${end}`) : unknown(OUTSIDE);
const unknown = (why: string): Verdict => ({ verdict: "unknown", why });

/**
 * Which imports of a file resolve against the files of a tree, the standard library and what the tree declares to depend
 * on. What the source provides for the absence of, and what only an installed package could tell, is unknown.
 * @returns those that do not
 */
export function unresolvedImports(
  file: string,
  language: string,
  imports: readonly Import[],
  paths: Paths,
  declared: Declared,
): ImportFinding[] {
  const found: ImportFinding[] = [];
  const seen = new Set<string>();
  for (const one of imports) {
    const verdicts = language === "python"
      ? pythonVerdicts(file, one, paths, declared)
      : [[one.specifier, scriptVerdict(file, one.specifier, paths, declared)] as const];
    for (const [specifier, verdict] of verdicts) {
      const key = `${one.line} ${specifier}`;
      if (verdict === "there" || seen.has(key)) continue;
      seen.add(key);
      const guarded = one.guarded && verdict.verdict === "missing"
        ? { verdict: "unknown" as const, why: `${verdict.why}, but the code provides for that` }
        : verdict;
      found.push({ file, line: one.line, specifier, ...guarded });
    }
  }
  return found;
}

function folderOf(path: string): string {
  const slash = path.lastIndexOf("/");
  return slash < 0 ? "" : path.slice(0, slash);
}

function under(folder: string, name: string): string {
  return folder === "" ? name : `${folder}/${name}`;
}

function ancestors(folder: string): string[] {
  const all = [folder];
  for (let at = folder; at !== "";) all.push(at = folderOf(at));
  return all;
}

// Python

function isModule(path: string, paths: Paths): boolean {
  return [".py", ".pyi", ".so", ".pyd", ".pyx"].some((end) => paths.has(path + end)) || paths.hasFolder(path);
}

function pythonVerdicts(
  file: string,
  { specifier, names }: Import,
  paths: Paths,
  declared: Declared,
): (readonly [string, Verdict])[] {
  const dots = /^\.*/.exec(specifier)![0].length;
  if (dots > 0) {
    let folder = folderOf(file);
    for (let i = 1; i < dots; i++) {
      if (folder === "") {
        return [[specifier, paths.covers("") ? missing("it leads out of the tree") : unknown(OUTSIDE)]];
      }
      folder = folderOf(folder);
    }
    const rest = specifier.slice(dots);
    const target = rest === "" ? folder : under(folder, rest.replaceAll(".", "/"));
    if (rest !== "" && !isModule(target, paths)) return [[specifier, noFile(target, ".py", paths)]];
    if (paths.has(`${target}.py`) || paths.has(`${target}.pyi`) || paths.has(under(target, "__init__.py"))) {
      return [];
    }
    // A folder without __init__.py has nothing but modules.
    return names.filter((name) => !isModule(under(target, name), paths))
      .map((
        name,
      ) => [
        `${specifier}${rest === "" ? "" : "."}${name}`,
        noFile(under(target, name), ".py", paths),
      ]);
  }
  const [top = "", ...rest] = specifier.split(".");
  const roots = [...new Set([...ancestors(folderOf(file)), "src", "lib", "python"])];
  const root = roots.find((folder) => isModule(under(folder, top), paths) && under(folder, top) !== "");
  if (root !== undefined) {
    // A tree that has a module of the same name as the standard library's may be meant, or not.
    if (PYTHON_STDLIB.has(top)) return [];
    let at = under(root, top);
    for (const name of rest) {
      if (paths.has(`${at}.py`) && !paths.hasFolder(at)) {
        return [[specifier, missing(`${at}.py is no package`)]];
      }
      at = under(at, name);
      if (!isModule(at, paths)) {
        // An installed package may have the same name.
        if (declared.python.has(normalized(top))) return [];
        return [[specifier, noFile(at, ".py", paths)]];
      }
    }
    return [];
  }
  if (PYTHON_STDLIB.has(top) || top === "__future__") return [];
  const distributions = [top, ...PYTHON_DISTRIBUTIONS.get(top) ?? []].map(normalized);
  if (distributions.some((name) => declared.python.has(name))) return [];
  // `google.cloud.storage` is google-cloud-storage.
  const dashed = normalized([top, ...rest].join("-"));
  for (const name of declared.python) {
    if (dashed.startsWith(`${name}-`) || name.startsWith(`${normalized(top)}-`)) {
      return [[specifier, unknown("a declared package may bring it")]];
    }
  }
  return [[
    specifier,
    !paths.covers("")
      ? unknown(OUTSIDE)
      : declared.pythonIsClosed
      ? missing("no file of the tree, not of the standard library, not declared")
      : unknown("the tree does not say what it depends on in a way that can be read"),
  ]];
}

function normalized(name: string): string {
  return name.toLowerCase().replace(/[-_.]+/g, "-");
}

// JavaScript and TypeScript

const ENDINGS = ["", ".ts", ".tsx", ".js", ".mjs", ".cjs", ".jsx", ".mts", ".cts", ".d.ts", ".json", ".node"];

function isScript(path: string, paths: Paths): boolean {
  if (path !== "" && ENDINGS.some((end) => paths.has(path + end))) return true;
  if (ENDINGS.slice(1).some((end) => paths.has(under(path, `index${end}`)))) return true;
  if (paths.has(under(path, "package.json"))) return true;
  // TypeScript names what it compiles to.
  const compiled = /^(.*)\.([cm]?)js(x?)$/.exec(path);
  if (compiled !== null) {
    const [, stem, kind, x] = compiled;
    return [`${stem}.${kind}ts${x}`, `${stem}.tsx`, `${stem}.d.${kind}ts`].some((candidate) =>
      paths.has(candidate)
    );
  }
  return false;
}

function scriptVerdict(file: string, specifier: string, paths: Paths, declared: Declared): Verdict {
  const plain = specifier.replace(/[?].*$/, "");
  if (/^\.{1,2}(?:\/|$)/.test(plain)) {
    const target = joined(folderOf(file), plain);
    if (target === null) return paths.covers("") ? missing("it leads out of the tree") : unknown(OUTSIDE);
    return isScript(target, paths) ? "there" : noFile(target, "", paths);
  }
  if (plain.startsWith("node:")) {
    return NODE_BUILTINS.has(plain.slice(5)) ? "there" : missing("Node has no such module");
  }
  // They name what they mean; whether it can be had is not for this check.
  if (/^(?:npm|jsr|https?|data|blob|bun|file):/.test(plain)) return "there";
  const builtin = plain.split("/")[0]!;
  if (NODE_BUILTINS.has(plain) || (NODE_BUILTINS.has(builtin) && plain.includes("/"))) return "there";
  if (declared.importMap.some((key) => key === plain || (key.endsWith("/") && plain.startsWith(key)))) {
    return "there";
  }
  for (const pattern of declared.pathAliases) {
    const [head = "", tail] = pattern.split("*");
    if (tail === undefined ? plain === pattern : plain.startsWith(head) && plain.endsWith(tail)) {
      return unknown("an alias of tsconfig.json");
    }
  }
  if (/^[a-z][a-z0-9+.-]*:/.test(plain) || /^[#$~/]/.test(plain) || plain.startsWith("@/")) {
    return unknown("an alias that a bundler or a package has to know");
  }
  const name = plain.split("/").slice(0, plain.startsWith("@") ? 2 : 1).join("/");
  const types = `@types/${name.replace(/^@/, "").replace("/", "__")}`;
  if (declared.packages.has(name) || declared.packages.has(types)) return "there";
  if (declared.baseUrl && isScript(plain, paths)) return "there";
  if (!paths.covers("")) return unknown(OUTSIDE);
  return declared.packagesAreClosed
    ? missing("no file of the tree, no builtin, not declared")
    : unknown("the tree does not say what it depends on in a way that can be read");
}

function joined(folder: string, specifier: string): string | null {
  const parts = folder === "" ? [] : folder.split("/");
  for (const part of specifier.split("/")) {
    if (part === "" || part === ".") continue;
    if (part !== "..") parts.push(part);
    else if (parts.pop() === undefined) return null;
  }
  return parts.join("/");
}
