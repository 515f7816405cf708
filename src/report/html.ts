import { printable } from "../vocabulary/printable.ts";

/** Text that is markup already. Made only by `markup`, so nothing unescaped gets into a page. */
export class Markup {
  constructor(readonly text: string) {}
}

/** What can stand in a template: text and numbers are escaped, markup and lists of it are taken as they are. */
export type Piece = string | number | Markup | null | readonly Piece[];

/**
 * Markup of a template: every value in it is escaped for text and for quoted attributes, and made printable, unless
 * it is markup already.
 */
export function markup(parts: TemplateStringsArray, ...values: readonly Piece[]): Markup {
  return new Markup(parts.reduce((whole, part, i) => whole + markupOf(values[i - 1]!) + part));
}

function markupOf(value: Piece): string {
  if (value === null) return "";
  if (value instanceof Markup) return value.text;
  if (typeof value === "number") return String(value);
  if (typeof value === "string") return escaped(value);
  return value.map(markupOf).join("");
}

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

function escaped(text: string): string {
  return printable(text.replaceAll("\r\n", "\n").toWellFormed()).replaceAll(/[&<>"']/g, (c) => ENTITIES[c]!);
}

/** Hostile text in a code element. */
export function code(text: string): Markup {
  return markup`<code>${text}</code>`;
}

/** A digest, whole for machines and readers, in groups that can wrap. */
export function digest(text: string): Markup {
  return markup`<code class="digest">${text}</code>`;
}

/** A word in the colour of what it means. */
export function badge(outcome: string): Markup {
  return markup`<span class="badge ${toneOf(outcome)}">${words(outcome)}</span>`;
}

/** A table that scrolls by itself where it is too wide, with a caption for who cannot see it. */
export function table(caption: string, head: readonly string[], rows: readonly (readonly Piece[])[]): Markup {
  return markup`
    <div class="scroll" tabindex="0" role="region" aria-label="${caption}">
      <table>
        <caption>${caption}</caption>
        <thead>
          <tr>${head.map((name) => markup`<th scope="col">${name}</th>`)}</tr>
        </thead>
        <tbody>${rows.map((row) => markup`<tr>${row.map((cell) => markup`<td>${cell}</td>`)}</tr>`)}</tbody>
      </table>
    </div>
  `;
}

/** Names and values. */
export function facts(pairs: readonly (readonly [name: string, value: Piece])[]): Markup {
  const shown = pairs.filter(([, value]) => value !== null);
  return markup`<dl class="facts">${
    shown.map(([name, value]) =>
      markup`
        <div>
          <dt>${name}</dt>
          <dd>${value}</dd>
        </div>
      `
    )
  }</dl>`;
}

/** What the colours of a picture mean. */
export function legend(entries: readonly (readonly [tone: string, meaning: string])[]): Markup {
  const shown = entries.map(([tone, meaning]) =>
    markup`<span class="entry"><span class="key ${tone}"></span>${meaning}</span>`
  );
  return markup`<p class="legend">${shown}</p>`;
}

/** A part of the page. */
export function section(id: string, title: string, body: Piece): Markup {
  return markup`<section id="${id}" aria-labelledby="${id}-title">
<h2 id="${id}-title">${title}</h2>
${body}
</section>`;
}

/** Good, bad or doubtful: how an outcome is coloured. */
export function toneOf(outcome: string): "good" | "bad" | "doubt" | "calm" {
  if (["passed", "proved", "valid", "confirmed", "kept"].includes(outcome)) return "good";
  if (["failed", "error", "refused", "not_proved", "invalid", "already_passing"].includes(outcome)) {
    return "bad";
  }
  if (["timed_out", "flaky", "mixed", "budget_exhausted", "unsigned", "skipped"].includes(outcome)) {
    return "doubt";
  }
  return "calm";
}

/** A snake_case name for people. */
export function words(name: string): string {
  return name.replaceAll("_", " ");
}

/** A number with its noun. */
export function plural(n: number, noun: string, many = `${noun}s`): string {
  return `${n.toLocaleString("en")} ${n === 1 ? noun : many}`;
}

/** Milliseconds for people. */
export function duration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 120_000) return `${(ms / 1000).toFixed(ms < 10_000 ? 2 : 1)} s`;
  return `${Math.floor(ms / 60_000)} min ${String(Math.round(ms / 1000) % 60).padStart(2, "0")} s`;
}

/** Bytes for people, in powers of 1024. */
export function bytes(n: number): string {
  const units = ["B", "KiB", "MiB", "GiB"];
  let unit = 0;
  for (; n >= 1024 && unit < units.length - 1; unit++) n /= 1024;
  return `${unit === 0 ? n : n.toFixed(1)} ${units[unit]}`;
}
