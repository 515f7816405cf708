/** A place in the workspace worth showing to a proposer. */
export interface ContextSnippet {
  readonly path: string;
  /** 1-based, inclusive. */
  readonly startLine: number;
  readonly endLine: number;
  /** Lines of the whole file, where known. */
  readonly fileLines?: number;
  readonly text: string;
  /** `named`, `location`, `enclosing`, `imported`, `allowlisted` … */
  readonly why: string;
}

export interface FailingTarget {
  readonly target: string;
  readonly command: string;
  readonly outcome: string;
  readonly exitCode: number | null;
  /** Redacted, bounded. */
  readonly stdout: string;
  readonly stderr: string;
}

export interface PreviousAttempt {
  readonly attempt: number;
  readonly diff: string;
  /** `refused: reason`, `failed`, `timed_out`. */
  readonly outcome: string;
  readonly detail: string;
}

/** Everything a proposer learns. All text is redacted before it gets here. */
export interface ProposalRequest {
  readonly version: "veripatch-proposal-request/v1";
  readonly session: string;
  /** 1-based. */
  readonly attempt: number;
  readonly maxAttempts: number;
  /**
   * What a person asks for, in their words. Present when nothing fails and a change is wanted all the same; `failing` is
   * empty then.
   */
  readonly instruction?: string;
  readonly failing: readonly FailingTarget[];
  readonly assertions: readonly string[];
  readonly snippets: readonly ContextSnippet[];
  readonly policy: {
    readonly writeAllowlist: readonly string[];
    readonly denyWrite: readonly string[];
    /** Globs of tests, runner configuration and hooks: changes to such files are left out of a proposal. */
    readonly protected: readonly string[];
    /** Globs of protected files that may be changed all the same. */
    readonly protectedAllowed: readonly string[];
    readonly maxFilesChanged: number;
    readonly maxPatchBytes: number;
  };
  readonly previous: readonly PreviousAttempt[];
}

export type ProposerAnswer =
  | {
    readonly kind: "proposal";
    /** A diff, SEARCH/REPLACE blocks or a whole-file rewrite, as the proposer wrote it; hostile input. */
    readonly diff: string;
    /** The exact bytes where the source is a file; preferred over `diff` when present. */
    readonly bytes?: Uint8Array;
    readonly rationale: string;
    readonly riskNotes: string;
    /** 0..1. */
    readonly confidence: number | null;
    /** Where it came from: file name, model, program. For proposed.json. */
    readonly source: string;
  }
  /** No (further) proposal: the stub, a used-up list of patches, a model that declined. Ends the session. */
  | { readonly kind: "none"; readonly reason: string }
  /** An answer came and is useless (garbage, too large, refused by the provider); the attempt is spent. */
  | { readonly kind: "invalid"; readonly reason: string; readonly detail: string };

export interface Proposer {
  /** `stub`, `patch`, `command`, `openai`, `local`. */
  readonly name: string;
  /** Known number of proposals (patch files); null when open-ended. */
  readonly supply: number | null;
  /**
   * @throws Failure kind `unavailable` when the provider cannot be used at all (no key, connection refused after
   *   retries), kind `interrupted` on abort
   */
  propose(request: ProposalRequest, signal: AbortSignal): Promise<ProposerAnswer>;
}
