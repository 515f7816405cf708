const PLACEHOLDER = /\\\{\{|\{\{([^]*?)\}\}/g;
const INSIDE = /^(?:"((?:[^"\\]|\\.)*)"\s+)?([A-Za-z_][\w.-]*)(?:\s+"((?:[^"\\]|\\.)*)")?$/;

/** Names that a text with placeholders uses, or what is wrong with it. */
export function placeholders(
  text: string,
): { readonly ok: true; readonly names: readonly string[] } | {
  readonly ok: false;
  readonly problem: string;
} {
  const names: string[] = [];
  for (const [whole, inside] of text.matchAll(PLACEHOLDER)) {
    if (whole === "\\{{") continue;
    const read = INSIDE.exec(inside!.trim());
    if (read === null) {
      return { ok: false, problem: `${whole.slice(0, 60)} is no placeholder; a {{ that is meant is \\{{` };
    }
    names.push(read[2]!);
  }
  return { ok: true, names };
}

/**
 * Puts values in place of `{{name}}`. `{{" = " name ";"}}` is the value between the two texts, or nothing at all when
 * it is empty; `\{{` is `{{`. Values go in as they are and are never read again, so that no value can name another.
 */
export function substitute(text: string, valueOf: (name: string) => string): string {
  return text.replace(PLACEHOLDER, (whole, inside: string | undefined) => {
    if (whole === "\\{{") return "{{";
    const [, before = "", name, after = ""] = INSIDE.exec(inside!.trim())!;
    const value = valueOf(name!);
    return value === "" ? "" : unescaped(before) + value + unescaped(after);
  });
}

function unescaped(quoted: string): string {
  return quoted.replace(/\\(.)/g, "$1");
}
