import { isUtf8 } from "node:buffer";
import type { Query, Tree } from "web-tree-sitter";
import { parseWith, queryIn } from "./tree_sitter.ts";
import type { QueryCapture, QueryMatch, QueryResult, SyntaxQueries } from "./tree.ts";

const MAX_QUERY_LENGTH = 20_000;
const MAX_MATCHES = 20_000;
/** Matches in progress at one time; beyond, tree-sitter would silently drop some. */
const MAX_OPEN_MATCHES = 4096;
const MAX_QUERY_MS = 1000;

type Found = { readonly language: string; readonly matches: readonly QueryMatch[] } | {
  readonly reason: "too_many_matches" | "timed_out";
} | { readonly reason: "bad_query"; readonly detail: string };

/**
 * Queries by tree-sitter, with its predicates (`#eq?`, `#match?`, `#any-of?` and their negations). Bounds: those of
 * parsing, 20,000 characters of query, 20,000 matches, one second. A file that is not UTF-8 has no byte offsets to give
 * and is refused.
 */
export function treeSitterQueries(): SyntaxQueries {
  return {
    async query(path, bytes, source): Promise<QueryResult> {
      if (source.length > MAX_QUERY_LENGTH) {
        return { ok: false, reason: "bad_query", detail: `longer than ${MAX_QUERY_LENGTH} characters` };
      }
      if (!isUtf8(bytes)) return { ok: false, reason: "not_utf8" };
      const parsed = await parseWith(path, bytes, (tree, language, text): Found => {
        const query = queryIn(tree, source);
        if ("detail" in query) return { reason: "bad_query", detail: query.detail };
        try {
          const matches = run(query.query, tree, byteOffsets(text, bytes));
          return typeof matches === "string" ? { reason: matches } : { language: language.id, matches };
        } finally {
          query.query.delete();
        }
      });
      if (!parsed.ok) return parsed;
      return "reason" in parsed.value ? { ok: false, ...parsed.value } : { ok: true, ...parsed.value };
    },
  };
}

function run(
  query: Query,
  tree: Tree,
  offsets: (index: number) => number,
): QueryMatch[] | "too_many_matches" | "timed_out" {
  const deadline = performance.now() + MAX_QUERY_MS;
  let late = false;
  const found = query.matches(tree.rootNode, {
    matchLimit: MAX_OPEN_MATCHES,
    // A true answer ends the query; the declared type does not say so.
    progressCallback: () => late ||= performance.now() > deadline,
  });
  if (late) return "timed_out";
  if (query.didExceedMatchLimit() || found.length > MAX_MATCHES) return "too_many_matches";
  return found.map(({ captures }) =>
    captures.map(({ name, node }): QueryCapture => ({
      name,
      type: node.type,
      start: offsets(node.startIndex),
      end: offsets(node.endIndex),
      line: node.startPosition.row + 1,
    }))
  );
}

/** From UTF-16 offsets of the text, which lacks a byte order mark, to offsets of the bytes. */
function byteOffsets(text: string, bytes: Uint8Array): (index: number) => number {
  const mark = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0;
  if (text.length + mark === bytes.length) return (index) => index + mark;
  const offsets = new Uint32Array(text.length + 1);
  let at = mark;
  for (let i = 0; i < text.length; i++) {
    offsets[i] = at;
    const unit = text.charCodeAt(i);
    // The first half of a pair is counted with the second.
    if (unit < 0x80) at += 1;
    else if (unit < 0x800) at += 2;
    else if (unit >= 0xd800 && unit < 0xe000) at += 2;
    else at += 3;
  }
  offsets[text.length] = at;
  return (index) => offsets[index]!;
}
