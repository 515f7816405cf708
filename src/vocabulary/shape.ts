/**
 * Checks of parsed JSON, for readers that must start in milliseconds: a schema library costs more time to load than such
 * a reader has. A shape looks at a value and hands it back with its type, or says where it is not what it should be.
 */
export type Shape<T> = (value: unknown, at: string) => T;
export type Shaped<S> = S extends Shape<infer T> ? T : never;

/** Ends a check; never leaves this file. */
class Mismatch extends Error {
  constructor(readonly at: string, readonly what: string) {
    super(what);
  }
}

export type Checked<T> = { readonly ok: true; readonly value: T } | {
  readonly ok: false;
  /** Where, as `a.b.0`; empty for the whole. Made of member names of shapes and of indices: safe to print. */
  readonly at: string;
  readonly what: string;
};

/** Checks a whole value; stops at the first thing that is wrong. */
export function checked<T>(shape: Shape<T>, value: unknown): Checked<T> {
  try {
    return { ok: true, value: shape(value, "") };
  } catch (error) {
    if (error instanceof Mismatch) return { ok: false, at: error.at, what: error.what };
    throw error;
  }
}

/** A shape made of another and a condition. */
export function where<T>(shape: Shape<T>, holds: (value: T) => boolean, what: string): Shape<T> {
  return (value, at) => {
    const shaped = shape(value, at);
    return holds(shaped) ? shaped : fail(at, what);
  };
}

/** Text without half characters. @param most UTF-16 code units */
export function text(most = Infinity): Shape<string> {
  return (value, at) =>
    typeof value !== "string"
      ? fail(at, "no text")
      : value.length > most
      ? fail(at, `longer than ${most} characters`)
      : !value.isWellFormed()
      ? fail(at, "half a character")
      : value;
}

/** Text that a pattern matches. @param what said of other text, such as `no time` */
export function matching(pattern: RegExp, what: string): Shape<string> {
  return where(text(), (value) => pattern.test(value), what);
}

/** A SHA-256 in lower case hex digits. */
export const digestShape: Shape<string> = matching(/^[0-9a-f]{64}$/, "no SHA-256");

/** A whole number from 0 that a double holds exactly. */
export const count: Shape<number> = (value, at) =>
  Number.isSafeInteger(value) && (value as number) >= 0 ? value as number : fail(at, "no count");

/** True or false. */
export const flag: Shape<boolean> = (value, at) =>
  typeof value === "boolean" ? value : fail(at, "no boolean");

/** Exactly one of some words. */
export function oneOf<const T extends string>(...words: readonly T[]): Shape<T> {
  return (value, at) =>
    words.includes(value as T) ? value as T : fail(at, `not ${words.map((w) => `"${w}"`).join(" or ")}`);
}

/** A shape, or null. */
export function nullable<T>(shape: Shape<T>): Shape<T | null> {
  return (value, at) => value === null ? null : shape(value, at);
}

const maybeShapes = new WeakSet<Shape<unknown>>();

/** A member that need not be there. */
export function maybe<T>(shape: Shape<T>): Shape<T | undefined> {
  const asked: Shape<T | undefined> = (value, at) => value === undefined ? undefined : shape(value, at);
  maybeShapes.add(asked);
  return asked;
}

/** A list of `least` to `most` items of one shape. */
export function listOf<T>(item: Shape<T>, least = 0, most = Infinity): Shape<readonly T[]> {
  return (value, at) => {
    if (!Array.isArray(value)) return fail(at, "no list");
    if (value.length < least) return fail(at, least === 1 ? "empty" : `fewer than ${least} items`);
    if (value.length > most) return fail(at, `more than ${most} items`);
    return value.map((each, i) => item(each, inside(at, String(i))));
  };
}

type Members = Readonly<Record<string, Shape<unknown>>>;
type ShapedMembers<M extends Members> = { readonly [K in keyof M]: Shaped<M[K]> };

/** An object with exactly these members. */
export function exactly<M extends Members>(members: M): Shape<ShapedMembers<M>> {
  const known = atLeast(members);
  return (value, at) => {
    const shaped = known(value, at);
    if (Object.keys(value as object).length > Object.keys(members).length) {
      return fail(at, "a member that does not belong there");
    }
    return shaped;
  };
}

/** An object with these members; others are not looked at and not handed back. */
export function atLeast<M extends Members>(members: M): Shape<ShapedMembers<M>> {
  return (value, at) => {
    if (typeof value !== "object" || value === null || Array.isArray(value)) return fail(at, "no object");
    const shaped: Record<string, unknown> = {};
    for (const [name, shape] of Object.entries(members)) {
      if (!Object.hasOwn(value, name)) {
        if (maybeShapes.has(shape)) continue;
        return fail(inside(at, name), "missing");
      }
      shaped[name] = shape((value as Record<string, unknown>)[name], inside(at, name));
    }
    return shaped as ShapedMembers<M>;
  };
}

function inside(at: string, name: string): string {
  return at === "" ? name : `${at}.${name}`;
}

function fail(at: string, what: string): never {
  throw new Mismatch(at, what);
}
