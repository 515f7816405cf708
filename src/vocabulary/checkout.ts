/** Whether a directory is as the repository it lies in has it committed. */
export type CheckoutState =
  | { readonly state: "clean" }
  /** One line for each change, as `git status --porcelain` has them, ready to be shown. At least one. */
  | { readonly state: "changed"; readonly changes: readonly string[] }
  | { readonly state: "unknown"; readonly why: CheckoutUnknown };

export type CheckoutUnknown = "no_git" | "no_checkout" | "timed_out" | "too_large";
