import type { Given } from "./intrinsics.ts";
import { decoded, fromNumbers, MAX_TEXT, stringMethod } from "./strings.ts";
import { joined, type Meaning, text, type Value } from "./values.ts";

/** The constants that a function of the standard library makes of constants: `atob("…")`, `chr(101)`. */
export function madeOfConstants(name: string, given: Given): readonly string[] {
  const texts = given.positional[0]?.flatMap((m) => {
    const value = m.is === "text" && m.whole ? decoded(name, m.value) : null;
    return value === null ? [] : [value];
  }) ?? [];
  const first = given.positional[0]?.[0];
  const numbers = given.positional.length === 1 && first?.is === "list"
    ? first.items.map((item) => item[0])
    : given.positional.map((value) => value[0]);
  const characters = numbers.every((m) => m?.is === "literal")
    ? fromNumbers(name, numbers.map((m) => m?.is === "literal" ? m.source : ""))
    : null;
  return characters === null ? texts : [...texts, characters];
}

/**
 * What a method of constant strings gives, and `join` of lists of them.
 * @param at where the method stands, which is what lists it makes are known by
 * @returns what it gives, and of that the constants
 */
export function calledOnConstants(
  object: Value,
  method: string,
  given: Given,
  at: number,
): { readonly result: Value; readonly constants: readonly string[] } {
  const args = given.positional.map((value) => {
    const [only] = value;
    if (value.length !== 1 || only === undefined) return null;
    return only.is === "text" && only.whole ? only.value : only.is === "literal" ? only.source : null;
  });
  const result: Meaning[] = [];
  const constants: string[] = [];
  const join = (items: readonly Value[], by: string) => {
    for (const m of joined(items, by)) {
      result.push(m);
      if (m.is === "text" && m.whole) constants.push(m.value);
    }
  };
  for (const m of object) {
    if (m.is === "text" && m.whole) {
      const list = given.positional[0]?.[0];
      if (method === "join" && list?.is === "list") join(list.items, m.value);
      else if (method === "split" && (args[0] === "" || args.length === 0)) {
        const items = [...m.value].slice(0, MAX_TEXT).map((c): Value => [text(c)]);
        result.push({ is: "list", items, at: -1 - at });
      } else {
        const filled = method === "__mod__" && list?.is === "list"
          ? list.items.map((item) => item[0]?.is === "text" ? item[0].value : null)
          : args;
        const value = stringMethod(m.value, method, filled);
        if (value === null) continue;
        result.push(text(value));
        constants.push(value);
      }
    } else if (m.is === "list") {
      if (method === "join") join(m.items, args.length === 0 ? "," : args[0] ?? "");
      if (method === "reverse" || method === "__reversed__") {
        result.push({ is: "list", items: [...m.items].reverse(), at: -1 - at });
      }
    }
  }
  return { result, constants };
}
