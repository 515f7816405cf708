/**
 * Judging a proposal's text without applying it: does it look like a change, does it change anything, was it
 * proposed before. The patch room alone decides what it means.
 */

const HUNK = /^@@ .*@@/;
const EXTENDED_HEADER =
  /^(new file mode|deleted file mode|old mode|new mode|rename (from|to)|copy (from|to)|GIT binary patch|Binary files) ?/;

/** Whether the text holds a unified diff, SEARCH/REPLACE blocks or a whole-file rewrite. */
export function looksLikeChange(text: string): boolean {
  return /^(diff --git |@@ |--- \S[^\n]*\n\+\+\+ |<{5,9} ?SEARCH|File: \S[^\n]*\r?\n {0,3}(```|~~~))/m.test(
    text,
  );
}

/** Whether the first thing in the text, past blank lines and one fence line, is a change and not prose or JSON. */
export function startsAsChange(text: string): boolean {
  return /^\s*((`{3,}|~{3,})[^\n`]{0,100}\n\s{0,100})?(diff --git |Index: \S|--- \S|@@ |<{5,9} ?SEARCH|File: \S)/
    .test(text);
}

export type Fault = "empty" | "no_change" | "repeated";

/**
 * Why a proposal is not worth a verification.
 * @param previous texts of earlier proposals
 * @returns null when nothing speaks against it; what is not understood is left to the patch reader
 */
export function faultOf(diff: string, previous: readonly string[]): Fault | null {
  if (diff.trim() === "") return "empty";
  if (changesNothing(diff)) return "no_change";
  const normal = normalizedDiff(diff);
  return previous.some((p) => normalizedDiff(p) === normal) ? "repeated" : null;
}

/**
 * A text for comparing proposals: no fences, line numbers, index lines and blank lines, and no white space at the
 * ends of lines that are not part of the change, so that the same change written twice is equal.
 */
export function normalizedDiff(diff: string): string {
  return diff.split("\n")
    .map((line) => HUNK.test(line) ? "@@" : /^[-+]/.test(line) ? line : line.trimEnd())
    .filter((line) => line !== "" && !/^(index [0-9a-f]|diff --git |(`{3,}|~{3,}))/.test(line))
    .join("\n");
}

/** True for a unified diff whose hunks have equal old and new sides, and for SEARCH equal to REPLACE. */
function changesNothing(diff: string): boolean {
  const lines = diff.split("\n");
  if (lines.some((l) => EXTENDED_HEADER.test(l) || /^File: \S/.test(l))) return false;
  const blocks = searchReplace(lines);
  if (blocks.length > 0) return blocks.every(([search, replace]) => search === replace);
  if (!lines.some((l) => HUNK.test(l) || l.startsWith("--- "))) return false;
  const removed: string[] = [], added: string[] = [];
  let equal = true;
  const endHunk = () => {
    equal &&= removed.join("\n") === added.join("\n");
    removed.length = added.length = 0;
  };
  for (let i = 0; i < lines.length; i++) {
    const line = lines[i]!;
    const header = line.startsWith("--- ") && (lines[i + 1]?.startsWith("+++ ") ?? false);
    if (header || HUNK.test(line) || line.startsWith("diff --git ")) {
      endHunk();
      if (header) i++;
    } else if (line.startsWith("-")) removed.push(line.slice(1));
    else if (line.startsWith("+")) added.push(line.slice(1));
    else if (!line.startsWith("\\")) {
      removed.push(line);
      added.push(line);
    } else return false;
  }
  endHunk();
  return equal;
}

function searchReplace(lines: readonly string[]): [string, string][] {
  const blocks: [string, string][] = [];
  let search: string[] | null = null, replace: string[] | null = null;
  for (const line of lines) {
    if (/^<{5,9} ?SEARCH/.test(line)) [search, replace] = [[], null];
    else if (search !== null && replace === null && /^={5,9}\s*$/.test(line.slice(0, 20))) replace = [];
    else if (search !== null && replace !== null && /^>{5,9} ?REPLACE/.test(line)) {
      blocks.push([search.join("\n"), replace.join("\n")]);
      [search, replace] = [null, null];
    } else if (replace !== null) replace.push(line);
    else if (search !== null) search.push(line);
  }
  return blocks;
}
