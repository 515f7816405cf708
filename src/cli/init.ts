import { join } from "node:path";
import { showProblem } from "../document/problem.ts";
import { MARKER_FILES, type Project, TEST_FOLDERS } from "../policy/ecosystems.ts";
import { findPolicy, showPolicyFile } from "../policy/load.ts";
import { POLICY_FILES } from "../policy/files.ts";
import { parsePolicy } from "../policy/parse.ts";
import { loadPreset } from "../policy/presets.ts";
import { starterPolicy } from "../policy/starter.ts";
import { Failure } from "../vocabulary/failure.ts";
import { refusalKind } from "../vocabulary/system_error.ts";
import { EXIT } from "./exit_code.ts";
import type { InitFlags } from "./init_verb.ts";
import type { VerbResult } from "./verb.ts";

export interface InitCall extends InitFlags {
  readonly root: string;
}

const POLICY_FILE = POLICY_FILES[0];
/** Of each file looked at. */
const MAX_MARKER_BYTES = 64 * 1024;
/** Names looked at in the workspace's root, and directories among them looked into. */
const MAX_ENTRIES = 5_000;
const MAX_DIRECTORIES = 200;

/**
 * Writes pp.yaml into `root`, whole or not at all, or with `print` gives its text.
 * @throws Failure `policy_exists` (usage) when there is a policy file and no `force`, or one `force` would not replace
 */
export async function init(call: InitCall): Promise<VerbResult> {
  if (call.print !== true) await refuseOverwriting(call);
  const { text, detected, imageNote } = call.preset === undefined
    ? starterPolicy(await readProject(call.root))
    : { text: (await loadPreset(call.preset)).text, detected: [`preset ${call.preset}`], imageNote: null };
  const parsed = parsePolicy(text, POLICY_FILE);
  if (!parsed.ok) {
    throw new Failure("bug", "init_malformed", "the policy made for this project does not load", {
      details: parsed.problems.map((problem) => showProblem(POLICY_FILE, problem)),
    });
  }
  const path = join(call.root, POLICY_FILE);
  const written = call.print !== true;
  if (written) await writePolicy(path, text, call.force === true);
  const shown = showPolicyFile(path);
  const targets = parsed.config.proof_targets;
  return {
    exit: EXIT.yes,
    text: written
      ? [
        `wrote    ${shown} (${detected.join("; ") || "nothing recognised: fill in your own target"})`,
        ...targets.map((target) => `target   ${target.name}: ${target.cmd ?? ""}`),
        `image    ${parsed.config.policy.sandbox.container_image}`,
        ...(imageNote === null ? [] : [`         ${imageNote}`]),
        "next     read it, then: pp policy check && pp doctor",
      ].join("\n")
      : text,
    json: {
      format: "veripatch-init/v1",
      path: written ? shown : null,
      detected,
      text,
      config: parsed.config,
    },
  };
}

async function refuseOverwriting({ root, force }: InitCall): Promise<void> {
  let existing: string | null;
  try {
    existing = await findPolicy(root);
  } catch (error) {
    if (!(error instanceof Failure) || error.code !== "policy_ambiguous") throw error;
    throw new Failure("usage", "policy_exists", error.message, { hint: "remove them first", cause: error });
  }
  if (existing === null || (force === true && existing === join(root, POLICY_FILE))) return;
  const shown = showPolicyFile(existing);
  throw new Failure("usage", "policy_exists", `there is a policy already: ${shown}`, {
    hint: force === true
      ? `--force replaces ${POLICY_FILE} only; remove ${shown} first`
      : "--force replaces it, --print only shows what would be written",
  });
}

/** A rename, or a link that fails if the name was taken meanwhile: readers see the old file or the whole new one. */
async function writePolicy(path: string, text: string, replace: boolean): Promise<void> {
  const temporary = `${path}.${crypto.randomUUID()}.tmp`;
  try {
    await Deno.writeTextFile(temporary, text, { createNew: true });
    if (replace) await Deno.rename(temporary, path);
    else await Deno.link(temporary, path);
  } catch (error) {
    if (error instanceof Deno.errors.AlreadyExists) {
      throw new Failure("usage", "policy_exists", `there is a policy already: ${showPolicyFile(path)}`, {
        hint: "--force replaces it",
        cause: error,
      });
    }
    const why = error instanceof Error ? error.message : String(error);
    throw new Failure(
      refusalKind(error),
      "policy_not_written",
      `cannot write ${showPolicyFile(path)}: ${why}`,
      {
        hint: "check the permissions of the directory, or use --print",
        cause: error,
      },
    );
  } finally {
    await Deno.remove(temporary).catch(() => {});
  }
}

/** What the top of a workspace shows of its kind. Reads bounded parts of regular files only, follows no links. */
async function readProject(root: string): Promise<Project> {
  const fileNames: string[] = [];
  const directories: string[] = [];
  let seen = 0;
  for await (const entry of Deno.readDir(root)) {
    if (++seen > MAX_ENTRIES) break;
    if (entry.isFile) fileNames.push(entry.name);
    if (entry.isDirectory && !entry.name.startsWith(".")) directories.push(entry.name);
  }
  fileNames.sort();
  directories.sort();
  const testFileNames: string[] = [];
  for (const folder of TEST_FOLDERS) {
    if (directories.includes(folder)) testFileNames.push(...await filesIn(join(root, folder)));
  }
  const contents = new Map<string, string>();
  for (const name of MARKER_FILES) {
    if (fileNames.includes(name)) contents.set(name, await readStart(join(root, name)));
  }
  const pythonPackages: string[] = [];
  for (const name of directories.slice(0, MAX_DIRECTORIES)) {
    const marker = await Deno.lstat(join(root, name, "__init__.py")).catch(() => null);
    if (marker?.isFile) pythonPackages.push(name);
  }
  return { fileNames, directories, testFileNames, pythonPackages, contents };
}

/** Names of regular files; of a folder that cannot be read, none. */
async function filesIn(folder: string): Promise<string[]> {
  const names: string[] = [];
  let seen = 0;
  try {
    for await (const entry of Deno.readDir(folder)) {
      if (++seen > MAX_ENTRIES) break;
      if (entry.isFile) names.push(entry.name);
    }
  } catch {
    // The policy is a proposal to be read anyway.
  }
  return names;
}

/** An unreadable file tells nothing; the policy is a proposal to be read anyway. */
async function readStart(path: string): Promise<string> {
  try {
    using file = await Deno.open(path, { read: true });
    const buffer = new Uint8Array(MAX_MARKER_BYTES);
    let length = 0;
    for (let n; length < buffer.length && (n = await file.read(buffer.subarray(length))) !== null;) {
      length += n;
    }
    return new TextDecoder().decode(buffer.subarray(0, length));
  } catch {
    return "";
  }
}
