import type { Proposer } from "./proposer.ts";

/** The proposer of a session without a provider: it never proposes, so the session ends with its evidence. */
export function stubProposer(): Proposer {
  return {
    name: "stub",
    supply: 0,
    propose: () =>
      Promise.resolve({
        kind: "none",
        reason: "no provider is chosen: give --patch FILE, or --provider command, openai or local " +
          "(or set PP_PROVIDER)",
      }),
  };
}
