/** Owner and place of the entries of a tar. */
export interface TarPlacement {
  readonly uid: number;
  readonly gid: number;
  /** Put before every path, e.g. `workspace/`; empty for none. */
  readonly prefix: string;
}
