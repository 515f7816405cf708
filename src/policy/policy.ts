import type { ReportSource } from "../vocabulary/test_report.ts";

/**
 * A policy file as loaded: every default filled in, keys as in the file (the Python tool's keys keep their
 * meaning). Null limits were not asked for: the backend applies its own default.
 */
export interface PolicyConfig {
  readonly proof_targets: readonly TargetConfig[];
  readonly policy: Policy;
}

/** Exactly one of `cmd` and `argv`. */
export interface TargetConfig {
  readonly name: string;
  readonly cmd?: string | undefined;
  readonly argv?: readonly string[] | undefined;
  readonly report?: ReportSource | undefined;
}

/** What a change is judged by: the capabilities of safety/capability.ts, and what else may be found. */
export const SAFETY_TERMS = [
  ...["exec", "dynamic_code", "deserialize", "network", "file_read", "file_write", "env", "secrets"] as const,
  ...["unsafe_native", "reflection", "install_hook", "tls_off", "obfuscation"] as const,
  ...["unanalyzed", "missing_import"] as const,
] as const;

export type SafetyTerm = typeof SAFETY_TERMS[number];

export interface Policy {
  readonly network: "deny" | "allow";
  readonly allowed_commands: readonly string[];
  readonly allowed_argv: readonly (readonly string[])[];
  readonly write_allowlist: readonly string[];
  readonly deny_write: readonly string[];
  readonly protect: {
    /** Whether protected files are left out of patches; else a patch may touch them, and that is flagged. */
    readonly enabled: boolean;
    /** Globs of further protected files. */
    readonly also: readonly string[];
    /** Globs of protected files that a patch may touch. */
    readonly allow: readonly string[];
  };
  readonly limits: {
    readonly max_attempts: number;
    readonly max_files_changed: number;
    readonly max_patch_bytes: number;
    readonly per_command_timeout_sec: number;
    readonly session_sec: number;
    /** Kept per stream of a command. */
    readonly output_bytes: number;
    readonly pids: number | null;
    readonly file_bytes: number | null;
    readonly disk_bytes: number | null;
    readonly minimize_runs: number;
    readonly minimize_sec: number;
  };
  readonly minimize: boolean;
  readonly verify: {
    readonly repeat: number;
    readonly negative_control: NegativeControlConfig | null;
  };
  readonly secrets: { readonly allow_in_patch: boolean };
  readonly safety: {
    /** What a change may never newly do. */
    readonly deny: readonly SafetyTerm[];
    /** What it may newly do only when a person approves it. */
    readonly require_approval: readonly SafetyTerm[];
    /** Lines a change may add and remove together. */
    readonly max_diff_lines: number;
  };
  readonly approval: ApprovalPolicy;
  readonly sandbox: {
    readonly backend: "auto" | "container" | "copy" | "git_worktree";
    readonly container_runtime: "docker" | "podman";
    readonly container_image: string;
    readonly container_workdir: string;
    readonly cpu_limit: number | null;
    /** Bytes; files say `2g`, `512m` or a number. */
    readonly memory_limit: number | null;
    readonly runtime: string | null;
    readonly user: string;
    /** Copies used at once while minimizing; null lets the machine decide. */
    readonly parallel: number | null;
  };
  readonly attestation: {
    readonly enabled: boolean;
    readonly mode: "none" | "hmac-sha256" | "ed25519";
    readonly key_env: string;
    readonly key_file: string | null;
  };
}

/** A failing test laid beside the final patch. */
interface NegativeControlConfig {
  /** Text by path, relative to the workspace; at least one. */
  readonly files: Readonly<Record<string, string>>;
  /** Names of the targets that have to fail with it; all when empty. */
  readonly targets: readonly string[];
}

/** Who may apply a change, and when. */
export interface ApprovalPolicy {
  /** `findings`: only a change with a check that is not clean needs one. */
  readonly required: "always" | "findings" | "never";
  /** Distinct principals. */
  readonly threshold: number;
  /** Seconds a proposal waits and an approval counts. */
  readonly expires: number;
  readonly keep_on_clean_rebase: boolean;
  readonly signed_proposals: boolean;
  readonly bypass: boolean;
  /** Seconds until a bypass has to be looked at. */
  readonly review_within: number;
  readonly automatic: readonly AutomaticRule[];
}

/** A change that needs no person. */
export interface AutomaticRule {
  readonly name: string;
  /** Globs; every path of the change matches one. */
  readonly paths: readonly string[];
  readonly max_lines: number;
  readonly max_files: number;
}
