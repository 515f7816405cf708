import type { Command } from "commander";
import { quoted } from "../vocabulary/printable.ts";
import { Failure } from "../vocabulary/failure.ts";

const SHORT = "-C", LONG = "--directory";

/** Adds the flag to the help; `enterFolder` has taken it out of the words by then. */
export function folderFlag(program: Command): Command {
  return program.option(
    `${SHORT}, ${LONG} <dir>`,
    "work as if pp had been started in this folder; before the verb",
  );
}

/**
 * Enters the folders that stand before the verb, one after the other as git and make do. All other paths of the call
 * are then seen from there.
 * @returns the words after them; a flag without its folder is left to whoever reads the words
 * @throws Failure `folder_missing` (usage)
 */
export function enterFolder(args: readonly string[]): readonly string[] {
  const [folder, rest] = folderBefore(args);
  if (folder === null) return args;
  try {
    Deno.chdir(folder);
  } catch (error) {
    const why = error instanceof Deno.errors.NotFound
      ? "there is no such folder"
      : error instanceof Deno.errors.PermissionDenied
      ? "this user may not enter it"
      : "it is no folder";
    throw new Failure("usage", "folder_missing", `${SHORT} ${quoted(folder, 200)}: ${why}`, {
      hint: `${SHORT} takes the folder to work in, seen from here`,
    });
  }
  return enterFolder(rest);
}

/** The words before the verb that name folders, as `git` takes them too: to call from where this call was made. */
export function folderWords(args: readonly string[]): string[] {
  const [folder, rest] = folderBefore(args);
  return folder === null ? [] : [SHORT, folder, ...folderWords(rest)];
}

function folderBefore([first, ...rest]: readonly string[]): readonly [string | null, readonly string[]] {
  if (first === SHORT || first === LONG) return [rest[0] ?? null, rest.slice(1)];
  if (first?.startsWith(`${LONG}=`)) return [first.slice(LONG.length + 1), rest];
  return [null, rest];
}
