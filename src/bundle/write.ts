import { lstat, mkdir, mkdtemp, rename, rm, rmdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { Failure } from "../vocabulary/failure.ts";
import { refusalKind } from "../vocabulary/system_error.ts";
import { layoutProblem, WORKSPACE_TAR } from "./layout.ts";
import { refusedBundle } from "./refused.ts";
import { isSessionId } from "./session_id.ts";
import { syncDirectory, writeSynced } from "./synced.ts";
import { type Claimed, claimTemporary } from "./temporary.ts";

const BUNDLE = "proof_bundle";

/** A workspace.tar that lies on the same file system, written and synced; it is moved into the bundle. */
interface WrittenWorkspace {
  readonly path: string;
  readonly size: number;
}

/**
 * Writes a bundle to `<artifactsDir>/<session>/proof_bundle`, whole or not at all: everything is written and synced
 * under a temporary name beside it, then renamed. An artifacts directory made here ignores itself in git.
 * @returns the bundle's path
 * @throws Failure `bundle_exists`, `bundle_not_written`, `bundle_too_large`, `bundle_too_many_files`; `bug` for names that no bundle has. Nothing
 *   is left behind then
 */
export async function writeBundle(
  artifactsDir: string,
  session: string,
  files: ReadonlyMap<string, Uint8Array>,
  workspace: WrittenWorkspace | null = null,
): Promise<string> {
  if (!isSessionId(session)) throw new Failure("bug", "session_id_malformed", `not a session id: ${session}`);
  const sizes = new Map([...files].map(([name, bytes]) => [name, bytes.length]));
  if (workspace !== null) sizes.set(WORKSPACE_TAR, workspace.size);
  const problem = layoutProblem(sizes);
  if (problem !== null) throw refusedBundle(problem);
  const home = join(artifactsDir, session);
  const target = join(home, BUNDLE);
  let temporary: Claimed | null = null;
  try {
    await makeArtifactsDirectory(artifactsDir);
    if (await lstat(target).then(() => true, () => false)) {
      throw new Failure("denied", "bundle_exists", `${target} is there already`, {
        hint: "every session has its own id; a bundle is never written twice",
      });
    }
    temporary = await claimTemporary(home);
    if (!(await lstat(home)).isDirectory()) throw notWritten(home, "it is not a directory of its own");
    if (workspace !== null) await rename(workspace.path, join(temporary.path, WORKSPACE_TAR));
    await writeTree(temporary.path, files);
    await rename(temporary.path, target);
    await syncDirectory(home);
    await syncDirectory(artifactsDir);
    return target;
  } catch (error) {
    if (temporary !== null) await rm(temporary.path, { recursive: true, force: true }).catch(() => {});
    await rmdir(home).catch(() => {});
    if (error instanceof Failure || !(error instanceof Error) || !("code" in error)) throw error;
    throw notWritten(target, error.message, error);
  } finally {
    temporary?.lock.close();
  }
}

/**
 * Makes the artifacts directory and sees that something can be written there, before hours of work are.
 * @throws Failure `bundle_not_written`
 */
export async function prepareArtifacts(artifactsDir: string): Promise<void> {
  try {
    await makeArtifactsDirectory(artifactsDir);
    await rmdir(await mkdtemp(join(artifactsDir, ".try-")));
  } catch (error) {
    if (!(error instanceof Error) || !("code" in error)) throw error;
    throw notWritten(artifactsDir, error.message, error);
  }
}

async function makeArtifactsDirectory(path: string): Promise<void> {
  const first = await mkdir(path, { recursive: true });
  if (first === undefined) return;
  await writeSynced(join(path, ".gitignore"), new TextEncoder().encode("*\n"));
  await syncDirectory(dirname(first));
}

async function writeTree(root: string, files: ReadonlyMap<string, Uint8Array>): Promise<void> {
  const directories = new Set<string>();
  for (const name of files.keys()) {
    for (let at = dirname(name); at !== "."; at = dirname(at)) directories.add(at);
  }
  // A directory sorts before what is in it.
  const inOrder = [...directories].sort();
  for (const directory of inOrder) await mkdir(join(root, directory));
  for (const [name, bytes] of files) await writeSynced(join(root, name), bytes);
  for (const directory of inOrder.reverse()) await syncDirectory(join(root, directory));
  await syncDirectory(root);
}

function notWritten(path: string, why: string, cause?: { readonly code?: unknown }): Failure {
  return new Failure(refusalKind(cause), "bundle_not_written", `cannot write ${path}: ${why}`, {
    hint: "name a directory that can be written, with space left, by --artifacts",
    cause,
  });
}
