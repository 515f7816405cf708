import { type Ecosystem, ecosystemsOf, type Project } from "./ecosystems.ts";
import { parseGlob } from "./glob.ts";

/** A policy file written for one project. */
export interface StarterPolicy {
  /** Commented YAML that `parsePolicy` takes. */
  readonly text: string;
  /** What the project was taken for, such as `Python with pytest`; empty when nothing was recognised. */
  readonly detected: readonly string[];
  /** A sentence on what the image named still lacks; null when it needs nothing. */
  readonly imageNote: string | null;
}

/** Directories that hold source or tests by custom; those that are there go on the allowlist. */
const SOURCE_DIRECTORIES = new Set(
  ("__tests__ app apps cmd components crates e2e include internal lib libs packages pages pkg server source spec src " +
    "test tests web").split(" "),
);

/** Writes a commented policy fit for a project: its targets, what may be written, and an image. */
export function starterPolicy(project: Project): StarterPolicy {
  const found = ecosystemsOf(project);
  const targets = found.flatMap((ecosystem) => ecosystem.targets);
  const allowlist = writeAllowlist(project, found.flatMap((ecosystem) => ecosystem.extensions));
  const image = found[0]?.image ?? "python:3.11-slim";
  const imageNote = noteOnImage(found);
  const lines = [
    "# Policy of veripatch: what a proof runs, and what a patch may change. `pp policy check` checks this file,",
    "# `pp policy show` prints it with all defaults, docs/policy.md explains every key.",
    found.length === 0
      ? "# Nothing here told what kind of project this is: fill in your own target, globs and image."
      : `# Written for: ${found.map((ecosystem) => ecosystem.about).join("; ")}.`,
    "",
    ...targetLines(targets),
    "",
    "policy:",
    "  # deny or allow. Without a network, the image must already hold what the targets need.",
    "  network: deny",
    "",
    "  # Only these may run, compared word by word.",
    ...listLines("allowed_commands", targets.map((target) => target.cmd)),
    "",
    "  # Globs, relative to the workspace; .git and .pp-artifacts are never writable, and deny_write wins.",
    ...listLines("write_allowlist", allowlist),
    ...listLines("deny_write", [
      "pp.{yaml,yml,json}",
      ".ppignore",
      "**/.env",
      "**/.env.*",
      "**/secrets/**",
      ".github/**",
      ...new Set(found.flatMap((ecosystem) => ecosystem.deny)),
    ]),
    "",
    "  # Tests, their runners' configuration and hooks are protected: changes to them are left out of a patch, and",
    "  # flagged where allow has a glob for them. `pp policy protected` lists the rules.",
    "  protect:",
    "    enabled: true",
    "    also: []",
    "    allow: []",
    "",
    "  limits:",
    "    max_attempts: 3",
    "    max_files_changed: 8",
    "    max_patch_bytes: 200000",
    "    per_command_timeout_sec: 600",
    "    session_sec: 3600",
    "",
    "  # Shrink the winning patch to the lines that are needed.",
    "  minimize: true",
    "",
    "  verify:",
    "    repeat: 1 # fresh copies in which the final patch has to pass; more finds flaky targets",
    "    # A failing test that has to fail beside the final patch, else the runner notices nothing:",
    "    # negative_control:",
    "    #   files: { path/of/test: text }",
    "",
    "  sandbox:",
    "    backend: auto # container when an engine and the image are there, else bubblewrap on this host",
    ...(imageNote === null ? [] : [`    # ${imageNote}`]),
    `    container_image: ${JSON.stringify(image)}`,
    "    # A limit that the backend cannot enforce is an error, never ignored.",
    "    # Only a container can hold these two: without an engine, leave them out (null), or nothing runs.",
    "    cpu_limit: 2",
    "    memory_limit: 2g",
    "",
    "  attestation:",
    "    enabled: false",
    "    # mode: hmac-sha256 # or ed25519 with key_file",
    "    # key_env: PP_ATTEST_HMAC_KEY",
    "",
  ];
  return { text: lines.join("\n"), detected: found.map((ecosystem) => ecosystem.about), imageNote };
}

function targetLines(targets: readonly { readonly name: string; readonly cmd: string }[]): string[] {
  if (targets.length === 0) {
    return ["# proof_targets:", "#   - name: tests", "#     cmd: make test", "proof_targets: []"];
  }
  return [
    "# What must pass, all of it.",
    "proof_targets:",
    ...targets.flatMap((
      { name, cmd },
    ) => [`  - name: ${JSON.stringify(name)}`, `    cmd: ${JSON.stringify(cmd)}`]),
  ];
}

function listLines(key: string, entries: readonly string[]): string[] {
  if (entries.length === 0) return [`  ${key}: []`];
  return [`  ${key}:`, ...entries.map((entry) => `    - ${JSON.stringify(entry)}`)];
}

function noteOnImage(found: readonly Ecosystem[]): string | null {
  if (found.length > 1) return "One image runs all targets: build one that holds all the tools.";
  const lacks = found[0]?.imageLacks ?? null;
  return lacks === null
    ? null
    : `${found[0]!.image} has no ${lacks}: build an image from it that has, and name that in pp.yaml.`;
}

/** Known source directories that exist, Python packages, and source files at the top; else everything. */
function writeAllowlist(project: Project, extensions: readonly string[]): string[] {
  const packages = new Set(project.pythonPackages);
  const directories = project.directories
    .filter((name) => SOURCE_DIRECTORIES.has(name) || packages.has(name))
    .map((name) => `${escapeGlob(name)}/**`)
    .filter((glob) => parseGlob(glob).ok)
    .sort();
  const loose = [...new Set(extensions)].filter((ext) =>
    project.fileNames.some((name) => name.endsWith(`.${ext}`))
  );
  const files = loose.map((extension) => `*.${extension}`);
  return directories.length + files.length === 0 ? ["**"] : [...directories, ...files];
}

function escapeGlob(name: string): string {
  return name.replace(/[\\*?[\]{}(),|!]/g, "\\$&");
}
