const EXCLUDED = new Set([
  ".cache",
  ".cargo",
  ".git",
  ".tox",
  ".venv",
  "dist-packages",
  "node_modules",
  "site-packages",
]);
const BARE_NAMES = new Set(["Dockerfile", "GNUmakefile", "Gemfile", "Makefile", "Rakefile", "makefile"]);
/** `example.org:443` is no file. */
const DOMAIN = /^[^/]*\.(?:com|dev|io|local|localhost|net|org)$/i;
const EXTENSION = /[^/]\.[A-Za-z][A-Za-z0-9+_]{0,9}$/;
const MAX_LENGTH = 512;

/**
 * A path as a tool printed it, relative to the workspace.
 * @param workdir where the workspace stands in the container, absolute
 * @returns null for what lies outside, for installed packages, and for what does not look like a file's name
 */
export function workspacePath(printed: string, workdir: string): string | null {
  if (printed.length > MAX_LENGTH) return null;
  let path = printed;
  if (path.startsWith("file://")) path = percentDecoded(path.slice("file://".length));
  // deno-lint-ignore no-control-regex
  if (/[\u0000-\u001f\u007f\\]/.test(path) || path.startsWith("//")) return null;
  if (path.startsWith("/")) {
    const root = workdir.replace(/\/+$/, "") + "/";
    if (root === "/" || !path.startsWith(root)) return null;
    path = path.slice(root.length);
  }
  const segments: string[] = [];
  for (const segment of path.split("/")) {
    if (segment === "" || segment === ".") continue;
    if (segment === "..") {
      if (segments.pop() === undefined) return null;
    } else segments.push(segment);
  }
  if (segments.length === 0 || segments.some((segment) => EXCLUDED.has(segment))) return null;
  const normal = segments.join("/");
  if (BARE_NAMES.has(segments.at(-1)!)) return normal;
  return EXTENSION.test(normal) && !DOMAIN.test(normal) ? normal : null;
}

function percentDecoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
