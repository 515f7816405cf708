import type { NotMoved } from "../store/proposal/transition.ts";
import { EXIT } from "./exit_code.ts";
import type { VerbResult } from "./verb.ts";

/** What is said when a revision was not where its caller saw it. */
export function notMoved(name: string, { code, state }: NotMoved): VerbResult {
  const text = {
    state_differs: `${name} is ${state}: that cannot be done to it any more`,
    evidence_differs: `${name} is not what it was: look at it again`,
    superseded: `a newer revision took the place of ${name}`,
    expired: `${name} has expired: pp proposal rebase ${name.replace(/\..*/, "")} makes it anew`,
  }[code];
  return {
    exit: code === "expired" ? EXIT.noAnswer : EXIT.no,
    text,
    json: { format: "veripatch-proposal-unmoved/v1", name, code, state },
  };
}
