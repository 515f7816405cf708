import type { SyntaxTrees } from "../syntax/tree.ts";
import type { EntryMode } from "../vocabulary/manifest.ts";
import { type SafetyDelta, safetyDelta } from "./delta.ts";
import { declaredDependencies, isDeclaration } from "./imports/declared.ts";
import { type ImportFinding, pathsOf, unresolvedImports } from "./imports/resolve.ts";
import { importsOf } from "./imports/specifiers.ts";
import type { Rules } from "./rules.ts";
import { scanFile } from "./scan.ts";
import type { FileScan } from "./site.ts";

/** One entry of a tree of files. */
export interface TreeEntry {
  readonly path: string;
  readonly mode: EntryMode;
  readonly size: number;
  readonly sha256: string;
}

/** A state of a folder: what is in it, and how to read a regular file of it. */
export interface Tree {
  readonly entries: readonly TreeEntry[];
  /** Folders it is made of, when it is not a whole one; an import may lead out of them. */
  readonly roots?: readonly string[];
  read(path: string): Promise<Uint8Array>;
}

export interface CheckPorts {
  readonly trees: SyntaxTrees;
  readonly rules: Rules;
  /** Told before each file: how many are done, and of how many. May throw, to end the work. */
  readonly onFile?: (done: number, all: number) => void;
}

/** What was found in some files of a tree. */
export interface TreeScan {
  readonly files: readonly FileScan[];
  /** Imports that do not resolve, or of which nobody can say. */
  readonly imports: readonly ImportFinding[];
  /** Bytes that were read. */
  readonly bytes: number;
}

/** What a change makes possible that was not before. */
export interface ChangeCheck {
  readonly delta: SafetyDelta;
  /** Imports that the change makes lead nowhere. */
  readonly missingImports: readonly ImportFinding[];
  /** Imports of changed files of which nobody can say where they lead. */
  readonly unknownImports: readonly ImportFinding[];
  /** Paths that were changed, made or removed. */
  readonly changed: readonly string[];
}

/** Larger files are not read at all. */
const MAX_READ = 4 << 20;
const MAX_DECLARATIONS = 500;
const CODE = /\.(?:pyi?|pyw|[cm]?[jt]sx?)$/;

/**
 * Looks at files of a tree.
 * @param only the paths to look at; all when null
 */
export async function scanTree(
  tree: Tree,
  only: ReadonlySet<string> | null,
  ports: CheckPorts,
): Promise<TreeScan> {
  const wanted = tree.entries.filter(({ path, mode }) =>
    mode !== "040000" && (only === null || only.has(path))
  );
  const paths = pathsOf(
    tree.entries.filter(({ mode }) => mode !== "040000").map(({ path }) => path),
    tree.roots,
  );
  const declared = declaredDependencies(await declarationsOf(tree));
  const files: FileScan[] = [];
  const imports: ImportFinding[] = [];
  let [bytes, done] = [0, 0];
  for (const { path, mode, size } of wanted) {
    ports.onFile?.(done++, wanted.length);
    if (mode === "120000" || size > MAX_READ) {
      const reason = mode === "120000" ? "link" as const : "too_large" as const;
      files.push({ path, language: null, sites: [], unanalyzed: { reason, line: null } });
      continue;
    }
    const content = await tree.read(path);
    bytes += content.length;
    const parsed = await ports.trees.tree(path, content);
    files.push(scanFile(path, content, parsed, ports.rules));
    if (!parsed.ok) continue;
    const found = importsOf(parsed.language, parsed.root, parsed.text);
    imports.push(...unresolvedImports(path, parsed.language, found, paths, declared));
  }
  return { files, imports, bytes };
}

async function declarationsOf(tree: Tree): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for (const { path, mode, size } of tree.entries) {
    if (found.size >= MAX_DECLARATIONS) break;
    if (!mode.startsWith("100") || size > 1 << 20 || !isDeclaration(path)) continue;
    found.set(path, new TextDecoder().decode(await tree.read(path)));
  }
  return found;
}

/**
 * Compares what two states of a folder can do; only what differs is looked at, and, where something was removed, what
 * may import it.
 * @param renames new paths by old ones, where they are known
 */
export async function checkChange(
  base: Tree,
  result: Tree,
  ports: CheckPorts,
  renames: ReadonlyMap<string, string> = new Map(),
): Promise<ChangeCheck> {
  const [before, after] = [base, result].map((tree) =>
    new Map(tree.entries.filter(({ mode }) => mode !== "040000").map((entry) => [entry.path, entry]))
  ) as [Map<string, TreeEntry>, Map<string, TreeEntry>];
  const differs = (path: string) => {
    const [a, b] = [before.get(path), after.get(path)];
    return a?.sha256 !== b?.sha256 || a?.mode !== b?.mode;
  };
  const changed = [...new Set([...before.keys(), ...after.keys()])].filter(differs);
  const removed = changed.filter((path) => !after.has(path));
  const touched = new Set(changed);
  const importers = new Set([...touched, ...await importersOf(removed, result, touched)]);
  const [was, is] = [await scanTree(base, importers, ports), await scanTree(result, importers, ports)];
  const own = ({ files }: TreeScan) => files.filter(({ path }) => touched.has(path));
  const keyOf = ({ file, specifier }: ImportFinding) => `${renames.get(file) ?? file}\0${specifier}`;
  const missingBefore = new Set(was.imports.filter(({ verdict }) => verdict === "missing").map(keyOf));
  return {
    delta: safetyDelta(own(was), own(is), renames),
    missingImports: is.imports.filter((one) =>
      one.verdict === "missing" && !missingBefore.has(`${one.file}\0${one.specifier}`)
    ),
    unknownImports: is.imports.filter(({ verdict, file }) => verdict === "unknown" && touched.has(file)),
    changed,
  };
}

/** Files that name a removed module somewhere, and so may import it. */
async function importersOf(
  removed: readonly string[],
  tree: Tree,
  touched: ReadonlySet<string>,
): Promise<string[]> {
  const names = new Set(removed.filter((path) => CODE.test(path)).map(moduleName));
  if (names.size === 0) return [];
  const found: string[] = [];
  for (const { path, mode, size } of tree.entries) {
    if (!mode.startsWith("100") || size > 1 << 20 || !CODE.test(path) || touched.has(path)) continue;
    const text = new TextDecoder("latin1").decode(await tree.read(path));
    if ([...names].some((name) => text.includes(name))) found.push(path);
  }
  return found;
}

/** What an import of a file has to say: its name, or its folder's for an `index` or `__init__`. */
function moduleName(path: string): string {
  const parts = path.replace(/(?:\.d)?\.[^./]+$/, "").split("/");
  const last = parts.at(-1)!;
  return (last === "index" || last === "__init__") && parts.length > 1 ? parts.at(-2)! : last;
}
