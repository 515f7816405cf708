import { Failure } from "../vocabulary/failure.ts";
import { quoted } from "../vocabulary/printable.ts";

/** Reads a whole number from `least`. @throws Failure `number_malformed` (usage) */
export function wholeNumber(flag: string, text: string, least: number): number {
  const number = Number(text);
  if (/^\d{1,15}$/.test(text) && number >= least) return number;
  throw new Failure(
    "usage",
    "number_malformed",
    `${flag} takes a whole number from ${least}, not ${quoted(text, 40)}`,
  );
}

/** What is said of a list that a limit cut. */
export function moreThan(limit: number): string {
  return `there are more than ${limit}: --limit shows more`;
}
