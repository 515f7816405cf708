import { renderPatch } from "../patch/render.ts";
import { draftRevision, storedChange } from "../proposal/draft.ts";
import { changeOf } from "../proposal/working_tree.ts";
import type { ProposalName } from "../store/names.ts";
import { type FoundRevision, requireRevision, revisionName } from "../store/proposal/find.ts";
import type { Version } from "../store/store.ts";
import { Failure } from "../vocabulary/failure.ts";
import { refusalText } from "../vocabulary/printable.ts";
import type { FolderUse } from "./folder_asked.ts";
import { chooseHunks, terminalAsking } from "./hunk_choice.ts";
import { type CheckingFlags, examineDraft, readExamination } from "./proposal_examination.ts";

/** What was chosen of a proposal, as the revision that is to be applied; or why none is. */
export type Chosen =
  | { readonly kind: "revision"; readonly name: ProposalName }
  | { readonly kind: "nothing"; readonly detail: string };

/**
 * Asks for each hunk of the newest revision. All of it is that revision; a part of it, or an edited one, becomes a new
 * revision that is checked and proved like any other: nobody has approved it.
 * @throws Failure `base_pruned`, `chosen_refused`, of the checks
 */
export async function chooseRevision(
  { store, ports, ...use }: FolderUse,
  name: ProposalName,
  flags: CheckingFlags,
): Promise<Chosen> {
  const found = store.records.read((rows) => requireRevision(rows, name));
  const { proposal, revision } = found;
  const shown = revisionName(revision);
  if (revision.number !== proposal.lastRevision || !["proposed", "approved"].includes(revision.state)) {
    return { kind: "nothing", detail: `${shown} is ${revision.state}, or not the newest revision` };
  }
  const version = baseVersion(store, found);
  const { base, change } = await storedChange(store, found);
  use.counter.end();
  const chosen = await chooseHunks(change.patch, terminalAsking(use.signal));
  if (chosen === null) return { kind: "nothing", detail: "stopped: nothing was applied" };
  if (chosen.files.length === 0) return { kind: "nothing", detail: "nothing was chosen" };
  if (renderPatch(chosen) === renderPatch(change.patch)) {
    return { kind: "revision", name: { proposal: proposal.number, revision: revision.number } };
  }
  const part = await changeOf(chosen, base);
  if (!part.ok) {
    throw new Failure(
      "malformed",
      "chosen_refused",
      `what was chosen is no patch: ${refusalText(part.refusal)}`,
    );
  }
  const examination = await readExamination(ports.folder.root, flags, true);
  const source = {
    format: "veripatch-proposal-source/v1",
    steps: [{ kind: "chosen", of: revision.number, evidence: revision.evidence }],
  };
  const { instruction } = revision;
  const draft = { base: version, change: part.value, instruction, source };
  const options = { signal: use.signal, waiting: use.waiting };
  const drafted = await draftRevision(store, use.author(), revision, draft, options);
  if (!drafted.ok) return { kind: "nothing", detail: `${shown} moved meanwhile: it is ${drafted.state}` };
  const whole = { store, ...use };
  const done = await examineDraft(
    examination,
    whole,
    drafted.found,
    null,
  );
  const made = revisionName(drafted.found.revision);
  if (!done.proposed.ok) return { kind: "nothing", detail: `${made} is ${done.proposed.state}` };
  // Whatever the policy lets be applied without an approval: what did not pass again does not land here.
  const bad = done.examined.checks.find(({ kind, outcome }) =>
    outcome === "failed" || (kind === "proof" && outcome === "needs_approval")
  );
  if (bad !== undefined) {
    return {
      kind: "nothing",
      detail: `${made} was made of what was chosen, and its ${bad.kind} check did not pass`,
    };
  }
  return { kind: "revision", name: { proposal: proposal.number, revision: drafted.found.revision.number } };
}

/**
 * The version that a part of a proposal would be based on, too.
 * @throws Failure `base_pruned` (usage)
 */
function baseVersion(store: FolderUse["store"], { proposal, revision }: FoundRevision): Version {
  const { artifact } = proposal, number = revision.baseVersion;
  const version = store.records.read((rows) => rows.version(artifact, number));
  if (version !== null) return version;
  const message = `${revisionName(revision)} is based on ${artifact}@${number}, which was pruned`;
  throw new Failure("usage", "base_pruned", message, {
    hint: `pp proposal rebase P${proposal.number} puts it onto the newest version`,
  });
}
