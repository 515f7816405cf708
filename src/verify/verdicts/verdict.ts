/** One of the separate verdicts on an attested bundle. */
export interface Verdict {
  /** `not_checked`: what it needs did not pass, so that nothing it would look at can be believed. */
  readonly verdict: "valid" | "invalid" | "unsigned" | "not_checked";
  /** Stable snake_case; tells one reason from another. */
  readonly code: string;
  /** For people; hostile parts already printable. */
  readonly detail: string;
}

/** A verdict that what was asked for holds. @param code stable snake_case @param detail printable */
export function valid(code: string, detail: string): Verdict {
  return { verdict: "valid", code, detail };
}

/** The opposite of `valid`. */
export function invalid(code: string, detail: string): Verdict {
  return { verdict: "invalid", code, detail };
}

/** No verdict, because what it needs did not pass. */
export function notChecked(detail: string): Verdict {
  return { verdict: "not_checked", code: "not_checked", detail };
}
