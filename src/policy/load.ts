import { isAbsolute, join, relative, resolve } from "node:path";
import { type DocumentProblem, showProblem } from "../document/problem.ts";
import type { Sha256 } from "../vocabulary/digest.ts";
import { Failure } from "../vocabulary/failure.ts";
import { errorCode, refusalKind } from "../vocabulary/system_error.ts";
import { defaultPolicy } from "./defaults.ts";
import { policyDigest } from "./digest.ts";
import { MAX_POLICY_BYTES, POLICY_FILES } from "./files.ts";
import type { PolicyConfig } from "./policy.ts";

export interface LoadedPolicy {
  readonly config: PolicyConfig;
  /** Path of the file read; null for the built-in default. */
  readonly source: string | null;
  readonly digest: Sha256;
}

/**
 * Loads the policy of a workspace: the file named, else the one policy file in `root`, else the default.
 * @param explicitPath relative to the current directory, not to `root`
 * @throws Failure `policy_missing` (usage) for a named file that is not there, `policy_malformed` with every
 * problem in its details, `policy_ambiguous` for two policy files in `root`, `policy_unreadable`
 */
export async function loadPolicy(root: string, explicitPath?: string): Promise<LoadedPolicy> {
  const path = explicitPath === undefined ? await findPolicy(root) : resolve(explicitPath);
  if (path === null) {
    const config = defaultPolicy();
    return { config, source: null, digest: policyDigest(config) };
  }
  const shown = showPolicyFile(path);
  // Loaded when there is something to read: it takes a YAML parser.
  const { parsePolicy } = await import("./parse.ts");
  const result = parsePolicy(await readPolicyText(path), path);
  if (result.ok) return { config: result.config, source: path, digest: policyDigest(result.config) };
  throw policyMalformed(shown, result.problems);
}

/** The Failure for a policy file with problems. */
export function policyMalformed(fileName: string, problems: readonly DocumentProblem[]): Failure {
  const count = problems.length === 1 ? "1 problem" : `${problems.length} problems`;
  return new Failure("malformed", "policy_malformed", `${fileName}: ${count}`, {
    details: problems.map((problem) => showProblem(fileName, problem)),
    hint: "docs/policy.md and `pp policy schema` say what each key takes",
  });
}

/**
 * The policy file of a workspace, or null.
 * @throws Failure `policy_ambiguous` when there are several
 */
export async function findPolicy(root: string): Promise<string | null> {
  const found: string[] = [];
  for (const name of POLICY_FILES) {
    try {
      await Deno.lstat(join(root, name));
      found.push(name);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory)) {
        throw unreadable(join(root, name), error);
      }
    }
  }
  if (found.length > 1) {
    throw new Failure(
      "malformed",
      "policy_ambiguous",
      `there are several policy files: ${found.join(", ")}`,
      {
        hint: "keep one of them, or name one: --policy FILE, or pp policy check FILE",
      },
    );
  }
  return found[0] === undefined ? null : join(root, found[0]);
}

/**
 * The text of a policy file, at most MAX_POLICY_BYTES bytes.
 * @throws Failure `policy_missing`, `policy_unreadable`, `policy_malformed` (too large, not UTF-8)
 */
export async function readPolicyText(path: string): Promise<string> {
  const shown = showPolicyFile(path);
  const bytes = await readBounded(path, MAX_POLICY_BYTES);
  const bad = (message: string) => policyMalformed(shown, [{ path: "", line: null, column: null, message }]);
  if (bytes === null) throw bad(`larger than ${MAX_POLICY_BYTES} bytes`);
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw bad("not valid UTF-8");
  }
}

/** The bytes of a regular file; null when it has more than `limit`. */
async function readBounded(path: string, limit: number): Promise<Uint8Array | null> {
  try {
    // Asked before opening: opening a FIFO would wait for a writer.
    if (!(await Deno.stat(path)).isFile) throw new Error("not a regular file");
    using file = await Deno.open(path, { read: true });
    const buffer = new Uint8Array(limit + 1);
    let length = 0;
    while (length < buffer.length) {
      const n = await file.read(buffer.subarray(length));
      if (n === null) return buffer.slice(0, length);
      length += n;
    }
    return null;
  } catch (error) {
    throw unreadable(path, error);
  }
}

function unreadable(path: string, cause: unknown): Failure {
  if (cause instanceof Deno.errors.NotFound) {
    return new Failure("usage", "policy_missing", `there is no policy file ${showPolicyFile(path)}`, {
      hint: "check the name; `pp init` writes a policy",
    });
  }
  const why = cause instanceof Error ? cause.message : String(cause);
  return new Failure(
    errorCode(cause) === "" ? "malformed" : refusalKind(cause),
    "policy_unreadable",
    `cannot read the policy file ${showPolicyFile(path)}: ${why}`,
    {
      hint: "check that it is a regular file and that its permissions let you read it",
      cause,
    },
  );
}

/** A path for people: relative to the current directory where that is shorter to read. */
export function showPolicyFile(path: string): string {
  const short = relative(Deno.cwd(), path);
  return short === "" || short.startsWith("..") || isAbsolute(short) ? path : short;
}
