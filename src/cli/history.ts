import { standsAnywhere } from "../apply/undo.ts";
import { dropOldBackups } from "../store/operation/change.ts";
import { operationName, proposalName } from "../store/names.ts";
import type { Operation } from "../store/operations.ts";
import type { Rows } from "../store/store.ts";
import { Failure } from "../vocabulary/failure.ts";
import { printableLine, printablePath } from "../vocabulary/printable.ts";
import { changeLines } from "./change_preview.ts";
import { olderThan } from "./duration_asked.ts";
import { oneRow } from "./cells.ts";
import { EXIT } from "./exit_code.ts";
import { type FolderFlags, recoveredJson, withFolder } from "./folder_asked.ts";
import { terminalColumns } from "./help_layout.ts";
import { moreThan, wholeNumber } from "./number_asked.ts";
import { type Colour, colour, count, timeText } from "./output.ts";
import { type StoreFlags, withStore } from "./store_asked.ts";
import type { VerbResult } from "./verb.ts";

export interface HistoryFlags extends FolderFlags {
  readonly all?: boolean;
  readonly proposal?: string;
  readonly limit?: string;
}

/** `pp history`: what was done to a folder, newest first. */
export async function runHistory(flags: HistoryFlags): Promise<VerbResult> {
  const limit = wholeNumber("--limit", flags.limit ?? "20", 1);
  const proposal = flags.proposal === undefined ? undefined : proposalName(flags.proposal).proposal;
  return await withFolder(flags, ({ store, ports, recovered }) => {
    const { root } = ports.folder;
    const some = store.records.read((rows) => {
      const where = {
        ...flags.all === true ? {} : { folder: root },
        ...proposal === undefined ? {} : { proposal },
      };
      return rows.operations({ ...where, limit: limit + 1 });
    });
    const more = some.length > limit;
    const found = store.records.read((rows) =>
      some.slice(0, limit).map((operation) => described(rows, operation))
    );
    const c = colour(Deno.stdout);
    const columns = terminalColumns();
    const lines = found.flatMap((entry) => entryLines(entry, flags.all === true, c))
      .map((line) => oneRow(line, columns));
    if (lines.length === 0) {
      lines.push(flags.all === true ? "nothing was done yet" : `nothing was done to ${printablePath(root)}`);
    }
    return Promise.resolve({
      exit: EXIT.yes,
      text: lines.join("\n"),
      ...(more ? { note: moreThan(limit) } : {}),
      json: {
        format: "veripatch-history/v1",
        folder: flags.all === true ? null : root,
        operations: found.map(entryJson),
        more,
        recovered: recoveredJson(recovered),
      },
    });
  });
}

/** `pp history show`: one operation with its paths. */
export async function showOperation(name: string, flags: StoreFlags): Promise<VerbResult> {
  const number = operationName(name);
  return await withStore(flags, false, ({ store }) => {
    const found = store.records.read((rows) => {
      const operation = rows.operation(number);
      return operation === null
        ? null
        : { entry: described(rows, operation), paths: rows.operationPaths(number) };
    });
    if (found === null) {
      throw new Failure("usage", "operation_unknown", `there is no O${number}`, {
        hint: "pp history --all shows those there are",
      });
    }
    const { entry, paths } = found;
    const { operation } = entry;
    const c = colour(Deno.stdout);
    const lines = [
      ...entryLines(entry, true, c),
      ...changeLines(paths, c),
      `before   ${operation.beforeManifest}`,
      `after    ${operation.afterManifest}`,
      `backups  ${backupsText(operation)}`,
    ];
    return Promise.resolve({
      exit: EXIT.yes,
      text: lines.join("\n"),
      json: {
        format: "veripatch-operation/v1",
        ...entryJson(entry),
        before_manifest: operation.beforeManifest,
        after_manifest: operation.afterManifest,
        paths: paths.map(({ path, before, after }) => ({ path, before, after })),
      },
    });
  });
}

export interface HistoryPruneFlags extends StoreFlags {
  readonly olderThan?: string;
  readonly dryRun?: boolean;
}

/** `pp history prune`: lets go of what operations replaced; what was done stays told. */
export async function pruneHistory(flags: HistoryPruneFlags): Promise<VerbResult> {
  const dry = flags.dryRun === true;
  return await withStore(flags, false, ({ store, by }) => {
    const before = flags.olderThan === undefined ? null : olderThan(flags.olderThan, by.now);
    const gone = store.records.write((rows) => dropOldBackups(rows, by, before, dry));
    const word = dry ? "would let go of" : "let go of";
    const names = gone.slice(0, 20).map((number) => `O${number}`).join(", ");
    const more = gone.length > 20 ? ` and ${gone.length - 20} more` : "";
    const text = gone.length === 0
      ? "no backup is older than its limit"
      : `${word} the backups of ${count(gone.length, "operation")}: ${names}${more}${
        dry ? "" : "\nnext     pp artifact gc frees their space"
      }`;
    return Promise.resolve({
      exit: EXIT.yes,
      text,
      json: {
        format: "veripatch-history-prune/v1",
        dry_run: dry,
        operations: gone.map((number) => `O${number}`),
      },
    });
  });
}

interface Described {
  readonly operation: Operation;
  readonly revisions: readonly string[];
  readonly titles: readonly string[];
  readonly targets: readonly string[];
  /** Whether anything of it stands: it is applied and not taken back. Null where that is no question. */
  readonly stands: boolean | null;
}

function described(rows: Rows, operation: Operation): Described {
  const revisions = rows.operationRevisions(operation.number);
  return {
    operation,
    revisions: revisions.map(({ proposal, revision }) => `P${proposal}.${revision}`),
    titles: revisions.map(({ proposal }) => rows.proposal(proposal)?.title ?? ""),
    targets: rows.operationTargets(operation.number).map((target) => `O${target}`),
    stands: operation.kind === "apply" && operation.state === "done" && operation.files > 0
      ? standsAnywhere(rows, operation)
      : null,
  };
}

function entryLines(
  { operation, revisions, titles, targets, stands }: Described,
  all: boolean,
  c: Colour,
): string[] {
  const { number, kind, state, files, createdAt, actor, artifact, version, reason, folder } = operation;
  const what = kind === "apply" ? revisions.join(", ") : targets.join(", ");
  const word = state === "done"
    ? stands === false ? c.yellow("taken back") : c.green("done")
    : state === "applying"
    ? c.yellow("cut off or under way")
    : c.red(state);
  const made = version === null ? "" : ` -> ${artifact}@${version}`;
  const lines = [
    `${c.bold(`O${number}`)}  ${kind} ${what}  ${word}  ${count(files, "file")}${made}  ${
      c.dim(`${timeText(createdAt)} by ${printableLine(actor)}`)
    }`,
  ];
  for (const title of titles) if (title !== "") lines.push(`    ${printableLine(title).slice(0, 100)}`);
  if (reason !== "") lines.push(`    ${printableLine(reason)}`);
  if (all) lines.push(c.dim(`    ${printablePath(folder)}`));
  return lines;
}

function entryJson({ operation, revisions, targets, stands }: Described) {
  const { number, kind, state, reason, folder, artifact, actor, createdAt, finishedAt, files, version } =
    operation;
  return {
    operation: `O${number}`,
    ...{ kind, state, reason, folder, artifact, actor, files, stands },
    ...{ created_at: createdAt, finished_at: finishedAt },
    version: version === null ? null : `${artifact}@${version}`,
    ...{ revisions, targets, backups: operation.backups, backups_until: operation.backupsUntil },
  };
}

function backupsText({ backups, backupsUntil }: Operation): string {
  if (backups === "dropped") return "kept no longer";
  return backupsUntil === null ? "kept as long as the store lasts" : `kept until ${timeText(backupsUntil)}`;
}
