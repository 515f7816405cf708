import { applyPatch } from "../../patch/apply.ts";
import { collisionOf } from "../../patch/collision.ts";
import { resultDigest } from "../../patch/tree.ts";
import { BaseFiles, MAX_PATCHED_FILE_BYTES } from "../../prove/base_files.ts";
import { ignoredChange } from "../../prove/ignored.ts";
import type { FileChange } from "../../vocabulary/change.ts";
import { entriesByPath } from "../../vocabulary/entry_table.ts";
import type { Manifest, ManifestEntries } from "../../vocabulary/manifest.ts";
import type { Patch } from "../../vocabulary/patch.ts";
import { comparePaths } from "../../vocabulary/path.ts";
import type { GitTree, History, TreeContents, TreeEntry } from "../../workspace/history.ts";
import { finding, findingOf, type GateCheck, type GateFinding, judged } from "./check.ts";

/** What a bundle says of its base, as far as it was signed. */
interface ClaimedBase {
  readonly tree: string;
  /** Null when the bundle's own list of it is not what was signed. */
  readonly entries: ManifestEntries | null;
}

/** Whether the proof is about the merge base: every file of it and no other. */
export function baseCheck({ manifest }: TreeContents, claimed: ClaimedBase): GateCheck {
  const detail = `the proof is about the merge base, tree ${claimed.tree.slice(0, 12)}`;
  if (manifest.digest === claimed.tree) return judged("base", [], detail);
  const differences = claimed.entries === null ? [] : differencesOf(manifest, claimed.entries);
  const findings = differences.length > 0
    ? differences
    : [finding("base_differs", "the proof is about another tree than the merge base")];
  return judged("base", findings, detail);
}

function differencesOf(here: Manifest, claimed: ManifestEntries): readonly GateFinding[] {
  const left = new Map(entriesByPath(claimed));
  const findings: GateFinding[] = [];
  for (const { path, mode, sha256 } of here.entries) {
    const other = left.get(path);
    left.delete(path);
    if (other === undefined) {
      findings.push(finding("base_lacks", "the merge base has it, the proof's base had not", path));
    } else if (other.mode !== mode || other.sha256 !== sha256) {
      findings.push(
        finding("base_differs", "the proof's base had another version of it than the merge base", path),
      );
    }
  }
  for (const path of left.keys()) {
    const detail = "the proof's base had it, the merge base has not: prove on a clean checkout of it";
    findings.push(finding("base_has_more", detail, path));
  }
  return findings;
}

/** Of the merge base, held at once; a patch nobody vouches for could name every file. */
const MAX_TOUCHED_BYTES = 256 << 20;

/** The merge base with the files that a patch touches, all read at once; or what speaks against reading them. */
export async function filesFor(
  patch: Patch,
  tree: GitTree,
  { all, ignores }: TreeContents,
  history: History,
): Promise<{ readonly files: BaseFiles } | { readonly against: GateFinding }> {
  const paths = patch.files.flatMap((file) => file.oldPath ?? []);
  const touched = new Set<string>(paths);
  const bytes = all.reduce((sum, { path, size }) => touched.has(path) ? sum + size : sum, 0);
  if (bytes > MAX_TOUCHED_BYTES) {
    const detail = `it touches files of over ${MAX_TOUCHED_BYTES / 2 ** 20} MiB in all`;
    return { against: finding("patch_touches_too_much", detail) };
  }
  const wanted = paths.flatMap((path) => tree.entries.get(path)?.id ?? []);
  const blobs = await history.blobs(new Map(wanted.map((id) => [id, MAX_PATCHED_FILE_BYTES])));
  const files = new BaseFiles({
    read: (path) => {
      const bytes = blobs.get(tree.entries.get(path)!.id);
      if (bytes === undefined || bytes === null) throw new RangeError(`${path} was not read`);
      return Promise.resolve(bytes);
    },
    ignores,
  }, all);
  const tooLarge = await files.load(paths);
  return tooLarge === null ? { files } : { against: findingOf(tooLarge) };
}

interface HeadInput {
  readonly base: GitTree;
  readonly contents: TreeContents;
  readonly files: BaseFiles;
  readonly head: GitTree;
  readonly patch: Patch;
  /** Tree digest that was signed as the result; null where nothing signed is believed. */
  readonly resultTree: string | null;
}

/** Whether head is exactly base plus patch: every path, its kind and mode and each of its bytes. */
export async function headCheck(input: HeadInput, history: History): Promise<GateCheck> {
  const { base, contents, files, head, patch, resultTree } = input;
  const applied = applyPatch(patch, files.lookup);
  if (!applied.ok) return judged("head", [findingOf(applied.refusal)], "");
  const collision = collisionOf(applied.changes, files.entries);
  if (collision !== null) return judged("head", [findingOf(collision)], "");
  const ignored = ignoredChange(applied.changes, files);
  if (ignored !== null) return judged("head", [findingOf(ignored)], "");
  const expected = new Map<string, FileChange>(applied.changes.map((change) => [change.path, change]));
  const findings = [...extraChanges(base, head, expected), ...await missingChanges(head, expected, history)];
  if (resultTree !== null && resultDigest(contents.manifest, applied.changes) !== resultTree) {
    findings.push(finding("result_tree_differs", "base plus final.patch is not the tree that was signed"));
  }
  findings.sort((a, b) => comparePaths(a.path ?? "", b.path ?? ""));
  const count = expected.size === 1 ? "1 file" : `${expected.size} files`;
  return judged(
    "head",
    findings,
    `head ${head.commit.slice(0, 12)} is the merge base plus final.patch and nothing else (${count})`,
  );
}

/** What differs between base and head and is no part of the patch. */
function extraChanges(
  base: GitTree,
  head: GitTree,
  expected: ReadonlyMap<string, FileChange>,
): readonly GateFinding[] {
  const findings: GateFinding[] = [];
  const extra = (path: string, what: string) =>
    void findings.push(finding("not_in_patch", `head ${what}, final.patch does not`, path));
  for (const [path, old] of base.entries) {
    if (old.mode === "040000" || expected.has(path)) continue;
    const now = head.entries.get(path);
    if (now === undefined || now.mode === "040000") extra(path, "deletes it");
    else if (now.id !== old.id) {
      extra(path, kindOf(now) === kindOf(old) ? "changes it" : `makes it ${kindOf(now)}`);
    } else if (now.mode !== old.mode) extra(path, `gives it mode ${now.mode}`);
  }
  const used = new Set<string>();
  for (const [path, now] of head.entries) {
    if (now.mode === "040000") continue;
    for (let at = path.lastIndexOf("/"); at > 0; at = path.lastIndexOf("/", at - 1)) {
      used.add(path.slice(0, at));
    }
    const old = base.entries.get(path);
    if ((old === undefined || old.mode === "040000") && !expected.has(path)) {
      extra(path, `adds ${kindOf(now)}`);
    }
  }
  for (const [path, now] of head.entries) {
    if (now.mode === "040000" && !used.has(path)) extra(path, "has an empty directory");
  }
  return findings;
}

/** What the patch does and head does not, or does otherwise. */
async function missingChanges(
  head: GitTree,
  expected: ReadonlyMap<string, FileChange>,
  history: History,
): Promise<readonly GateFinding[]> {
  const findings: GateFinding[] = [];
  const missing = (path: string, detail: string, line: number | null = null) =>
    void findings.push(finding("not_in_head", detail, path, line));
  const wanted = new Map<string, number>();
  const written: { entry: TreeEntry; bytes: Uint8Array }[] = [];
  for (const change of expected.values()) {
    const now = head.entries.get(change.path);
    if (change.kind === "delete") {
      if (now !== undefined && now.mode !== "040000") {
        missing(change.path, "final.patch deletes it, head has it");
      }
    } else if (now === undefined || now.mode === "040000") {
      missing(change.path, "final.patch writes it, head does not have it");
    } else if (kindOf(now) !== "a file") {
      missing(change.path, `final.patch makes it a file, in head it is ${kindOf(now)}`);
    } else {
      if (now.mode !== change.mode) {
        missing(change.path, `final.patch gives it mode ${change.mode}, head ${now.mode}`);
      }
      wanted.set(now.id, Math.max(wanted.get(now.id) ?? 0, change.bytes.length + LOOKED_FURTHER));
      written.push({ entry: now, bytes: change.bytes });
    }
  }
  // Compared by bytes and not by id, which a weak digest would let two contents share.
  const found = await history.blobs(wanted);
  for (const { entry: { path, id }, bytes } of written) {
    const now = found.get(id) ?? null;
    const line = now === null ? null : firstDifference(bytes, now);
    if (now === null) missing(path, "head has a much larger file than final.patch makes");
    else if (line !== null) {
      missing(path, `from line ${line} on, head has other bytes than final.patch makes`, line);
    }
  }
  return findings;
}

/** How much larger than expected a file may be and still be read, to tell where it differs. */
const LOOKED_FURTHER = 1 << 20;

/** The first line that differs, 1-based; null when all bytes are the same. */
function firstDifference(a: Uint8Array, b: Uint8Array): number | null {
  let line = 1;
  for (let i = 0; i < Math.max(a.length, b.length); i++) {
    if (a[i] !== b[i]) return line;
    if (a[i] === 0x0a) line++;
  }
  return null;
}

function kindOf({ mode }: TreeEntry): string {
  return mode === "120000" ? "a link" : mode === "160000" ? "a submodule" : "a file";
}
