import type { Anchor, Position } from "../edit/edit.ts";

const MAX_ANCHOR = 4_000;

/**
 * Reads a place in a file as people name it: `start`, `end`, `before:ANCHOR` or `after:ANCHOR`, the anchor `line:12`,
 * `symbol:Foo.bar`, `text:…` or, where it begins with none of these words, the text of a whole line.
 * @returns or what is wrong with it
 */
export function parsePlace(
  text: string,
): { readonly ok: true; readonly position: Position } | { readonly ok: false; readonly detail: string } {
  const no = (detail: string) => ({ ok: false, detail }) as const;
  if (text === "start" || text === "end") return { ok: true, position: { at: text } };
  const [, at, anchorText] = /^(before|after):([\s\S]*)$/.exec(text) ?? [];
  if (at === undefined || anchorText === undefined) {
    return no("a place is start, end, before:ANCHOR or after:ANCHOR");
  }
  if (anchorText.trim() === "") {
    return no(`${at}: needs an anchor: line:12, symbol:name, or the text of a line`);
  }
  if (anchorText.length > MAX_ANCHOR) return no(`an anchor has at most ${MAX_ANCHOR} characters`);
  const anchor = anchorOf(anchorText);
  if (anchor === null) return no("line: takes a whole number from 1");
  return { ok: true, position: { at: at as "before" | "after", anchor } };
}

function anchorOf(text: string): Anchor | null {
  const [, kind, rest] = /^(line|symbol|text):([\s\S]*)$/.exec(text) ?? [];
  if (kind === "line") {
    const line = Number(rest);
    return /^[1-9]\d{0,8}$/.test(rest!) ? { kind: "line", line } : null;
  }
  if (kind === "symbol") return { kind: "symbol", name: rest!.trim() };
  return { kind: "text", text: kind === "text" ? rest! : text };
}
