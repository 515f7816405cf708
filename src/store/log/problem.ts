/** Something that is not as the log, or a checkpoint, says it must be. */
export interface LogProblem {
  /** Stable snake_case. */
  readonly code:
    | "sequence_gap"
    | "event_edited"
    | "chain_broken"
    | "payload_edited"
    | "payload_gone"
    | "truncated"
    | "rewritten"
    | "other_store"
    | "version_edited"
    | "version_gone"
    | "version_unknown"
    | "proposal_edited"
    | "proposal_gone"
    | "proposal_unknown"
    | "approval_edited"
    | "approval_gone"
    | "approval_unknown"
    | "operation_edited"
    | "operation_gone"
    | "operation_unknown"
    | "conflict_edited"
    | "conflict_gone"
    | "conflict_unknown";
  /** The event or checkpoint it is about; null for one about a row. */
  readonly sequence: number | null;
  readonly detail: string;
}

export type AddProblem = (code: LogProblem["code"], sequence: number | null, detail: string) => void;

/** An event's payload as read. */
export type Payload = Readonly<Record<string, unknown>>;

/** Remembers what the log tells of some rows, and then says where they differ. */
export interface Told {
  see(
    event: { readonly kind: string; readonly time: string; readonly actor: string; readonly payload: string },
    payload: Payload,
  ): void;
  /** @param whole whether no payload is gone: what the log does not tell of was never there */
  compare(whole: boolean, add: AddProblem): void;
}
