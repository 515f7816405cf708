import { lexer, type Token, type Tokens } from "marked";
import type { Colour } from "../output.ts";
import { tableLines } from "./table.ts";
import { columnsOf, wrapWords } from "./wrap.ts";

export interface PageStyle {
  /** Columns that lines may take. */
  readonly width: number;
  /** Painters, or null where all has to be told by characters alone. */
  readonly colour: Colour | null;
  /** What a link to a page that ships with the program is called there, or null for any other. */
  readonly topicOf: (href: string) => string | null;
}

/** A page of ours in Markdown as text for a terminal. Code is left as it is, also where it is wider. */
export function renderPage(markdown: string, style: PageStyle): string {
  return blocks(lexer(markdown), style).join("\n") + "\n";
}

function blocks(tokens: readonly Token[], style: PageStyle): string[] {
  const lines: string[] = [];
  for (const token of tokens) {
    if (token.type === "space") continue;
    if (lines.length > 0) lines.push("");
    lines.push(...block(token, style));
  }
  return lines;
}

const RULES = ["=", "-"];

function block(token: Token, style: PageStyle): readonly string[] {
  switch (token.type) {
    case "heading": {
      const { depth, tokens } = token as Tokens.Heading;
      const text = inline(tokens, { ...style, colour: null }).replaceAll("`", "");
      const shown = wrapWords(text, style.width);
      const rule = RULES[depth - 1]?.repeat(Math.max(...shown.map(columnsOf)));
      return [...shown.map((line) => style.colour?.bold(line) ?? line), ...rule === undefined ? [] : [rule]];
    }
    case "paragraph":
    case "text":
      return wrapWords(inline([token], style), style.width);
    case "code":
      return (token as Tokens.Code).text.split("\n").map((line) => `    ${line}`.trimEnd());
    case "list":
      return list(token as Tokens.List, style);
    case "blockquote":
      return indented(blocks((token as Tokens.Blockquote).tokens, inside(style, 2)), "> ", "> ");
    case "table": {
      const { header, rows } = token as Tokens.Table;
      const cells = (row: readonly Tokens.TableCell[]) => row.map(({ tokens }) => inline(tokens, style));
      return tableLines(cells(header), rows.map(cells), style.width);
    }
    case "hr":
      return ["-".repeat(style.width)];
    default:
      return wrapWords(token.raw, style.width);
  }
}

function list({ ordered, start, loose, items }: Tokens.List, style: PageStyle): readonly string[] {
  return items.flatMap((item, i) => {
    const mark = ordered ? `${Number(start) + i}. ` : "- ";
    const within = inside(style, mark.length);
    const lines = item.tokens.flatMap((token, n) => [
      ...(loose && n > 0 && token.type !== "space" ? [""] : []),
      ...(token.type === "space" ? [] : block(token, within)),
    ]);
    return [...(loose && i > 0 ? [""] : []), ...indented(lines, mark, " ".repeat(mark.length))];
  });
}

const inside = (style: PageStyle, columns: number): PageStyle => ({ ...style, width: style.width - columns });

function indented(lines: readonly string[], first: string, others: string): readonly string[] {
  return lines.map((line, i) => `${i === 0 ? first : others}${line}`.trimEnd());
}

/** Each word is painted by itself, so that lines can be broken anywhere. */
function painted(text: string, paint: (text: string) => string): string {
  return text.split(" ").map((word) => word === "" ? "" : paint(word)).join(" ");
}

function inline(tokens: readonly Token[], style: PageStyle): string {
  return tokens.map((token) => {
    const within = "tokens" in token && token.tokens !== undefined ? inline(token.tokens, style) : token.raw;
    switch (token.type) {
      case "codespan": {
        const { text } = token as Tokens.Codespan;
        return style.colour === null ? `\`${text}\`` : painted(text, style.colour.cyan);
      }
      case "strong":
        return style.colour === null ? within : painted(within, style.colour.bold);
      case "escape":
        return (token as Tokens.Escape).text;
      case "br":
        return "\n";
      case "link":
        return link(token as Tokens.Link, within, style);
      default:
        return within;
    }
  }).join("");
}

function link({ href }: Tokens.Link, text: string, { topicOf }: PageStyle): string {
  const topic = topicOf(href);
  if (topic !== null) return `${text} (pp help ${topic})`;
  return /^https?:/.test(href) && href !== text ? `${text} (${href})` : text;
}
