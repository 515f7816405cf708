import fc from "fast-check";
import type { FileChange } from "../../src/vocabulary/change.ts";
import type { FileMode } from "../../src/vocabulary/manifest.ts";
import { parseRelativePath, type RelativePath } from "../../src/vocabulary/path.ts";
import type { FileLookup, FileState } from "../../src/patch/apply.ts";
import { bytesOf, byteString, byteStringOfText } from "../../src/patch/bytes.ts";
import type { FilePair } from "../../src/patch/diff.ts";
import type { ByteString } from "../../src/vocabulary/patch.ts";

export type Tree = Map<string, FileState>;

export function path(text: string): RelativePath {
  const parsed = parseRelativePath(text);
  if (!parsed.ok) throw new Error(`${text}: ${parsed.reason}`);
  return parsed.path;
}

export function text(content: string, mode: FileMode = "100644"): FileState {
  return { mode, bytes: bytesOf(byteStringOfText(content)) };
}

export function lookup(tree: Tree): FileLookup {
  return (p) => {
    const file = tree.get(p);
    if (file) return file;
    for (const other of tree.keys()) if (other.startsWith(p + "/")) return "directory";
    return null;
  };
}

export function changed(tree: Tree, changes: readonly FileChange[]): Tree {
  const out = new Map(tree);
  for (const c of changes) if (c.kind === "delete") out.delete(c.path);
  for (const c of changes) if (c.kind === "write") out.set(c.path, { mode: c.mode, bytes: c.bytes });
  return out;
}

/** A tree in a form that deepEqual compares and shows well. */
export function plain(tree: Tree): [string, FileMode, ByteString][] {
  return [...tree].sort(([a], [b]) => a < b ? -1 : 1).map(([p, f]) => [p, f.mode, byteString(f.bytes)]);
}

const LINES = [
  "",
  "a",
  "b",
  "c",
  "  indented",
  "\ttab",
  "trailing  ",
  "cr\r",
  "\r",
  "-- x",
  "++ y",
  "--- a/x",
  "+++ b/x",
  "@@ -1 +1 @@",
  "diff --git a/x b/x",
  "\\ No newline at end of file",
  "GIT binary patch",
  "é ü 日本",
  "\u0000nul",
  "```",
  "<<<<<<< SEARCH",
];

const line = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(...LINES) },
  { weight: 2, arbitrary: fc.nat(30).map((n) => `line ${n}`) },
);

function joined(lines: readonly string[], newline: boolean): Uint8Array {
  return bytesOf(byteStringOfText(lines.join("\n") + (newline && lines.length > 0 ? "\n" : "")));
}

export const content: fc.Arbitrary<Uint8Array> = fc.tuple(fc.array(line, { maxLength: 40 }), fc.boolean())
  .map(([lines, newline]) => joined(lines, newline));

/** Two related contents: the second is the first with a few lines removed, replaced or added. */
export const contents: fc.Arbitrary<[Uint8Array, Uint8Array]> = fc.tuple(
  fc.array(line, { maxLength: 40 }),
  fc.array(fc.tuple(fc.nat(), fc.nat(2), fc.array(line, { maxLength: 3 })), { maxLength: 4 }),
  fc.boolean(),
  fc.boolean(),
).map(([lines, edits, oldNewline, newNewline]) => {
  const after = [...lines];
  for (const [at, remove, add] of edits) after.splice(at % (after.length + 1), remove, ...add);
  return [joined(lines, oldNewline), joined(after, newNewline)];
});

const NAMES = [
  "a",
  "b c",
  "ü",
  'q"x',
  "x'y",
  "-d",
  "日本",
  "b",
  " b",
  "end ",
  "x b",
  "$(x)",
  "*.py",
  "a.txt",
];
export const pathArb: fc.Arbitrary<string> = fc.array(fc.constantFrom(...NAMES), {
  minLength: 1,
  maxLength: 3,
})
  .map((s) => s.join("/"));

const mode: fc.Arbitrary<FileMode> = fc.constantFrom("100644", "100755");

/** Pairs over distinct paths that lie in no one another's way: created, deleted, modified, renamed. */
export const pairs: fc.Arbitrary<FilePair[]> = fc.array(
  fc.tuple(
    pathArb,
    pathArb,
    contents,
    mode,
    mode,
    fc.constantFrom("create", "delete", "modify", "rename", "move"),
  ),
  { minLength: 1, maxLength: 4 },
).map((specs) =>
  specs.map(([p, q, [before, after], m, n, kind], i): FilePair => {
    // A number at the root keeps the paths of one patch apart.
    const one = path(`${i}/${p}`), two = path(`${i}r/${q}`);
    const old = { mode: m, bytes: before }, next = { mode: n, bytes: after };
    if (kind === "create") return { oldPath: null, old: null, newPath: one, new: next };
    if (kind === "delete") return { oldPath: one, old, newPath: null, new: null };
    if (kind === "modify") return { oldPath: one, old, newPath: one, new: next };
    return { oldPath: one, old, newPath: two, new: kind === "move" ? old : next };
  })
);

export function before(of: readonly FilePair[]): Tree {
  return new Map(of.flatMap((p) => p.oldPath === null ? [] : [[p.oldPath as string, p.old!]]));
}

export function after(of: readonly FilePair[]): Tree {
  return new Map(of.flatMap((p) => p.newPath === null ? [] : [[p.newPath as string, p.new!]]));
}
