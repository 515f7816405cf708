import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { inventoryOf } from "../../src/bundle/inventory.ts";
import { bundleFiles } from "../../src/bundle/documents.ts";
import { bundleOf } from "../../src/bundle/read.ts";
import type { SessionRecord } from "../../src/bundle/record.ts";
import { applyPatch } from "../../src/patch/apply.ts";
import { byteStringOfText } from "../../src/patch/bytes.ts";
import { parsePatch } from "../../src/patch/parse.ts";
import { resultManifest } from "../../src/patch/tree.ts";
import { BaseFiles } from "../../src/prove/base_files.ts";
import { gate, type GateResult } from "../../src/verify/gate.ts";
import type { GateInput, GatePorts } from "../../src/verify/gate/input.ts";
import { directoryWorkspace } from "../../src/workspace/directory.ts";
import { gitHistory } from "../../src/workspace/git_history.ts";
import { attested, ISSUED_AT, testKey } from "../bundle/attested.ts";
import { attemptRecord, record, redact, reported, verified } from "../bundle/fixture.ts";
import { git } from "../workspace/repositories.ts";

export const POLICY = `proof_targets:
  - name: tests
    cmd: python3 -m pytest -q
policy:
  sandbox:
    container_image: python:3.12
`;

export const PROJECT: Readonly<Record<string, string>> = {
  "calc.py": "def add(a, b):\n    return a - b\n",
  "README.md": "# Calc\n",
  "run.sh": "#!/bin/sh\n",
  "old/gone.txt": "goes away\n",
  "tests/test_calc.py": "from calc import add\n\ndef test_add():\n    assert add(1, 2) == 3\n",
  "trust.yaml": "kept here for convenience\n",
  "pp.yaml": POLICY,
};

/** Changes a file, creates one, deletes one and makes one executable. */
export const PATCH = `diff --git a/calc.py b/calc.py
--- a/calc.py
+++ b/calc.py
@@ -1,2 +1,2 @@
 def add(a, b):
-    return a - b
+    return a + b
diff --git a/new/note.txt b/new/note.txt
new file mode 100644
--- /dev/null
+++ b/new/note.txt
@@ -0,0 +1 @@
+made
diff --git a/old/gone.txt b/old/gone.txt
deleted file mode 100644
--- a/old/gone.txt
+++ /dev/null
@@ -1 +0,0 @@
-goes away
diff --git a/run.sh b/run.sh
old mode 100644
new mode 100755
`;

/** A repository with `main` and `fix`, which is main plus exactly the patch, and an attested proof of that. */
export interface GateFixture {
  readonly root: string;
  readonly scratch: string;
  /** Commits. */
  readonly main: string;
  readonly fix: string;
  readonly files: ReadonlyMap<string, Uint8Array>;
}

export interface FixtureOptions {
  readonly project?: Readonly<Record<string, string>>;
  readonly patch?: string;
  /** Other than the fixture's own. */
  readonly over?: Partial<SessionRecord>;
  readonly format?: "sha1" | "sha256";
}

/** Makes the fixture in an empty directory. */
export async function gateFixture(directory: string, options: FixtureOptions = {}): Promise<GateFixture> {
  const { project = PROJECT, patch = PATCH, over = {}, format = "sha1" } = options;
  const root = join(directory, "repo");
  const scratch = join(directory, "scratch");
  await Deno.mkdir(root, { recursive: true });
  await Deno.mkdir(scratch);
  git(root, "init", "-q", "-b", "main", `--object-format=${format}`);
  for (const [path, text] of Object.entries(project)) {
    await Deno.mkdir(join(root, path, ".."), { recursive: true });
    await Deno.writeTextFile(join(root, path), text);
  }
  const main = commitAll(root);
  const files = await proofOf(root, patch, over);
  git(root, "checkout", "-q", "-b", "fix");
  execFileSync("git", ["apply", "--index", "-"], { cwd: root, input: patch });
  git(root, "commit", "-q", "-m", "fix");
  return { root, scratch, main, fix: git(root, "rev-parse", "HEAD"), files };
}

/** An attested bundle that says a patch was proved on what is checked out. */
export async function proofOf(
  root: string,
  patch: string,
  over: Partial<SessionRecord> = {},
): Promise<ReadonlyMap<string, Uint8Array>> {
  const workspace = await directoryWorkspace(root);
  const manifest = await workspace.manifest();
  const base = new BaseFiles(workspace, manifest.entries);
  const parsed = parsePatch(byteStringOfText(patch));
  if (!parsed.ok) throw new Error(parsed.refusal.detail);
  await base.load(parsed.patch.files.flatMap((file) => file.oldPath ?? []));
  const applied = applyPatch(parsed.patch, base.lookup);
  if (!applied.ok) throw new Error(applied.refusal.detail);
  const final = {
    patch: byteStringOfText(patch),
    resultTree: resultManifest(manifest, applied.changes).digest,
    notes: [],
    git: "agrees" as const,
  };
  // With reports, when the targets name some.
  const asked = over.targets?.some((target) => target.report !== undefined) === true;
  const { baseline, confirmation } = asked
    ? reported()
    : { baseline: [verified("failed", "red\n")], confirmation: [verified("passed", "green\n")] };
  const proof = record({
    manifest,
    minimization: null,
    attempts: [attemptRecord({ applied: final, verification: confirmation[0]! })],
    baseline,
    baseAgain: baseline,
    confirmation,
    final: { ...final, attempt: 1 },
    ...over,
  });
  return await attested([testKey(1)], { files: await bundleFiles(proof, redact) });
}

export function commitAll(root: string, message = "more"): string {
  git(root, "add", "-A");
  git(root, "commit", "-q", "--allow-empty", "-m", message);
  return git(root, "rev-parse", "HEAD");
}

export type GateAsked = Partial<Omit<GateInput, "inventory" | "read">> & {
  readonly files?: ReadonlyMap<string, Uint8Array>;
  readonly replayHere?: GatePorts["replayHere"];
};

/** Runs the gate on a fixture; real git, real keys, a scanner that takes `sk-` words for secrets. */
export async function gateOn(fixture: GateFixture, asked: GateAsked = {}): Promise<GateResult> {
  const { files = fixture.files, replayHere, ...input } = asked;
  const history = await gitHistory(fixture.root, fixture.scratch);
  return await gate({
    inventory: await inventoryOf(files),
    read: bundleOf(files),
    trust: { keys: [testKey(1).publicKey], threshold: 1, owners: new Map(), refused: [] },
    now: new Date(ISSUED_AT.getTime() + 60_000),
    maxAgeMs: null,
    nonce: null,
    base: "main",
    head: "fix",
    policy: null,
    adjust: (config) => config,
    verifierFiles: [],
    replay: null,
    ...input,
  }, {
    history,
    findSecrets: async (text, name) => (await redact(text, name)).redactions,
    replayHere: replayHere ?? (() => Promise.reject(new Error("nobody asked for a replay"))),
  });
}

/** The verdict, and every required check that did not pass with the codes of its findings. */
export function brief({ verdict, checks }: GateResult): string {
  const bad = checks.filter((check) => check.required && check.verdict !== "pass").map((check) =>
    check.verdict === "not_checked"
      ? `${check.id}?`
      : `${check.id}:${[...new Set(check.findings.map(({ code }) => code))].join("+")}`
  );
  return [verdict, ...bad].join(" ");
}
