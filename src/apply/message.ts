import type { Rows } from "../store/store.ts";

const MAX_TITLE = 200;

/** What the version that an operation makes is called. */
export function messageOf(rows: Rows, number: number): string {
  const targets = rows.operationTargets(number).map((target) => `O${target}`).join(", ");
  switch (rows.operation(number)!.kind) {
    case "rollback":
      return `O${number}: ${targets} taken back`;
    case "redo":
      return `O${number}: ${targets} done again`;
    case "apply":
      return `O${number}: ${
        rows.operationRevisions(number).map(({ proposal, revision }) =>
          `P${proposal}.${revision} ${(rows.proposal(proposal)?.title ?? "").slice(0, MAX_TITLE)}`.trim()
        ).join("; ")
      }`;
  }
}
