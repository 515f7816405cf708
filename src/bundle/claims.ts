import type { Sha256 } from "../vocabulary/digest.ts";
import {
  count,
  digestShape,
  exactly,
  flag,
  listOf,
  matching,
  nullable,
  oneOf,
  type Shaped,
  text,
  where,
} from "../vocabulary/shape.ts";

export const timeShape = where(
  matching(/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,3})?Z$/, "no time"),
  (time) => !Number.isNaN(Date.parse(time)),
  "no time",
);
export const shortShape = text(4096);
export const nameShape = where(shortShape, (name) => name !== "", "empty");
export const backendShape = oneOf("container", "copy", "git_worktree", "fake");
export const networkShape = oneOf("deny", "allow");
export const toolShape = exactly({ name: oneOf("veripatch"), version: shortShape });
/** Of a proof target, what a statement says; repro.json may say more. */
export const targetMembers = { name: nameShape, command: text(), argv: listOf(text(), 1), shell: flag };
export const targetsShape = where(
  listOf(exactly(targetMembers), 1, 1000),
  (targets) => new Set(targets.map((t) => t.name)).size === targets.length,
  "a target comes twice",
);

const sideShape = exactly({
  outcome: oneOf("passed", "failed", "timed_out", "mixed"),
  runs: count,
  passed: count,
});

/** The members of a statement that its bundle's documents say too. */
export const claimShapes = {
  tool: toolShape,
  session: nameShape,
  started_at: timeShape,
  finished_at: timeShape,
  status: oneOf("proved"),
  base: exactly({ tree: digestShape, git_commit: nullable(shortShape), git_tree: nullable(shortShape) }),
  result: exactly({ tree: digestShape }),
  targets: targetsShape,
  sandbox: exactly({
    backend: backendShape,
    image: nullable(exactly({ name: shortShape, id: shortShape })),
    network: networkShape,
  }),
  policy_digest: digestShape,
  before: where(
    sideShape,
    ({ outcome, runs, passed }) => runs > 0 && passed === 0 && outcome !== "passed",
    "the base is not red",
  ),
  after: where(
    sideShape,
    ({ outcome, runs, passed }) => runs > 0 && passed === runs && outcome === "passed",
    "the patched tree is not green",
  ),
  minimization: nullable(exactly({
    used: flag,
    one_minimal: flag,
    atoms_before: count,
    atoms_after: count,
    record_sha256: digestShape,
  })),
  findings: listOf(exactly({ code: nameShape, path: nullable(shortShape) }), 0, 10_000),
};
const claimsShape = exactly(claimShapes);

/**
 * What a proof says of itself: who was red, who is green, of which trees, under which policy, in which sandbox.
 * A function of the bundle's documents, so that a verifier can draw it again and compare.
 */
export type Claims = Shaped<typeof claimsShape>;

export interface FileDigest {
  /** Bytes. */
  readonly size: number;
  readonly sha256: Sha256;
}

/** What claims are drawn from: digests of all files of a bundle, bytes of the kept documents that are there. */
export interface Evidence {
  readonly files: ReadonlyMap<string, FileDigest>;
  readonly documents: ReadonlyMap<string, Uint8Array>;
}

export const PROOF_ENVELOPE = "attestation.json";
export const TEST_RESULT_ENVELOPE = "test_result.attestation.json";

/** The documents that readers of a bundle keep, by name, and how many bytes of each at most. */
export const KEPT_DOCUMENTS: ReadonlyMap<string, number> = new Map([
  // A statement of 16 MiB in base64, and its signatures.
  ...[PROOF_ENVELOPE, TEST_RESULT_ENVELOPE].map((name) => [name, 23 << 20] as const),
  ...[
    "repro.json",
    "policy.json",
    "environment.json",
    "attempts/0_baseline/verify.json",
    "confirmation/verify.json",
    "minimization.json",
  ].map((name) => [name, 16 << 20] as const),
]);
