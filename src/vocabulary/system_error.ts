/** Error code (`ENOENT` …) of what node:fs and Deno throw; "" for anything else. */
export function errorCode(error: unknown): string {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === "string" ? code : "";
}

/** Whether the system said this user may not. */
export function isDenied(error: unknown): boolean {
  const code = errorCode(error);
  return code === "EACCES" || code === "EPERM" ||
    (error instanceof Error && error.name === "PermissionDenied");
}

/**
 * The one rule of what it means that the system refused something, wherever it is met: `denied` (exit 77) where this user
 * may not, or nobody, as on a read-only file system; `unavailable` (exit 69) for all else.
 */
export function refusalKind(error: unknown): "denied" | "unavailable" {
  return isDenied(error) || errorCode(error) === "EROFS" ? "denied" : "unavailable";
}

/** What a person can do about an error of the system; by its code. */
const REMEDIES: Readonly<Record<string, string>> = {
  ENOSPC: "make room on its file system",
  EDQUOT: "make room within your quota of its file system",
  EROFS: "its file system is read-only: mount it writable",
  EMFILE: "raise the limit of open files (ulimit -n)",
  ENFILE: "the system has too many files open: close some programs",
  ENOMEM: "the system has no memory left: close some programs",
  EIO: "its disk reports errors: see the system's log",
  EFBIG: "its file system, or a limit (ulimit -f), allows no file of that size",
};
const DENIED = "make it and its directory writable for this user; lsattr shows what nobody may change";

/** What an error of the system says, without the names of its call, which may be temporary ones. */
export function systemReason(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.replace(/(, |: )[a-z]+ '.*$/s, "").replace(/\/proc\/self\/fd\/\d+\//g, "");
}

/** What to do about it; null when nothing is known. */
export function remedy(error: unknown): string | null {
  return isDenied(error) ? DENIED : REMEDIES[errorCode(error)] ?? null;
}

/** Codes that say another thing is at a path than was there: nothing, a link, a device, a directory. */
const ANOTHER_THING = ["ENOENT", "ENOTDIR", "ELOOP", "ENXIO", "EINVAL", "EISDIR"];

export function isAnotherThing(error: unknown): boolean {
  return ANOTHER_THING.includes(errorCode(error));
}
