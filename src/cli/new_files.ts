import { Failure } from "../vocabulary/failure.ts";
import { printablePath } from "../vocabulary/printable.ts";
import { refusalKind } from "../vocabulary/system_error.ts";

export interface NewFile {
  readonly path: string;
  readonly text: string;
  /** Permission bits the file has from its first moment on. */
  readonly mode: number;
}

/**
 * Writes files, each whole or not at all; new ones all or none. A link at a path is replaced, not followed.
 * @param replace whether files that are there make way
 * @throws Failure `file_exists` (usage), `file_not_written` (by `refusalKind`; denied for what is no file)
 */
export async function writeFiles(files: readonly NewFile[], replace: boolean): Promise<void> {
  const made: string[] = [];
  const temporaries: string[] = [];
  let current = "";
  try {
    for (const { path, text, mode } of files) {
      current = path;
      // A rename over /dev/stdout or a pipe would take it away from everybody.
      const there = replace ? await Deno.stat(path).catch(() => null) : null;
      if (there !== null && !there.isFile && !there.isDirectory) {
        throw new Failure("denied", "file_not_written", `${printablePath(path)} is no regular file`, {
          hint: "name a file, or one that is not there yet",
        });
      }
      const temporary = `${path}.${crypto.randomUUID()}.tmp`;
      temporaries.push(temporary);
      using file = await Deno.open(temporary, { write: true, createNew: true, mode });
      const bytes = new TextEncoder().encode(text);
      for (let at = 0; at < bytes.length;) at += await file.write(bytes.subarray(at));
      await file.sync();
      // The process's mask may have taken more than it should; it never gives.
      await Deno.chmod(temporary, mode);
    }
    for (const [i, { path }] of files.entries()) {
      current = path;
      // A link fails where the name is taken: nothing is looked at first that could change meanwhile.
      if (replace) await Deno.rename(temporaries[i]!, path);
      else {
        await Deno.link(temporaries[i]!, path);
        made.push(path);
      }
    }
  } catch (error) {
    for (const path of made) await Deno.remove(path).catch(() => {});
    if (error instanceof Failure) throw error;
    if (error instanceof Deno.errors.AlreadyExists) {
      throw new Failure("usage", "file_exists", `there is a file already: ${printablePath(current)}`, {
        hint: "choose another name, or --force to replace it",
      });
    }
    const why = error instanceof Deno.errors.NotFound
      ? "there is no such folder"
      : error instanceof Error
      ? error.message
      : String(error);
    throw new Failure(
      refusalKind(error),
      "file_not_written",
      `cannot write ${printablePath(current)}: ${why}`,
      {
        hint: "check that its folder is there and that you may write to it",
      },
    );
  } finally {
    for (const temporary of temporaries) await Deno.remove(temporary).catch(() => {});
  }
}
