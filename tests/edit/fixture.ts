import { shippedTemplates } from "../../src/cli/templates.ts";
import type { Edit, EditBase, EditPorts } from "../../src/edit/edit.ts";
import { makePatch } from "../../src/edit/make_patch.ts";
import type { Template } from "../../src/edit/template.ts";
import { applyPatch } from "../../src/patch/apply.ts";
import { fileLookup } from "../../src/patch/file_lookup.ts";
import { treeSitterQueries } from "../../src/syntax/tree_sitter_queries.ts";
import { treeSitterTrees } from "../../src/syntax/tree_sitter_trees.ts";
import { sha256 } from "../../src/vocabulary/digest.ts";
import type { FileMode } from "../../src/vocabulary/manifest.ts";

/** Real parsers and the shipped templates, with others beside them. */
export function ports(more: readonly Template[] = []): EditPorts {
  return {
    trees: treeSitterTrees(),
    queries: treeSitterQueries(),
    templates: async () => [...await shippedTemplates(), ...more],
  };
}

/** Files in memory. */
export function baseOf(files: Readonly<Record<string, string | Uint8Array>>): EditBase {
  const bytes = new Map(
    Object.entries(files).map(([path, content]) => [
      path,
      typeof content === "string" ? new TextEncoder().encode(content) : content,
    ]),
  );
  const mode: FileMode = "100644";
  return {
    entries: new Map([...bytes].map(([path, content]) => [
      path,
      { path, mode, size: content.length, sha256: sha256(content) },
    ])),
    read: (path) => bytes.get(path),
  };
}

/** Makes the patch and applies it; the new content of each file, or the refusal. */
export async function edited(
  files: Readonly<Record<string, string | Uint8Array>>,
  edits: readonly Edit[],
  more: readonly Template[] = [],
) {
  const base = baseOf(files);
  const made = await makePatch(edits, base, ports(more));
  if (!made.ok) return { ok: false, ...made.refusal } as const;
  const applied = applyPatch(
    made.patch,
    fileLookup(base.entries, (path) => base.read(path) as Uint8Array | undefined),
  );
  if (!applied.ok) throw new Error(`the patch does not apply: ${applied.refusal.detail}`);
  const after: Record<string, string> = {}, bytes: Record<string, Uint8Array> = {};
  for (const change of applied.changes) {
    if (change.kind !== "write") continue;
    bytes[change.path] = change.bytes;
    after[change.path] = new TextDecoder("utf-8", { ignoreBOM: true }).decode(change.bytes);
  }
  return { ok: true, after, bytes, notes: made.notes, patch: made.patch } as const;
}
