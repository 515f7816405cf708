import { z } from "zod";
import { REPORT_VERDICTS, TEST_CHANGES, TEST_FINDINGS, TEST_OUTCOMES } from "../vocabulary/test_report.ts";

/**
 * An array that stops at its first bad item: hostile documents have millions of them, and zod would collect a report
 * for each.
 */
function list<T extends z.ZodType>(item: T, { min = 0, max = Infinity } = {}) {
  return z.array(z.unknown()).min(min).max(max).transform((values, context): z.output<T>[] => {
    const items: z.output<T>[] = [];
    for (const [i, value] of values.entries()) {
      const checked = item.safeParse(value);
      if (!checked.success) {
        const { path, message } = checked.error.issues[0]!;
        context.addIssue({ code: "custom", message, path: [i, ...path] });
        return z.NEVER;
      }
      items.push(checked.data);
    }
    return items;
  });
}

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const count = z.number().int().nonnegative();
const short = z.string().max(4096);
const text = z.string();
const time = z.string().regex(/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,3})?Z$/);
const outcome = z.enum(["passed", "failed", "timed_out"]);
const git = z.enum(["agrees", "no_git"]);
const changed = z.strictObject({ files: count, additions: count, deletions: count });

const target = z.strictObject({
  name: short.min(1),
  command: text,
  argv: list(text, { min: 1 }),
  shell: z.boolean(),
});

const finding = z.strictObject({
  code: short.regex(/^[a-z0-9_]+$/),
  path: short.min(1).nullable(),
  rule: short.min(1).nullable(),
  detail: text,
});

export const reproSchema = z.strictObject({
  format: z.literal("veripatch-repro/v1"),
  tool: z.strictObject({ name: z.literal("veripatch"), version: short }),
  session: short,
  started_at: time,
  finished_at: time,
  status: z.enum([
    "proved",
    "already_passing",
    "not_proved",
    "flaky",
    "timed_out",
    "budget_exhausted",
  ]),
  reason: text,
  reason_code: short.regex(/^[a-z0-9_]+$/).nullable(),
  success: z.boolean(),
  command: text,
  proof_targets: list(target, { min: 1, max: 1000 }),
  policy_hash: sha256,
  policy_source: short.nullable(),
  provider: short,
  git_commit: short.nullable(),
  git_tree: short.nullable(),
  git_branch: short.nullable(),
  git_remote_url: short.nullable(),
  git_dirty: z.boolean().nullable(),
  workspace_manifest_sha256: sha256,
  workspace_tar_sha256: sha256.optional(),
  base_tree: sha256,
  result_tree: sha256.nullable(),
  final_patch_sha256: sha256.nullable(),
  final_attempt: count.min(1).nullable(),
  final_git: git.nullable(),
  final_exit_code: z.number().int().nullable(),
  attempts_used: count,
  findings: list(finding, { max: 10_000 }),
  negative_control: z.strictObject({
    files: list(z.strictObject({ path: short.min(1), sha256 }), { min: 1, max: 1000 }),
    targets: list(short.min(1), { min: 1, max: 1000 }),
    outcome: z.enum(["failed", "passed", "timed_out", "mixed", "not_run"]),
  }).nullable(),
  sandbox_backend: z.enum(["container", "copy", "git_worktree", "fake"]),
  network_policy: z.enum(["deny", "allow"]),
  container_image: short.nullable(),
  container_image_id: short.nullable(),
  redactions: list(z.strictObject({ rule: short, count })),
});
export type Repro = z.infer<typeof reproSchema>;

export const policySchema = z.strictObject({
  format: z.literal("veripatch-policy/v1"),
  digest: sha256,
  source: short.nullable(),
  /** As loaded by the session. Evidence, never used to judge the bundle, hence not looked into. */
  config: z.strictObject({ proof_targets: list(z.unknown()), policy: z.record(z.string(), z.unknown()) }),
});
export type PolicyDocument = z.infer<typeof policySchema>;

export const environmentSchema = z.strictObject({
  format: z.literal("veripatch-environment/v1"),
  backend: reproSchema.shape.sandbox_backend,
  engine: short,
  engine_version: short,
  platform: short,
  runtime: short,
  image: z.strictObject({ name: short, id: short, repo_digests: list(short, { max: 1000 }) }).nullable(),
  enforced: list(
    z.strictObject({
      limit: z.enum([
        "network",
        "cpus",
        "memory",
        "pids",
        "file_size",
        "disk",
        "time",
        "user",
        "capabilities",
        "syscalls",
      ]),
      value: short,
      by: short,
    }),
    { max: 1000 },
  ),
});
export type EnvironmentDocument = z.infer<typeof environmentSchema>;

export const manifestSchema = z.strictObject({
  format: z.literal("veripatch-workspace-manifest/v1"),
  digest: sha256,
  entries: list(z.strictObject({
    path: short.min(1),
    mode: z.enum(["100644", "100755", "120000", "040000"]),
    size: count,
    sha256,
  })),
  skipped: list(
    z.strictObject({ path: short.min(1), reason: z.enum(["ignored", "fifo", "socket", "device"]) }),
  ),
});
export type ManifestDocument = z.infer<typeof manifestSchema>;

export const verifySchema = z.strictObject({
  format: z.literal("veripatch-verify/v1"),
  outcome: z.enum(["passed", "failed", "timed_out", "mixed"]),
  passed: count,
  runs: list(z.strictObject({ run: count.min(1), outcome })),
});
export type VerifyDocument = z.infer<typeof verifySchema>;

const stream = z.strictObject({
  file: short.nullable(),
  total_bytes: count,
  kept_bytes: count,
  sha256,
  redacted: z.boolean(),
});
function counts<K extends string>(names: readonly K[]) {
  return z.strictObject(Object.fromEntries(names.map((name) => [name, count])) as Record<K, typeof count>);
}

const reportSchema = z.strictObject({
  verdict: z.enum(REPORT_VERDICTS),
  detail: text,
  tests: counts(TEST_OUTCOMES).nullable(),
  findings: counts(TEST_FINDINGS),
});
export type ReportDocument = z.infer<typeof reportSchema>;

export const targetResultsSchema = z.strictObject({
  format: z.literal("veripatch-target-results/v1"),
  runs: list(z.strictObject({
    run: count.min(1),
    targets: list(z.strictObject({
      target: short,
      outcome: z.enum(["passed", "failed", "timed_out", "not_run"]),
      result: z.strictObject({
        argv: list(text, { min: 1 }),
        end: z.enum(["exited", "timed_out", "out_of_memory", "out_of_disk"]),
        exit_code: z.number().int().nullable(),
        duration_ms: count,
        stdout: stream,
        stderr: stream,
      }).nullable(),
      report: reportSchema.optional(),
    })),
  })),
});
export type TargetResultsDocument = z.infer<typeof targetResultsSchema>;

const testOutcome = z.enum(TEST_OUTCOMES);
export const testsSchema = z.strictObject({
  format: z.literal("veripatch-tests/v1"),
  targets: list(
    z.strictObject({
      target: short.min(1),
      report: z.strictObject({ format: z.enum(["junit", "tap"]), path: short.min(1) }),
      base_reports: count,
      after: z.strictObject({ of: z.enum(["confirmation", "attempt"]), attempt: count.min(1).nullable() })
        .nullable(),
      counts: counts(TEST_CHANGES).nullable(),
      findings: list(z.strictObject({ kind: z.enum(TEST_FINDINGS), id: short })),
      tests: list(z.strictObject({
        id: short.min(1),
        before: testOutcome.nullable(),
        after: testOutcome.nullable(),
        change: z.enum(TEST_CHANGES).nullable(),
        redacted: z.literal(true).optional(),
      })),
    }),
    { min: 1, max: 1000 },
  ),
});
export type TestsDocument = z.infer<typeof testsSchema>;

export const proposedSchema = z.strictObject({
  format: z.literal("veripatch-proposed/v1"),
  attempt: count.min(1),
  proposer: short,
  proposal: z.strictObject({
    source: text,
    diff: text,
    rationale: text,
    risk_notes: text,
    confidence: z.number().nullable(),
  }).nullable(),
  refusals: list(z.strictObject({ reason: short, path: text.optional(), detail: text })),
  outcome: z.enum(["refused", "not_run", "passed", "failed", "timed_out"]),
});
export type ProposedDocument = z.infer<typeof proposedSchema>;

export const patchStatsSchema = z.strictObject({
  format: z.literal("veripatch-patch-stats/v1"),
  ...changed.shape,
  per_file: list(z.strictObject({
    path: short,
    change: z.enum(["created", "deleted", "renamed", "modified"]),
    additions: count,
    deletions: count,
  })),
  patch_sha256: sha256,
  result_tree: sha256,
  notes: list(text),
  git,
});
export type PatchStatsDocument = z.infer<typeof patchStatsSchema>;

/** Atom numbers as ranges: `0-3,7`, empty for none. */
const atoms = z.string().refine((ranges) => !/[^0-9,-]/.test(ranges), "no ranges of atoms");
const probe = z.enum(["passes", "fails", "timed_out", "unparsable"]);
export const minimizationSchema = z.strictObject({
  format: z.literal("veripatch-minimization/v1"),
  used: z.boolean(),
  reason: text.nullable(),
  end: z.enum(["one_minimal", "runs_exhausted", "time_exhausted", "realigned"]),
  runs: count,
  before: changed,
  after: changed.nullable(),
  atoms: list(z.strictObject({ path: short, what: text })),
  kept: atoms,
  waves: list(z.strictObject({
    wave: count.min(1),
    level: z.enum(["file", "hunk", "group", "line"]),
    tried: list(
      z.strictObject({ removed: atoms, probe, cached: z.boolean(), retried: z.literal(true).optional() }),
    ),
    removed: atoms,
    remaining: count,
    runs: count,
  })),
  certificate: z.strictObject({
    wave: count.min(1).nullable(),
    removals: list(z.strictObject({ removed: atoms, probe })),
  })
    .nullable(),
});
export type MinimizationDocument = z.infer<typeof minimizationSchema>;

export const eventsHeaderSchema = z.strictObject({ format: z.literal("veripatch-events/v1") });
/** Events may gain members and kinds; readers show what they know. */
export const eventSchema = z.strictObject({ at: time, event: z.looseObject({ kind: short }) });
