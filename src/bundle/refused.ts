import { Failure } from "../vocabulary/failure.ts";
import type { Refusal } from "../vocabulary/patch.ts";
import { refusalText } from "../vocabulary/printable.ts";

const HINTS: Readonly<Record<string, string>> = {
  bundle_too_many_files: "every run of every target has its own output files: use fewer repeats or targets",
  bundle_too_large:
    "leave large directories out of the workspace with .ppignore, or lower limits.output_bytes",
};

/**
 * What it means that a bundle we made would be refused by a reader: a session that is too large for a bundle
 * (`malformed`, with a hint), else a bug.
 * @param code replaces the reader's reason when it is a bug
 */
export function refusedBundle(refusal: Refusal, code: string = refusal.reason): Failure {
  const { reason } = refusal;
  const what = `the bundle cannot be written: ${refusalText(refusal)}`;
  const hint = HINTS[reason];
  return hint === undefined
    ? new Failure("bug", code, what)
    : new Failure("malformed", reason, what, { hint });
}

/** What it means that a bundle of others cannot be read. */
export function unreadableBundle(refusal: Refusal): Failure {
  return new Failure("malformed", refusal.reason, refusalText(refusal), {
    hint: "a bundle is the folder proof_bundle or a .ppb file, complete and unchanged",
  });
}
