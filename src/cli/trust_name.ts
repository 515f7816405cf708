/** The trust file where a call names none. On its own, as every start of pp reads it. */
export const TRUST_FILE_NAME = "trust.yaml";
