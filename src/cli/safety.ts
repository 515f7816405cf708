import { join, resolve } from "node:path";
import { writeWhole } from "../bundle/pack.ts";
import { applyPatch } from "../patch/apply.ts";
import { byteString } from "../patch/bytes.ts";
import { diffFiles } from "../patch/diff.ts";
import { parsePatch } from "../patch/parse.ts";
import { pathsNeeded, readProposal, resolveProposal } from "../patch/read.ts";
import { patchStats } from "../patch/stats.ts";
import { loadPolicy, showPolicyFile } from "../policy/load.ts";
import { BaseFiles } from "../prove/base_files.ts";
import { checkChange, type CheckPorts, scanTree, type Tree } from "../safety/check.ts";
import { judgeSafety, type SafetyOutcome } from "../safety/judge.ts";
import type { FileChange } from "../vocabulary/change.ts";
import { sha256 } from "../vocabulary/digest.ts";
import { Failure } from "../vocabulary/failure.ts";
import type { FileMode, ManifestEntry } from "../vocabulary/manifest.ts";
import type { ByteString, FilePatch, Patch, Refusal } from "../vocabulary/patch.ts";
import { parseRelativePath, type RelativePath } from "../vocabulary/path.ts";
import { printableLine, printablePath } from "../vocabulary/printable.ts";
import type { Workspace } from "../workspace/workspace.ts";
import { checkoutNamed } from "./checkout_flag.ts";
import { readBounded, readBoundedFile } from "./bounded_file.ts";
import { readBundleAt } from "./bundle_input.ts";
import { EXIT } from "./exit_code.ts";
import { bytesText, colour } from "./output.ts";
import { diffDocument, diffText, scanDocument, scanText } from "./safety_report.ts";
import type { SafetyDiffFlags, SafetyFlags } from "./safety_verb.ts";
import { diffSarif, scanSarif } from "./safety_sarif.ts";
import { scanProgress } from "./scan_progress.ts";
import type { VerbResult } from "./verb.ts";
import { wireSafety, wireWorkspace } from "./wire.ts";

const MAX_FILE = 64 << 20;
const MAX_PATCH = 16 << 20;

/** 2 and 3 as everywhere: the answer is no; there is none before a person has said so. */
const EXIT_OF: Readonly<Record<SafetyOutcome, number>> = {
  allowed: EXIT.yes,
  denied: EXIT.no,
  needs_approval: EXIT.noAnswer,
};

/** `pp safety scan`: what the code in some folders and files can do. */
export async function safetyScan(paths: readonly string[], flags: SafetyFlags): Promise<VerbResult> {
  oneFormat(flags);
  const tree = await treeOf(paths.length === 0 ? ["."] : paths);
  const startedAt = performance.now();
  const scan = await withPorts(flags, (ports) => scanTree(tree, null, ports));
  const facts = { scan, elapsedMs: performance.now() - startedAt };
  return await output(flags, EXIT.yes, {
    text: () => scanText(facts, colour(Deno.stdout)),
    json: () => scanDocument(facts),
    sarif: () => scanSarif(scan),
  });
}

/** `pp safety diff`: what a change newly enables, and what the policy says about it. */
export async function safetyDiff(bundle: string | undefined, flags: SafetyDiffFlags): Promise<VerbResult> {
  oneFormat(flags);
  const given = [bundle, flags.patch, flags.base].filter((one) => one !== undefined);
  if (given.length !== 1) {
    throw new Failure(
      "usage",
      given.length === 0 ? "change_missing" : "change_twice",
      given.length === 0 ? "there is no change to look at" : "there is more than one change to look at",
      { hint: "name exactly one of --patch FILE, --base DIR and a BUNDLE" },
    );
  }
  const root = resolve(checkoutNamed(flags) ?? ".");
  const policy = await loadPolicy(Deno.cwd(), flags.policy);
  const quiet = flags.json === true || flags.sarif === true;
  const change = flags.base !== undefined ? await changeBetween(flags.base, root) : await changeByPatch(
    root,
    bundle === undefined
      ? { kind: "proposal", text: await patchText(flags.patch!) }
      : { kind: "exact", ...await finalPatchOf(bundle, quiet) },
    flags.patch,
  );
  const check = await withPorts(
    flags,
    (ports) => checkChange(change.base, change.result, ports, change.renames),
  );
  const { additions, deletions } = change.lines;
  const judgement = judgeSafety(
    { delta: check.delta, missingImports: check.missingImports, diffLines: additions + deletions },
    policy.config.policy.safety,
  );
  const source = policy.source === null ? null : showPolicyFile(policy.source);
  const facts = {
    ...{ check, judgement, lines: change.lines, recordedBase: change.recordedBase },
    policy: { source, digest: policy.digest },
  };
  return await output(flags, EXIT_OF[judgement.outcome], {
    text: () => diffText(facts, colour(Deno.stdout)),
    json: () => diffDocument(facts),
    sarif: () => diffSarif(check, judgement),
  });
}

function oneFormat({ json, sarif }: SafetyFlags): void {
  if (json !== true || sarif !== true) return;
  throw new Failure("usage", "format_twice", "--json and --sarif are two formats", {
    hint: "choose one of them",
  });
}

interface Forms {
  readonly text: () => string;
  readonly json: () => unknown;
  readonly sarif: () => unknown;
}

async function output(flags: SafetyFlags, exit: number, forms: Forms): Promise<VerbResult> {
  const { output: file, json, sarif, force } = flags;
  const document = sarif === true ? forms.sarif() : json === true || file !== undefined ? forms.json() : null;
  if (file === undefined) {
    if (sarif === true) return { exit, text: JSON.stringify(document, null, 2), json: document };
    return { exit, text: json === true ? "" : forms.text(), json: document };
  }
  // A file is for programs, unless it says otherwise.
  const asText = sarif !== true && json !== true && !/\.json$/i.test(file);
  const text = asText ? `${forms.text()}\n` : `${JSON.stringify(document, null, 2)}\n`;
  const bytes = new TextEncoder().encode(text);
  await writeWhole(resolve(file), [bytes], force === true);
  const said = `${printablePath(file)} (${bytesText(bytes.length)})`;
  return {
    exit,
    text: said,
    json: { format: "veripatch-safety-output/v1", path: file, size: bytes.length, exit },
  };
}

async function withPorts<T>(flags: SafetyFlags, work: (ports: CheckPorts) => Promise<T>): Promise<T> {
  const progress = scanProgress(flags.json === true);
  try {
    return await work({ ...await wireSafety(), onFile: progress.onFile });
  } finally {
    progress.end();
  }
}

/** Folders and files as one tree; names as the caller gave them. */
async function treeOf(paths: readonly string[]): Promise<Tree> {
  const entries = new Map<string, ManifestEntry>();
  const readers = new Map<string, () => Promise<Uint8Array>>();
  for (const given of paths) {
    const shown = join(given).replace(/\/+$/, "");
    const info = await Deno.stat(given).catch((cause) => {
      throw new Failure("usage", "path_missing", `there is no file or folder ${printablePath(given)}`, {
        hint: "name what is to be looked at, or nothing for this folder",
        cause,
      });
    });
    if (!info.isDirectory) {
      const { bytes } = await readBoundedFile(given, MAX_FILE, "file");
      entries.set(shown, { path: shown, mode: "100644", size: bytes.length, sha256: sha256(bytes) });
      readers.set(shown, () => Promise.resolve(bytes));
      continue;
    }
    const workspace = await wireWorkspace(given);
    for (const entry of (await workspace.manifest()).entries) {
      const path = shown === "." ? entry.path : `${shown}/${entry.path}`;
      entries.set(path, { ...entry, path });
      readers.set(path, () => readFrom(workspace, entry.path));
    }
  }
  const roots = paths.map((given) => join(given).replace(/\/+$/, ""));
  return {
    entries: [...entries.values()],
    ...(roots.includes(".") ? {} : { roots }),
    read: (path) => readers.get(path)!(),
  };
}

async function readFrom(workspace: Workspace, path: string): Promise<Uint8Array> {
  const parsed = parseRelativePath(path);
  if (parsed.ok) return await workspace.read(parsed.path, MAX_FILE);
  // Names a patch could not have; there is nothing to read under them by this way.
  return await Deno.readFile(`${workspace.root}/${path}`);
}

interface Change {
  readonly base: Tree;
  readonly result: Tree;
  readonly renames: ReadonlyMap<string, string>;
  readonly lines: { readonly files: number; readonly additions: number; readonly deletions: number };
  /** Whether the folder is the base that a bundle records; null where there is no bundle. */
  readonly recordedBase: boolean | null;
}

/** Two folders. */
async function changeBetween(before: string, after: string): Promise<Change> {
  const [base, result] = [await folderTree(before), await folderTree(after)];
  const [old, now] = [base, result].map(({ entries }) =>
    new Map(entries.filter(({ mode }) => mode.startsWith("100")).map((entry) => [entry.path, entry]))
  ) as [Map<string, ManifestEntry>, Map<string, ManifestEntry>];
  const pairs = [];
  for (const path of new Set([...old.keys(), ...now.keys()])) {
    const [a, b] = [old.get(path), now.get(path)];
    if (a?.sha256 === b?.sha256) continue;
    const state = async (tree: Tree, entry: ManifestEntry | undefined) =>
      entry === undefined ? null : { mode: entry.mode as FileMode, bytes: await tree.read(path) };
    const [was, is] = [await state(base, a), await state(result, b)];
    // Only lines are counted: a name that a patch could not have counts too.
    const name = path as RelativePath;
    pairs.push({ oldPath: was && name, old: was, newPath: is && name, new: is });
  }
  return { base, result, renames: new Map(), lines: patchStats(diffFiles(pairs)), recordedBase: null };
}

async function folderTree(folder: string): Promise<Tree & { readonly entries: readonly ManifestEntry[] }> {
  const workspace = await wireWorkspace(folder);
  const entries = [...(await workspace.manifest()).entries];
  return { entries, read: (path) => readFrom(workspace, path) };
}

type GivenPatch =
  /** As people and models write them. */
  | { readonly kind: "proposal"; readonly text: ByteString }
  /** As a bundle has it. */
  | { readonly kind: "exact"; readonly text: ByteString; readonly baseTree: string };

/** A folder and a patch over it; nothing is written. */
async function changeByPatch(root: string, given: GivenPatch, stranger: string | undefined): Promise<Change> {
  const workspace = await wireWorkspace(
    root,
    stranger === undefined || stranger === "-" ? [] : [resolve(stranger)],
  );
  const manifest = await workspace.manifest();
  const entries = [...manifest.entries];
  const files = new BaseFiles(workspace, manifest.entries);
  const patch = await patchOver(files, given);
  const applied = applyPatch(patch, files.lookup);
  if (!applied.ok) throw refused(applied.refusal, given.kind);
  const changes = new Map<string, FileChange>(applied.changes.map((change) => [change.path, change]));
  const kept = entries.filter(({ path }) => !changes.has(path));
  const written = [...changes.values()].flatMap((change): ManifestEntry[] =>
    change.kind === "delete"
      ? []
      : [{ path: change.path, mode: change.mode, size: change.bytes.length, sha256: sha256(change.bytes) }]
  );
  return {
    base: { entries, read: (path) => readFrom(workspace, path) },
    result: {
      entries: [...kept, ...written],
      read: (path) => {
        const change = changes.get(path);
        return change?.kind === "write" ? Promise.resolve(change.bytes) : readFrom(workspace, path);
      },
    },
    renames: new Map(patch.files.filter(isRename).map(({ oldPath, newPath }) => [oldPath!, newPath!])),
    lines: patchStats(patch),
    recordedBase: given.kind === "exact" ? given.baseTree === manifest.digest : null,
  };
}

async function patchOver(files: BaseFiles, { kind, text }: GivenPatch): Promise<Patch> {
  if (kind === "exact") {
    const parsed = parsePatch(text);
    if (!parsed.ok) throw refused(parsed.refusal, kind);
    const tooLarge = await files.load(parsed.patch.files.flatMap(({ oldPath }) => oldPath ?? []));
    if (tooLarge !== null) throw refused(tooLarge, kind);
    return parsed.patch;
  }
  const raw = readProposal(text);
  if (!raw.ok) throw refused(raw.refusal, kind);
  const needed = pathsNeeded(raw.proposal, files.entries);
  if (!needed.ok) throw refused(needed.refusal, kind);
  const tooLarge = await files.load(needed.paths);
  if (tooLarge !== null) throw refused(tooLarge, kind);
  const resolved = resolveProposal(raw.proposal, files.entries, files.read);
  if (!resolved.ok) throw refused(resolved.refusal, kind);
  return resolved.patch;
}

function isRename({ oldPath, newPath }: FilePatch): boolean {
  return oldPath !== null && newPath !== null && oldPath !== newPath;
}

function refused({ reason, detail }: Refusal, kind: GivenPatch["kind"]): Failure {
  const message = `the patch does not apply: ${reason}: ${printableLine(detail)}`;
  const hint = kind === "exact"
    ? "name the checkout that the bundle was made from with --cwd"
    : "name the folder that the patch is for with --cwd";
  return new Failure("malformed", "patch_refused", message, { hint });
}

async function patchText(file: string): Promise<ByteString> {
  if (file !== "-") return byteString((await readBoundedFile(resolve(file), MAX_PATCH, "patch")).bytes);
  const bytes = await readBounded(Deno.stdin, MAX_PATCH);
  if (bytes === null) {
    throw new Failure("malformed", "patch_too_large", `the patch on stdin is larger than ${MAX_PATCH} bytes`);
  }
  return byteString(bytes);
}

async function finalPatchOf(path: string, quiet: boolean) {
  const { finalPatch, repro } = await readBundleAt(path, quiet);
  if (finalPatch !== null) return { text: finalPatch, baseTree: repro.base_tree };
  throw new Failure(
    "malformed",
    "bundle_without_proof",
    `${printablePath(path)} proves nothing: it has no patch`,
    {
      hint: "only a bundle of a proof has a patch to look at",
    },
  );
}
