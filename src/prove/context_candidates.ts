import { comparePaths } from "../vocabulary/path.ts";
import { type ContextFiles, directoryOf, isTest } from "./context_files.ts";

const MAX_CANDIDATE_BYTES = 32 << 10;
const SOURCE =
  /\.(?:py|[mc]?[jt]sx?|go|rs|java|kt|scala|c|cc|cpp|cxx|h|hpp|sh|bash|rb|cs|php|pl|lua|swift|sql|html|css|toml|ya?ml|json|cfg|ini)$/;
const DATA = /\.(?:toml|ya?ml|json|cfg|ini|html|css|sql)$|(?:^|\/)(?:package-lock|deno\.lock)/;

/**
 * Small writable source files that are no tests, those first whose names share words with the tests, then those
 * near them in the tree, then the smaller ones.
 */
export function nearestFiles(
  tests: readonly string[],
  files: ContextFiles,
  writeAllowed: (path: string) => boolean,
): string[] {
  const wanted = new Set(tests.flatMap(words));
  const homes = tests.map(directoryOf);
  const scored: { path: string; score: number }[] = [];
  for (const path of files.paths()) {
    const size = files.size(path);
    if (!files.has(path) || size === 0 || size > MAX_CANDIDATE_BYTES || isTest(path)) continue;
    if (!SOURCE.test(path) || !writeAllowed(path)) continue;
    const shared = words(path).filter((word) => wanted.has(word)).length;
    const near = homes.length === 0 ? 0 : Math.max(...homes.map((home) => commonSegments(home, path)));
    scored.push({ path, score: 8 * shared + 2 * near - (DATA.test(path) ? 12 : 0) - path.split("/").length });
  }
  return scored
    .sort((a, b) =>
      b.score - a.score || files.size(a.path) - files.size(b.path) || comparePaths(a.path, b.path)
    )
    .map(({ path }) => path);
}

/** The words of a file's name, without those that say only that it is a test. */
function words(path: string): string[] {
  const name = path.slice(path.lastIndexOf("/") + 1).replace(/\.[^.]*$/, "");
  const split = name.replace(/([a-z0-9])([A-Z])/g, "$1 $2").toLowerCase().split(/[^a-z0-9]+/);
  return [...new Set(split)].filter((word) =>
    word.length > 1 && !["test", "tests", "spec", "it"].includes(word)
  );
}

function commonSegments(home: string, path: string): number {
  const a = home.split("/"), b = path.split("/");
  let count = 0;
  while (count < a.length && count < b.length - 1 && a[count] === b[count]) count++;
  return count;
}
