/**
 * Broken machinery. Expected outcomes are verdicts (values); a Failure is thrown when veripatch could not do
 * its work at all. `cli/exit_code.ts` alone turns a kind into an exit code.
 */
export type FailureKind =
  /** The call was wrong: unknown flag, missing argument (exit 64). */
  | "usage"
  /** A policy, patch, bundle or store cannot be understood (exit 65). */
  | "malformed"
  /** An engine, image, provider or tool is not there (exit 69). */
  | "unavailable"
  /** The policy or the system does not permit it (exit 77). */
  | "denied"
  /** A limit of time ended the work before there was an answer (exit 3). */
  | "no_answer"
  /** The user or the system stopped us (exit 130). */
  | "interrupted"
  /** A bug in veripatch (exit 70). */
  | "bug";

interface FailureOptions {
  /** What to do next, one sentence or command. */
  readonly hint?: string;
  /** Further lines, such as every bad field of a policy. */
  readonly details?: readonly string[];
  readonly cause?: unknown;
}

export class Failure extends Error {
  override readonly name = "Failure";
  readonly hint: string | undefined;
  readonly details: readonly string[];

  /**
   * @param kind which exit code it means
   * @param code precise, stable, snake_case: `image_missing`, `policy_malformed`, `workspace_changed` …
   * @param message what happened, to which file or field
   */
  constructor(
    readonly kind: FailureKind,
    readonly code: string,
    message: string,
    options: FailureOptions = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.hint = options.hint;
    this.details = options.details ?? [];
  }
}

/** The failure an aborted signal stands for; use it wherever an AbortSignal ends work early. */
export function interrupted(cause?: unknown): Failure {
  if (cause instanceof Failure) return cause;
  return new Failure("interrupted", "interrupted", "interrupted", { cause });
}
