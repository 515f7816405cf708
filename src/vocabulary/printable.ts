/**
 * Makes hostile text harmless for a terminal or a page of text: control characters (ESC among them), bidirectional
 * overrides and other invisible format characters become visible `\u{…}` escapes. Line feeds and tabs stay.
 */
export function printable(text: string): string {
  return text.replace(
    // deno-lint-ignore no-control-regex -- these are the characters to escape
    /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]/g,
    (c) => `\\u{${c.codePointAt(0)!.toString(16)}}`,
  );
}

/** The same on one line: line feeds and tabs are escaped too. */
export function printableLine(text: string): string {
  return printable(text).replaceAll("\n", "\\n").replaceAll("\t", "\\t");
}
