/**
 * Splitting a command line the way a POSIX shell would, for lines that ask nothing else of the shell, and the
 * way back. Anything a shell might expand, redirect, join or run differently is reported as shell syntax.
 */

/** Longest command line or argument taken, in UTF-16 code units. */
export const MAX_COMMAND_LENGTH = 16_384;

export type SplitResult =
  | { readonly kind: "words"; readonly words: readonly string[] }
  /** A shell has to read it. `what` names the first syntax met. */
  | { readonly kind: "shell"; readonly what: string }
  | { readonly kind: "malformed"; readonly detail: string };

/** Unquoted, any of these may mean something to a POSIX shell or to bash standing in for one. */
const SYNTAX = new Set("$`|&;<>()*?[{}\n");

/** Words that are grammar when they stand unquoted where a command is expected, in sh or bash. */
const RESERVED = new Set(
  ("! case coproc do done elif else esac fi for function if in select then time until while").split(" "),
);

/** Run inside the shell and have no program of their own that does the same. */
const BUILTINS = new Set(
  (". : alias bg break cd command continue eval exec exit export fc fg getopts hash jobs local read readonly " +
    "return set shift source times trap type ulimit umask unalias unset wait").split(" "),
);

/**
 * Splits `text` into words if a POSIX shell would do nothing but remove quotes and split at blanks.
 * Linear in the length of `text`; texts over MAX_COMMAND_LENGTH are malformed, as are NUL, lone surrogates,
 * open quotes and a backslash with nothing after it. No words at all is `words: []`.
 */
export function splitWords(text: string): SplitResult {
  const malformed = (detail: string) => ({ kind: "malformed", detail }) as const;
  const shell = (what: string) => ({ kind: "shell", what }) as const;
  if (text.length > MAX_COMMAND_LENGTH) return malformed(`longer than ${MAX_COMMAND_LENGTH} characters`);
  if (!text.isWellFormed()) return malformed("not valid Unicode");
  if (text.includes("\0")) return malformed("contains a NUL character");

  let syntax: string | null = null;
  const meets = (what: string) => syntax ??= what;
  const words: string[] = [];
  let word: string | null = null;
  let firstWordStart = -1;
  let firstWordEnd = text.length;
  let i = 0;
  const begin = () => {
    if (word !== null) return;
    word = "";
    if (firstWordStart < 0) firstWordStart = i;
  };
  const add = (s: string) => word = (word ?? "") + s;

  while (i < text.length) {
    const c = text[i]!;
    if (c === " " || c === "\t") {
      if (word !== null) {
        if (words.length === 0) firstWordEnd = i;
        words.push(word);
        word = null;
      }
      i++;
    } else if (c === "'") {
      begin();
      const end = text.indexOf("'", i + 1);
      if (end < 0) return unfinished(syntax, malformed("a single quote is not closed"));
      add(text.slice(i + 1, end));
      i = end + 1;
    } else if (c === '"') {
      begin();
      i++;
      for (;;) {
        if (i >= text.length) return unfinished(syntax, malformed("a double quote is not closed"));
        const d = text[i]!;
        if (d === '"') break;
        if (d === "$" || d === "`") meets(`${d} inside double quotes`);
        if (d === "\\") {
          const next = text[i + 1];
          if (next === "\n") meets("a line continuation");
          if (next !== undefined && '$`"\\'.includes(next)) {
            add(next);
            i += 2;
            continue;
          }
        }
        add(d);
        i++;
      }
      i++;
    } else if (c === "\\") {
      begin();
      const next = text[i + 1];
      if (next === undefined) return unfinished(syntax, malformed("it ends in a backslash"));
      if (next === "\n") meets("a line continuation");
      add(next);
      i += 2;
    } else {
      if (SYNTAX.has(c)) meets(c === "\n" ? "a line break" : c);
      else if (c === "#" && word === null) meets("#");
      else if (c === "~" && (word === null || ":=".includes(text[i - 1]!))) meets("~");
      else if (isOddBlank(c)) meets("an unusual blank or control character");
      begin();
      add(c);
      i++;
    }
  }
  if (word !== null) words.push(word);

  const first = words[0];
  if (first !== undefined) {
    const raw = text.slice(firstWordStart, firstWordEnd);
    if (/^[A-Za-z_][A-Za-z0-9_]*\+?=/.test(raw)) meets("a variable assignment");
    if (raw.startsWith("!") || RESERVED.has(raw)) meets(`the shell word ${raw}`);
    if (BUILTINS.has(first)) meets(`the shell builtin ${first}`);
  }
  return syntax === null ? { kind: "words", words } : shell(syntax);
}

/** Quotes mean something else after shell syntax (a here document, a comment), so the shell has to judge. */
function unfinished(syntax: string | null, malformed: SplitResult): SplitResult {
  return syntax === null ? malformed : { kind: "shell", what: syntax };
}

/** Other than space and tab: what some shell or locale might take for a separator. */
function isOddBlank(c: string): boolean {
  const code = c.charCodeAt(0);
  return code < 0x20 || code === 0x7f || (code > 0x7f && /[\s\u0085\u180e\u200b\u2060\ufeff]/.test(c));
}

/**
 * One line that a POSIX shell splits into exactly `words`. `splitWords` gives the same words back, unless the
 * first one is a builtin of the shell.
 */
export function quoteWords(words: readonly string[]): string {
  return words.map((word, at) => {
    const plain = at === 0 ? /^[A-Za-z0-9_@%+,.\/-]+$/ : /^[A-Za-z0-9_@%+:,.\/=-]+$/;
    if (plain.test(word) && !(at === 0 && RESERVED.has(word))) return word;
    return `'${word.replaceAll("'", "'\\''")}'`;
  }).join(" ");
}
