import type { Decided } from "../store/proposal/decide.ts";
import type { NotMoved } from "../store/proposal/transition.ts";
import { printableLine } from "../vocabulary/printable.ts";
import { EXIT } from "./exit_code.ts";
import type { VerbResult } from "./verb.ts";

type Refused = Extract<Decided, { readonly ok: false }>;

const TEXT: Readonly<Record<NotMoved["code"], (state: string) => string>> = {
  state_differs: (state) => `it is ${state}`,
  evidence_differs: () => "its evidence is not what was shown: look at it again",
  superseded: () => "a newer revision took its place",
  expired: () => "it has expired",
};

/** Why nothing was decided, as an answer: 3 when its time is over, 77 when it is not permitted, else 2. */
export function notDecided(name: string, refused: Refused): VerbResult {
  const [code, detail] = refused.code === "refused"
    ? [refused.refusal.reason, refused.refusal.detail]
    : [refused.code, TEXT[refused.code](refused.state)];
  const exit = refused.code === "refused"
    ? EXIT.denied
    : refused.code === "expired"
    ? EXIT.noAnswer
    : EXIT.no;
  return {
    exit,
    text: `${name} was not changed: ${printableLine(detail)}\nnext      pp approval show ${name}`,
    json: {
      format: "veripatch-approval-decision/v1",
      ...{ name, ok: false, code, detail, state: refused.code === "refused" ? null : refused.state, exit },
    },
  };
}
