import picomatch from "picomatch";
import type { ContextSnippet, ProposalRequest } from "./proposer.ts";

const TEST_PATH =
  /(^|\/)(tests?|__tests__|specs?|testdata|fixtures)\/|(^|\/)(test_[^/]*|conftest\.py)$|[._-](test|spec)s?\.[^/]+$/i;

/**
 * A whole-file rewrite as the patch reader takes it: a line `File: <path>`, then a fenced block with the file's
 * content. The fence is longer than any run of backticks in the content. Content without a line feed at its end
 * gets one.
 */
export function wholeFileRewrite(path: string, content: string): string {
  let longest = 2;
  for (const run of content.matchAll(/`+/g)) longest = Math.max(longest, run[0].length);
  const fence = "`".repeat(longest + 1);
  return `File: ${path}\n${fence}\n${content}${
    content === "" || content.endsWith("\n") ? "" : "\n"
  }${fence}\n`;
}

/**
 * The one file worth asking for whole, as last resort: the only writable file among the snippets that is no test,
 * else the only such file the model's own answers name. It must have been shown from its first line to its last
 * without a gap and without redactions, because a model would have to invent what it has not seen.
 *
 * @param said the model's answers so far
 */
export function rewriteCandidate(request: ProposalRequest, said: readonly string[]): string | null {
  const allowed = picomatch([...request.policy.writeAllowlist], { dot: true });
  const denied = picomatch([...request.policy.denyWrite], { dot: true });
  const spared = picomatch([...request.policy.protected], { dot: true, nocase: true });
  const unspared = picomatch([...request.policy.protectedAllowed], { dot: true });
  const mayChange = (path: string) => !spared(path) || unspared(path);
  const shown = [...new Set(request.snippets.map((s) => s.path))]
    .filter((path) => allowed(path) && !denied(path) && mayChange(path) && !TEST_PATH.test(path));
  const named = shown.filter((path) => said.some((text) => text.includes(path)));
  const only = shown.length === 1 ? shown[0] : named.length === 1 ? named[0] : undefined;
  return only !== undefined && shownWhole(request.snippets.filter((s) => s.path === only)) ? only : null;
}

/** From line 1, no gap, up to the last line where it is known, no mark of a redaction. */
function shownWhole(snippets: readonly ContextSnippet[]): boolean {
  let next = 1;
  for (const snippet of [...snippets].sort((a, b) => a.startLine - b.startLine)) {
    if (snippet.startLine > next) return false;
    next = Math.max(next, snippet.endLine + 1);
  }
  if (snippets.some((s) => s.fileLines !== undefined && s.fileLines >= next)) return false;
  return !snippets.some((s) => s.text.includes("[REDACTED:"));
}
