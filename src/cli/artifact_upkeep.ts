import {
  collectGarbage,
  type Damage,
  examine,
  type Health,
  pruneVersions,
  repair,
} from "../store/artifact/upkeep.ts";
import { artifactName } from "../store/names.ts";
import { revisionName } from "../store/proposal/find.ts";
import type { ProposalSummary } from "../store/proposals.ts";
import type { Rows, Version } from "../store/store.ts";
import { Failure } from "../vocabulary/failure.ts";
import { printableLine, printablePath } from "../vocabulary/printable.ts";
import { workspaceRoot } from "./artifact.ts";
import { olderThan } from "./duration_asked.ts";
import { EXIT } from "./exit_code.ts";
import { wholeNumber } from "./number_asked.ts";
import type { LostProof } from "./lost_proofs.ts";
import { bytesText, type Colour, colour, count, grouped } from "./output.ts";
import { type StoreFlags, withStore } from "./store_asked.ts";
import type { VerbResult } from "./verb.ts";
import { versionJson } from "./version_json.ts";

export interface FsckFlags extends StoreFlags {
  readonly repair?: boolean;
  readonly workspace?: string;
}

/** `pp artifact fsck`: looks at every byte, and repairs what it can when asked to. */
export async function artifactFsck(flags: FsckFlags): Promise<VerbResult> {
  if (flags.workspace !== undefined && flags.repair !== true) {
    throw new Failure("usage", "workspace_without_repair", "--workspace says what --repair restores from");
  }
  const root = flags.workspace === undefined ? null : await workspaceRoot(flags.workspace);
  return await withStore(flags, false, async ({ store, by, source, signal, counter, waiting }) => {
    const options = {
      signal,
      waiting,
      progress: (done: number, of: number) =>
        counter.show(`checking ${grouped(done)} of ${grouped(of)} blobs`),
    };
    const found = await examine(store, options);
    const repaired = flags.repair === true && found.damages.length > 0
      ? await repair(store, by, found.damages, root === null ? null : await source(root), options)
      : null;
    const health = repaired === null ? found : await examine(store, options);
    const { lostProofs } = await import("./lost_proofs.ts");
    const proofs = await lostProofs(
      store,
      (done, of) => counter.show(`looking for proofs of ${grouped(done)} of ${grouped(of)} revisions`),
      signal,
    );
    const sound = isSound(health);
    const c = colour(Deno.stdout);
    const lines: string[] = [];
    for (const problem of health.database) lines.push(`${c.red("database")} ${printableLine(problem)}`);
    for (const { sequence, code, detail } of health.log.problems) {
      lines.push(
        `${c.red("log")}      ${sequence === null ? "" : `event ${sequence}: `}${code}: ${
          printableLine(detail)
        }`,
      );
    }
    for (const digest of repaired?.restored ?? []) lines.push(`${c.green("restored")} blob ${digest}`);
    for (const where of repaired?.quarantined ?? []) {
      lines.push(`${c.yellow("aside")}    ${printablePath(where)}`);
    }
    for (const damage of health.damages) lines.push(...damageLines(damage, c.red));
    for (const name of health.strangers) lines.push(`${c.yellow("stranger")} ${printablePath(name)}`);
    lines.push(...proofLines(proofs, c));
    const { versions, blobs, bytes, unused, log } = health;
    lines.push(
      `${sound ? c.green("sound") : c.red("damaged")}: ${count(versions, "version")}, ${
        count(blobs, "blob")
      }, ${bytesText(bytes)}, ${count(log.events, "event")}`,
    );
    if (unused > 0) {
      lines.push(c.dim(`${count(unused, "blob")} nothing refers to: pp artifact gc removes them`));
    }
    if (health.damages.length > 0) {
      lines.push(
        flags.repair === true
          ? "next     what is left cannot be restored from there: fsck --repair --workspace another DIR, or a backup"
          : "next     pp artifact fsck --repair --workspace DIR restores what DIR still has",
      );
    }
    return {
      exit: sound ? EXIT.yes : EXIT.no,
      text: lines.join("\n"),
      json: {
        format: "veripatch-artifact-fsck/v1",
        sound,
        ...{ versions, blobs, bytes, unused, database: health.database, strangers: health.strangers },
        damages: health.damages,
        proofs,
        log: health.log,
        repaired: repaired === null
          ? null
          : { restored: repaired.restored, quarantined: repaired.quarantined, left: repaired.left.length },
      },
    };
  });
}

/** Proofs are kept beside the store: without one nothing of the store is damaged, but its change cannot be applied. */
function proofLines(proofs: readonly LostProof[], c: Colour): string[] {
  const lines = proofs.slice(0, MAX_HITS_SHOWN).map(({ message, details }) =>
    `${c.yellow("proof")}    ${printableLine([message, ...details].join(": "))}`
  );
  const more = proofs.length - MAX_HITS_SHOWN;
  if (more > 0) lines.push(`         and ${grouped(more)} more (--json has all)`);
  if (proofs.length > 0) {
    lines.push("next     put it back at its place, or propose the change anew: pp propose … --revise P…");
  }
  return lines;
}

function isSound({ damages, database, log, strangers }: Health): boolean {
  return damages.length + database.length + log.problems.length + strangers.length === 0;
}

const MAX_HITS_SHOWN = 50;

function damageLines(
  { what, digest, problem, hits, proposals, operations }: Damage,
  red: (text: string) => string,
): string[] {
  const lines = [`${red(problem.padEnd(8))} ${what} ${digest}`];
  for (const { artifact, number, path } of hits.slice(0, MAX_HITS_SHOWN)) {
    lines.push(`         ${artifact}@${number}  ${path === "" ? "(all of it)" : printablePath(path)}`);
  }
  if (hits.length > MAX_HITS_SHOWN) lines.push(`         and ${hits.length - MAX_HITS_SHOWN} more versions`);
  for (const { proposal, revision, path } of proposals.slice(0, MAX_HITS_SHOWN)) {
    lines.push(`         P${proposal}.${revision}  ${printablePath(path)}`);
  }
  if (proposals.length > MAX_HITS_SHOWN) {
    lines.push(`         and ${proposals.length - MAX_HITS_SHOWN} more revisions of proposals`);
  }
  for (const { operation, path } of operations.slice(0, MAX_HITS_SHOWN)) {
    lines.push(`         O${operation}  ${printablePath(path)}`);
  }
  if (operations.length > MAX_HITS_SHOWN) {
    lines.push(`         and ${operations.length - MAX_HITS_SHOWN} more operations`);
  }
  return lines;
}

export interface GcFlags extends StoreFlags {
  readonly dryRun?: boolean;
}

/** `pp artifact gc`: removes what nothing refers to. */
export async function artifactGc(flags: GcFlags): Promise<VerbResult> {
  const dry = flags.dryRun === true;
  return await withStore(flags, false, async ({ store, by, signal, counter, waiting }) => {
    const collected = await collectGarbage(store, by, dry, {
      signal,
      waiting,
      progress: (done, of) => counter.show(`removing ${grouped(done)} of ${grouped(of)} blobs`),
    });
    const { blobs, bytes, trees, leftovers } = collected;
    const nothing = blobs + trees + leftovers === 0;
    const what = `${count(blobs, "blob")} (${bytesText(bytes)}), ${count(trees, "tree")}` +
      (leftovers === 0 ? "" : `, ${count(leftovers, "leftover")} of killed processes`);
    return {
      exit: EXIT.yes,
      text: nothing ? "nothing to remove" : dry ? `would remove ${what}` : `removed ${what}`,
      json: { format: "veripatch-artifact-gc/v1", dry_run: dry, ...collected },
    };
  });
}

export interface PruneFlags extends StoreFlags {
  readonly keep?: string;
  readonly olderThan?: string;
  readonly dryRun?: boolean;
}

/** `pp artifact prune`: removes old versions; the newest always stays. */
export async function artifactPrune(text: string | undefined, flags: PruneFlags): Promise<VerbResult> {
  const name = text === undefined ? null : artifactName(text);
  if ((flags.keep === undefined) === (flags.olderThan === undefined)) {
    throw new Failure("usage", "prune_which", "say which versions go: --keep N or --older-than TIME", {
      hint: "pp artifact prune --keep 10 --dry-run shows what would go",
    });
  }
  const keep = flags.keep === undefined ? null : wholeNumber("--keep", flags.keep, 1);
  return await withStore(flags, false, ({ store, by }) => {
    const rule = keep === null
      ? { kind: "before" as const, time: olderThan(flags.olderThan!, by.now) }
      : { kind: "keep" as const, newest: keep };
    const dry = flags.dryRun === true;
    const gone = pruneVersions(store, by, name, rule, dry);
    const lines = gone.map(({ artifact, number }) =>
      `${dry ? "would remove" : "removed"} ${artifact}@${number}`
    );
    const based = store.records.read((rows) => proposalsOn(rows, gone));
    if (gone.length === 0) lines.push("nothing to remove; the newest version always stays");
    for (const { proposal, revision } of based) {
      const base = `${proposal.artifact}@${revision.baseVersion}`;
      lines.push(
        `note     ${revisionName(revision)} is based on ${base}; pp proposal rebase P${proposal.number}`,
      );
    }
    if (gone.length > 0 && !dry) lines.push("next     pp artifact gc frees their space");
    return Promise.resolve({
      exit: EXIT.yes,
      text: lines.join("\n"),
      json: {
        format: "veripatch-artifact-prune/v1",
        dry_run: dry,
        removed: gone.map(versionJson),
        open_proposals: based.map(({ revision }) => revisionName(revision)),
      },
    });
  });
}

/** Proposals that may still be applied and whose newest revision is based on one of some versions. */
function proposalsOn(rows: Rows, versions: readonly Version[]): readonly ProposalSummary[] {
  const names = new Set(versions.map(({ artifact, number }) => `${artifact}@${number}`));
  if (names.size === 0) return [];
  return (["draft", "proposed", "approved"] as const).flatMap((state) => rows.proposals({ state }))
    .filter(({ proposal, revision }) => names.has(`${proposal.artifact}@${revision.baseVersion}`));
}
