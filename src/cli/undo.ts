import { type Clear, redo, rollBack, type RollbackAsked, type Undone } from "../apply/rollback.ts";
import { loadPolicy } from "../policy/load.ts";
import { operationName, proposalName } from "../store/names.ts";
import type { FoundRevision } from "../store/proposal/find.ts";
import { Failure } from "../vocabulary/failure.ts";
import { parseRelativePath } from "../vocabulary/path.ts";
import { printableLine, printablePath, quoted } from "../vocabulary/printable.ts";
import { clearanceOf } from "./apply_clearance.ts";
import { termsUnder, trustText } from "./approval_terms.ts";
import { changeLines, changePatch, changesJson, colouredPatch } from "./change_preview.ts";
import { backupsUntil, KEEP_BACKUPS } from "./duration_asked.ts";
import { EXIT } from "./exit_code.ts";
import { type FolderFlags, type FolderUse, recoveredJson, withFolder } from "./folder_asked.ts";
import { wholeNumber } from "./number_asked.ts";
import { colour } from "./output.ts";
import { ownerIn, ownerLines, restoredOwners } from "./owner_lines.ts";
import type { VerbResult } from "./verb.ts";

interface UndoFlags extends FolderFlags {
  readonly id?: string;
  readonly dryRun?: boolean;
  readonly keepBackups?: string;
}

export interface RedoFlags extends UndoFlags {
  readonly policy?: string;
  readonly trust?: string;
}

export interface RollbackFlags extends UndoFlags {
  readonly last?: boolean;
  readonly file?: string;
  readonly count?: string;
}

/** `pp rollback`: takes operations on a folder back, by a new one. */
export async function runRollback(flags: RollbackFlags): Promise<VerbResult> {
  const asked = rollbackAsked(flags);
  const until = backupsUntil(flags.keepBackups ?? KEEP_BACKUPS, new Date());
  return await withFolder(flags, async (use) => {
    const options = { dryRun: flags.dryRun === true, backupsUntil: until };
    return report("rollback", await rollBack(use.ports, asked, options), use, flags);
  });
}

/** `pp redo`: does again what a rollback took back. */
export async function runRedo(flags: RedoFlags): Promise<VerbResult> {
  const number = flags.id === undefined ? null : operationName(flags.id);
  const until = backupsUntil(flags.keepBackups ?? KEEP_BACKUPS, new Date());
  return await withFolder(flags, async (use) => {
    const { store, ports } = use;
    const { root } = ports.folder;
    const terms = await termsUnder(await loadPolicy(root, flags.policy), flags.trust, root);
    const clear: Clear = (rows, revision, now) => {
      const judged = terms(now);
      return clearanceOf(rows, store.records.storeId, revision, judged, trustText(judged));
    };
    const proofHolds = async (found: FoundRevision) => {
      const { requireProof } = await import("./proof_bundle.ts");
      await requireProof(store, found, terms(new Date()));
    };
    const options = { dryRun: flags.dryRun === true, backupsUntil: until, clear, proofHolds };
    return report("redo", await redo(ports, number, options), use, flags);
  });
}

function rollbackAsked({ last, id, file, count }: RollbackFlags): RollbackAsked {
  if ([last === true ? true : undefined, id, file, count].filter((given) => given !== undefined).length > 1) {
    throw new Failure(
      "usage",
      "rollback_which",
      "--last, --id, --file and --count say different things: give one",
    );
  }
  if (count !== undefined) return { kind: "last", count: wholeNumber("--count", count, 1) };
  if (file !== undefined) {
    const parsed = parseRelativePath(file);
    if (parsed.ok) return { kind: "file", path: parsed.path };
    throw new Failure("usage", "path_malformed", `${quoted(file, 80)} is no path inside the folder`, {
      hint: "name it from the folder's top, such as src/a.py",
    });
  }
  if (id === undefined) return { kind: "last", count: 1 };
  if (/^[Oo]/.test(id)) return { kind: "operation", number: operationName(id) };
  return { kind: "proposal", number: proposalName(id).proposal };
}

function report(
  kind: "rollback" | "redo",
  { operation, plan }: Undone,
  { ports, store, recovered }: FolderUse,
  { dryRun, json }: UndoFlags,
): VerbResult {
  const c = colour(Deno.stdout);
  const names = plan.targets.map(({ number }) => `O${number}`).join(", ");
  const what = kind === "rollback" ? names : `what ${names} took back`;
  const word = kind === "rollback" ? "taken back" : "done again";
  const refused = plan.refusals.length > 0;
  const wanted = !refused && (dryRun === true || json === true);
  const patch = wanted ? changePatch(plan.paths, plan.changes, store.blobs) : null;
  const lines: string[] = [];
  if (refused) {
    lines.push(`${c.red("refused")}  ${what} cannot be ${word}; nothing was written`);
    for (const { reason, path, detail } of plan.refusals) {
      const where = path === null ? "" : `${printablePath(path)}  `;
      lines.push(`  ${where}${reason}: ${printableLine(detail)}`);
    }
  } else if (operation === null) {
    lines.push(`${c.yellow("dry run")}  ${what} would be ${word}`);
    if (patch !== null && patch !== "") lines.push(colouredPatch(patch, c));
  } else lines.push(`${c.bold(`O${operation.number}`)}  ${c.green(word)}: ${what}`);
  if (!refused) lines.push(...changeLines(plan.paths, c));
  if (operation !== null) {
    lines.push(...ownerLines(restoredOwners(plan), ownerIn(ports.folder.root)));
    lines.push(`version  ${operation.artifact}@${operation.version}`);
    lines.push(
      kind === "rollback"
        ? `next     pp redo --id O${operation.number} does it again`
        : "next     pp rollback takes it back again",
    );
  } else {
    const next = refused ? "pp history shows what was done to this folder" : "the same without --dry-run";
    lines.push(`next     ${next}`);
  }
  return {
    exit: refused ? EXIT.no : EXIT.yes,
    text: lines.join("\n"),
    json: {
      format: `veripatch-${kind}/v1`,
      done: operation !== null,
      operation: operation === null ? null : `O${operation.number}`,
      version: operation === null ? null : `${operation.artifact}@${operation.version}`,
      folder: ports.folder.root,
      dry_run: dryRun === true,
      targets: plan.targets.map(({ number }) => `O${number}`),
      changes: changesJson(plan.paths),
      patch,
      refusals: plan.refusals.map(({ operation, ...refusal }) => ({
        ...refusal,
        operation: operation === null ? null : `O${operation}`,
      })),
      recovered: recoveredJson(recovered),
    },
  };
}
