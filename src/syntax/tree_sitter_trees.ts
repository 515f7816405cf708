import type { Tree } from "web-tree-sitter";
import type { ParsedSource, SyntaxNode, SyntaxTrees } from "./tree.ts";
import { parseWith } from "./tree_sitter.ts";

/** Nodes of one tree; a file of 1 MiB of ordinary code has about 300,000. */
const MAX_NODES = 400_000;
/** Deeper nesting is hostile or generated; no reader of the tree has to fear for its stack. */
const MAX_DEPTH = 600;

type Copied = { readonly root: SyntaxNode; readonly brokenAt: number | null } | "too_deep" | "too_many_nodes";

/**
 * Trees by tree-sitter, copied out of WebAssembly into plain values. Bounds: 1 MiB, one second of parsing, 400,000
 * nodes, 600 levels.
 */
export function treeSitterTrees(): SyntaxTrees {
  return {
    async tree(path, bytes): Promise<ParsedSource> {
      const parsed = await parseWith(path, bytes, (tree, language, text) => ({
        language: language.id,
        text,
        copied: copyOf(tree),
      }));
      if (!parsed.ok) return parsed;
      const { language, text, copied } = parsed.value;
      if (typeof copied === "string") return { ok: false, reason: copied };
      return { ok: true, language, text, ...copied };
    },
  };
}

interface Open extends SyntaxNode {
  readonly children: SyntaxNode[];
}

function copyOf(tree: Tree): Copied {
  const cursor = tree.walk();
  try {
    let brokenAt: number | null = null;
    let nodes = 0;
    // Whether something in it does not parse is asked only where something does not: it costs a node each time.
    const broken = tree.rootNode.hasError;
    const open = (): Open => ({
      type: cursor.nodeType,
      field: cursor.currentFieldName,
      start: cursor.startIndex,
      end: cursor.endIndex,
      line: cursor.startPosition.row + 1,
      children: [],
    });
    const path: Open[] = [open()];
    const root = path[0]!;
    let descend = cursor.gotoFirstChild();
    while (path.length > 0) {
      if (!descend) {
        if (cursor.gotoNextSibling()) descend = true;
        else {
          cursor.gotoParent();
          path.pop();
        }
        continue;
      }
      if (++nodes > MAX_NODES) return "too_many_nodes";
      const named = cursor.nodeIsNamed;
      if (broken && brokenAt === null && (cursor.nodeType === "ERROR" || cursor.nodeIsMissing)) {
        brokenAt = cursor.startPosition.row + 1;
      }
      if (!named && cursor.currentFieldName === null) {
        descend = false;
        continue;
      }
      const node = open();
      path[path.length - 1]!.children.push(node);
      if (path.length >= MAX_DEPTH) return "too_deep";
      if (cursor.gotoFirstChild()) path.push(node);
      else descend = false;
    }
    return { root, brokenAt: broken ? brokenAt ?? 1 : null };
  } finally {
    cursor.delete();
  }
}
