import { Failure } from "../../vocabulary/failure.ts";
import { printablePath } from "../../vocabulary/printable.ts";
import { refusalKind, remedy, systemReason } from "../../vocabulary/system_error.ts";

/**
 * Works on the files of a store; what the system refuses (no space, no permission, a broken disk) is told as such.
 * @throws Failure `store_io`: denied when it is about permissions, else unavailable; else what `work` throws
 */
export function onDisk<T>(store: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw storeFailed(store, error);
  }
}

/** What an error means that came up while a store's files were worked on. */
export function storeFailed(store: string, error: unknown): unknown {
  const todo = error instanceof Failure ? null : remedy(error);
  if (todo === null) return error;
  const what = `cannot use the store in ${printablePath(store)}: ${systemReason(error)}`;
  return new Failure(refusalKind(error), "store_io", what, {
    hint: `${todo}, then call again; what was stored before is whole`,
    cause: error,
  });
}
