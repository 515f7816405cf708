import { listed } from "../src/cli/approval.ts";
import { openFolderStore } from "../src/store/folder/open.ts";
import { EVIDENCE_FORMAT } from "../src/approve/evidence.ts";
import { addVersion } from "../src/store/log/change.ts";
import { addProposal, propose } from "../src/store/proposal/change.ts";
import { buildTrees } from "../src/store/artifact/tree.ts";
import { checkDocument } from "../src/approve/check.ts";
import type { WritableRows } from "../src/store/store.ts";
import { sha256 } from "../src/vocabulary/digest.ts";
import { makeManifest } from "../src/vocabulary/manifest.ts";
import { median, ms, type Row, timed } from "./measure.ts";

const PROPOSALS = 10_000;
const ROUNDS = 9;
/** Of each document beside a revision, so that a list which read them would be seen. */
const FINDINGS = 20;
/** One of so many has checks that failed. */
const FAILED_EVERY = 10;
const ANY = sha256("any");

/** A list of ten thousand proposals from a store that is opened for it, each with evidence and checks. */
export async function proposals(): Promise<Row[]> {
  const root = await Deno.makeTempDir({ prefix: "veripatch-bench-" });
  const open = () =>
    openFolderStore({ named: `${root}/store`, env: {}, create: true, actor: "bench", now: new Date() });
  try {
    const filling = open();
    const by = { storeId: filling.records.storeId, actor: "bench", now: new Date() };
    filling.records.write((rows) => fill(rows, by));
    filling.close();
    const times: number[] = [], first: number[] = [];
    for (let round = 0; round <= ROUNDS; round++) {
      const store = open();
      const list = async (limit: number, state: "proposed" | null) => {
        const found = await Promise.resolve(store.records.read((rows) => listed(rows, state, limit, by.now)));
        if (found.length !== limit) throw new Error(`${found.length} proposals listed, not ${limit}`);
      };
      const all = await timed(() => list(PROPOSALS, "proposed"));
      const page = await timed(() => list(50, null));
      store.close();
      if (round > 0) times.push(all), first.push(page);
    }
    const [all, page] = [median(times), median(first)];
    return [{
      what: `${PROPOSALS.toLocaleString("en-US")} proposals listed`,
      ours: ms(all),
      peer: `${page.toFixed(1)} ms for the newest 50`,
      figure: ms(all),
      target: "under 100 ms",
      met: all < 100,
    }];
  } finally {
    await Deno.remove(root, { recursive: true });
  }
}

function fill(rows: WritableRows, by: { storeId: string; actor: string; now: Date }): void {
  const file = { path: "a.py", mode: "100644" as const, size: 1, sha256: sha256("1") };
  const { entries, digest } = makeManifest([file]);
  const { root, trees } = buildTrees(entries);
  const bodies = [...trees].map(([digest, { body }]) => [digest, body] as const);
  const version = { artifact: "a", root, manifest: digest, files: 1, bytes: 1, message: "", restores: null };
  addVersion(rows, by, { ...version, trees: bodies });
  const findings = Array.from({ length: FINDINGS }, (_, i) => ({
    ...{ level: "warning" as const, code: "exec", path: `src/file${i}.py`, line: i },
    detail: "exec is added: subprocess.run in main",
  }));
  const checksOf = (outcome: "passed" | "failed") =>
    (["patch", "syntax", "imports", "safety"] as const).map((kind) => ({
      ...{ kind, outcome },
      document: checkDocument({ kind, outcome, summary: kind, findings, details: null }),
    }));
  const passed = checksOf("passed"), failed = checksOf("failed");
  for (let n = 1; n <= PROPOSALS; n++) {
    const checks = n % FAILED_EVERY === 0 ? failed : passed;
    const { proposal, revision } = addProposal(rows, by, {
      artifact: "a",
      title: `proposal number ${n} says what it is for`,
      revision: {
        ...{ baseVersion: 1, baseRoot: root, baseManifest: digest, resultRoot: root, resultManifest: digest },
        ...{ patch: sha256(`patch ${n}`), patchBytes: 1, files: FINDINGS, additions: 1, deletions: 1 },
        ...{ instruction: "do what is needed ".repeat(20), source: { kind: "diff" }, trees: [] },
      },
    });
    const evidence = {
      ...{ format: EVIDENCE_FORMAT as typeof EVIDENCE_FORMAT, store: by.storeId, proposal: n, revision: 1 },
      ...{ artifact: "a", base_version: 1, title: proposal.title },
      base: { root, manifest: digest },
      result: { root, manifest: digest },
      ...{ instruction_sha256: sha256(revision.instruction), source_sha256: sha256(revision.source) },
      patch: {
        ...{ sha256: revision.patch, bytes: 1, additions: 1, deletions: 1 },
        files: findings.map(({ path }) => ({
          ...{ path, old_path: null, change: "modified" as const, additions: 1, deletions: 1 },
        })),
      },
      policy_sha256: ANY,
      checker: { version: "1", rules_sha256: ANY },
      safety: {
        ...{
          outcome: "allowed" as const,
          added: 0,
          removed: 0,
          widened: 0,
          unanalyzed: 0,
          missing_imports: 0,
        },
        delta_sha256: ANY,
      },
      checks: checks.map(({ kind, outcome, document }) => ({
        kind,
        outcome,
        document_sha256: sha256(document),
      })),
      ...{ proof: null, proposer: { actor: by.actor, key_id: null }, rebased_from: null },
      ...{
        created_at: revision.createdAt,
        expires_at: new Date(by.now.getTime() + 86_400_000).toISOString(),
      },
    };
    const proposed = propose(rows, by, { proposal: n, revision: 1 }, { evidence, checks, signature: null });
    if (!proposed.ok) throw new Error(proposed.code);
  }
}
