import type { Work } from "./search.ts";

/** A run of changed lines, possibly empty; one stands before, between and after any two unchanged lines. */
class Runs {
  from = 0;
  to = 0;

  constructor(readonly changed: Uint8Array, readonly count: number) {
    while (changed[this.to]) this.to++;
  }

  get empty(): boolean {
    return this.from === this.to;
  }

  next(): boolean {
    if (this.to === this.count) return false;
    this.from = this.to = this.to + 1;
    while (this.changed[this.to]) this.to++;
    return true;
  }

  previous(): void {
    this.from = this.to = this.from - 1;
    while (this.from > 0 && this.changed[this.from - 1]) this.from--;
  }

  /** Moves the run up a line where the file reads the same either way, joining a run it meets. */
  slideUp(lines: Int32Array): boolean {
    if (this.from === 0 || lines[this.from - 1] !== lines[this.to - 1]) return false;
    this.changed[--this.from] = 1;
    this.changed[--this.to] = 0;
    while (this.from > 0 && this.changed[this.from - 1]) this.from--;
    return true;
  }

  slideDown(lines: Int32Array): boolean {
    if (this.to === this.count || lines[this.from] !== lines[this.to]) return false;
    this.changed[this.from++] = 0;
    this.changed[this.to++] = 1;
    while (this.changed[this.to]) this.to++;
    return true;
  }
}

/**
 * Slides each run of changed lines of one file as far down as it goes, joining those it meets; but where it can stand
 * opposite a change of the other file, at the lowest such place.
 */
export function slideTogether(
  lines: Int32Array,
  changed: Uint8Array,
  otherChanged: Uint8Array,
  work: Work,
): void {
  const run = new Runs(changed, lines.length), opposite = new Runs(otherChanged, otherChanged.length - 1);
  do {
    if (!run.empty) settle(lines, run, opposite, work);
    if (work.left < 0) return;
  } while (run.next() && opposite.next());
}

function settle(lines: Int32Array, run: Runs, opposite: Runs, work: Work): void {
  let size: number, highest: number, meets: boolean;
  do {
    size = run.to - run.from;
    while (run.slideUp(lines)) {
      opposite.previous();
      work.left--;
    }
    highest = run.to;
    meets = !opposite.empty;
    while (run.slideDown(lines)) {
      opposite.next();
      work.left--;
      meets ||= !opposite.empty;
    }
  } while (size !== run.to - run.from && work.left >= 0);
  if (run.to === highest || !meets) return;
  while (opposite.empty) {
    run.slideUp(lines);
    opposite.previous();
    work.left--;
  }
}
