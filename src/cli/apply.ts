import { type Application, type ApplyAsked, applyProposals, type ApplyRefusal } from "../apply/apply.ts";
import type { TestsRun } from "../apply/run_tests.ts";
import type { MergeStrategy } from "../patch/merge.ts";
import { loadPolicy } from "../policy/load.ts";
import { requireAsShown } from "../proposal/shown.ts";
import { proposalName } from "../store/names.ts";
import { Failure } from "../vocabulary/failure.ts";
import { clearanceOf } from "./apply_clearance.ts";
import { chooseRevision } from "./apply_interactive.ts";
import { testRunner } from "./apply_tests.ts";
import { applyReport } from "./apply_report.ts";
import { termsUnder, trustText } from "./approval_terms.ts";
import { backupsUntil, KEEP_BACKUPS } from "./duration_asked.ts";
import { EXIT } from "./exit_code.ts";
import { type FolderFlags, withFolder } from "./folder_asked.ts";
import type { VerbResult } from "./verb.ts";

export interface ApplyFlags extends FolderFlags {
  readonly dryRun?: boolean;
  readonly runTests?: boolean;
  readonly mergeStrategy?: string;
  readonly interactive?: boolean;
  readonly atomic?: boolean;
  readonly policy?: string;
  readonly trust?: string;
  readonly keepBackups?: string;
  readonly image?: string;
  readonly pull?: boolean;
}

export const STRATEGIES: readonly MergeStrategy[] = ["manual", "ours", "theirs", "union"];

/** `pp apply`: puts the newest revisions of proposals into a folder, all or nothing. */
export async function runApply(names: readonly string[], flags: ApplyFlags): Promise<VerbResult> {
  let proposals = names.map(proposalName);
  if (flags.interactive === true && (proposals.length > 1 || flags.dryRun === true)) {
    throw new Failure("usage", "interactive_alone", "--interactive takes one proposal, and no --dry-run");
  }
  const strategy = strategyOf(flags.mergeStrategy ?? "manual");
  const until = backupsUntil(flags.keepBackups ?? KEEP_BACKUPS, new Date());
  return await withFolder(flags, async (use) => {
    const { store, ports, signal, counter } = use;
    const { root } = ports.folder;
    const policy = await loadPolicy(root, flags.policy);
    let terms = await termsUnder(policy, flags.trust, root);
    if (flags.interactive === true) {
      const { store, json, policy, trust, image, pull } = flags;
      const given = Object.entries({ store, json, policy, trust, image, pull }).filter(([, value]) =>
        value !== undefined
      );
      const chosen = await chooseRevision(use, proposals[0]!, Object.fromEntries(given));
      if (chosen.kind === "nothing") return nothingChosen(chosen.detail);
      proposals = [chosen.name];
    }
    let tests: TestsRun | null = null;
    const run = flags.runTests === true ? testRunner(root, store.folder, policy, flags, signal) : null;
    const asked: ApplyAsked = {
      ...{ proposals, strategy, dryRun: flags.dryRun === true, backupsUntil: until },
      asShown: (found) => requireAsShown(store, found),
      proofHolds: async (found) => {
        const { requireProof } = await import("./proof_bundle.ts");
        await requireProof(store, found, terms(new Date()));
      },
      clear: (rows, revision, now) => {
        const judged = terms(now);
        return clearanceOf(rows, store.records.storeId, revision, judged, trustText(judged));
      },
      verify: run === null ? null : async (tree, changes) => {
        counter.end();
        tests = await run(tree, changes);
        // Tests take their time: keys may have been revoked, or have run out, meanwhile.
        terms = await termsUnder(policy, flags.trust, root);
        return { passed: tests.outcome === "passed" };
      },
    };
    const application = await applyProposals(ports, asked);
    return applyReport(application, { use, flags, tests, exit: exitOf(application, tests) });
  });
}

function nothingChosen(detail: string): VerbResult {
  const refusal = { reason: "declined", detail, paths: [] };
  const json = { format: "veripatch-apply/v1", applied: false, operation: null, refusal };
  return { exit: EXIT.no, text: `not applied  ${detail}`, json };
}

function strategyOf(text: string): MergeStrategy {
  const known = STRATEGIES.find((strategy) => strategy === text);
  if (known !== undefined) return known;
  throw new Failure("usage", "strategy_unknown", `--merge-strategy takes ${STRATEGIES.join(", ")}`);
}

function exitOf({ refusal }: Application, tests: TestsRun | null): number {
  if (refusal === null) return EXIT.yes;
  return OF_REFUSAL[refusal.reason] ??
    (tests?.outcome === "flaky" || tests?.outcome === "timed_out" ? EXIT.noAnswer : EXIT.no);
}

const OF_REFUSAL: Partial<Record<ApplyRefusal["reason"], number>> = {
  not_newest: EXIT.no,
  state_differs: EXIT.no,
  expired: EXIT.noAnswer,
  not_cleared: EXIT.denied,
  stale: EXIT.no,
  overlapping: EXIT.no,
  conflicts: EXIT.no,
  declined: EXIT.no,
};
