import type { Application, ApplyRefusal } from "../apply/apply.ts";
import type { TestsRun } from "../apply/run_tests.ts";
import type { NewConflict } from "../store/operation/conflict.ts";
import { revisionName } from "../store/proposal/find.ts";
import { printableLine, printablePath } from "../vocabulary/printable.ts";
import type { CapturedOutput } from "../vocabulary/verification.ts";
import type { ApplyFlags } from "./apply.ts";
import { changeLines, changePatch, changesJson, colouredPatch } from "./change_preview.ts";
import { type FolderUse, recoveredJson } from "./folder_asked.ts";
import { type Colour, colour, count, placeText, timeText } from "./output.ts";
import { keptOwners, ownerIn, ownerLines } from "./owner_lines.ts";
import type { VerbResult } from "./verb.ts";

const SHOWN_PATHS = 50;
/** Lines of what a target that did not pass printed last. */
const SHOWN_OUTPUT = 15;

interface ReportContext {
  readonly use: FolderUse;
  readonly flags: ApplyFlags;
  readonly tests: TestsRun | null;
  readonly exit: number;
}

/** What came of `pp apply`, for people and for programs. */
export function applyReport(application: Application, context: ReportContext): VerbResult {
  const { use, flags, tests, exit } = context;
  const { operation, revisions, plan, refusal, drift, forced } = application;
  const c = colour(Deno.stdout);
  const { root } = use.ports.folder;
  const names = revisions.map(revisionName);
  const changed = (plan?.paths ?? []).filter(({ how }) => how !== "there_already");
  const wanted = plan !== null && plan.conflicts.length === 0 &&
    (flags.dryRun === true || flags.json === true);
  const patch = wanted ? changePatch(changed, plan.changes, use.store.blobs) : null;
  const lines: string[] = [];
  if (operation !== null) {
    const how = forced ? `  ${c.red("FORCED: applied by a bypass, a review is due")}` : "";
    lines.push(
      `${c.bold(`O${operation.number}`)}  ${c.green("applied")} ${names.join(", ")} to ${
        printablePath(root)
      }${how}`,
    );
    if (changed.length === 0) lines.push(c.dim("the folder had all of it already"));
  } else if (refusal === null) {
    const what = changed.length === 0 ? "the folder has all of it already" : "would apply";
    lines.push(`${c.yellow("dry run")}  ${what} ${changed.length === 0 ? "" : names.join(", ")}`.trimEnd());
  } else {
    lines.push(`${c.red("not applied")}  ${printableLine(refusal.detail)}`);
  }
  if (plan !== null && plan.conflicts.length === 0) {
    if (flags.dryRun === true && patch !== null && patch !== "") lines.push(colouredPatch(patch, c));
    lines.push(...changeLines(changed, c));
    for (const { path, proposals } of changed.filter(({ how }) => how === "merged" || how === "resolved")) {
      const who = proposals.map((proposal) => `P${proposal}`).join(", ");
      lines.push(c.dim(`  merged ${printablePath(path)} (${who})`));
    }
  }
  lines.push(...(plan?.conflicts ?? []).flatMap((conflict) => conflictLines(conflict, c)));
  if (tests !== null) lines.push(...testLines(tests, c));
  if (refusal !== null && refusal.paths.length > 0) lines.push(...pathLines("differs", refusal.paths, c));
  else if (drift.length > 0 && refusal?.reason !== "stale") {
    lines.push(
      c.dim(
        `${count(drift.length, "other path")} of the folder ${
          drift.length === 1 ? "is" : "are"
        } not as in the base, and left alone`,
      ),
    );
  }
  if (operation !== null) {
    const paths = use.store.records.read((rows) => rows.operationPaths(operation.number));
    lines.push(...ownerLines(keptOwners(paths), ownerIn(root)));
    lines.push(`version  ${operation.artifact}@${operation.version}`);
    const until = operation.backupsUntil === null
      ? "as long as the store lasts"
      : `until ${timeText(operation.backupsUntil)}`;
    lines.push(c.dim(`backups  of what it replaced are kept ${until}`));
    lines.push(`next     pp rollback --id O${operation.number} takes it back`);
  } else {
    const next = nextOf(refusal, application, flags);
    if (next !== null) lines.push(`next     ${next}`);
  }
  return {
    exit,
    text: lines.join("\n"),
    json: {
      format: "veripatch-apply/v1",
      applied: operation !== null,
      operation: operation === null ? null : `O${operation.number}`,
      version: operation === null ? null : `${operation.artifact}@${operation.version}`,
      folder: root,
      dry_run: flags.dryRun === true,
      revisions: names,
      forced,
      backups_until: operation?.backupsUntil ?? null,
      changes: (plan?.paths ?? []).map(({ how, proposals, ...path }) => ({
        ...changesJson([path])[0],
        how,
        proposals: proposals.map((proposal) => `P${proposal}`),
      })),
      patch,
      conflicts: (plan?.conflicts ?? []).map(({ merge: _, proposal, revision, ...conflict }) => ({
        proposal: `P${proposal}.${revision}`,
        ...conflict,
      })),
      drift,
      refusal: refusal === null
        ? null
        : { reason: refusal.reason, detail: refusal.detail, paths: refusal.paths },
      tests: tests === null ? null : {
        outcome: tests.outcome,
        runs: tests.runs.map(({ outcome, targets }) => ({
          outcome,
          targets: targets.map(({ target, outcome }) => ({ target, outcome })),
        })),
      },
      recovered: recoveredJson(use.recovered),
    },
  };
}

export function conflictLines(
  { path, regions, proposal, revision }: Pick<NewConflict, "path" | "regions" | "proposal" | "revision">,
  c: Colour,
): string[] {
  return regions.slice(0, SHOWN_PATHS).map(({ line, reason, detail }) =>
    `  ${c.red("C")} ${placeText(path, line)}  ${reason}: ${printableLine(detail)} ${
      c.dim(`(P${proposal}.${revision})`)
    }`
  );
}

function testLines({ outcome, runs }: TestsRun, c: Colour): string[] {
  const word = outcome === "passed" ? c.green("passed") : c.red(outcome.replace("_", " "));
  const lines = [`tests    ${word} ${runs.length === 1 ? "" : `in ${count(runs.length, "run")}`}`.trimEnd()];
  const last = runs.findLast((run) => run.outcome !== "passed") ?? runs.at(-1);
  for (const { target, outcome, result } of last?.targets ?? []) {
    if (outcome === "passed") continue;
    lines.push(
      `  ${printableLine(target)}: ${outcome}${
        result === null || result.exitCode === null ? "" : `, exit ${result.exitCode}`
      }`,
    );
    if (result !== null) {
      const tail = `${endOf(result.stdout)}\n${endOf(result.stderr)}`.trim().split("\n").slice(-SHOWN_OUTPUT);
      lines.push(...tail.map((line) => c.dim(`    ${printableLine(line)}`)));
    }
  }
  return lines;
}

function endOf({ head, tail }: CapturedOutput): string {
  return new TextDecoder().decode(tail.length > 0 ? tail : head);
}

function pathLines(word: string, paths: readonly string[], c: Colour): string[] {
  const lines = paths.slice(0, SHOWN_PATHS).map((path) => `  ${c.yellow(word)} ${printablePath(path)}`);
  if (paths.length > SHOWN_PATHS) lines.push(`  and ${count(paths.length - SHOWN_PATHS, "more path")}`);
  return lines;
}

function nextOf(
  refusal: ApplyRefusal | null,
  { revisions }: Application,
  { dryRun }: ApplyFlags,
): string | null {
  const first = refusal?.proposal ?? revisions[0]?.proposal ?? 0;
  switch (refusal?.reason) {
    case undefined:
      return dryRun === true ? "the same without --dry-run" : null;
    case "conflicts":
      return dryRun === true
        ? `without --dry-run they are kept, and pp resolve P${first} takes what they are to become`
        : `pp resolve P${first} --file FILE --keep ours|theirs|both, then the same again`;
    case "stale":
    case "overlapping":
      return `pp proposal rebase P${first} makes a revision for what is there now`;
    case "not_cleared":
      return `pp approval show P${first} says what is missing`;
    case "expired":
      return `pp proposal rebase P${first} proposes it anew`;
    case "not_newest":
    case "state_differs":
      return `pp proposal show P${first}`;
    default:
      return null;
  }
}
