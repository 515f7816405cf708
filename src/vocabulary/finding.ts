/**
 * What a reader must know before a green is believed: a test file that was changed, a test that vanished. Found by
 * comparing, never by trusting what a proposer says.
 */
export interface Finding {
  /** Stable snake_case, such as `protected_touched`. */
  readonly code: string;
  /** The file it is about, relative to the workspace; null when it is about none. */
  readonly path: string | null;
  /** The rule that says so, by name; null when there is none. */
  readonly rule: string | null;
  /** One sentence for people. */
  readonly detail: string;
}
