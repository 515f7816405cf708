import {
  backendShape,
  nameShape,
  networkShape,
  PROOF_ENVELOPE,
  shortShape,
  targetsShape,
  timeShape,
} from "../bundle/claims.ts";
import { statementBytes } from "../bundle/make_statement.ts";
import { readStatement, type Subjects } from "../bundle/statement.ts";
import type { Refusal } from "../vocabulary/patch.ts";
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
  where,
} from "../vocabulary/shape.ts";

/** https://slsa.dev/spec/v1.0/verification_summary */
const SUMMARY_PREDICATE = "https://slsa.dev/verification_summary/v1";
/** Our member beside those of the standard, which wants a URI as the name of an extension. */
const REPLAY_MEMBER = "https://veripatch.dev/replay/v1";
const VERIFIER = "https://veripatch.dev/replay";
/** Levels that do not begin with SLSA_ are free to choose; FAILED is the standard's. */
const CONFIRMED = "VERIPATCH_REPLAY_CONFIRMED";
const FAILED = "FAILED";

const codeShape = matching(/^[a-z][a-z0-9_]{0,63}$/, "no code");
const sha256Only = exactly({ sha256: digestShape });
const repeatShape = where(count, (n) => n >= 1, "nothing was run");
const runsShape = where(
  exactly({ runs: count, passed: count, failed: count, timed_out: count }),
  ({ runs, passed, failed, timed_out }) => runs === passed + failed + timed_out,
  "its outcomes do not add up",
);
const checksShape = where(
  listOf(exactly({ check: codeShape, verdict: oneOf("passed", "failed", "unclear", "not_checked") }), 1, 100),
  (checks) => new Set(checks.map((c) => c.check)).size === checks.length,
  "a check comes twice",
);

const replayShape = exactly({
  format: oneOf("veripatch-replay-summary/v1"),
  session: nameShape,
  verdict: oneOf("confirmed", "contradicted", "inconclusive"),
  reason: codeShape,
  targets: targetsShape,
  /** How often each side was to be run. */
  repeat: repeatShape,
  base_tree: digestShape,
  base: runsShape,
  patched: runsShape,
  /** With the failing test that the policy wants beside the patch; null when it wants none. */
  control: nullable(runsShape),
  /** What has to be known before the green is believed, such as protected files that the patch touches. */
  findings: listOf(
    exactly({ code: codeShape, path: nullable(shortShape), rule: nullable(shortShape) }),
    0,
    100_000,
  ),
  /** Where it ran; null when nothing was run. */
  sandbox: nullable(exactly({
    backend: backendShape,
    image: nullable(exactly({ name: shortShape, id: shortShape })),
    network: networkShape,
    /** Whether backend and image are those the bundle records. */
    as_recorded: flag,
  })),
  /** Keys of the proof's signatures that were believed; none when an unsigned bundle was allowed. */
  signers: listOf(shortShape, 0, 64),
  /** Removals of lines that were tried, and how many of them passed; null when nobody asked. */
  minimal: nullable(exactly({ units: count, tried: count, passed: count, seed: nullable(shortShape) })),
  checks: checksShape,
});

/** What a replay found out, as it is signed. Every member is always there. */
export type ReplayFacts = Shaped<typeof replayShape>;

const predicateShape = exactly({
  verifier: exactly({ id: oneOf(VERIFIER), version: exactly({ veripatch: nameShape }) }),
  timeVerified: timeShape,
  resourceUri: nameShape,
  policy: exactly({ uri: nameShape, name: nullable(nameShape), digest: sha256Only }),
  inputAttestations: listOf(exactly({ uri: oneOf(PROOF_ENVELOPE), digest: sha256Only }), 0, 1),
  verificationResult: oneOf("PASSED", "FAILED"),
  verifiedLevels: listOf(oneOf(CONFIRMED, FAILED), 1, 1),
  slsaVersion: oneOf("1.0"),
  [REPLAY_MEMBER]: replayShape,
});
type Predicate = Shaped<typeof predicateShape>;

export interface VerificationSummary {
  /** The final patch and the patched tree, as in the proof's own statement. */
  readonly subjects: Subjects;
  readonly verifiedAt: Date;
  readonly toolVersion: string;
  /** The verifier's: digest of the policy as loaded, and its file's name; null for the built-in one. */
  readonly policy: { readonly digest: string; readonly source: string | null };
  /** SHA-256 of attestation.json as it was verified; null when an unsigned bundle was allowed. */
  readonly attestation: string | null;
  readonly replay: ReplayFacts;
}

/**
 * The bytes of a verification summary: an in-toto statement about the proof's own subjects, in canonical JSON. It is
 * PASSED only when the replay confirmed the proof; contradicted and inconclusive are both FAILED.
 * @throws RangeError when the summary is one that no reader would take
 */
export function summaryStatement(summary: VerificationSummary): Uint8Array {
  const { replay, policy, attestation } = summary;
  const passed = replay.verdict === "confirmed";
  const predicate: Predicate = {
    verifier: { id: VERIFIER, version: { veripatch: summary.toolVersion } },
    timeVerified: summary.verifiedAt.toISOString(),
    resourceUri: sessionUri(replay.session),
    policy: {
      uri: `https://veripatch.dev/policy/${policy.digest}`,
      name: policy.source,
      digest: { sha256: policy.digest },
    },
    inputAttestations: attestation === null ? [] : [{ uri: PROOF_ENVELOPE, digest: { sha256: attestation } }],
    verificationResult: passed ? "PASSED" : "FAILED",
    verifiedLevels: [passed ? CONFIRMED : FAILED],
    slsaVersion: "1.0",
    [REPLAY_MEMBER]: replay,
  };
  const bytes = statementBytes(summary.subjects, SUMMARY_PREDICATE, predicate);
  const read = readSummary(bytes);
  if (!read.ok) throw new RangeError(`no summary: ${read.refusal.detail}`);
  return bytes;
}

export type SummaryRead = { readonly ok: true; readonly summary: VerificationSummary } | {
  readonly ok: false;
  readonly refusal: Refusal;
};

/**
 * Reads the payload of a verified summary strictly: only what `summaryStatement` writes, and only if it does not
 * contradict itself. Bounded; never throws.
 */
export function readSummary(payload: Uint8Array): SummaryRead {
  const read = readStatement(payload, SUMMARY_PREDICATE, predicateShape);
  if (!read.ok) return read;
  const { subjects, predicate } = read.statement;
  const replay = predicate[REPLAY_MEMBER];
  const problem = contradiction(predicate, replay);
  if (problem !== null) {
    return { ok: false, refusal: { reason: "summary_contradicts_itself", detail: problem } };
  }
  return {
    ok: true,
    summary: {
      subjects,
      verifiedAt: new Date(predicate.timeVerified),
      toolVersion: predicate.verifier.version.veripatch,
      policy: { digest: predicate.policy.digest.sha256, source: predicate.policy.name },
      attestation: predicate.inputAttestations[0]?.digest.sha256 ?? null,
      replay,
    },
  };
}

/** A confirmation without red and green runs, or beside a failed check, is none. */
function contradiction(predicate: Predicate, replay: ReplayFacts): string | null {
  const { verdict, repeat, base, patched, control, sandbox, minimal, checks, signers } = replay;
  const confirmed = verdict === "confirmed";
  const holds: readonly [boolean, string][] = [
    [
      (predicate.verificationResult === "PASSED") === confirmed,
      "verificationResult is not what the verdict says",
    ],
    [
      (predicate.verifiedLevels[0] === CONFIRMED) === confirmed,
      "verifiedLevels is not what the verdict says",
    ],
    [predicate.resourceUri === sessionUri(replay.session), "resourceUri is not that of the session"],
    [
      predicate.policy.uri === `https://veripatch.dev/policy/${predicate.policy.digest.sha256}`,
      "the policy's uri is not that of its digest",
    ],
    [
      (signers.length > 0) === (predicate.inputAttestations.length > 0),
      "signers without an attestation, or none with one",
    ],
    [base.runs <= repeat && patched.runs <= repeat, "more runs than were asked for"],
    [(sandbox === null) === (base.runs + patched.runs === 0), "runs without a sandbox, or none in one"],
    [
      minimal === null || (minimal.tried <= minimal.units && minimal.passed <= minimal.tried),
      "more removals than units",
    ],
  ];
  const ifConfirmed: readonly [boolean, string][] = [
    [base.runs === repeat && base.passed === 0, "confirmed without a base that was red every time"],
    [
      patched.runs === repeat && patched.passed === repeat,
      "confirmed without a patch that was green every time",
    ],
    [
      minimal === null || (minimal.tried > 0 && minimal.passed === 0),
      "confirmed although a line is not needed",
    ],
    [
      control === null || (control.runs === repeat && control.passed === 0),
      "confirmed although a failing test was not noticed",
    ],
    [
      checks.every((c) => c.verdict === "passed" || c.verdict === "not_checked"),
      "confirmed although a check failed",
    ],
  ];
  return [...holds, ...(confirmed ? ifConfirmed : [])].find(([ok]) => !ok)?.[1] ?? null;
}

function sessionUri(session: string): string {
  return `https://veripatch.dev/session/${session}`;
}
