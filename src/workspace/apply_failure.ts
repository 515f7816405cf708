import { Failure } from "../vocabulary/failure.ts";
import { printablePath } from "../vocabulary/printable.ts";
import { errorCode, isDenied, remedy, systemReason } from "../vocabulary/system_error.ts";

/**
 * What an error of the system means while changes are applied.
 * @param path which it was about, if one
 * @param left what the folder holds now
 */
export function applyFailed(
  error: unknown,
  path: string | undefined,
  left: "nothing was written" | "everything was put back" = "everything was put back",
): Failure {
  if (error instanceof Failure) return error;
  const reason = systemReason(error);
  const what = path === undefined ? "the workspace" : printablePath(path);
  const todo = remedy(error);
  if (isDenied(error) || errorCode(error) === "EROFS") {
    return new Failure("denied", "workspace_not_writable", `cannot write ${what}, ${left}: ${reason}`, {
      hint: `${todo}; then apply again`,
      cause: error,
    });
  }
  return new Failure("unavailable", "apply_failed", `applying failed at ${what}, ${left}: ${reason}`, {
    hint: todo === null ? "see the cause, then apply again" : `${todo}, then apply again`,
    cause: error,
  });
}
