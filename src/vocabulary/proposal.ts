/** Where a revision of a proposal stands. Only the newest revision of a proposal moves. */
export const REVISION_STATES = [
  "draft",
  "proposed",
  "approved",
  "rejected",
  "expired",
  "superseded",
  "stale",
  "applying",
  "applied",
  "failed",
] as const;
export type RevisionState = typeof REVISION_STATES[number];

export const CHECK_KINDS = ["patch", "syntax", "imports", "safety", "proof", "git"] as const;
export type CheckKind = typeof CHECK_KINDS[number];

export const CHECK_OUTCOMES = ["passed", "failed", "needs_approval", "not_run"] as const;
export type CheckOutcome = typeof CHECK_OUTCOMES[number];

/** `automatic`: a rule of the policy; `bypass`: applied without the approvals it needs, for a stated reason. */
export type Decision = "approve" | "reject" | "automatic" | "bypass";
