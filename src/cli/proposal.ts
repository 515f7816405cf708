import { Buffer } from "node:buffer";
import { resolve } from "node:path";
import { MAX_REASON } from "../approve/statement.ts";
import { writeWhole } from "../bundle/pack.ts";
import { diffVersions } from "../store/artifact/diff.ts";
import { artifactName, proposalName } from "../store/names.ts";
import { type FoundRevision, requireRevision, revisionName } from "../store/proposal/find.ts";
import { timeReached } from "../store/log/time_reached.ts";
import { withdraw } from "../store/proposal/transition.ts";
import type { ProposalSummary, RevisionState } from "../store/proposals.ts";
import type { Store } from "../store/store.ts";
import { stateAt } from "../approve/states.ts";
import { listProposals } from "../proposal/list.ts";
import { viewDocument, viewProposal } from "../proposal/view.ts";
import { Failure } from "../vocabulary/failure.ts";
import { printableLine, printablePath, quoted } from "../vocabulary/printable.ts";
import { listRow } from "./cells.ts";
import { EXIT } from "./exit_code.ts";
import { terminalColumns } from "./help_layout.ts";
import { moreThan, wholeNumber } from "./number_asked.ts";
import { bytesText, type Colour, colour, colourDiff, timeText } from "./output.ts";
import { notMoved } from "./proposal_moved.ts";
import { viewText } from "./proposal_report.ts";
import { summaryJson } from "./revision_json.ts";
import { marksText, stateText } from "./revision_text.ts";
import { type StoreFlags, withStore } from "./store_asked.ts";
import type { VerbResult } from "./verb.ts";

export type ProposalFlags = StoreFlags;

export interface ListFlags extends StoreFlags {
  readonly state?: RevisionState;
  readonly artifact?: string;
  readonly mine?: boolean;
  readonly limit: string;
}

export interface DiffFlags extends StoreFlags {
  readonly output?: string;
  readonly force?: boolean;
}

export interface WithdrawFlags extends StoreFlags {
  readonly reason: string;
}

const MAX_LIMIT = 100_000;
const MAX_PATCH = 64 << 20;
/** UTF-16 units of a patch on a terminal or in JSON; -o takes any. */
const MAX_SHOWN = 16 << 20;

/** `pp proposal list`. */
export async function proposalList(flags: ListFlags): Promise<VerbResult> {
  const limit = wholeNumber("--limit", flags.limit, 1);
  if (limit > MAX_LIMIT) {
    throw new Failure("usage", "number_malformed", `--limit takes at most ${MAX_LIMIT}`);
  }
  const artifact = flags.artifact === undefined ? {} : { artifact: artifactName(flags.artifact) };
  return await withStore(flags, false, ({ store, by }) => {
    const { proposals, more, reached } = store.records.read((rows) => ({
      ...listProposals(rows, {
        ...{ limit, ...artifact },
        ...(flags.state === undefined ? {} : { state: flags.state }),
        ...(flags.mine === true ? { actor: by.actor } : {}),
      }),
      reached: timeReached(rows, by.now),
    }));
    const c = colour(Deno.stdout);
    return Promise.resolve({
      exit: EXIT.yes,
      text: proposals.length === 0
        ? "no proposals: pp propose ARTIFACT makes one"
        : listLines(proposals, reached, c),
      ...(more ? { note: moreThan(limit) } : {}),
      json: {
        format: "veripatch-proposal-list/v1",
        proposals: proposals.map((one) => summaryJson(one, stateAt(one.revision, reached))),
        more,
      },
    });
  });
}

function listLines(proposals: readonly ProposalSummary[], now: Date, c: Colour): string {
  const columns = terminalColumns();
  return proposals.map((one) => listLine(one, now, columns, c)).join("\n");
}

function listLine(summary: ProposalSummary, now: Date, columns: number | null, c: Colour): string {
  const { proposal, revision } = summary;
  const state = stateAt(revision, now);
  const padded = stateText(state, c) + " ".repeat(Math.max(0, 10 - state.length));
  const lines = `+${revision.additions} -${revision.deletions}`;
  const head = `${c.bold(revisionName(revision).padEnd(7))} ${padded}${marksText(summary, state, c)} `;
  const text = `${proposal.artifact}@${revision.baseVersion} ${c.dim(lines.padEnd(9))} ${
    quoted(proposal.title, 60)
  }`;
  const tail = ` ${c.dim(`${printableLine(proposal.actor)}, ${timeText(revision.createdAt)}`)}`;
  return listRow(head, text, tail, columns);
}

/** `pp proposal show`. */
export async function proposalShow(text: string, flags: ProposalFlags): Promise<VerbResult> {
  const name = proposalName(text);
  return await withStore(flags, false, async ({ store, by }) => {
    const view = await viewProposal(store, name, by.now);
    return {
      exit: EXIT.yes,
      text: flags.json === true ? "" : viewText(view, colour(Deno.stdout)),
      json: flags.json === true ? viewDocument(view) : null,
    };
  });
}

/** `pp proposal diff`: the patch as it is, or what two revisions make otherwise. */
export async function proposalDiff(
  one: string,
  two: string | undefined,
  flags: DiffFlags,
): Promise<VerbResult> {
  const first = proposalName(one);
  const second = two === undefined ? null : proposalName(two);
  return await withStore(flags, false, async ({ store }) => {
    const { names, patch } = second === null
      ? storedPatch(store, first)
      : betweenRevisions(store, first, second);
    const head = { format: "veripatch-proposal-diff/v1", ...names };
    if (flags.output !== undefined) {
      const bytes = Buffer.from(patch, "latin1");
      await writeWhole(resolve(flags.output), [bytes], flags.force === true);
      const text = `${printablePath(flags.output)} (${bytesText(bytes.length)})`;
      return { exit: EXIT.yes, text, json: { ...head, patch: null, output: flags.output } };
    }
    const whole = patch.length <= MAX_SHOWN;
    const decoded = Buffer.from(patch.slice(0, MAX_SHOWN), "latin1").toString("utf8");
    return {
      exit: EXIT.yes,
      text: Deno.stdout.isTerminal() || !whole || decoded === "" ? diffForPeople(decoded, whole) : decoded,
      json: { ...head, patch: whole ? decoded : null },
    };
  });
}

/** On a terminal hostile characters are made visible; a pipe gets the patch as it is. */
function diffForPeople(decoded: string, whole: boolean): string {
  const c = colour(Deno.stdout);
  if (decoded === "") return "no difference";
  return colourDiff(decoded, c) +
    (whole ? "" : `\n${c.yellow("cut here: the whole patch is written by -o FILE")}`);
}

function storedPatch(store: Store, name: ReturnType<typeof proposalName>) {
  const { revision } = store.records.read((rows) => requireRevision(rows, name));
  const patch = Buffer.from(store.blobs.read(revision.patch, MAX_PATCH)).toString("latin1");
  return { names: { name: revisionName(revision) }, patch };
}

function betweenRevisions(
  store: Store,
  first: ReturnType<typeof proposalName>,
  second: ReturnType<typeof proposalName>,
) {
  const [before, after] = store.records.read((rows) => [
    requireRevision(rows, first),
    requireRevision(rows, second),
  ]);
  const tree = ({ revision }: FoundRevision) => ({ root: revision.resultRoot });
  const patch = [...diffVersions(store, tree(before!), tree(after!)).patch()].join("");
  return { names: { before: revisionName(before!.revision), after: revisionName(after!.revision) }, patch };
}

/** `pp proposal withdraw`. */
export async function proposalWithdraw(text: string, flags: WithdrawFlags): Promise<VerbResult> {
  const name = proposalName(text);
  const reason = flags.reason.trim();
  if (reason === "" || reason.length > MAX_REASON || !reason.isWellFormed()) {
    throw new Failure("usage", "reason_malformed", `--reason takes 1 to ${MAX_REASON} characters`);
  }
  return await withStore(flags, false, ({ store, by }) => {
    const result = store.records.write((rows) => {
      const { revision } = requireRevision(rows, name);
      const { proposal, number, evidence } = revision;
      return { revision, moved: withdraw(rows, by, { proposal, revision: number, evidence }, reason) };
    });
    const shown = revisionName(result.revision);
    if (!result.moved.ok) return Promise.resolve(notMoved(shown, result.moved));
    return Promise.resolve({
      exit: EXIT.yes,
      text: `${colour(Deno.stdout).bold(shown)}  withdrawn: ${printableLine(reason)}`,
      json: { format: "veripatch-proposal-withdraw/v1", name: shown, state: "rejected", reason },
    });
  });
}
