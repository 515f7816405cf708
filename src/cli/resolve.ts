import { markedConflict, resolveConflicts, type Wanted } from "../apply/conflicts.ts";
import { isFinal } from "../approve/states.ts";
import { MAX_FILE_BYTES } from "../patch/refusal.ts";
import { proposalName } from "../store/names.ts";
import { requireRevision } from "../store/proposal/find.ts";
import type { StoredConflict } from "../store/operations.ts";
import { Failure } from "../vocabulary/failure.ts";
import { printable, printablePath } from "../vocabulary/printable.ts";
import { conflictLines } from "./apply_report.ts";
import { readBoundedFile } from "./bounded_file.ts";
import { EXIT } from "./exit_code.ts";
import { type FolderFlags, recoveredJson, withFolder } from "./folder_asked.ts";
import { type Colour, colour } from "./output.ts";
import type { VerbResult } from "./verb.ts";

export interface ResolveFlags extends FolderFlags {
  readonly file?: string;
  readonly keep?: string;
  readonly edited?: string;
  readonly show?: boolean;
  readonly rebase?: boolean;
}

const KEEPS = ["ours", "theirs", "both"] as const;

/** `pp resolve`: lists the conflicts of a proposal in a folder or of its rebase, shows one, or says what they become. */
export async function runResolve(name: string, flags: ResolveFlags): Promise<VerbResult> {
  const asked = proposalName(name);
  const wanted = await wantedOf(flags);
  return await withFolder(flags, async ({ store, ports, author, recovered }) => {
    const { proposal: { artifact }, revision } = store.records.read((rows) => requireRevision(rows, asked));
    const about = { proposal: revision.proposal, revision: revision.number };
    const c = colour(Deno.stdout);
    const kept = (folder: string | null) =>
      store.records.read((rows) => rows.conflicts({ ...about, folder }))
        .filter(({ state }) => state !== "obsolete");
    const { root } = ports.folder;
    const ofRebase = flags.rebase === true || (kept(root).length === 0 && kept(null).length > 0);
    const where = { ...about, folder: ofRebase ? null : root };
    const listed = () => kept(where.folder);
    if (flags.show === true) {
      const one = listed().find(({ path }) => path === flags.file);
      if (one === undefined) {
        throw new Failure("usage", "no_conflict", "there is no conflict at that file", {
          hint: `pp resolve P${asked.proposal} lists them; --show wants --file FILE`,
        });
      }
      const text = new TextDecoder().decode(markedConflict(store, one));
      return {
        exit: EXIT.yes,
        text: printable(text),
        json: { ...conflictJson(one, artifact), marked: text },
      };
    }
    const resolved = wanted === null
      ? []
      : await resolveConflicts(store, author(), where, flags.file ?? null, wanted);
    const now = listed();
    const open = now.filter(({ state }) => state === "open");
    const lines = [
      ...resolved.map(({ path, resolution }) =>
        `${c.green("resolved")}  ${printablePath(path)}: ${resolution}`
      ),
      ...now.filter(({ id }) => !resolved.some((one) => one.id === id)).flatMap((one) =>
        storedLines(one, artifact, c)
      ),
    ];
    const name = `P${where.proposal}`, flag = ofRebase ? " --rebase" : "";
    if (isFinal(revision.state)) {
      lines.push(`${name}.${where.revision} is ${revision.state}: its conflicts are closed`);
    } else if (now.length === 0) {
      lines.push(`${name}.${where.revision} has no conflict ${ofRebase ? "of a rebase" : "in this folder"}`);
    } else if (open.length === 0) {
      const next = ofRebase ? `pp proposal rebase ${name} makes a revision of` : `pp apply ${name} lands`;
      lines.push(`next     ${next} what they were resolved to`);
    } else {
      lines.push(`next     pp resolve ${name}${flag} --file FILE --keep ours|theirs|both, or --edited FILE`);
    }
    return {
      exit: wanted === null && open.length > 0 ? EXIT.no : EXIT.yes,
      text: lines.join("\n"),
      json: {
        format: "veripatch-resolve/v1",
        proposal: `${name}.${where.revision}`,
        folder: where.folder,
        resolved: resolved.map(({ path }) => path),
        open: open.length,
        conflicts: now.map((one) => conflictJson(one, artifact)),
        recovered: recoveredJson(recovered),
      },
    };
  });
}

async function wantedOf({ keep, edited, show, file }: ResolveFlags): Promise<Wanted | null> {
  if (keep !== undefined && edited !== undefined) {
    throw new Failure("usage", "resolve_which", "--keep and --edited say different things: give one");
  }
  if (show === true && (keep ?? edited) !== undefined) {
    throw new Failure("usage", "resolve_which", "--show only shows; leave out --keep and --edited");
  }
  if (edited !== undefined) {
    if (file === undefined) {
      throw new Failure("usage", "resolve_which", "--edited is what one file becomes: name it with --file");
    }
    return { edited: (await readBoundedFile(edited, MAX_FILE_BYTES, "edited file")).bytes };
  }
  if (keep === undefined) return null;
  const known = KEEPS.find((one) => one === keep);
  if (known !== undefined) return known;
  throw new Failure("usage", "keep_unknown", `--keep takes ${KEEPS.join(", ")}`);
}

function storedLines(conflict: StoredConflict, artifact: string, c: Colour): string[] {
  const onto = versionOf(conflict, artifact);
  const against = onto === null ? "" : c.dim(` with ${onto}`);
  if (conflict.state === "resolved") {
    return [`  ${c.green("R")} ${printablePath(conflict.path)}  resolved: ${conflict.resolution}${against}`];
  }
  const { path, proposal, revision } = conflict;
  return conflictLines({ path, proposal, revision, regions: JSON.parse(conflict.regions) }, c)
    .map((line) => line + against);
}

/** The version that a rebase conflicts with; null of a conflict in a folder. */
function versionOf({ onto }: StoredConflict, artifact: string): string | null {
  return onto === null ? null : `${artifact}@${onto}`;
}

function conflictJson(conflict: StoredConflict, artifact: string) {
  const { id, path, regions, base, ours, theirs, state, resolution, result } = conflict;
  const onto = versionOf(conflict, artifact);
  return { id, path, onto, regions: JSON.parse(regions), base, ours, theirs, state, resolution, result };
}
