import type { ApplyPorts } from "../apply/operate.ts";
import { type RecoveredOperation, recoverOperations } from "../apply/recover.ts";
import type { Author } from "../store/log/change.ts";
import { printableLine, printablePath } from "../vocabulary/printable.ts";
import { bytesText, count, grouped } from "./output.ts";
import { type StoreFlags, type StoreUse, withStore } from "./store_asked.ts";
import { wireTarget } from "./wire/store.ts";

export interface FolderFlags extends StoreFlags {
  readonly workspace?: string;
}

/** What a verb that changes a folder is given. */
export interface FolderUse extends StoreUse {
  readonly ports: ApplyPorts;
  /** What killed processes had left under way, and what came of it. */
  readonly recovered: readonly RecoveredOperation[];
  /** The author, with the time it is now. */
  readonly author: () => Author;
}

/**
 * Opens store and folder for one verb. First, what killed processes left under way in it is ended, and said.
 * @throws Failure `workspace_missing` (usage); of the store
 */
export async function withFolder<T>(flags: FolderFlags, use: (use: FolderUse) => Promise<T>): Promise<T> {
  return await withStore(flags, false, async (opened) => {
    const { store, by, capture, signal, counter, waiting } = opened;
    const author = () => ({ ...by, now: new Date() });
    const folder = await wireTarget(flags.workspace ?? ".");
    const within = folder.root;
    const recovered = await recoverOperations({ store, by: author, within, openFolder: wireTarget });
    for (const one of recovered) counter.say(recoveredText(one));
    const ports: ApplyPorts = {
      ...{ store, by: author, folder, signal, waiting },
      capture: (unknownTrees) =>
        capture(folder.root, {
          unknownTrees,
          signal,
          progress: ({ files, bytes, ofFiles }) =>
            counter.show(
              ofFiles === null
                ? "looking at the folder"
                : `reading ${grouped(files)} of ${grouped(ofFiles)} files, ${bytesText(bytes)}`,
            ),
        }),
    };
    return await use({ ...opened, ports, recovered, author });
  });
}

/** One line about an operation whose process was killed. */
function recoveredText({ operation, outcome, stuck }: RecoveredOperation): string {
  const name = `O${operation.number}`, folder = printablePath(operation.folder);
  switch (outcome) {
    case "after":
      return `recovered  ${name} was cut off in ${folder}: all of it was there, it is done`;
    case "before":
      return `recovered  ${name} was cut off in ${folder}: the folder is as it was before`;
    case "stuck":
      return `recovered  ${name} was cut off in ${folder}: ${stuckText(stuck)}; all else is as before`;
    case "unfinished":
      return `cut off    ${name} was cut off in ${folder} and cannot be ended now: ${
        stuckText(stuck)
      }; mend that and call again, or give it up: pp history abandon ${name} --force --reason TEXT`;
    case "under_way":
      return `under way  ${name} is at work in ${folder}`;
    case "elsewhere":
      return `cut off    ${name} was cut off in ${folder}: pp history --workspace ${folder} ends it`;
    case "folder_gone":
      return `cut off    ${name} was cut off in ${folder}, which is not there now: it is ended when it is again, or by pp history abandon ${name}`;
  }
}

function stuckText(stuck: RecoveredOperation["stuck"]): string {
  const named = stuck.slice(0, 5).map(({ path, reason }) =>
    path === "" ? printableLine(reason) : `${printablePath(path)} ${printableLine(reason)}`
  ).join("; ");
  return stuck.length > 5 ? `${named} and ${count(stuck.length - 5, "more path")}` : named;
}

export function recoveredJson(recovered: readonly RecoveredOperation[]) {
  return recovered.map(({ operation, outcome, stuck }) => ({
    ...{ operation: `O${operation.number}`, folder: operation.folder, outcome, stuck },
  }));
}
