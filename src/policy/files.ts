/** Looked for in the workspace's root, in this order. */
export const POLICY_FILES = ["pp.yaml", "pp.yml", "pp.json"] as const;

/** No more than what is read of any document that people write. */
export const MAX_POLICY_BYTES = 1_048_576;
