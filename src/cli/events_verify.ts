import { resolve } from "node:path";
import { writeWhole } from "../bundle/pack.ts";
import { keyIdOf } from "../sign/key.ts";
import {
  type Checkpoint,
  MAX_CHECKPOINT_BYTES,
  readCheckpoint,
  signCheckpoint,
} from "../store/log/checkpoint.ts";
import { type LogProblem, verifyLog } from "../store/log/verify.ts";
import { Failure } from "../vocabulary/failure.ts";
import { printableLine, printablePath } from "../vocabulary/printable.ts";
import { readBoundedFile } from "./bounded_file.ts";
import type { EventsFlags } from "./events.ts";
import { EXIT } from "./exit_code.ts";
import { signingKey } from "./key_input.ts";
import { colour, count } from "./output.ts";
import { withStore } from "./store_asked.ts";
import { noTrustedKey, trustAsked } from "./trust_asked.ts";
import type { VerbResult } from "./verb.ts";

/** `pp events --checkpoint KEY`: signs where the log stands. */
export async function signLog(flags: EventsFlags): Promise<VerbResult> {
  const keys = await Promise.all(flags.checkpoint!.map((spec) => signingKey(spec, flags)));
  return await withStore(flags, false, async ({ store, by }) => {
    const problems = store.records.read((rows) => verifyLog(rows, store.records.storeId)).problems;
    if (problems.length > 0) throw notSigned(problems);
    const last = store.records.read((rows) => rows.lastEvent())!;
    const checkpoint: Checkpoint = {
      format: "veripatch-checkpoint/v1",
      store: store.records.storeId,
      sequence: last.sequence,
      hash: last.hash,
      time: by.now.toISOString(),
    };
    const out = flags.output ?? `checkpoint-${last.sequence}.json`;
    await writeWhole(resolve(out), [signCheckpoint(checkpoint, keys)], flags.force === true);
    return {
      exit: EXIT.yes,
      text:
        `checkpoint of event ${last.sequence} (${last.hash.slice(0, 12)}) written to ${
          printablePath(out)
        }\n` +
        `next     keep it where the store's owner cannot change it; pp events --verify --checkpoint FILE --key PUBLIC`,
      json: {
        ...checkpoint,
        format: "veripatch-checkpoint-written/v1",
        output: out,
        key_ids: keys.map(keyIdOf),
      },
    };
  });
}

/** Nobody puts a name to a log that does not hold. */
function notSigned(problems: readonly LogProblem[]): Failure {
  return new Failure("malformed", "log_damaged", "the log does not verify: it is not signed", {
    hint: "pp events --verify says what is wrong",
    details: problems.map(problemText),
  });
}

/** `pp events --verify`. */
export async function verifyEvents(flags: EventsFlags): Promise<VerbResult> {
  if (flags.follow === true || flags.since !== undefined || flags.output !== undefined) {
    throw new Failure("usage", "verify_alone", "--verify looks at the whole log: no --follow, --since or -o");
  }
  const points = await checkpoints(flags);
  return await withStore(flags, false, ({ store }) => {
    const report = store.records.read((rows) => verifyLog(rows, store.records.storeId, points));
    const sound = report.problems.length === 0;
    const c = colour(Deno.stdout);
    const lines = report.problems.map((problem) => `${c.red("wrong")}    ${problemText(problem)}`);
    const furthest = Math.max(0, ...points.map(({ sequence }) => sequence));
    const seen = points.length === 0
      ? "no checkpoint given: a cut end or a log written anew would not show"
      : `${count(points.length, "checkpoint")}, up to event ${furthest}`;
    lines.push(
      `${sound ? c.green("sound") : c.red("not sound")}: ${count(report.events, "event")}` +
        (report.tombstones === 0 ? "" : `, ${count(report.tombstones, "payload")} pruned`) + `; ${seen}`,
    );
    return Promise.resolve({
      exit: sound ? EXIT.yes : EXIT.no,
      text: lines.join("\n"),
      json: {
        format: "veripatch-events-verification/v1",
        store: store.records.storeId,
        sound,
        ...report,
        checkpoints: points.map(({ sequence, hash, time }) => ({ sequence, hash, time })),
      },
    });
  });
}

function problemText({ sequence, code, detail }: LogProblem): string {
  return `${sequence === null ? "" : `event ${sequence}: `}${code}: ${printableLine(detail)}`;
}

/** Checkpoints that the caller's keys signed. One that they did not sign is an error, not a finding. */
async function checkpoints(flags: EventsFlags): Promise<readonly Checkpoint[]> {
  const files = flags.checkpoint ?? [];
  if (files.length === 0) {
    if (flags.key === undefined && flags.trust === undefined) return [];
    throw new Failure("usage", "key_without_checkpoint", "keys are for checkpoints: give --checkpoint FILE");
  }
  const role = flags.trust === undefined ? flags.role : flags.role ?? "approver";
  const trust = await trustAsked({ ...flags, ...(role === undefined ? {} : { role }) }, new Date());
  if (trust === null) throw noTrustedKey("checkpoint");
  const points: Checkpoint[] = [];
  for (const file of files) {
    const { bytes } = await readBoundedFile(file, MAX_CHECKPOINT_BYTES, "checkpoint");
    const read = readCheckpoint(bytes, trust.keys, trust.threshold);
    if (!read.ok) {
      const { reason, detail } = read.refusal;
      throw new Failure(
        reason === "checkpoint_untrusted" ? "denied" : "malformed",
        reason,
        `${printablePath(file)}: ${printableLine(detail)}`,
        { hint: "give the public key that signed it with --key, or a checkpoint as pp writes it" },
      );
    }
    points.push(read.checkpoint);
  }
  return points;
}
