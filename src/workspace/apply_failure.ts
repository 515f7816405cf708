import { Failure } from "../vocabulary/failure.ts";
import { errorCode } from "./directory_handles.ts";
import { isDenied } from "./walk.ts";

/** What an error of the system means while changes are applied, once everything was put back. */
export function applyFailed(error: unknown): Failure {
  if (error instanceof Failure) return error;
  const reason = error instanceof Error
    ? error.message.replace(/\/proc\/self\/fd\/\d+\//g, "")
    : String(error);
  const put = "everything was put back";
  if (isDenied(error) || errorCode(error) === "EROFS") {
    return new Failure(
      "denied",
      "workspace_not_writable",
      `cannot write to the workspace, ${put}: ${reason}`,
      {
        hint: "make the directories of the touched files writable for this user",
        cause: error,
      },
    );
  }
  return new Failure("unavailable", "apply_failed", `applying failed, ${put}: ${reason}`, {
    hint: "see the cause, then apply the patch again",
    cause: error,
  });
}
