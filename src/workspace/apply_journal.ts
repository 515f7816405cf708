import { Failure } from "../vocabulary/failure.ts";
import { printablePath } from "../vocabulary/printable.ts";

/** How to take back what was done, and what to tidy up once nothing will be taken back. */
export class Journal {
  readonly #undo: { what: string; step: () => void }[] = [];
  readonly #tidy: (() => void)[] = [];

  note(what: string, step: () => void): void {
    this.#undo.push({ what, step });
  }

  later(step: () => void): void {
    this.#tidy.push(step);
  }

  undo(): void {
    const stuck: string[] = [];
    let cause: unknown;
    for (const { what, step } of this.#undo.reverse()) {
      try {
        step();
      } catch (error) {
        stuck.push(printablePath(what));
        cause = error;
      }
    }
    if (stuck.length > 0) {
      throw new Failure(
        "unavailable",
        "rollback_failed",
        "applying failed and not everything could be put back",
        {
          hint: "put back by hand what is listed",
          details: stuck,
          cause,
        },
      );
    }
  }

  /** A backup that cannot be removed changes nothing of the outcome; its name is ignored by every walk. */
  settle(told: (what: string) => void = () => {}): void {
    for (const step of this.#tidy) {
      try {
        step();
      } catch {
        continue;
      }
      told("tidied up");
    }
  }
}
