/**
 * Wants random things of one store and several folders until it is done, and prints what it was told that it did.
 * Arguments: store, folders (with commas between), who (ann, bob or maker), seed, rounds, after how many steps it is
 * killed (SIGKILL, by itself; 0: never), milliseconds after which no round begins.
 */
import { redo, rollBack, type RollbackAsked } from "../../src/apply/rollback.ts";
import { readEvidence } from "../../src/approve/evidence.ts";
import type { ApprovalTerms } from "../../src/approve/judge.ts";
import { clearanceOf } from "../../src/cli/apply_clearance.ts";
import type { Revision } from "../../src/store/proposals.ts";
import { collectGarbage } from "../../src/store/artifact/upkeep.ts";
import { Failure } from "../../src/vocabulary/failure.ts";
import { ANN, BOB, termsOf } from "../approve/fixture.ts";
import { openAt } from "../store/fixture.ts";
import { decideAs } from "../store/proposals.ts";
import { remove, write } from "../workspace/trees.ts";
import { apply, APPROVED, author, portsOf, proposeChanges, recover } from "./fixture.ts";

const [place, folders, who, seed, rounds, dieAfter, time] = Deno.args as [
  ...[string, string, string, string, string, string, string],
];
const began = Date.now();
const store = openAt(place);
const roots = folders.split(",");
let state = Number(seed) * 2_654_435_761 % 2 ** 32;
const random = (below: number) => {
  state = (state * 1_664_525 + 1_013_904_223) % 2 ** 32;
  return Math.floor(state / 2 ** 32 * below);
};
const pick = <T>(of: readonly T[]): T => of[random(of.length)]!;
const say = (what: Readonly<Record<string, unknown>>) => console.log(JSON.stringify(what));
const key = who === "ann" ? ANN : BOB;
/** Some changes need somebody who approves them, some do not. */
const POLICIES = [termsOf({ required: "always" }), termsOf({ required: "never" })] as const;
const PATHS = ["a", "b", "d/c", "d/e", "f"];

function termsFor({ evidenceDocument }: Revision, now = new Date()): ApprovalTerms {
  const read = readEvidence(evidenceDocument!);
  const digest = read.ok ? read.evidence.policy_sha256 : "";
  return { ...POLICIES.find(({ policyDigest }) => policyDigest === digest)!, now };
}

let steps = 0;
const step = () => {
  if (++steps === Number(dieAfter)) Deno.kill(Deno.pid, "SIGKILL");
};

/** What is asked for now and then is refused, for reasons that others made. */
const EXPECTED = ["folder_busy", "proposal_moved", "nothing_to_roll_back", "nothing_to_redo"];

async function round(): Promise<void> {
  const wish = pick(["propose", "approve", "approve", "apply", "apply", "apply", "rollback", "redo", "gc"]);
  if (wish === "gc") {
    const { leftovers } = await collectGarbage(store, author(store, who), false, {});
    return say({ did: "collected", leftovers });
  }
  const root = pick(roots);
  if (wish === "propose") {
    // What a folder was made last, so that it often is what the folder is when the change is applied.
    const last = store.records.read((rows) => rows.operations({ folder: root, state: "done" }))[0];
    const base = store.records.read((rows) => rows.version("a", last?.version ?? 1))!;
    const changes = [...new Set([pick(PATHS), pick(PATHS)])].map((path) =>
      random(5) === 0 ? remove(path) : write(path, `${who} ${seed} ${random(1_000)}\n`)
    );
    const { policyDigest } = pick(POLICIES);
    const number = await proposeChanges(store, base, changes, "proposed", policyDigest).catch((error) => {
      // A file that is not there cannot be removed.
      if (error instanceof Failure || error instanceof RangeError) return null;
      throw error;
    });
    return say({ did: "proposed", number });
  }
  if (wish === "approve") {
    const waiting = store.records.read((rows) => rows.proposals({ state: "proposed", limit: 8 }));
    if (waiting.length === 0) return;
    const { proposal, revision } = pick(waiting);
    const row = store.records.read((rows) => rows.revision(proposal.number, revision.number))!;
    const target = { proposal: proposal.number, revision: revision.number, evidence: revision.evidence };
    const terms = termsFor(row);
    const decided = decideAs(store, author(store, who), target, key, terms);
    if (decided.ok) say({ did: "approved", number: proposal.number });
    return;
  }
  for (const { operation, outcome } of await recover(store)) {
    say({ did: "recovered", operation: operation.number, outcome });
  }
  const ports = await portsOf(store, root, step);
  if (wish === "apply") {
    const open = store.records.read((
      rows,
    ) => [
      ...rows.proposals({ state: "approved", limit: 5 }),
      ...rows.proposals({ state: "proposed", limit: 5 }),
    ]);
    if (open.length === 0) return;
    const numbers = [...new Set([pick(open), ...(random(4) === 0 ? [pick(open)] : [])])]
      .map(({ proposal }) => proposal.number);
    const done = await apply(ports, numbers, {
      strategy: pick(["manual", "theirs", "union"]),
      clear: (rows, revision, now) =>
        clearanceOf(rows, store.records.storeId, revision, termsFor(revision, now), ""),
    });
    if (done.operation !== null) say({ did: "applied", operation: done.operation.number, numbers });
    return;
  }
  const options = { dryRun: false, backupsUntil: null };
  const asked: RollbackAsked = random(3) === 0
    ? { kind: "file", path: pick(PATHS) }
    : { kind: "last", count: 1 + random(2) };
  const { operation } = wish === "redo"
    ? await redo(ports, null, { ...options, clear: () => APPROVED, proofHolds: () => Promise.resolve() })
    : await rollBack(ports, asked, options);
  if (operation !== null) say({ did: wish, operation: operation.number });
}

for (let done = 0; done < Number(rounds) && Date.now() - began < Number(time); done++) {
  try {
    await round();
  } catch (error) {
    if (!(error instanceof Failure && EXPECTED.includes(error.code))) throw error;
  }
}
store.close();
