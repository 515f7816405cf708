import type { ExpressionOf } from "./expression.ts";
import { MAX_TEXT } from "./strings.ts";

/** One thing an expression may be. */
export type Meaning =
  /** Something named: `os.system`; `X()` is what calling X gives, `?.x` is x of something unknown. */
  | { readonly is: "symbol"; readonly name: string }
  /** A constant; when not whole, only its beginning. */
  | { readonly is: "text"; readonly value: string; readonly whole: boolean }
  | { readonly is: "literal"; readonly source: string }
  | { readonly is: "list"; readonly items: readonly Value[]; readonly at: number }
  | {
    readonly is: "record";
    readonly entries: ReadonlyMap<string, Value>;
    readonly whole: boolean;
    readonly at: number;
  }
  | { readonly is: "function"; readonly of: ExpressionOf<"function"> }
  /** Anything: there is a way to it that is not followed. */
  | { readonly is: "unknown" };

/** What an expression may be, all ways taken together. Empty where nothing is known at all. */
export type Value = readonly Meaning[];

const MAX_MEANINGS = 24;
const MAX_SYMBOL = 240;

/** What a name made at run time leads to. */
export const COMPUTED = "[computed]";
/** A module, or a holder of globals' member, whose name is made at run time: any of its members may be anything. */
export const ANY_MODULE = "[any]";
/** What may be anything. */
export const UNKNOWN: Value = [{ is: "unknown" }];

/** Something named; a name longer than any that people write is none that a rule knows. */
export function symbol(name: string): Meaning {
  return { is: "symbol", name: name.length > MAX_SYMBOL ? "?" : name };
}

/** A constant string, of which at most MAX_TEXT characters are kept. @param whole false for a beginning */
export function text(value: string, whole = true): Meaning {
  return { is: "text", value: value.slice(0, MAX_TEXT), whole: whole && value.length <= MAX_TEXT };
}

function keyOf(meaning: Meaning): string {
  switch (meaning.is) {
    case "symbol":
      return `s${meaning.name}`;
    case "text":
      return `${meaning.whole ? "t" : "p"}${meaning.value}`;
    case "literal":
      return `l${meaning.source}`;
    case "list":
      return `[${meaning.at}`;
    case "record":
      return `{${meaning.at}`;
    case "function":
      return `f${meaning.of.at.start}`;
    case "unknown":
      return "?";
  }
}

/** All meanings of both; a later list or record from the same place replaces the earlier. Past 24 it is unknown too. */
export function union(a: Value, b: Value): Value {
  if (b.length === 0) return a;
  if (a.length === 0) return b;
  const all = new Map<string, Meaning>();
  for (const meaning of a) all.set(keyOf(meaning), meaning);
  for (const meaning of b) {
    const key = keyOf(meaning);
    if (all.size >= MAX_MEANINGS && !all.has(key)) {
      all.set("?", { is: "unknown" });
      all.set(`s${COMPUTED}`, symbol(COMPUTED));
      break;
    }
    all.set(key, meaning);
  }
  return [...all.values()];
}

/** All meanings of several values. */
export function unionOf(values: readonly Value[]): Value {
  return values.reduce(union, []);
}

/** Constants put together: whole where every part is, else the beginning that is known. */
export function concatenated(parts: readonly Value[]): Value {
  let heads: { value: string; whole: boolean }[] = [{ value: "", whole: true }];
  for (const part of parts) {
    const tails = part.flatMap((m) =>
      m.is === "text"
        ? [m]
        : m.is === "literal" && !/^["']/.test(m.source)
        ? [{ value: m.source, whole: true }]
        : []
    );
    const open = part.length === 0 || tails.length < part.length;
    const next = heads.flatMap((head) => {
      if (!head.whole) return [head];
      const longer = tails.map(({ value, whole }) => ({ value: head.value + value, whole }));
      return open ? [...longer, { value: head.value, whole: false }] : longer;
    });
    heads = next.length > MAX_MEANINGS ? [...next.slice(0, MAX_MEANINGS), { value: "", whole: false }] : next;
  }
  return unionOf(heads.map(({ value, whole }) => [text(value, whole)]));
}

/** What can be called, or have members that can. */
export function callables(value: Value): Value {
  return value.filter((m) =>
    m.is === "symbol" || m.is === "function" || (m.is === "list" && m.items.some((i) =>
      i.some(isCallable)
    )) ||
    (m.is === "record" && [...m.entries.values()].some((v) => v.some(isCallable)))
  );
}

function isCallable(m: Meaning): boolean {
  return m.is === "symbol" || m.is === "function";
}

/** What iterating over something gives. */
export function elementOf(value: Value): Value {
  return unionOf(value.map((m): Value => {
    if (m.is === "list") return unionOf(m.items);
    if (m.is === "record") return unionOf([...m.entries.values()]);
    return m.is === "symbol" ? [symbol(`${m.name}[]`)] : UNKNOWN;
  }));
}

/** What an object has at an index or under a key that is written out. */
export function indexed(object: Value, index: string): Value {
  return unionOf(object.map((m): Value => {
    if (m.is === "list") return m.items[Number(index)] ?? [];
    if (m.is === "symbol") return [symbol(`${m.name}[]`)];
    return m.is === "record" ? m.entries.get(index) ?? [] : [];
  }));
}

/** The items of a list put together, with a text between each two. */
export function joined(items: readonly Value[], by: string): Value {
  const parts = items.slice(0, MAX_TEXT).flatMap((item, i): Value[] => i === 0 ? [item] : [[text(by)], item]);
  return concatenated(parts);
}
