/** What git says to a patch that we have applied ourselves. */
export type GitVerdict =
  | { readonly verdict: "agrees" }
  | { readonly verdict: "no_git" }
  /** git did not come to an end in its time, which says nothing about the patch. */
  | { readonly verdict: "timed_out" }
  | { readonly verdict: "disagrees"; readonly detail: string };
