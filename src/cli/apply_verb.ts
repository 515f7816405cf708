import type { Command } from "commander";
import type { ApplyFlags } from "./apply.ts";
import { storeFlags } from "./artifact_verb.ts";
import type { HistoryFlags, HistoryPruneFlags } from "./history.ts";
import type { ResolveFlags } from "./resolve.ts";
import type { StoreFlags } from "./store_asked.ts";
import type { RedoFlags, RollbackFlags } from "./undo.ts";
import type { verbRunner } from "./verb.ts";

type Verb = ReturnType<typeof verbRunner>;

function folderFlags(command: Command): Command {
  return storeFlags(command.option("--workspace <dir>", "the folder that is changed", "."));
}

function examples(command: Command, text: string): Command {
  return command.addHelpText("after", `\nExamples:\n${text}`);
}

const KEEP_BACKUPS = [
  "--keep-backups <time>",
  "how long what it replaces is kept: 12h, 90d, 26w, forever",
  "90d",
] as const;

/** `pp apply`, `resolve`, `rollback`, `redo`, `history`: proposals go into a folder, and out of it again. */
export function registerApply(program: Command, verb: Verb): void {
  examples(
    folderFlags(
      program.command("apply")
        .description("Put approved proposals into a folder, all or nothing")
        .argument("<proposals...>", "P1, or P1.2 to be sure of the revision; several go together")
        .option("--dry-run", "only show what would change, before and after")
        .option(
          "--run-tests",
          "first run the policy's proof targets on the folder with the change, in a sandbox",
        )
        .option(
          "--merge-strategy <how>",
          "where the folder and the change differ: manual, ours, theirs, union",
          "manual",
        )
        .option("--interactive", "ask for each hunk; a part of it is checked again, as a new revision")
        .option("--atomic", "all of several proposals, or none (always so)")
        .option("--policy <file>", "your policy (default: the folder's own)")
        .option("--trust <file>", "who may approve (default ~/.config/veripatch/trust.yaml)")
        .option("--image <name>", "container image for --run-tests")
        .option("--pull", "let --run-tests get a missing image")
        .option(...KEEP_BACKUPS),
    ),
    `  pp apply P3 --dry-run
  pp apply P3 --run-tests
  pp apply P1 P2 P3 --atomic
  pp apply P3 --merge-strategy union

What was approved goes only into a folder that is exactly its base; else it is stale, and pp proposal rebase
makes a new revision. What the policy lets be applied without an approval is merged; conflicts are kept, and
pp resolve ends them. Killed at any instant, the next call brings the folder to all-before or all-after.
Exit 2 not applied, 3 expired or no answer of the tests, 77 not approved.`,
  ).action(verb(async (names: string[], flags: ApplyFlags) => {
    const { runApply } = await import("./apply.ts");
    return await runApply(names, flags);
  }));
  examples(
    folderFlags(
      program.command("resolve")
        .description("List the conflicts of a proposal, in a folder or of a rebase, and end them")
        .argument("<proposal>", "P1")
        .option("--file <path>", "one file; all of them when left out")
        .option("--keep <side>", "ours (the folder), theirs (the proposal), or both, one after the other")
        .option("--edited <file>", "what --file becomes, whole")
        .option("--show", "print --file with conflict markers")
        .option("--rebase", "those of pp proposal rebase (the default where the folder has none)"),
    ),
    `  pp resolve P3
  pp resolve P3 --file src/a.py --show
  pp resolve P3 --file src/a.py --keep both
  pp resolve P3 --file src/a.py --edited /tmp/a.py && pp apply P3
  pp resolve P3 --rebase --keep theirs && pp proposal rebase P3

Only the places in conflict take a side; what both agree on stays. Exit 2 while something is open.`,
  ).action(verb(async (name: string, flags: ResolveFlags) => {
    const { runResolve } = await import("./resolve.ts");
    return await runResolve(name, flags);
  }));
  registerUndo(program, verb);
  registerHistory(program, verb);
}

function registerUndo(program: Command, verb: Verb): void {
  examples(
    folderFlags(
      program.command("rollback")
        .description("Take back what was applied to a folder, by a new operation")
        .option("--last", "the newest that stands (the default)")
        .option("--id <name>", "operation O3, or the newest that applied proposal P3")
        .option("--file <path>", "only what the newest operation did to one file")
        .option("--count <n>", "the newest N")
        .option("--dry-run", "only show what would change")
        .option(...KEEP_BACKUPS),
    ),
    `  pp rollback
  pp rollback --id P3 --dry-run
  pp rollback --file src/a.py
  pp rollback --count 2

Refused, with the path and the reason, when a file is not as the operation left it, when a later operation
stands on it, or when what it replaced is kept no longer. History stays: pp redo does it again.`,
  ).action(verb(async (flags: RollbackFlags) => {
    const { runRollback } = await import("./undo.ts");
    return await runRollback(flags);
  }));
  examples(
    folderFlags(
      program.command("redo")
        .description("Do again what a rollback took back")
        .option("--id <operation>", "a rollback, such as O4 (default: the newest that can be done again)")
        .option("--dry-run", "only show what would change")
        .option("--policy <file>", "your policy (default: the folder's own)")
        .option("--trust <file>", "who may approve (default ~/.config/veripatch/trust.yaml)")
        .option(...KEEP_BACKUPS),
    ),
    `  pp redo
  pp redo --id O4 --dry-run

What was decided is judged anew, as by pp apply: exit 77 when it would not be applied any more.`,
  ).action(verb(async (flags: RedoFlags) => {
    const { runRedo } = await import("./undo.ts");
    return await runRedo(flags);
  }));
}

function registerHistory(program: Command, verb: Verb): void {
  const history = examples(
    folderFlags(
      program.command("history")
        .description("Show what was done to a folder")
        .option("--all", "to every folder")
        .option("--proposal <name>", "only what applied it")
        .option("--limit <n>", "the newest N", "20")
        .enablePositionalOptions(),
    ),
    `  pp history
  pp history --all --json
  pp history show O3
  pp history prune --older-than 90d --dry-run`,
  ).action(verb(async (flags: HistoryFlags) => {
    const { runHistory } = await import("./history.ts");
    return await runHistory(flags);
  }));
  examples(
    storeFlags(
      history.command("show").description("Show one operation").argument("<operation>", "O3"),
    ),
    `  pp history show O3`,
  ).action(verb(async (name: string, flags: StoreFlags) => {
    const { showOperation } = await import("./history.ts");
    return await showOperation(name, flags);
  }));
  examples(
    storeFlags(
      history.command("abandon")
        .description("Give up an operation that was cut off where nobody can end it")
        .argument("<operation>", "O3")
        .option("--reason <text>", "what became of the folder")
        .option("--force", "also in a folder that is there, if ending it there fails once more"),
    ),
    `  pp history abandon O3 --reason "the disk is gone"
  pp history abandon O3 --force --reason "its backup is lost; looked at by hand"

The operation and the revisions it was to apply are failed then; the log says so, and with which paths.`,
  ).action(verb(async (name: string, flags: StoreFlags & { reason?: string; force?: boolean }) => {
    const { abandonHistory } = await import("./history_abandon.ts");
    return await abandonHistory(name, flags);
  }));
  examples(
    storeFlags(
      history.command("prune")
        .description("Let go of what operations replaced; what was done stays told")
        .option("--older-than <time>", "of operations made longer ago: 12h, 30d, 26w")
        .option("--dry-run", "only say what would go"),
    ),
    `  pp history prune
  pp history prune --older-than 26w && pp artifact gc

Without --older-than, what is past the limit it was given (pp apply --keep-backups). Then pp rollback says
backup_expired.`,
  ).action(verb(async (flags: HistoryPruneFlags) => {
    const { pruneHistory } = await import("./history.ts");
    return await pruneHistory(flags);
  }));
}
