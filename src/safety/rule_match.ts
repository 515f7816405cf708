import type { Given } from "./intrinsics.ts";
import type { Rule } from "./rules.ts";
import { ANYTHING, argumentShape, MAX_POSITIONAL, MENTIONED, type Shape } from "./shape.ts";
import type { Value } from "./values.ts";

/** Whether the conditions of a rule hold for a call; what cannot be known holds. */
export function holds(rule: Rule, given: Given): boolean {
  const { when, unless } = rule.config;
  if (when !== undefined) {
    const value = argumentOf(given, when);
    if (value === undefined) {
      if (!when.absent && !given.spread) return false;
    } else {
      const constants = constantsOf(value);
      if (when.computed && constants !== null) return false;
      if (when.constant && constants === null) return false;
      if (when.text !== undefined && constants !== null) {
        const test = new RegExp(when.text, "u");
        if (!constants.some((constant) => test.test(constant))) return false;
      }
    }
  }
  if (unless === undefined) return true;
  const value = argumentOf(given, unless);
  if (value === undefined || value.length === 0) return true;
  if (unless.text !== undefined) {
    const constants = constantsOf(value);
    const test = new RegExp(unless.text, "u");
    if (constants !== null && constants.length > 0 && constants.every((constant) => test.test(constant))) {
      return false;
    }
  }
  return !value.every((m) => m.is === "symbol" && unless.symbols.includes(m.name));
}

function argumentOf(
  given: Given,
  { name, position }: { readonly name?: string | undefined; readonly position?: number | undefined },
): Value | undefined {
  const named = name === undefined ? undefined : given.named.get(name);
  return named ?? (position === undefined ? undefined : given.positional[position]);
}

/** Every constant that a value may be; null when it may be something else. */
function constantsOf(value: Value): string[] | null {
  const constants = value.map((m) =>
    m.is === "text" && m.whole ? m.value : m.is === "literal" ? m.source : null
  );
  return value.length === 0 || constants.includes(null) ? null : constants as string[];
}

/** How a symbol is used, as far as its rule looks at that. @param given null where it is mentioned and not called */
export function shapeOf(rule: Rule, given: Given | null): Shape {
  if (given === null) return MENTIONED;
  const positional = given.positional.slice(0, MAX_POSITIONAL).map((value) => argumentShape(value));
  if (given.spread || given.positional.length > MAX_POSITIONAL) positional.push(ANYTHING);
  const options = rule.config.options
    .flatMap((name): [string, string][] => {
      const value = given.named.get(name);
      return value === undefined ? [] : [[name, argumentShape(value)]];
    })
    .sort(([a], [b]) => a < b ? -1 : a > b ? 1 : 0);
  return { positional, options };
}
