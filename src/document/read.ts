import { isAlias, isMap, isScalar, isSeq, Lexer, LineCounter, type Node, parseDocument } from "yaml";

/** Largest document, in UTF-16 code units of its text and in bytes. */
export const MAX_DOCUMENT_LENGTH = 1_048_576;
const MAX_DEPTH = 32;
const MAX_TOKENS = 200_000;
const MAX_VALUES = 20_000;

export type Path = readonly (string | number)[];

/** A problem found while reading, at an offset of the text. */
export interface Fault {
  readonly path: Path;
  readonly offset: number | null;
  readonly message: string;
}

/** A file that people write, as plain data, with where each value and key stands in the text. */
interface PlacedDocument {
  readonly value: unknown;
  readonly faults: readonly Fault[];
  /** Offset of the key that leads to a path, or of the value where there is none. */
  readonly offsetOf: (path: Path) => number | null;
  /** Offset of the value at a path. */
  readonly valueOffsetOf: (path: Path) => number | null;
  /** 1-based. */
  readonly lineColumn: (offset: number) => { readonly line: number; readonly column: number };
}

/**
 * Reads YAML 1.2, or strict JSON, into plain data. Bounded in size, depth, tokens and values, aliases counted
 * as often as they are used; linear in the text. Duplicate keys, unknown tags, second documents and every
 * syntax error become faults; it never throws on any text.
 */
export function readDocument(text: string, format: "yaml" | "json"): PlacedDocument {
  const lines = new LineCounter();
  const positions = new Map<string, { readonly key: number | null; readonly value: number | null }>();
  const done = (value: unknown, faults: readonly Fault[]): PlacedDocument => ({
    value,
    faults,
    offsetOf: (path) => {
      const at = positions.get(JSON.stringify(path));
      return at?.key ?? at?.value ?? null;
    },
    valueOffsetOf: (path) => positions.get(JSON.stringify(path))?.value ?? null,
    lineColumn: (offset) => {
      const { line, col } = lines.linePos(offset);
      return { line: Math.max(line, 1), column: Math.max(col, 1) };
    },
  });
  const fail = (message: string, offset: number | null = null) =>
    done(undefined, [{ path: [], offset, message }]);

  if (text.length > MAX_DOCUMENT_LENGTH) return fail(`larger than ${MAX_DOCUMENT_LENGTH} characters`);
  const shape = measure(text);
  if (shape !== null) return fail(shape);
  const syntax = format === "json" ? jsonSyntaxError(text) : null;
  const document = parseDocument(text, {
    lineCounter: lines,
    prettyErrors: false,
    resolveKnownTags: false,
    // The library compares every key with every other; ours keeps a set.
    uniqueKeys: false,
    version: "1.2",
  });
  if (syntax !== null) return fail(`not strict JSON: ${syntax.message}`, syntax.offset);
  const faults: Fault[] = [...document.errors, ...document.warnings].map((e) => ({
    path: [],
    offset: e.pos[0],
    message: e.code === "MULTIPLE_DOCS"
      ? "there is more than one document in the file"
      : `not valid YAML: ${e.message}`,
  }));
  if (faults.length > 0) return done(undefined, faults);
  const reader = new Reader(positions);
  const value = reader.read(document.contents, [], null, 0);
  return done(value, reader.faults);
}

/** A cheap look at the tokens, so that nothing recursive ever sees a text nested too deep. */
function measure(text: string): string | null {
  const indents: number[] = [];
  let tokens = 0;
  let flow = 0;
  let inline = 0;
  let column = 0;
  let scalarNext = false;
  for (const token of new Lexer().lex(text)) {
    if (++tokens > MAX_TOKENS) return `more than ${MAX_TOKENS} tokens`;
    const isScalarText = scalarNext;
    scalarNext = token === "\x1f";
    if (scalarNext) continue;
    if (token.endsWith("\n")) {
      column = 0;
      inline = 0;
      continue;
    }
    if (!isScalarText) {
      if (token === "[" || token === "{") flow++;
      if (token === "]" || token === "}") flow = Math.max(0, flow - 1);
      if (token === "-" || token === "?" || token === ":") inline++;
    }
    if (flow === 0 && token.trim() !== "" && inline <= 1) {
      while (indents.length > 0 && indents[indents.length - 1]! >= column) indents.pop();
      indents.push(column);
    }
    column += token.length;
    if (flow + inline + indents.length > 4 * MAX_DEPTH) return "nested too deeply";
  }
  return null;
}

/** Turns YAML nodes into plain data, expanding aliases and merge keys within a budget. */
class Reader {
  readonly faults: Fault[] = [];
  #values = 0;
  #exhausted = false;
  readonly #anchors = new Map<string, Node>();

  constructor(private readonly positions: Map<string, { key: number | null; value: number | null }>) {}

  read(node: unknown, path: Path, key: number | null, depth: number): unknown {
    if (this.#exhausted) return undefined;
    const offset = (node as Node | null)?.range?.[0] ?? null;
    if (++this.#values > MAX_VALUES) return this.#exhaust(path, offset, `more than ${MAX_VALUES} values`);
    if (depth > MAX_DEPTH) return this.#exhaust(path, offset, "nested too deeply");
    this.positions.set(JSON.stringify(path), { key, value: offset });
    if (isAlias(node)) {
      const target = this.#anchors.get(node.source);
      if (target === undefined) {
        return this.#fault(path, offset, `there is no anchor &${node.source} before this`);
      }
      const value = this.read(target, path, key, depth + 1);
      this.positions.set(JSON.stringify(path), { key, value: offset });
      return value;
    }
    const anchor = (node as { anchor?: string } | null)?.anchor;
    if (anchor !== undefined) this.#anchors.set(anchor, node as Node);
    if (isMap(node)) return this.#readMap(node.items, path, depth);
    if (isSeq(node)) return node.items.map((item, i) => this.read(item, [...path, i], null, depth + 1));
    if (isScalar(node)) return typeof node.value === "bigint" ? Number(node.value) : node.value;
    return null;
  }

  #readMap(items: readonly { key: unknown; value: unknown }[], path: Path, depth: number): unknown {
    const map = new Map<string, unknown>();
    const merged: unknown[] = [];
    for (const item of items) {
      const node = isAlias(item.key) ? this.#anchors.get(item.key.source) : item.key;
      const offset = (item.key as Node | null)?.range?.[0] ?? null;
      if (!isScalar(node) || node.value === null || typeof node.value === "object") {
        this.#fault(path, offset, "a key must be plain text");
        continue;
      }
      if (node.anchor !== undefined) this.#anchors.set(node.anchor, node);
      const name = String(node.value);
      if (name === "<<" && node.type === "PLAIN") {
        const value = this.read(item.value, [...path, name], offset, depth + 1);
        merged.push(...(Array.isArray(value) ? value : [value]));
        continue;
      }
      const value = this.read(item.value, [...path, name], offset, depth + 1);
      if (map.has(name)) this.#fault([...path, name], offset, "this key is there twice");
      map.set(name, value);
      if (this.#exhausted) return undefined;
    }
    for (const from of merged) {
      if (typeof from !== "object" || from === null || Array.isArray(from)) {
        this.#fault(path, null, "<< can only merge mappings");
        continue;
      }
      for (const [name, value] of Object.entries(from)) if (!map.has(name)) map.set(name, value);
    }
    // Not Object.fromEntries with a prototype: a key called __proto__ has to stay a key.
    const record: Record<string, unknown> = Object.create(null);
    for (const [name, value] of map) record[name] = value;
    return record;
  }

  #fault(path: Path, offset: number | null, message: string): undefined {
    this.faults.push({ path, offset, message });
    return undefined;
  }

  #exhaust(path: Path, offset: number | null, message: string): undefined {
    this.#exhausted = true;
    return this.#fault(path, offset, message);
  }
}

/** What JSON.parse says against a text, with the offset where its message names one. */
function jsonSyntaxError(text: string): { readonly message: string; readonly offset: number | null } | null {
  try {
    JSON.parse(text);
    return null;
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const at = /at position (\d+)/.exec(message);
    return { message: message.slice(0, 200), offset: at === null ? null : Number(at[1]) };
  }
}
