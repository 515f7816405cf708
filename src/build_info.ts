import { VERSION } from "./version.ts";

/** A file inside a build, its path from the program's folder. */
export interface EmbeddedFile {
  readonly path: string;
  /** Hexadecimal. */
  readonly sha256: string;
}

/** What this program is and what it is made of. */
export interface BuildInfo {
  readonly version: string;
  /** The commit it was built from, or that is checked out; null where nobody knows. */
  readonly commit: string | null;
  /** Whether tracked files differed from the commit; null where nobody knows. */
  readonly modified: boolean | null;
  /** `checkout` when it runs from source. */
  readonly kind: "checkout" | "compiled" | "portable";
  readonly runtime: { readonly name: "deno"; readonly version: string; readonly target: string };
  /** The runtime (when the build carries it as a file), code, policies and grammars; empty in a checkout. */
  readonly embedded: readonly EmbeddedFile[];
}

/** The part of BuildInfo that a build writes down, as build.json beside its code. */
export type BuildRecord = Pick<BuildInfo, "commit" | "modified" | "kind" | "embedded">;

/**
 * Reads what the build wrote down, or asks git about the checkout this runs from.
 * @param root folder of the program, ending in a slash
 */
export async function buildInfo(root: URL = new URL("../", import.meta.url)): Promise<BuildInfo> {
  const record = await readRecord(root) ?? await checkoutRecord(root);
  const { commit, modified, kind, embedded } = record;
  const runtime = { name: "deno", version: Deno.version.deno, target: Deno.build.target } as const;
  return { version: VERSION, commit, modified, kind, runtime, embedded };
}

async function readRecord(root: URL): Promise<BuildRecord | null> {
  try {
    return JSON.parse(await Deno.readTextFile(new URL("build.json", root))) as BuildRecord;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}

async function checkoutRecord(root: URL): Promise<BuildRecord> {
  // A checkout inside somebody else's repository must not be taken for that one.
  const commit = await git(root, ["rev-parse", "--show-prefix", "HEAD"]);
  const [prefix, head] = commit?.split("\n") ?? [];
  if (prefix !== "" || head === undefined || !/^[0-9a-f]{40,64}$/.test(head)) {
    return { commit: null, modified: null, kind: "checkout", embedded: [] };
  }
  const status = await git(root, ["status", "--porcelain", "--untracked-files=no"]);
  return { commit: head, modified: status === null ? null : status !== "", kind: "checkout", embedded: [] };
}

/** @returns null when git is not there or refuses */
async function git(root: URL, args: readonly string[]): Promise<string | null> {
  const { runGit } = await import("./workspace/git_command.ts");
  const { fileURLToPath } = await import("node:url");
  const bounds = { timeoutMs: 10_000, maxBytes: 1 << 20 };
  const result = await runGit(args, { cwd: fileURLToPath(root), env: {}, ...bounds }).catch(() => null);
  if (result === null || result.code !== 0 || result.truncated) return null;
  return new TextDecoder().decode(result.stdout).replace(/\n$/, "");
}
