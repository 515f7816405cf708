import type { Language as Grammar, Parser as ParserType, Query as QueryObject, Tree } from "web-tree-sitter";
import { Failure } from "../vocabulary/failure.ts";
import { moduleSpecifiers } from "./imports.ts";
import { type Language, languageOf } from "./languages.ts";
import type { LineRange, Syntax } from "./syntax.ts";

const MAX_BYTES = 1 << 20;
const MAX_PARSE_MS = 1000;
/** A longer function is cut to this many lines around the line asked for. */
const MAX_ENCLOSING_LINES = 200;
/** Deeper nesting is hostile or generated; nothing below is looked at. */
const MAX_DEPTH = 2000;
const MIN_ANONYMOUS_LINES = 3;

/** Words that C++ reserves and C uses as names. Replaced by names of equal length before a C file is parsed. */
const CPP_ONLY =
  /\b(?:and|bitand|bitor|catch|class|compl|delete|explicit|export|friend|mutable|namespace|new|not|operator|or|private|protected|public|template|this|throw|try|typename|using|virtual|xor)\b/g;

/** Never called: it puts the grammar package into the module graph, so that it is downloaded and compiled in. */
export const grammarPackage = () => import("@vscode/tree-sitter-wasm");

interface Runtime {
  readonly Parser: typeof ParserType;
  readonly Language: typeof Grammar;
}

let runtime: Promise<Runtime> | undefined;
let queries: typeof QueryObject | undefined;
const grammars = new Map<string, Promise<Grammar>>();

async function loadRuntime(): Promise<Runtime> {
  const { Parser, Language, Query } = await import("web-tree-sitter");
  const wasmBinary = await readPackageFile(import.meta.resolve("web-tree-sitter/web-tree-sitter.wasm"));
  await Parser.init({ wasmBinary });
  queries = Query;
  return { Parser, Language };
}

async function loadGrammar(name: string, { Language }: Runtime): Promise<Grammar> {
  return await Language.load(
    await readPackageFile(import.meta.resolve(`@vscode/tree-sitter-wasm/wasm/tree-sitter-${name}.wasm`)),
  );
}

async function readPackageFile(url: string): Promise<Uint8Array<ArrayBuffer>> {
  try {
    return await Deno.readFile(new URL(url));
  } catch (cause) {
    throw new Failure("unavailable", "grammar_missing", `cannot read ${url}`, {
      hint: "Run `deno install` in the checkout of veripatch, or use the compiled program.",
      cause,
    });
  }
}

/** What is loaded once and kept; a failed load is tried again by the next call. */
function shared<T>(promise: Promise<T>, forget: () => void): Promise<T> {
  promise.catch(forget);
  return promise;
}

/**
 * Syntax by tree-sitter grammars compiled to WebAssembly, for Python, JavaScript, JSX, TypeScript, TSX, Go, Rust,
 * Java, C, C++, shell, Ruby, C#, PHP, PowerShell and CSS. The runtime and each grammar are read on first use and
 * shared by all instances; trees and parsers are freed after every call.
 *
 * A file past 1 MiB or a parse past one second is `unknown`. C and C++ are parsed without preprocessing, so a
 * `broken` of theirs means something only where the file was `valid` before a change.
 * @throws Failure `grammar_missing` when the package's files cannot be read
 */
export function treeSitterSyntax(): Syntax {
  return {
    check: async (path, bytes) =>
      await parsed(path, bytes, (tree) => tree.rootNode.hasError ? "broken" : "valid") ?? "unknown",
    enclosing: (path, bytes, line) =>
      parsed(path, bytes, (tree, language, text) => enclosingRange(tree, language, text, line)),
    imports: async (path, bytes) =>
      await parsed(
        path,
        bytes,
        (tree, language, text) => moduleSpecifiers(tree.rootNode, language.id, text),
      ) ??
        [],
  };
}

async function parsed<T>(
  path: string,
  bytes: Uint8Array,
  use: (tree: Tree, language: Language, text: string) => T,
): Promise<T | null> {
  const result = await parseWith(path, bytes, use);
  return result.ok ? result.value : null;
}

export type Parsed<T> = { readonly ok: true; readonly value: T } | {
  readonly ok: false;
  readonly reason: "unknown_language" | "too_large" | "timed_out" | "gave_up";
};

/**
 * Parses a text and hands its tree to `use`, which must not keep it.
 * @throws Failure `grammar_missing`
 */
export async function parseWith<T>(
  path: string,
  bytes: Uint8Array,
  use: (tree: Tree, language: Language, text: string) => T,
): Promise<Parsed<T>> {
  const language = languageOf(path, bytes);
  if (language === null) return { ok: false, reason: "unknown_language" };
  if (bytes.length > MAX_BYTES) return { ok: false, reason: "too_large" };
  const grammar = await grammarOf(language);
  const { Parser } = await runtime!;
  const text = new TextDecoder().decode(bytes);
  const source = language.id === "c" ? text.replace(CPP_ONLY, (word) => "_".repeat(word.length)) : text;
  const parser = new Parser();
  let tree: Tree | null = null;
  try {
    parser.setLanguage(grammar);
    const deadline = performance.now() + MAX_PARSE_MS;
    tree = parser.parse(source, null, { progressCallback: () => performance.now() > deadline });
    if (tree === null) return { ok: false, reason: "timed_out" };
    return { ok: true, value: use(tree, language, text) };
  } catch (error) {
    // The WebAssembly side gave up (memory, stack) on this text: that is no knowledge about it.
    if (error instanceof WebAssembly.RuntimeError || error instanceof RangeError) {
      return { ok: false, reason: "gave_up" };
    }
    throw error;
  } finally {
    tree?.delete();
    parser.delete();
  }
}

/** A query for a tree's language, to be deleted by the caller, or what is wrong with it. */
export function queryIn(
  tree: Tree,
  source: string,
): { readonly query: QueryObject } | { readonly detail: string } {
  try {
    return { query: new queries!(tree.language, source) };
  } catch (error) {
    // The binding has several kinds of error for a query that is wrong, one of them without a name.
    if (error instanceof WebAssembly.RuntimeError || !(error instanceof Error)) throw error;
    return { detail: error.message };
  }
}

async function grammarOf(language: Language): Promise<Grammar> {
  runtime ??= shared(loadRuntime(), () => runtime = undefined);
  const loaded = await runtime;
  const name = language.grammar;
  let grammar = grammars.get(name);
  if (grammar === undefined) {
    grammar = shared(loadGrammar(name, loaded), () => grammars.delete(name));
    grammars.set(name, grammar);
  }
  return await grammar;
}

function enclosingRange(tree: Tree, language: Language, text: string, line: number): LineRange | null {
  const content = lineText(text, line);
  if (content === null) return null;
  const point = { row: line - 1, column: Math.max(0, content.search(/\S/)) };
  const target = tree.rootNode.descendantForPosition(point);
  if (target === null) return null;
  let found: LineRange | null = null;
  let wrapper: LineRange | null = null;
  // From the root down, because asking a node for its parent walks from the root each time.
  let node = tree.rootNode.childWithDescendant(target);
  for (let depth = 0; depth < MAX_DEPTH && node !== null; depth++) {
    const range = { start: node.startPosition.row + 1, end: node.endPosition.row + 1 };
    if (node.isNamed && isContainer(language, node.type, range)) found = wrapper ?? range;
    wrapper = node.isNamed && language.wrappers.includes(node.type) ? range : null;
    node = node.id === target.id ? null : node.childWithDescendant(target);
  }
  return found === null ? null : clip(found, line);
}

function isContainer(language: Language, type: string, range: LineRange): boolean {
  if (language.containers.includes(type)) return true;
  return language.anonymous.includes(type) && range.end - range.start + 1 >= MIN_ANONYMOUS_LINES;
}

function clip(range: LineRange, line: number): LineRange {
  if (range.end - range.start < MAX_ENCLOSING_LINES) return range;
  const start = Math.max(
    range.start,
    Math.min(line - MAX_ENCLOSING_LINES / 2, range.end - MAX_ENCLOSING_LINES + 1),
  );
  return { start, end: start + MAX_ENCLOSING_LINES - 1 };
}

function lineText(text: string, line: number): string | null {
  if (!Number.isInteger(line) || line < 1) return null;
  let start = 0;
  for (let i = 1; i < line; i++) {
    const next = text.indexOf("\n", start);
    if (next < 0) return null;
    start = next + 1;
  }
  const end = text.indexOf("\n", start);
  return text.slice(start, end < 0 ? undefined : end);
}
