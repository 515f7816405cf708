import type { MinimizeResult } from "../minimize/minimize.ts";
import type { PolicyConfig } from "../policy/policy.ts";
import type { SandboxEnvironment } from "../sandbox/sandbox.ts";
import type { Sha256 } from "../vocabulary/digest.ts";
import type { Finding } from "../vocabulary/finding.ts";
import type { Manifest, SkippedEntry } from "../vocabulary/manifest.ts";
import type { ByteString, Refusal } from "../vocabulary/patch.ts";
import type { ProofTarget, SessionEvent, SessionStatus } from "../vocabulary/session.ts";
import type { VerificationResult } from "../vocabulary/verification.ts";
import type { GitProvenance } from "../workspace/workspace.ts";

export interface TimedEvent {
  /** ISO 8601, UTC, milliseconds. */
  readonly at: string;
  readonly event: SessionEvent;
}

interface AppliedPatch {
  /** Canonical bytes. */
  readonly patch: ByteString;
  /** Manifest digest of base plus patch. */
  readonly resultTree: Sha256;
  /** How the proposal was read: `exact`, `fence_removed`, `line_numbers_corrected` … */
  readonly notes: readonly string[];
  /** What `git apply` said of it. */
  readonly git: "agrees" | "no_git";
}

/** What the note of an attempt begins with for each protected file that was left out of its patch; the path follows. */
export const LEFT_OUT_NOTE = "protected_left_out: ";

export interface AttemptRecord {
  /** 1-based. */
  readonly attempt: number;
  readonly proposer: string;
  readonly proposal: {
    readonly source: string;
    readonly diff: string;
    readonly rationale: string;
    readonly riskNotes: string;
    readonly confidence: number | null;
  } | null;
  readonly refusals: readonly Refusal[];
  readonly applied: AppliedPatch | null;
  readonly verification: VerificationResult | null;
}

export interface MinimizationRecord {
  readonly result: MinimizeResult;
  /** Atom number to `path:line` and text, for people and for re-checking removals. */
  readonly atoms: readonly { readonly path: string; readonly what: string }[];
  readonly before: { readonly files: number; readonly additions: number; readonly deletions: number };
  /** Whether the minimized patch was confirmed and is the final one; else the reason it was not. */
  readonly kept: boolean;
  readonly reason: string | null;
  /**
   * The confirmation runs of the minimized patch when they did not all pass and the winning patch was confirmed in its
   * place or nothing was; else empty.
   */
  readonly rejected: readonly VerificationResult[];
}

/** The base as a tar of its own. */
export interface EmbeddedWorkspace {
  /** Bytes of the tar, and their digest. */
  readonly size: number;
  readonly sha256: Sha256;
  /** Digest of the tree in it. */
  readonly tree: Sha256;
}

/** A failing test laid beside the final patch, in newly created copies. */
export interface NegativeControlRecord {
  readonly files: readonly { readonly path: string; readonly sha256: Sha256 }[];
  /** Names of the targets that had to fail with it. */
  readonly targets: readonly string[];
  readonly outcome: "failed" | "passed" | "timed_out" | "mixed" | "not_run";
  /** One per repeat; empty when it came to none. */
  readonly runs: readonly VerificationResult[];
}

/** Everything a session learned: what a bundle is made from. Nothing in here is redacted yet. */
export interface SessionRecord {
  readonly session: string;
  readonly toolVersion: string;
  readonly startedAt: string;
  readonly finishedAt: string;
  readonly status: SessionStatus;
  /** One sentence for people; empty when the status says all. */
  readonly reason: string;
  /** Why the status is what it is, stable snake_case; null when the status says all. */
  readonly reasonCode: string | null;
  readonly targets: readonly ProofTarget[];
  readonly policy: PolicyConfig;
  readonly policyDigest: Sha256;
  /** Where the policy was loaded from, as given or absolute (a bundle names only the file); null for the built-in one. */
  readonly policySource: string | null;
  readonly provider: string;
  readonly environment: SandboxEnvironment;
  readonly manifest: Manifest;
  readonly skipped: readonly SkippedEntry[];
  readonly git: GitProvenance;
  /** One per repeat. */
  readonly baseline: readonly VerificationResult[];
  readonly attempts: readonly AttemptRecord[];
  readonly minimization: MinimizationRecord | null;
  /** Of the final patch, in newly created copies; one per repeat. */
  readonly confirmation: readonly VerificationResult[];
  /** Of the unpatched base, in newly created copies, by turns with `confirmation`: one before each of its runs. */
  readonly baseAgain: readonly VerificationResult[];
  /** What the policy's negative control came to; null when it asks for none. */
  readonly negativeControl: NegativeControlRecord | null;
  /** What a reader must know before the final patch is believed; empty unless proved. */
  readonly findings: readonly Finding[];
  /** Present exactly when proved. */
  readonly final:
    | {
      readonly patch: ByteString;
      readonly resultTree: Sha256;
      readonly attempt: number;
      /** What `git apply` said of it. */
      readonly git: "agrees" | "no_git";
    }
    | null;
  readonly events: readonly TimedEvent[];
  /** Present when the base goes into the bundle. */
  readonly embedded?: EmbeddedWorkspace;
}
