import { sha256 } from "../vocabulary/digest.ts";
import { ANY_MODULE, COMPUTED, type Value } from "./values.ts";

/**
 * What is known of an argument, as one text: `"ls"` or `true` (a constant), `"https://a/"…` (a constant beginning),
 * `["ls", …]` (a list), `…` (anything).
 */
export type ArgumentShape = string;

/** How a symbol is used. `null` positional: it is mentioned and not called, so anything may become of it. */
export interface Shape {
  readonly positional: readonly ArgumentShape[] | null;
  /** The named arguments that its rule looks at, sorted by name. */
  readonly options: readonly (readonly [name: string, value: ArgumentShape])[];
}

/** The shape of an argument that nothing is known of. */
export const ANYTHING: ArgumentShape = "…";
const MAX_SHOWN = 120;
const MAX_ITEMS = 8;
/** Positional arguments of a shape; more are one ANYTHING. */
export const MAX_POSITIONAL = 6;

/** Used without being called. */
export const MENTIONED: Shape = { positional: null, options: [] };

/** The shape of one argument. */
export function argumentShape(value: Value, depth = 0): ArgumentShape {
  if (value.length === 0 || depth > 3) return ANYTHING;
  const forms = value.map((meaning): ArgumentShape => {
    switch (meaning.is) {
      case "text":
        return constant(meaning.value) + (meaning.whole ? "" : ANYTHING);
      case "literal":
        return meaning.source.slice(0, MAX_SHOWN);
      case "list": {
        const items = meaning.items.slice(0, MAX_ITEMS).map((item) => argumentShape(item, depth + 1));
        return `[${[...items, ...(meaning.items.length > MAX_ITEMS ? [ANYTHING] : [])].join(", ")}]`;
      }
      default:
        return ANYTHING;
    }
  });
  if (forms.includes(ANYTHING) || forms.includes(`""${ANYTHING}`)) return ANYTHING;
  return [...new Set(forms)].sort().join(" | ");
}

function constant(value: string): string {
  if (value.length <= MAX_SHOWN) return JSON.stringify(value);
  return `${JSON.stringify(value.slice(0, MAX_SHOWN))}+${sha256(value).slice(0, 16)}`;
}

/** `("ls", …, shell=true)`, or nothing for a mention. */
export function shownShape({ positional, options }: Shape): string {
  if (positional === null) return "";
  return `(${[...positional, ...options.map(([name, value]) => `${name}=${value}`)].join(", ")})`;
}

/** -1: a is tighter than b, 1: looser, 0: the same, null: neither. */
export function compareShapes(a: Shape, b: Shape): -1 | 0 | 1 | null {
  const aWithin = within(a, b), bWithin = within(b, a);
  if (aWithin && bWithin) return 0;
  return aWithin ? -1 : bWithin ? 1 : null;
}

function within(a: Shape, b: Shape): boolean {
  if (b.positional === null) return true;
  if (a.positional === null || a.positional.length !== b.positional.length) return false;
  if (!a.positional.every((shape, i) => argumentWithin(shape, b.positional![i]!))) return false;
  const names = new Set([...a.options, ...b.options].map(([name]) => name));
  const of = (shape: Shape, name: string) => shape.options.find(([n]) => n === name)?.[1];
  return [...names].every((name) => optionWithin(of(a, name), of(b, name)));
}

/** Whether everything the one may be, the other may be too. */
function argumentWithin(a: ArgumentShape, b: ArgumentShape): boolean {
  if (a === b || b === ANYTHING) return true;
  const beginning = /^"((?:[^"\\]|\\.)*)"…$/.exec(b);
  if (beginning !== null) return a.startsWith(`"${beginning[1]!}`);
  const [as, bs] = [a.split(" | "), b.split(" | ")];
  if (bs.length > 1) return as.every((one) => bs.includes(one));
  if (a.startsWith("[") && b.startsWith("[")) {
    const [x, y] = [items(a), items(b)];
    return x.length === y.length && x.every((item, i) => argumentWithin(item, y[i]!));
  }
  return false;
}

/** Left out is the tightest; a switch that is off is tighter than one that is on. */
function optionWithin(a: ArgumentShape | undefined, b: ArgumentShape | undefined): boolean {
  const off = (shape: ArgumentShape | undefined) =>
    shape === undefined || /^(?:false|none|null|0)$/i.test(shape);
  if (off(a)) return true;
  if (off(b)) return false;
  return argumentWithin(a!, b!);
}

/** The items of a list's shape; commas inside strings and lists do not separate. */
function items(shape: string): string[] {
  return shape.slice(1, -1).match(/(?:"(?:[^"\\]|\\.)*"|\[[^\]]*\]|[^,"[]+)+/g)?.map((item) => item.trim()) ??
    [];
}

/** Whether a symbol stands for what only the run decides. */
export function isComputed(symbol: string): boolean {
  if (symbol === ANY_MODULE || symbol.startsWith(`${ANY_MODULE}.`)) return !symbol.includes("(");
  return symbol === COMPUTED || /^\[computed\]\.(?:call|apply|bind)$/.test(symbol);
}
