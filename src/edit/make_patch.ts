import type { FileMode } from "../vocabulary/manifest.ts";
import type { ByteString } from "../vocabulary/patch.ts";
import { parseRelativePath, type RelativePath } from "../vocabulary/path.ts";
import { quoted } from "../vocabulary/printable.ts";
import { applyPatch } from "../patch/apply.ts";
import { bytesOf, byteString, byteStringOfText } from "../patch/bytes.ts";
import { diffFiles, type FilePair } from "../patch/diff.ts";
import { fileLookup } from "../patch/file_lookup.ts";
import { MAX_FILE_BYTES, MAX_PATCH_BYTES } from "../patch/refusal.ts";
import { renderPatch } from "../patch/render.ts";
import { applyTemplate } from "./apply_template.ts";
import type { Edit, EditBase, EditNote, EditPorts, EditRefused, MadePatch } from "./edit.ts";
import { insertCode } from "./insert_code.ts";
import { type FileText, fileText } from "./layout.ts";
import { type Placed, rewritten } from "./combine.ts";
import { refused } from "./refusal.ts";
import { replaceCode, type Splices } from "./replace_code.ts";

/** Most edits of one patch. */
export const MAX_EDITS = 1_000;
/** Most code or text in one edit, in characters. */
const MAX_CODE = 4 * 1024 * 1024;
const MARK = "\xef\xbb\xbf";

interface Base {
  readonly mode: FileMode;
  readonly bytes: Uint8Array;
  /** The file begins with a byte order mark. */
  readonly marked: boolean;
  readonly text: FileText;
}

/**
 * Makes the canonical patch of a list of edits. All of them are about the base as it is, so that their order says
 * nothing but the order of lines put at one and the same place; edits that touch the same code are refused. A file a
 * template changed must parse where it did before.
 * @returns the patch and the looser steps taken, or the first refusal. Besides those of `replaceCode`, `insertCode` and
 *   `applyTemplate`: `no_edits`, `too_many_edits`, `path_*`, `file_missing`, `file_exists`, `file_unreadable`,
 *   `not_text`, `too_large`, `edits_overlap`, `edit_repeated`, `template_unknown`, `template_language`,
 *   `result_does_not_parse`, `no_op`
 */
export async function makePatch(
  edits: readonly Edit[],
  base: EditBase,
  ports: EditPorts,
): Promise<MadePatch | EditRefused> {
  if (edits.length === 0) return refused("no_edits", "there is nothing to change");
  if (edits.length > MAX_EDITS) return refused("too_many_edits", `more than ${MAX_EDITS} edits`);
  const files = new Map<RelativePath, Base>(), created = new Map<RelativePath, ByteString>();
  const placed = new Map<RelativePath, Placed[]>();
  const notes: EditNote[] = [];
  const templated = new Set<RelativePath>(), seen = new Set<string>();
  for (const [index, edit] of edits.entries()) {
    const made = await one(edit, index);
    if ("ok" in made) return { ...made, refusal: { edit: index, ...made.refusal } };
  }
  const pairs: FilePair[] = [];
  for (const [path, splices] of placed) {
    const file = files.get(path)!;
    const text = rewritten(file.text, splices);
    if ("ok" in text) return text;
    const bytes = bytesOf((file.marked ? MARK : "") + text.content as ByteString);
    if (bytes.length > MAX_FILE_BYTES) return refused("too_large", `${path} would be over 64 MiB`, path);
    const unparsed = await parseRefusal(path, file.bytes, bytes);
    if (unparsed && templated.has(path)) return unparsed;
    if (unparsed) {
      notes.push({ edit: splices[0]!.edit, note: "result_does_not_parse", path });
    }
    pairs.push({ oldPath: path, old: file, newPath: path, new: { mode: file.mode, bytes } });
  }
  for (const [path, content] of created) {
    pairs.push({ oldPath: null, old: null, newPath: path, new: { mode: "100644", bytes: bytesOf(content) } });
  }
  const patch = diffFiles(pairs);
  if (patch.files.length === 0) {
    const already = notes.find(({ note }) => note === "already_there");
    return already
      ? refused("already_there", `${already.path} has it already`, already.path)
      : refused("no_op", "the edits change nothing");
  }
  const applied = applyPatch(
    patch,
    fileLookup(base.entries, (path) => files.get(path as RelativePath)?.bytes),
  );
  if (!applied.ok) return applied;
  if (renderPatch(patch).length > MAX_PATCH_BYTES) {
    return refused("too_large", "the resulting patch is over 64 MiB");
  }
  return { ok: true, patch, notes };

  async function one(edit: Edit, index: number): Promise<{ readonly done: true } | EditRefused> {
    const named = parseRelativePath(edit.file.replace(/^(?:\.\/)+/, ""));
    if (!named.ok) return refused(named.reason, `${quoted(edit.file, 200)} is no path of the workspace`);
    const path = named.path;
    const key = JSON.stringify([edit.kind, path, edit]);
    if (seen.has(key)) return refused("edit_repeated", `the same edit of ${path} is there twice`, path);
    seen.add(key);
    if (sizeOf(edit) > MAX_CODE) return refused("too_large", `an edit of ${path} is over 4 MiB`, path);
    if (edit.kind === "create") {
      if (created.has(path) || base.entries.has(path)) {
        return refused("file_exists", `${path} exists already`, path);
      }
      if (edit.code.includes("\0")) return refused("not_text", `${path} would hold NUL bytes`, path);
      created.set(path, byteStringOfText(edit.code));
      return { done: true };
    }
    const file = files.get(path) ?? await readBase(path, base);
    if ("ok" in file) return file;
    files.set(path, file);
    const made = await splicesOf(edit, file.text);
    if ("ok" in made) {
      if (made.refusal.reason !== "already_there") return made;
      notes.push({ edit: index, note: "already_there", path });
      return { done: true };
    }
    if (edit.kind === "template") templated.add(path);
    for (const note of made.notes) notes.push({ edit: index, note, path });
    const there = placed.get(path) ?? [];
    there.push(...made.splices.map((splice) => ({ ...splice, edit: index })));
    placed.set(path, there);
    return { done: true };
  }

  async function splicesOf(
    edit: Exclude<Edit, { kind: "create" }>,
    text: FileText,
  ): Promise<Splices | EditRefused> {
    const parsed = () => ports.trees.tree(text.path, bytesOf(text.content));
    if (edit.kind === "replace") return replaceCode(text, edit.old, edit.new);
    if (edit.kind === "insert") return await insertCode(text, edit.position, edit.code, parsed);
    const templates = await ports.templates();
    const named = templates.filter(({ name }) => name === edit.template);
    if (named.length === 0) {
      const names = [...new Set(templates.map(({ name }) => name))].join(", ");
      return refused(
        "template_unknown",
        `there is no template ${quoted(edit.template, 60)}; there are ${names}`,
        text.path,
      );
    }
    const tree = await parsed();
    if (!tree.ok) {
      return refused("syntax_unknown", `${text.path} could not be parsed: ${tree.reason}`, text.path);
    }
    const template = named.find(({ languages }) => languages.includes(tree.language));
    if (template === undefined) {
      const known = named.flatMap(({ languages }) => languages).join(", ");
      return refused(
        "template_language",
        `${edit.template} is for ${known}, and ${text.path} is ${tree.language}`,
        text.path,
      );
    }
    return await applyTemplate({
      file: text,
      template,
      parameters: edit.parameters,
      line: edit.line,
      language: tree.language,
      queries: ports.queries,
    });
  }

  async function parseRefusal(
    path: RelativePath,
    before: Uint8Array,
    after: Uint8Array,
  ): Promise<EditRefused | undefined> {
    const was = await ports.trees.tree(path, before);
    if (!was.ok || was.brokenAt !== null) return undefined;
    const is = await ports.trees.tree(path, after);
    if (is.ok && is.brokenAt === null) return undefined;
    const where = is.ok ? `at line ${is.brokenAt}` : `(${is.reason})`;
    return refused("result_does_not_parse", `${path} would no longer parse ${where}`, path);
  }
}

function sizeOf(edit: Edit): number {
  switch (edit.kind) {
    case "replace":
      return edit.old.length + edit.new.length;
    case "template":
      return Object.values(edit.parameters).reduce((sum, value) => sum + value.length, 0);
    default:
      return edit.code.length;
  }
}

async function readBase(path: RelativePath, base: EditBase): Promise<Base | EditRefused> {
  const entry = base.entries.get(path);
  if (entry === undefined) return refused("file_missing", `${path} does not exist`, path);
  if (entry.mode === "120000") {
    return refused("path_through_link", `${path} is a link; links are never patched`, path);
  }
  if (entry.mode === "040000") return refused("path_is_directory", `${path} is a directory`, path);
  if (entry.size > MAX_FILE_BYTES) return refused("too_large", `${path} is over 64 MiB`, path);
  const bytes = await base.read(path);
  if (bytes === undefined) return refused("file_unreadable", `${path} could not be read`, path);
  if (bytes.includes(0)) return refused("not_text", `${path} holds NUL bytes; it is no text`, path);
  const content = byteString(bytes), marked = content.startsWith(MARK);
  const text = fileText(path, (marked ? content.slice(MARK.length) : content) as ByteString);
  return { mode: entry.mode, bytes, marked, text };
}
