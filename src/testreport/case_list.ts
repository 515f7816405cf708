import { sha256 } from "../vocabulary/digest.ts";
import type { TestCase, TestOutcome } from "../vocabulary/test_report.ts";

/** Tests of one report. */
export const MAX_CASES = 100_000;
/** UTF-16 code units of an id. */
export const MAX_ID_LENGTH = 500;
const DIGEST_DIGITS = 16;
/** ` #99999` and a little more. */
const NUMBER_LENGTH = 8;

/** Thrown and caught inside this room only: what is being read is no report we take. */
export class ReportRefusal extends Error {}

/** The tests of a report, in order, each with an id of its own. */
export class CaseList {
  readonly #cases: TestCase[] = [];
  readonly #ids = new Set<string>();
  /** By id without number: how many numbers were tried. */
  readonly #numbers = new Map<string, number>();

  get cases(): readonly TestCase[] {
    return this.#cases;
  }

  /** @throws ReportRefusal past MAX_CASES */
  add({ id }: Place, outcome: TestOutcome): void {
    if (this.#cases.length === MAX_CASES) throw new ReportRefusal(`it lists more than ${MAX_CASES} tests`);
    this.#cases.push({ id: this.#distinct(id === "" ? "(unnamed)" : id), outcome });
  }

  /** Changes what the last test added came to. */
  replaceLast(outcome: TestOutcome): void {
    const last = this.#cases.pop();
    if (last !== undefined) this.#cases.push({ ...last, outcome });
  }

  #distinct(id: string): string {
    let own = id;
    let number = this.#numbers.get(id) ?? 1;
    // Every number that is taken was taken by one test, so all of this is linear in the tests.
    while (this.#ids.has(own)) own = `${id} #${++number}`;
    if (number > 1) this.#numbers.set(id, number);
    this.#ids.add(own);
    return own;
  }
}

/** Where a suite or test stands in a report. */
export interface Place {
  readonly id: string;
  /** The innermost part of it. */
  readonly last: string;
}

export const TOP: Place = { id: "", last: "" };

/**
 * A place one level further in; an empty part, or one that repeats the part above it, adds nothing. What gets too long
 * ends in a digest of all of it. Costs no more than the part is long, however deep it is.
 */
export function within(place: Place, part: string): Place {
  const last = oneLine(part);
  if (last === "" || last === place.last) return place;
  return { id: bounded(place.id === "" ? last : `${place.id} > ${last}`), last };
}

/** Room is left for the number of a name that comes more than once. */
function bounded(id: string): string {
  if (id.length <= MAX_ID_LENGTH - NUMBER_LENGTH) return id;
  const mark = `… ${sha256(id).slice(0, DIGEST_DIGITS)}`;
  return id.slice(0, MAX_ID_LENGTH - NUMBER_LENGTH - mark.length).toWellFormed() + mark;
}

function oneLine(part: string): string {
  return part.toWellFormed().replaceAll(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, " ").trim();
}
