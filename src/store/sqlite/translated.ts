import { closeSync, constants, openSync } from "node:fs";
import { Failure } from "../../vocabulary/failure.ts";
import { printablePath } from "../../vocabulary/printable.ts";
import { refusalKind, remedy, systemReason } from "../../vocabulary/system_error.ts";

/**
 * Does work on a database, with errors of SQLite as failures; the driver tells them by their words alone.
 * @throws Failure `store_corrupt` (malformed), `store_busy` (unavailable), `store_io` (denied or unavailable)
 */
export function translated<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof Failure || !(error instanceof Error)) throw error;
    const { code } = error as { code?: unknown };
    if (code !== "ERR_SQLITE_ERROR") throw error;
    const shown = printablePath(path);
    if (/malformed|not a database|no such (table|column)|disk image/.test(error.message)) {
      throw new Failure("malformed", "store_corrupt", `${shown} is damaged`, {
        hint: "restore it from a backup; the files of its versions are still in blobs/",
        cause: error,
      });
    }
    if (/locked|busy/.test(error.message)) {
      throw new Failure("unavailable", "store_busy", `${shown} is in use by others for too long`, {
        hint: "try again when they are done",
        cause: error,
      });
    }
    if (/readonly|unable to open|full|I\/O/.test(error.message)) {
      const refused = refusedAt(path);
      const denied = /readonly/.test(error.message) || refusalKind(refused) === "denied";
      const why = refused === null ? error.message : systemReason(refused);
      const todo = refused === null ? null : remedy(refused);
      throw new Failure(denied ? "denied" : "unavailable", "store_io", `cannot use ${shown}: ${why}`, {
        hint: todo === null
          ? "see that there is space left and that you may write it and the files beside it (-wal, -shm)"
          : `${todo}, then call again`,
        cause: error,
      });
    }
    throw error;
  }
}

/** What the system says of a file that the database could not be worked on at; null when it may be written. */
function refusedAt(path: string): unknown {
  try {
    closeSync(openSync(path, constants.O_RDWR));
    return null;
  } catch (error) {
    return error;
  }
}
