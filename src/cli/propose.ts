import { denialsOf, isApprovalNeeded } from "../approve/judge.ts";
import { makePatch } from "../edit/make_patch.ts";
import { draftProposal, draftRevision, type NewDraft } from "../proposal/draft.ts";
import { type Made, makeChange } from "../proposal/steps.ts";
import { storedWorkspace } from "../proposal/version_workspace.ts";
import type { ProposedChange } from "../proposal/working_tree.ts";
import { providerName } from "../propose/select.ts";
import { requireVersion } from "../store/artifact/create.ts";
import { artifactName, proposalName, type VersionName, versionName } from "../store/names.ts";
import { MAX_TITLE } from "../store/proposal/change.ts";
import { type FoundRevision, requireRevision, revisionName } from "../store/proposal/find.ts";
import type { Version } from "../store/store.ts";
import { canonicalJson } from "../vocabulary/canonical_json.ts";
import { Failure } from "../vocabulary/failure.ts";
import { printableLine, refusalText } from "../vocabulary/printable.ts";
import { storeWorkspace, workspaceRoot } from "./artifact.ts";
import { EXIT } from "./exit_code.ts";
import {
  type CheckingFlags,
  type Examination,
  type ExaminedDraft,
  examineDraft,
  readExamination,
} from "./proposal_examination.ts";
import { notMoved } from "./proposal_moved.ts";
import { proposedJson, proposedText } from "./proposed_report.ts";
import { type AskedChange, type SourceFlags, stepsAsked } from "./propose_steps.ts";
import { freshSessionId } from "./session_plan.ts";
import { type StoreUse, withStore } from "./store_asked.ts";
import type { VerbResult } from "./verb.ts";
import { wireProposer } from "./wire/proposer.ts";
import { wireEdits, wireSyntax } from "./wire/syntax.ts";
import { wireChecks } from "./wire/world.ts";

export interface ProposeFlags extends CheckingFlags, SourceFlags {
  readonly workspace?: string;
  readonly title?: string;
  readonly revise?: string;
  readonly draft?: boolean;
}

/** Code units of how a change was made; larger ones are cut down to what is known of each step. */
const MAX_SOURCE = 512 << 10;

/** `pp propose`: makes a change, stores it, checks it. */
export async function propose(artifact: string, flags: ProposeFlags): Promise<VerbResult> {
  const named = versionName(artifact);
  const revised = flags.revise === undefined ? null : proposalName(flags.revise);
  refuseContradictions(named, flags);
  const title = titleOf(flags.title);
  const root = flags.workspace === undefined ? Deno.cwd() : await workspaceRoot(flags.workspace);
  const asked = await stepsAsked(flags);
  if (asked.steps.some(({ kind }) => kind === "instruction")) requireProvider(flags.provider);
  const examination = await readExamination(root, flags, false);
  return await withStore(flags, flags.workspace !== undefined, async (use) => {
    const { store, by, signal, waiting } = use;
    const base = await baseVersion(use, named, flags, root);
    const before = revised === null ? null : store.records.read((rows) => requireRevision(rows, revised));
    if (before !== null) refuseOtherArtifact(before, base);
    const made = await changeAsked(use, base, asked, examination, flags);
    if (!made.ok) return nothingMade(made, asked);
    const draft: NewDraft = {
      base,
      change: made.change,
      instruction: asked.instruction,
      source: sourceOf(made.steps),
    };
    const options = { signal, waiting };
    let found: FoundRevision;
    if (before === null) {
      const shown = title ?? asked.title ?? defaultTitle(asked, made.change);
      found = await draftProposal(store, by, shown, draft, options);
    } else {
      const drafted = await draftRevision(store, by, before.revision, draft, options);
      if (!drafted.ok) return notMoved(revisionName(before.revision), drafted);
      found = drafted.found;
    }
    return await concluded(use, found, examination, flags.draft === true);
  });
}

/** What is left to do once a draft is in the store. */
async function concluded(
  use: StoreUse,
  found: FoundRevision,
  examination: Examination,
  draft: boolean,
): Promise<VerbResult> {
  const done = draft ? null : await examineDraft(
    examination,
    use,
    found,
    null,
  );
  return proposedResult(use, found.proposal.number, examination, done);
}

/** How a proposal stands that was just made or checked. */
export function proposedResult(
  { store }: StoreUse,
  proposal: number,
  { policy, terms }: Examination,
  done: ExaminedDraft | null,
): VerbResult {
  const now = store.records.read((rows) => requireRevision(rows, { proposal, revision: null }));
  if (done !== null && !done.proposed.ok) return notMoved(revisionName(now.revision), done.proposed);
  const denials = done === null ? [] : denialsOf(done.examined.evidence, { policyDigest: policy.digest });
  const needsApproval = done === null || isApprovalNeeded(done.examined.evidence, terms(new Date()));
  const facts = { found: now, done, denials, needsApproval };
  return {
    exit: denials.length > 0 ? EXIT.no : EXIT.yes,
    text: proposedText(facts),
    json: proposedJson(facts),
  };
}

/** An instruction without anybody to answer it. */
function requireProvider(flag: string | undefined): void {
  if (flag !== undefined || providerName(flag, false, Deno.env.toObject()) !== "stub") return;
  throw new Failure("unavailable", "provider_missing", "there is no provider to answer the instruction", {
    hint:
      "name one with --provider command, openai or local, or PP_PROVIDER; pp help proposers says how to set it up",
  });
}

function refuseContradictions({ number }: VersionName, { workspace, title, revise }: ProposeFlags): void {
  if (workspace !== undefined && number !== null) {
    throw new Failure(
      "usage",
      "version_and_workspace",
      "--workspace stores the next version: @N says another",
      {
        hint: "leave out one of the two",
      },
    );
  }
  if (title !== undefined && revise !== undefined) {
    throw new Failure("usage", "title_of_revision", "the title is the proposal's; a revision keeps it", {
      hint: "leave out --title",
    });
  }
}

function refuseOtherArtifact({ proposal }: FoundRevision, base: Version): void {
  if (proposal.artifact === base.artifact) return;
  throw new Failure(
    "usage",
    "other_artifact",
    `P${proposal.number} is about ${proposal.artifact}, not ${base.artifact}`,
  );
}

async function baseVersion(
  use: StoreUse,
  named: VersionName,
  flags: ProposeFlags,
  root: string,
): Promise<Version> {
  if (flags.workspace === undefined) return use.store.records.read((rows) => requireVersion(rows, named));
  const { version } = await storeWorkspace(use, artifactName(named.artifact), root, "before a proposal");
  return version;
}

async function changeAsked(
  { store, signal, counter }: StoreUse,
  base: Version,
  { steps }: AskedChange,
  { policy, keptOut }: Examination,
  flags: ProposeFlags,
): Promise<Made> {
  const env = Deno.env.toObject();
  const session = freshSessionId();
  const deadline = Date.now() + policy.config.policy.limits.session_sec * 1000;
  const judges = await wireChecks({ session, deadline }, env);
  try {
    const name = `${base.artifact}@${base.number}`;
    const asking = (step: number, of: number, attempt: number) =>
      counter.show(`waiting for the proposer${of > 1 ? `, step ${step} of ${of}` : ""}, question ${attempt}`);
    return await makeChange(steps, storedWorkspace(store, base.root, name), {
      session,
      config: policy.config,
      keptOut,
    }, {
      ...judges,
      signal,
      asking,
      syntax: wireSyntax(),
      edit: async (edits, files) => await makePatch(edits, files, await wireEdits()),
      proposer: once(() => wireProposer(flags.provider, [], env)),
    });
  } finally {
    await judges.dispose();
  }
}

function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => made ??= make();
}

/** Nothing came of an instruction: that is an answer. Anything else that cannot be made is a mistake in it. */
function nothingMade(made: Extract<Made, { ok: false }>, { steps }: AskedChange): VerbResult {
  const { refusal, step } = made;
  const which = step !== null && steps.length > 1 ? `step ${step + 1} of ${steps.length}: ` : "";
  if (step !== null && steps[step]?.kind === "instruction") {
    const { reason, detail } = refusal;
    return {
      exit: EXIT.no,
      text: `nothing proposed: ${which}${printableLine(detail)}`,
      json: { format: "veripatch-propose/v1", status: "nothing", step, reason, detail },
    };
  }
  const places = refusal.places ?? [];
  throw new Failure(
    "malformed",
    refusal.reason,
    `the change cannot be made: ${which}${refusalText(refusal)}`,
    {
      details: places.map((line) => `line ${line}`),
      hint: `nothing was stored; ${wayOn(refusal.reason)}`,
    },
  );
}

function wayOn(reason: string): string {
  if (reason === "template_unknown") return "pp template list shows the templates";
  if (reason.startsWith("parameter_")) return "pp template show NAME says what a template takes";
  if (reason === "file_exists") {
    return "--at PLACE puts code into a file that is there, --old and --new replace some of it";
  }
  return "pp artifact files shows what the version holds";
}

function sourceOf(steps: Extract<Made, { ok: true }>["steps"]): unknown {
  const source = { format: "veripatch-proposal-source/v1", steps };
  if (canonicalJson(source).length <= MAX_SOURCE) return source;
  return {
    format: "veripatch-proposal-source/v1",
    steps: steps.map(({ kind }) => ({ kind, left_out: true })),
  };
}

function titleOf(text: string | undefined): string | null {
  if (text === undefined) return null;
  const line = text.trim();
  if (line !== "" && line.length <= MAX_TITLE && line.isWellFormed() && !line.includes("\n")) return line;
  throw new Failure("usage", "title_malformed", `a title is one line of at most ${MAX_TITLE} characters`);
}

/** The first line of an instruction, else which files are changed. */
function defaultTitle({ instruction }: AskedChange, { patch }: ProposedChange): string {
  const [line = ""] = instruction.trim().split("\n");
  if (line !== "") return line.slice(0, 200).toWellFormed();
  const paths = patch.files.map(({ oldPath, newPath }) => (newPath ?? oldPath)!);
  const more = paths.length > 3 ? ` and ${paths.length - 3} more` : "";
  return `change ${paths.slice(0, 3).join(", ")}${more}`.slice(0, MAX_TITLE).toWellFormed();
}
