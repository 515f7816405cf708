import { Failure } from "../vocabulary/failure.ts";
import { printablePath } from "../vocabulary/printable.ts";
import { IGNORE_FILE } from "./ignore.ts";

const MAX_LISTED = 1_000;

/** Something in the workspace is not as it was when it was looked at or sent. */
export function workspaceChanged(paths: readonly string[], what: string, cause?: unknown): Failure {
  const first = paths[0] === undefined ? "" : `: ${printablePath(paths[0])}`;
  const more = paths.length > 1 ? ` and ${paths.length - 1} more` : "";
  return new Failure("malformed", "workspace_changed", `${what}${first}${more}`, {
    hint: "let nothing else write to the workspace, then run again",
    details: listed(paths.map(printablePath)),
    cause,
  });
}

/** Names that cannot go into a tar everybody reads the same way. `names` are escaped already. */
export function namesNotUtf8(names: readonly string[], unreadable: readonly string[]): Failure {
  return new Failure(
    "malformed",
    "name_not_utf8",
    `${names.length === 1 ? "a name is" : `${names.length} names are`} not valid UTF-8: ${names[0]}`,
    {
      hint: `rename these files, or leave them out with a ${IGNORE_FILE} file`,
      details: [
        ...listed(names),
        ...listed(unreadable.map((path) => `also unreadable: ${printablePath(path)}`)),
      ],
    },
  );
}

export function unreadable(paths: readonly string[]): Failure {
  return new Failure(
    "denied",
    "unreadable",
    `cannot read ${paths.length === 1 ? "" : `${paths.length} paths, first `}${
      printablePath(paths[0] ?? "")
    }`,
    {
      hint: `make them readable for this user, or leave them out with a ${IGNORE_FILE} file`,
      details: listed(paths.map(printablePath)),
    },
  );
}

export function tooLarge(what: string, details: readonly string[]): Failure {
  return new Failure("malformed", "workspace_too_large", what, {
    hint: `leave out what the command does not need with a ${IGNORE_FILE} file`,
    details: listed(details.map(printablePath)),
  });
}

/** Any other error of the system while the workspace is read. */
export function ioFailed(path: string, cause: unknown): Failure {
  if (cause instanceof Failure) return cause;
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new Failure("unavailable", "workspace_io_failed", `cannot read ${printablePath(path)}: ${reason}`, {
    cause,
  });
}

function listed(lines: readonly string[]): string[] {
  if (lines.length <= MAX_LISTED) return [...lines];
  return [...lines.slice(0, MAX_LISTED), `and ${lines.length - MAX_LISTED} more`];
}
