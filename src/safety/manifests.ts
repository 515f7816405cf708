import { parseStrictJson } from "../vocabulary/strict_json.ts";
import { codeOf, type Site } from "./site.ts";

const MAX_DEPTH = 64;
const MAX_VALUES = 200_000;

/** Scripts that package managers run by themselves, by the file that names them. */
const HOOKS: readonly { readonly file: RegExp; readonly members: readonly string[] }[] = [
  {
    file: /(?:^|\/)package\.json$/,
    members: [
      "preinstall",
      "install",
      "postinstall",
      "preprepare",
      "prepare",
      "postprepare",
      "prepublish",
      "dependencies",
    ]
      .map((name) => `scripts.${name}`),
  },
  {
    file: /(?:^|\/)composer\.json$/,
    members: [
      ..."pre-install-cmd post-install-cmd pre-update-cmd post-update-cmd post-autoload-dump pre-autoload-dump"
        .split(" "),
      ..."post-root-package-install post-create-project-cmd pre-package-install post-package-install".split(
        " ",
      ),
    ].map((name) => `scripts.${name}`),
  },
];

/** Files that run, or name what runs, because of where they are. */
const PLACES: readonly { readonly file: RegExp; readonly rule: string }[] = [
  { file: /(?:^|\/)binding\.gyp$/, rule: "native-build" },
  { file: /(?:^|\/)build\.rs$/, rule: "cargo-build-script" },
  { file: /(?:^|\/)(?:sitecustomize|usercustomize)\.py$/, rule: "python-start" },
  { file: /(?:^|\/)\.husky\/[^/]+$/, rule: "git-hook" },
  { file: /(?:^|\/)\.envrc$/, rule: "shell-start" },
  { file: /(?:^|\/)ext(?:ension)?s?\/(?:[^/]+\/)*extconf\.rb$/, rule: "gem-extension" },
];

const MAX_COMMANDS = 200;

export interface ManifestScan {
  /** Null where the file is no JSON; a place may have sites all the same. */
  readonly language: "json" | null;
  readonly broken: boolean;
  /** False when there is more than is listed. */
  readonly whole: boolean;
  readonly sites: readonly Site[];
}

/** What package managers and interpreters run without being asked, of one file. */
export function manifestSites(path: string, bytes: Uint8Array, text: string): ManifestScan {
  const sites: Site[] = [];
  let whole = true;
  const add = (rule: string, symbol: string, value: string, line: number) => {
    sites.push({
      ...{ file: path, function: "<file>", capability: "install_hook", rule, symbol },
      line,
      shape: { positional: [value], options: [] },
      code: codeOf(value),
    });
  };
  const addLines = (rule: string, symbol: string, is: RegExp, lines: readonly string[]) => {
    for (const [i, line] of lines.entries()) {
      if (!is.test(line)) continue;
      if (sites.length >= MAX_COMMANDS) {
        whole = false;
        return;
      }
      add(rule, symbol, JSON.stringify(line), i + 1);
    }
  };
  for (const { file, rule } of PLACES) if (file.test(path)) add(rule, path, "…", 1);
  if (/\.pth$/.test(path)) {
    // Python runs the lines that start with import, whatever ends a line and stands before the first.
    addLines("python-path-file", "import", /^\ufeff?import[ \t]/, text.split(/\r\n|\r|\n/));
  }
  if (/\.go$/.test(path)) addLines("go-generate", "go:generate", /^\/\/go:generate[ \t]/, text.split("\n"));
  if (!/\.json$/i.test(path)) return { language: null, broken: false, sites, whole };
  const parsed = parseStrictJson(bytes, MAX_DEPTH, MAX_VALUES);
  if (!parsed.ok) return { language: "json", broken: true, sites, whole };
  for (const { file, members } of HOOKS) {
    if (!file.test(path)) continue;
    for (const name of members) {
      const value = memberAt(parsed.value, name.split("."));
      if (value === undefined) continue;
      const key = name.slice(name.lastIndexOf(".") + 1);
      add("package-script", name, JSON.stringify(value), lineOf(text, text.indexOf(`"${key}"`)));
    }
  }
  return { language: "json", broken: false, sites, whole };
}

/** 1-based; the first for a place that there is not. */
function lineOf(text: string, at: number): number {
  return text.slice(0, Math.max(at, 0)).split("\n").length;
}

function memberAt(value: unknown, path: readonly string[]): unknown {
  for (const key of path) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, key)) return undefined;
    value = (value as Record<string, unknown>)[key];
  }
  return value;
}
