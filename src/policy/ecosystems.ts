/** What `pp init` looks at: the names at the top of a workspace and the text of a few files there. */
export interface Project {
  readonly fileNames: readonly string[];
  readonly directories: readonly string[];
  /** Names of files in folders of tests at the top. */
  readonly testFileNames: readonly string[];
  /** Directories at the top that have an `__init__.py`. */
  readonly pythonPackages: readonly string[];
  /** By name; those of MARKER_FILES that are there, each bounded in size. */
  readonly contents: ReadonlyMap<string, string>;
}

/** A kind of project, and what proves things in it. */
export interface Ecosystem {
  readonly about: string;
  readonly targets: readonly { readonly name: string; readonly cmd: string }[];
  readonly image: string;
  /** What the targets need and the image by itself has not. */
  readonly imageLacks: string | null;
  /** Source files by custom at the top of the workspace. */
  readonly extensions: readonly string[];
  readonly deny: readonly string[];
}

/** Files whose text tells what a project is. */
export const MARKER_FILES = [
  ...["pyproject.toml", "setup.cfg", "setup.py", "tox.ini", "pytest.ini", "Pipfile"],
  ...["requirements.txt", "requirements-dev.txt", "dev-requirements.txt"],
  ...["package.json", "deno.json", "deno.jsonc", "go.mod", "Cargo.toml", "pom.xml", "Makefile"],
] as const;

/** Folders whose names are looked at for what tests are written in. */
export const TEST_FOLDERS = ["test", "tests", "__tests__", "spec"] as const;

/**
 * The kinds of project a workspace is, the most specific first; a Makefile, or else a script that is named like one
 * that runs tests, counts only when nothing else does.
 */
export function ecosystemsOf(project: Project): Ecosystem[] {
  const found = [deno, node, python, go, rust, maven, gradle]
    .map((detect) => detect(project))
    .filter((ecosystem) => ecosystem !== null);
  if (found.length > 0) return found;
  const plain = make(project) ?? shell(project);
  return plain === null ? [] : [plain];
}

function deno({ contents }: Project): Ecosystem | null {
  const config = contents.get("deno.json") ?? contents.get("deno.jsonc");
  if (config === undefined) return null;
  const hasTask = /"tasks"\s*:\s*\{[^{}]*"test"\s*:/.test(config);
  return {
    about: hasTask ? "Deno with a test task" : "Deno",
    targets: [{ name: "deno", cmd: hasTask ? "deno task test" : "deno test" }],
    image: "denoland/deno:2.9.6",
    imageLacks: null,
    extensions: ["ts", "tsx", "js"],
    deny: ["deno.lock", "**/vendor/**"],
  };
}

function node({ contents, fileNames, testFileNames }: Project): Ecosystem | null {
  const isDeno = contents.has("deno.json") || contents.has("deno.jsonc");
  const loose = !isDeno && [...fileNames, ...testFileNames].some((name) => /[.-]test\.[cm]?js$/.test(name));
  const text = contents.get("package.json") ?? (loose ? "{}" : undefined);
  if (text === undefined) return null;
  const manager = fileNames.includes("pnpm-lock.yaml")
    ? "pnpm"
    : fileNames.includes("yarn.lock")
    ? "yarn"
    : "npm";
  const script = scriptOf(text, "test");
  const hasScript = script !== null && !script.includes("no test specified");
  return {
    about: hasScript ? `Node with ${manager}` : "Node without a test script",
    targets: [{ name: "node", cmd: hasScript ? `${manager} test` : "node --test" }],
    image: "node:22-slim",
    imageLacks: hasScript && manager === "pnpm" ? "pnpm" : null,
    extensions: ["js", "mjs", "cjs", "ts", "mts", "cts"],
    deny: ["**/node_modules/**", "package-lock.json", "pnpm-lock.yaml", "yarn.lock"],
  };
}

function python({ contents, fileNames, testFileNames }: Project): Ecosystem | null {
  const markers = ["pyproject.toml", "setup.cfg", "setup.py", "tox.ini", "pytest.ini", "Pipfile"];
  const lists = ["requirements.txt", "requirements-dev.txt", "dev-requirements.txt"];
  const texts = [...markers, ...lists].flatMap((name) => contents.get(name) ?? []);
  const loose = [...fileNames, ...testFileNames].some((name) =>
    /^(test_.*|.*_test|conftest)\.py$/.test(name)
  );
  if (texts.length === 0 && !loose) return null;
  const pytest = loose || contents.has("pytest.ini") || texts.some((text) => /\bpytest\b/.test(text));
  const minor = /requires-python\s*=\s*["'][^"'\n]{0,40}?3\.(\d{1,2})/.exec(
    contents.get("pyproject.toml") ?? "",
  );
  return {
    about: pytest ? "Python with pytest" : "Python with unittest",
    targets: [{ name: "python", cmd: pytest ? "pytest -q" : "python -m unittest" }],
    image: `python:3.${Math.max(11, Number(minor?.[1] ?? 11))}-slim`,
    imageLacks: pytest ? "pytest" : null,
    extensions: ["py"],
    deny: ["**/sitecustomize.py"],
  };
}

function go({ contents }: Project): Ecosystem | null {
  const text = contents.get("go.mod");
  if (text === undefined) return null;
  const version = /^go\s+(\d+\.\d+)/m.exec(text)?.[1] ?? "1.24";
  return {
    about: "Go module",
    targets: [{ name: "go", cmd: "go test ./..." }],
    image: `golang:${version}`,
    imageLacks: null,
    extensions: ["go"],
    deny: ["go.sum", "vendor/**"],
  };
}

function rust({ contents }: Project): Ecosystem | null {
  if (!contents.has("Cargo.toml")) return null;
  return {
    about: "Rust crate",
    targets: [{ name: "rust", cmd: "cargo test --offline --quiet" }],
    image: "rust:1-slim",
    imageLacks: null,
    extensions: ["rs"],
    deny: ["Cargo.lock", "vendor/**", "target/**"],
  };
}

function maven({ contents }: Project): Ecosystem | null {
  if (!contents.has("pom.xml")) return null;
  return {
    about: "Maven project",
    targets: [{ name: "maven", cmd: "mvn --offline --quiet test" }],
    image: "maven:3-eclipse-temurin-21",
    imageLacks: null,
    extensions: ["java"],
    deny: ["target/**"],
  };
}

function gradle({ fileNames }: Project): Ecosystem | null {
  if (!fileNames.includes("build.gradle") && !fileNames.includes("build.gradle.kts")) return null;
  const program = fileNames.includes("gradlew") ? "./gradlew" : "gradle";
  return {
    about: "Gradle project",
    targets: [{ name: "gradle", cmd: `${program} --offline --quiet test` }],
    image: "gradle:8-jdk21",
    imageLacks: null,
    extensions: ["java", "kt"],
    deny: ["build/**", "gradle/wrapper/**"],
  };
}

function make({ contents }: Project): Ecosystem | null {
  const rule = /^(test|check)[ \t]*:(?!=)/m.exec(contents.get("Makefile") ?? "");
  if (rule === null) return null;
  return {
    about: `Makefile with the rule ${rule[1]}`,
    targets: [{ name: "make", cmd: `make ${rule[1]}` }],
    image: "debian:12-slim",
    imageLacks: "make",
    extensions: ["c", "cc", "cpp", "h", "hpp", "sh"],
    deny: [],
  };
}

function shell({ fileNames }: Project): Ecosystem | null {
  const script = fileNames.find((name) => /^(run[-_]?)?(tests?|check)\.sh$/.test(name));
  if (script === undefined) return null;
  return {
    about: `the script ${script}`,
    targets: [{ name: "shell", cmd: `sh ${script}` }],
    image: "debian:12-slim",
    imageLacks: null,
    extensions: ["sh"],
    deny: [],
  };
}

/** A script of a package.json, or null; a file that is no JSON has none. */
function scriptOf(packageJson: string, name: string): string | null {
  try {
    const script = (JSON.parse(packageJson) as { scripts?: Record<string, unknown> } | null)?.scripts?.[name];
    return typeof script === "string" ? script : null;
  } catch {
    return null;
  }
}
