import { parseStrictJson } from "../../vocabulary/strict_json.ts";

/** What a tree says it depends on. */
export interface Declared {
  /** Names of Python distributions, normalized as PEP 503 has it. */
  readonly python: ReadonlySet<string>;
  /** Whether all of them are known: there is a file that lists them, and none that hides some. */
  readonly pythonIsClosed: boolean;
  /** Names of packages: dependencies of every package.json, and the packages of the tree themselves. */
  readonly packages: ReadonlySet<string>;
  readonly packagesAreClosed: boolean;
  /** Keys of import maps, `a` or `a/`. */
  readonly importMap: readonly string[];
  /** Patterns of `paths` in tsconfig files. */
  readonly pathAliases: readonly string[];
  /** A tsconfig lets imports start at the root. */
  readonly baseUrl: boolean;
}

/** Files that say what a tree depends on. */
const DECLARATIONS =
  /(?:^|\/)(?:package\.json|deno\.jsonc?|import_map\.json|[jt]sconfig[^/]*\.json|pyproject\.toml|setup\.(?:py|cfg)|Pipfile|environment\.ya?ml|[^/]*requirements[^/]*\.(?:txt|in)|requirements\/[^/]+\.(?:txt|in))$/;

const IN_PACKAGES = /(?:^|\/)(?:node_modules|vendor|\.venv|venv|site-packages)\//;

/** Whether a path is that of a file that says what its tree depends on; those of installed packages are not. */
export function isDeclaration(path: string): boolean {
  return DECLARATIONS.test(path) && !IN_PACKAGES.test(path);
}

const MAX_DEPTH = 64;
const MAX_VALUES = 100_000;

/**
 * Reads what a tree depends on from the files that `isDeclaration` names. What cannot be read makes the answer open, never
 * an error.
 */
export function declaredDependencies(files: ReadonlyMap<string, string>): Declared {
  const python = new Set<string>();
  const packages = new Set<string>();
  const importMap: string[] = [];
  const pathAliases: string[] = [];
  let [lists, hides, manifests, broken, baseUrl] = [0, 0, 0, 0, false];
  const requirement = (line: string) => {
    const name = /^\s*([A-Za-z0-9][A-Za-z0-9._-]*)/.exec(line)?.[1];
    if (name !== undefined) python.add(name.toLowerCase().replace(/[-_.]+/g, "-"));
  };
  for (const [path, text] of files) {
    const file = path.slice(path.lastIndexOf("/") + 1);
    if (file.endsWith(".txt") || file.endsWith(".in")) {
      lists++;
      for (const line of text.split("\n")) {
        if (/^\s*(?:-r|-c|-e|--requirement|git\+|https?:|\.)/.test(line)) {
          const egg = /#egg=([\w.-]+)/.exec(line);
          if (egg !== null) requirement(egg[1]!);
          else if (!/^\s*(?:-r|-c|--requirement)/.test(line)) hides++;
        } else if (!/^\s*(?:#|--|$)/.test(line)) requirement(line);
      }
    } else if (file === "pyproject.toml") {
      // A file that only configures tools declares nothing.
      if (pyproject(text, requirement)) lists++;
    } else if (["setup.py", "setup.cfg", "Pipfile"].includes(file) || file.startsWith("environment.")) {
      hides++;
    } else {
      const value = jsonWithComments(text);
      if (value === null) broken++;
      else if (file === "package.json") {
        manifests++;
        for (const kind of ["dependencies", "devDependencies", "peerDependencies", "optionalDependencies"]) {
          for (const name of keysOf(value[kind])) packages.add(name);
        }
        if (typeof value.name === "string") packages.add(value.name);
        importMap.push(...keysOf(value.imports));
      } else if (/^deno\.jsonc?$|^import_map\.json$/.test(file)) {
        manifests++;
        importMap.push(...keysOf(value.imports));
        if (typeof value.name === "string") packages.add(value.name);
        for (const scope of Object.values(recordOf(value.scopes))) importMap.push(...keysOf(scope));
      } else {
        const options = recordOf(value.compilerOptions);
        pathAliases.push(...keysOf(options.paths));
        baseUrl ||= typeof options.baseUrl === "string";
      }
    }
  }
  return {
    python,
    pythonIsClosed: lists > 0 && hides === 0,
    packages,
    packagesAreClosed: manifests > 0 && broken === 0,
    importMap,
    pathAliases,
    baseUrl,
  };
}

/** Dependencies of a pyproject.toml: lists of PEP 621, groups of PEP 735, tables of Poetry. Whether there are any. */
function pyproject(text: string, requirement: (line: string) => void): boolean {
  let [table, list, found] = ["", false, false];
  for (const raw of text.split("\n").slice(0, 20_000)) {
    const line = raw.trim();
    const header = /^\[{1,2}([^\]]+)\]{1,2}\s*(?:#.*)?$/.exec(line);
    if (!list && header !== null) {
      table = header[1]!.replaceAll('"', "").trim();
      continue;
    }
    const isTable = /^(?:project\.optional-dependencies|dependency-groups)$/.test(table);
    const key = /^([\w."-]+)\s*=\s*(.*)$/.exec(line);
    if (!list && key !== null) {
      const name = key[1]!.replaceAll('"', "");
      if (/^tool\.poetry\.(?:.*\.)?(?:dev-)?dependencies$/.test(table)) {
        found = true;
        requirement(name);
        continue;
      }
      if (table === "project" && name === "name") requirement(key[2]!.replace(/["']/g, ""));
      if (!((table === "project" && name === "dependencies") || isTable)) continue;
      found = true;
      list = true;
    }
    if (!list) continue;
    const plain = line.replace(/("[^"]*"|'[^']*')|#.*|\{[^}]*\}/g, (_, string) => string ?? "");
    for (const [, , one] of plain.matchAll(/(["'])((?:(?!\1).)*)\1/g)) requirement(one!);
    // A bracket inside a string is an extra: `a[b]`.
    if (/\]/.test(plain.replace(/(["'])(?:(?!\1).)*\1/g, ""))) list = false;
  }
  return found;
}

function jsonWithComments(text: string): Record<string, unknown> | null {
  const plain = text.replace(/("(?:[^"\\]|\\.)*")|\/\/[^\n]*|\/\*[\s\S]*?\*\//g, (_, string) => string ?? " ")
    .replace(/("(?:[^"\\]|\\.)*")|,(?=\s*[}\]])/g, (_, string) => string ?? "");
  const parsed = parseStrictJson(
    new TextEncoder().encode(plain.replace(/^\ufeff/, "")),
    MAX_DEPTH,
    MAX_VALUES,
  );
  return parsed.ok && typeof parsed.value === "object" && parsed.value !== null &&
      !Array.isArray(parsed.value)
    ? parsed.value as Record<string, unknown>
    : null;
}

function recordOf(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null ? value as Record<string, unknown> : {};
}

function keysOf(value: unknown): string[] {
  return Object.keys(recordOf(value));
}
