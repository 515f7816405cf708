import type { Environment } from "../vocabulary/environment.ts";
import { Failure } from "../vocabulary/failure.ts";

/** A variable without blanks around it; a blank one counts as unset. */
export function textOf(env: Environment, name: string): string | undefined {
  return env[name]?.trim() || undefined;
}

/** @throws Failure usage `variable_malformed`; the value is never repeated, it may be a misplaced secret */
export function malformedVariable(name: string, expected: string): Failure {
  return new Failure("usage", "variable_malformed", `${name} is not ${expected}`, {
    hint: `correct ${name} or unset it`,
  });
}

/** A decimal number within bounds, or the default. */
export function numberOf(
  env: Environment,
  name: string,
  otherwise: number,
  bounds: { readonly min: number; readonly max: number; readonly whole?: boolean },
): number {
  const text = textOf(env, name);
  if (text === undefined) return otherwise;
  const value = /^\d+(\.\d+)?$|^\.\d+$/.test(text) ? Number(text) : NaN;
  if (value >= bounds.min && value <= bounds.max && (bounds.whole !== true || Number.isInteger(value))) {
    return value;
  }
  const what = bounds.whole === true ? "a whole number" : "a number";
  throw malformedVariable(name, `${what} from ${bounds.min} to ${bounds.max}`);
}
