/** What a key may say: that it proved, that it replayed, that it approves. */
export const ROLES = ["prover", "replayer", "approver"] as const;
export type Role = typeof ROLES[number];
