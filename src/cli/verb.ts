import { Failure } from "../vocabulary/failure.ts";
import { printable } from "../vocabulary/printable.ts";
import { refusalKind, remedy } from "../vocabulary/system_error.ts";
import { EXIT, exitCodeOf } from "./exit_code.ts";
import { colour } from "./output.ts";

/** What a verb hands back to be printed: text for people or one JSON document, and the exit code. */
export interface VerbResult {
  readonly exit: number;
  /** Ready for the terminal; hostile parts already made printable. */
  readonly text: string;
  /** For people, on stderr after the text: that there is more than it shows. */
  readonly note?: string;
  /** Undefined when all documents were printed already, one per line. */
  readonly json: unknown;
}

/** Written when a verb is done; `program.ts` reads it. */
export interface Outcome {
  exit: number;
}

/**
 * Wraps a handler as a commander action: prints its result on stdout (text, or JSON with `--json`), a failure on
 * stderr (and as JSON on stdout with `--json`), and sets the exit code.
 */
export function verbRunner(outcome: Outcome) {
  return function verb<Args extends unknown[]>(handler: (...args: Args) => Promise<VerbResult>) {
    return async (...args: Args): Promise<void> => {
      const json = wantsJson(args);
      try {
        const result = await handler(...args);
        if (!json) {
          await print(result.text);
          if (result.note !== undefined) console.error(colour(Deno.stderr).yellow(result.note));
        } else if (result.json !== undefined) await printJson(result.json);
        outcome.exit = result.exit;
      } catch (thrown) {
        const error = asFailure(thrown);
        outcome.exit = exitCodeOf(error);
        printFailure(error);
        if (json) await printJson(failureDocument(error)).catch(() => {});
      }
    };
  };
}

/** A full disk, or a file that nobody may open, is no bug of ours, wherever it is met first. */
function asFailure(error: unknown): unknown {
  const todo = error instanceof Failure ? null : remedy(error);
  if (todo === null || !(error instanceof Error)) return error;
  return new Failure(refusalKind(error), "system_refused", error.message, {
    hint: `${todo}, then call again`,
    cause: error,
  });
}

/** The shape in which commander hands options to an action: somewhere among its last two arguments. */
function wantsJson(args: readonly unknown[]): boolean {
  return args.some((a) => typeof a === "object" && a !== null && (a as { json?: unknown }).json === true);
}

/** One JSON document on stdout. */
export async function printJson(value: unknown): Promise<void> {
  await print(JSON.stringify(value, null, 2));
}

async function print(text: string): Promise<void> {
  if (text === "") return;
  const bytes = new TextEncoder().encode(text.endsWith("\n") ? text : text + "\n");
  for (let written = 0; written < bytes.length;) {
    try {
      written += await Deno.stdout.write(bytes.subarray(written));
    } catch (error) {
      if (error instanceof Deno.errors.BrokenPipe) return;
      throw new Failure("unavailable", "output_failed", "the result could not be written to stdout", {
        cause: error,
      });
    }
  }
}

/** What `--json` prints for a failure. */
export function failureDocument(error: unknown): unknown {
  const failure = error instanceof Failure ? error : null;
  return {
    format: "veripatch-failure/v1",
    status: "failed",
    error: {
      kind: failure?.kind ?? "bug",
      code: failure?.code ?? "unexpected",
      message: error instanceof Error ? error.message : String(error),
      hint: failure?.hint ?? null,
      details: failure?.details ?? [],
    },
    exit: exitCodeOf(error),
  };
}

/** Prints what went wrong and what to do next on stderr. */
export function printFailure(error: unknown): void {
  const c = colour(Deno.stderr);
  if (!(error instanceof Failure)) {
    const text = error instanceof Error ? error.stack ?? error.message : String(error);
    console.error(`${c.red("pp: this is a bug in veripatch:")} ${printable(text)}`);
    console.error("Please report it with the command you ran.");
    return;
  }
  const word = error.kind === "interrupted" ? c.yellow("pp: ") : c.red("pp: ");
  console.error(word + printable(error.message));
  for (const line of error.details) console.error(`  ${printable(line)}`);
  if (error.hint !== undefined) console.error(`${c.cyan("hint:")} ${printable(error.hint)}`);
  const cause = error.cause instanceof Error ? error.cause.message : null;
  if (cause !== null && !error.message.includes(cause) && exitCodeOf(error) !== EXIT.interrupted) {
    console.error(c.dim(`because: ${printable(cause)}`));
  }
}
