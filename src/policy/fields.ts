import { z } from "zod";
import { parseSize, showSize, SIZE_PATTERN } from "./sizes.ts";

/**
 * The kinds of field a policy has. Each takes what the Python tool took (a quoted number, one text where a list
 * is expected, nothing where a section is) and gives one narrow type.
 */

/** Most entries of any list in a policy. */
export const MAX_LIST = 1_000;

/** A whole number, bare or quoted. */
export function count(min: number, max: number) {
  const bounded = z.number().int({ error: "expected a whole number" }).min(min).max(max);
  const digits = z.string().regex(/^\d{1,15}$/);
  return z.union([bounded, digits.transform(Number).pipe(bounded)], { error: "expected a whole number" });
}

/** Bytes as a number or as `512m`, `2g`. */
export function size(min: number, max: number) {
  const bound = (limit: number, word: string) => ({
    error: `must be at ${word} ${showSize(limit)} (${limit} bytes)`,
  });
  const bytes = z.number().int({ error: "expected whole bytes" })
    .min(min, bound(min, "least")).max(max, bound(max, "most"));
  return z.union([bytes, z.string().regex(SIZE_PATTERN).transform(parseSize).pipe(bytes)], {
    error: "expected a size, such as 512m, 2g or a number of bytes",
  });
}

const SECONDS = { s: 1, m: 60, h: 3_600, d: 86_400, w: 604_800 } as const;

/** A length of time as `90s`, `30m`, `12h`, `7d`, `2w`, or a number of seconds; whole seconds. */
export function duration(min: number, max: number) {
  const seconds = z.number().int({ error: "expected whole seconds" }).min(min).max(max);
  const words = z.string().regex(/^\d{1,9}[smhdw]?$/).transform((text) => {
    const unit = text.at(-1)! as keyof typeof SECONDS;
    return Object.hasOwn(SECONDS, unit) ? Number(text.slice(0, -1)) * SECONDS[unit] : Number(text);
  });
  return z.union([seconds, words.pipe(seconds)], {
    error: "expected a time, such as 12h, 7d or a number of seconds",
  });
}

/** A number that may have a fraction, bare or quoted. */
export function decimal(min: number, max: number) {
  const bounded = z.number().min(min).max(max);
  const digits = z.string().regex(/^\d{1,6}(\.\d{1,6})?$/);
  return z.union([bounded, digits.transform(Number).pipe(bounded)], {
    error: 'expected a number, such as 2 or "1.5"',
  });
}

/** true or false; the words YAML 1.1 read as such, and Python with it, still count. */
export function flag() {
  const words = z.string().regex(/^(yes|Yes|YES|on|On|ON|no|No|NO|off|Off|OFF)$/);
  return z.union([z.boolean(), words.transform((word) => /^(yes|on)$/i.test(word))], {
    error: "expected true or false",
  });
}

/** A text of one line within bounds. */
export function line(maxLength: number) {
  return z.string({ error: "expected text" }).min(1, { error: "must not be empty" })
    .max(maxLength, { error: `must have at most ${maxLength} characters` })
    .refine((text) => text.isWellFormed() && !/\p{Cc}/u.test(text), {
      error: "must be valid Unicode without control characters",
    });
}

/** A list, one entry without the list, or nothing; `byDefault` goes into the JSON Schema. */
export function listOf<T extends z.ZodType>(entry: T, what: string, byDefault: readonly string[] = []) {
  const many = z.array(entry).max(MAX_LIST, { error: `must have at most ${MAX_LIST} entries` });
  return z.union([many, entry.transform((one) => [one])], { error: `expected a list of ${what}` })
    .nullish()
    .meta({ default: byDefault })
    .transform((entries) => (entries ?? []) as z.output<T>[]);
}

/** A field that may be left out or null: then it is null. */
export function optional<T extends z.ZodType>(field: T, description: string) {
  return field.nullish().meta({ description, default: null }).transform((value) => value ?? null);
}

/** A mapping that may be left out or empty, in which case all its defaults hold. */
export function section<T extends z.ZodRawShape>(shape: T) {
  const object = z.strictObject(shape, { error: "expected a section with keys" });
  return object.nullish().transform((value) => value ?? object.parse({}));
}
