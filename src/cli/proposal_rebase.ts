import type { MergeStrategy } from "../patch/merge.ts";
import { draftRevision } from "../proposal/draft.ts";
import type { ExaminePlan } from "../proposal/examine.ts";
import { type Rebased, rebaseOnto } from "../proposal/rebase.ts";
import { requireVersion } from "../store/artifact/create.ts";
import { proposalName } from "../store/names.ts";
import { findConflicts, resolutionOf } from "../store/operation/conflict.ts";
import { type FoundRevision, requireRevision, revisionName } from "../store/proposal/find.ts";
import type { Version } from "../store/store.ts";
import { Failure } from "../vocabulary/failure.ts";
import { refusalText } from "../vocabulary/printable.ts";
import { conflictLines } from "./apply_report.ts";
import { EXIT } from "./exit_code.ts";
import { wholeNumber } from "./number_asked.ts";
import { colour, count } from "./output.ts";
import { type CheckingFlags, examineDraft, readExamination } from "./proposal_examination.ts";
import { notMoved } from "./proposal_moved.ts";
import { proposedResult } from "./propose.ts";
import { withStore } from "./store_asked.ts";
import type { VerbResult } from "./verb.ts";

export interface RebaseFlags extends CheckingFlags {
  readonly onto?: string;
  readonly mergeStrategy: MergeStrategy;
  readonly draft?: boolean;
}

const MAX_ROWS = 60;

/** `pp proposal check`: what `pp propose --draft` left out. */
export async function proposalCheck(text: string, flags: CheckingFlags): Promise<VerbResult> {
  const name = proposalName(text);
  const examination = await readExamination(Deno.cwd(), flags, false);
  return await withStore(flags, false, async (use) => {
    const found = use.store.records.read((rows) => requireRevision(rows, name));
    const shown = revisionName(found.revision);
    if (found.revision.number !== found.proposal.lastRevision) {
      return notMoved(shown, { ok: false, code: "superseded", state: found.revision.state });
    }
    if (found.revision.state !== "draft") {
      return notMoved(shown, { ok: false, code: "state_differs", state: found.revision.state });
    }
    const done = await examineDraft(
      examination,
      use,
      found,
      rebasedDraft(found),
    );
    return proposedResult(use, found.proposal.number, examination, done);
  });
}

/** `pp proposal rebase`: a three-way merge onto another version, as a new revision that is checked again. */
export async function proposalRebase(text: string, flags: RebaseFlags): Promise<VerbResult> {
  const name = proposalName(text);
  const onto = flags.onto === undefined ? null : wholeNumber("--onto", flags.onto, 1);
  const examination = await readExamination(Deno.cwd(), flags, false);
  return await withStore(flags, false, async (use) => {
    const { store, by, signal, waiting } = use;
    const { found, version } = store.records.read((rows) => {
      const found = requireRevision(rows, name);
      return { found, version: requireVersion(rows, { artifact: found.proposal.artifact, number: onto }) };
    });
    const { revision } = found;
    const shown = revisionName(revision);
    if (revision.number !== found.proposal.lastRevision) {
      return notMoved(shown, { ok: false, code: "superseded", state: revision.state });
    }
    if (revision.baseRoot === version.root && ["draft", "proposed", "approved"].includes(revision.state)) {
      return upToDate(shown, version);
    }
    const rebased = await rebaseOnto(
      store,
      found,
      version,
      flags.mergeStrategy,
      (conflict) => store.records.read((rows) => resolutionOf(rows, null, conflict)),
    );
    const about = { proposal: revision.proposal, revision: revision.number };
    const conflicts = rebased.kind === "conflicts" ? rebased.conflicts : [];
    const known = store.records.read((rows) => rows.conflicts({ ...about, folder: null, state: "open" }));
    if (conflicts.length + known.length > 0) {
      store.records.write((rows) =>
        findConflicts(rows, by, { folder: null, onto: version.number }, [about], conflicts)
      );
    }
    if (rebased.kind !== "rebased") return notRebased(shown, version, rebased);
    const { change, clean, merged, resolved } = rebased;
    const source = {
      format: "veripatch-proposal-source/v1",
      steps: [{
        ...{ kind: "rebase", of: revision.number, evidence: revision.evidence, onto: version.number },
        ...{ strategy: flags.mergeStrategy, clean, merged, resolved },
      }],
    };
    const { instruction } = revision;
    const draft = { base: version, change, instruction, source };
    const drafted = await draftRevision(store, by, revision, draft, { signal, waiting });
    if (!drafted.ok) return notMoved(shown, drafted);
    const done = flags.draft === true ? null : await examineDraft(
      examination,
      use,
      drafted.found,
      revision.evidence === null ? null : { evidence: revision.evidence, revision: revision.number, clean },
    );
    return proposedResult(use, found.proposal.number, examination, done);
  });
}

/** What a draft was rebased from, as its own source tells. */
function rebasedDraft({ revision }: FoundRevision): ExaminePlan["rebasedFrom"] {
  const { steps = [] } = JSON.parse(revision.source) as { steps?: readonly Record<string, unknown>[] };
  const [step] = steps;
  if (step?.kind !== "rebase" || typeof step.evidence !== "string") return null;
  return { evidence: step.evidence, revision: Number(step.of), clean: step.clean === true };
}

function upToDate(shown: string, version: Version): VerbResult {
  return {
    exit: EXIT.yes,
    text: `${shown} is based on ${version.artifact}@${version.number} already`,
    json: { format: "veripatch-proposal-rebase/v1", status: "up_to_date", name: shown, onto: version.number },
  };
}

function notRebased(
  shown: string,
  version: Version,
  rebased: Exclude<Rebased, { kind: "rebased" }>,
): VerbResult {
  const onto = `${version.artifact}@${version.number}`;
  const json = {
    format: "veripatch-proposal-rebase/v1",
    status: rebased.kind,
    name: shown,
    onto: version.number,
  };
  switch (rebased.kind) {
    case "nothing_left":
      return { exit: EXIT.no, text: `${onto} has all of ${shown} already: there is nothing to rebase`, json };
    case "refused": {
      const message = `${shown} cannot be put onto ${onto}: ${refusalText(rebased.refusal)}`;
      throw new Failure("malformed", rebased.refusal.reason, message, { hint: "propose the change anew" });
    }
    case "conflicts": {
      const c = colour(Deno.stdout);
      const name = shown.replace(/\..*/, "");
      const all = rebased.conflicts.flatMap((conflict) => conflictLines(conflict, c));
      const lines = [
        `${shown} and ${onto} conflict in ${count(all.length, "place")}; nothing was changed`,
        ...all.slice(0, MAX_ROWS),
        ...(all.length > MAX_ROWS ? [`  and ${count(all.length - MAX_ROWS, "more place")}`] : []),
        `next     pp resolve ${name} --rebase says what they become, then the same again`,
        `         --merge-strategy ours, theirs or union decides them all alike; pp propose --revise ${name} anew`,
      ];
      const conflicts = rebased.conflicts.flatMap(({ path, regions }) =>
        regions.map((region) => ({ path, ...region }))
      );
      return { exit: EXIT.no, text: lines.join("\n"), json: { ...json, conflicts } };
    }
  }
}
