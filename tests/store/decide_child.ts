/**
 * Wants random things of the proposals of one store until it is done, and prints what it was told that it did.
 * Arguments: store, artifact, who (ann, bob or maker), seed, rounds.
 */
import { standingOf } from "../../src/store/proposal/standing.ts";
import { transition } from "../../src/store/proposal/transition.ts";
import { ANN, BOB, termsOf } from "../approve/fixture.ts";
import { authorOf } from "../contract/store_contract.ts";
import { openAt } from "./fixture.ts";
import { decideAs, proposeChange } from "./proposals.ts";

const [place, artifact, who, seed, rounds] = Deno.args as [string, string, string, string, string];
const store = openAt(place);
let state = Number(seed) * 2_654_435_761 % 2 ** 32;
const random = (below: number) => {
  state = (state * 1_664_525 + 1_013_904_223) % 2 ** 32;
  return Math.floor(state / 2 ** 32 * below);
};
const say = (what: Readonly<Record<string, unknown>>) => console.log(JSON.stringify(what));
const key = who === "ann" ? ANN : BOB;

for (let round = 0; round < Number(rounds); round++) {
  const now = new Date();
  const terms = { ...termsOf(), now };
  const by = authorOf(store, who, now);
  const all = store.records.read((rows) => rows.proposals());
  const pick = all[random(all.length)];
  const wish = ["propose", "revise", "approve", "approve", "reject", "apply", "apply", "finish"][random(8)]!;
  if (wish === "propose" || pick === undefined) {
    // Some expire while the others work.
    const expires_at = random(3) === 0 ? new Date(now.getTime() + random(400)).toISOString() : null;
    const made = await proposeChange(store, by, terms, {
      artifact,
      over: { expires_at },
      word: `w${random(9)}`,
    });
    say({ did: "proposed", name: `${made.proposal}.${made.revision}` });
    continue;
  }
  const { proposal, revision } = pick;
  const name = `${proposal.number}.${revision.number}`;
  const target = { proposal: proposal.number, revision: revision.number, evidence: revision.evidence };
  if (wish === "revise") {
    const added = await proposeChange(store, by, terms, {
      artifact,
      proposal: proposal.number,
      word: `r${random(9)}`,
    })
      .catch((error) => error.name === "AssertionError" ? null : Promise.reject(error));
    if (added !== null) say({ did: "proposed", name: `${added.proposal}.${added.revision}` });
  } else if (wish === "approve" || wish === "reject") {
    const decided = decideAs(store, by, target, key, terms, { decision: wish, reason: "r" });
    if (decided.ok) say({ did: wish === "approve" ? "approved" : "rejected", name });
  } else {
    const moved = store.records.write((rows) => {
      const row = rows.revision(target.proposal, target.revision)!;
      if (wish === "finish") return transition(rows, by, target, "applied", "");
      if (row.evidence === null || row.state !== "approved") return { ok: false as const };
      if (standingOf(rows, by.storeId, row, terms).outcome !== "approved") return { ok: false as const };
      return transition(rows, by, target, "applying", "");
    });
    if (moved.ok) say({ did: wish === "finish" ? "applied" : "applying", name });
  }
}
store.close();
