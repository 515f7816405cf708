import type { PolicyConfig } from "../policy/policy.ts";
import type { Proposer } from "../propose/proposer.ts";
import type { Sandbox, SandboxSpec } from "../sandbox/sandbox.ts";
import type { Syntax } from "../syntax/syntax.ts";
import type { FileChange } from "../vocabulary/change.ts";
import type { Sha256 } from "../vocabulary/digest.ts";
import type { GitVerdict } from "../vocabulary/git_verdict.ts";
import type { Redact, Redaction } from "../vocabulary/redaction.ts";
import type { Emit, ProofTarget } from "../vocabulary/session.ts";
import type { Workspace } from "../workspace/workspace.ts";

/** What a session is asked to do. */
export interface SessionPlan {
  readonly session: string;
  readonly toolVersion: string;
  /** At least one; each already admitted by the policy. */
  readonly targets: readonly ProofTarget[];
  readonly config: PolicyConfig;
  readonly policyDigest: Sha256;
  readonly policySource: string | null;
  /** Paths no patch may touch, whatever the policy says: where bundles go, the policy's own file. */
  readonly keptOut: readonly string[];
  /** Red and green sides are each verified this often, at least once. */
  readonly repeat: number;
  readonly spec: SandboxSpec;
}

/** The world around a session. */
export interface SessionPorts {
  readonly sandbox: Sandbox;
  readonly workspace: Workspace;
  readonly proposer: Proposer;
  readonly syntax: Syntax;
  readonly redact: Redact;
  readonly findSecrets: (text: string, name: string) => Promise<readonly Redaction[]>;
  /** Asks git, where it is there, whether it applies the same bytes to the same effect. */
  readonly gitAgrees: (
    patch: Uint8Array,
    base: ReadonlyMap<string, { readonly mode: "100644" | "100755"; readonly bytes: Uint8Array }>,
    expected: readonly FileChange[],
  ) => Promise<GitVerdict>;
  /** Epoch milliseconds. */
  readonly now: () => number;
  readonly emit: Emit;
  readonly signal: AbortSignal;
}
