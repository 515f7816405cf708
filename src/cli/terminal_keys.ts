const NAMED: Readonly<Record<string, string>> = {
  "\x03": "ctrl-c",
  "\x04": "ctrl-d",
  "\r": "enter",
  "\n": "enter",
  "\t": "tab",
  "\x7f": "backspace",
  "\b": "backspace",
  "\x15": "ctrl-u",
  "\x1b": "escape",
  "\x1b[A": "up",
  "\x1b[B": "down",
  "\x1b[C": "right",
  "\x1b[D": "left",
  "\x1bOA": "up",
  "\x1bOB": "down",
  "\x1bOC": "right",
  "\x1bOD": "left",
  "\x1b[5~": "page-up",
  "\x1b[6~": "page-down",
  "\x1b[H": "home",
  "\x1b[F": "end",
  "\x1b[1~": "home",
  "\x1b[4~": "end",
  "\x1b[Z": "shift-tab",
};

/** An escape sequence of a key, or one character. */
// deno-lint-ignore no-control-regex
const KEY = /\x1b\[[0-9;]*[A-Za-z~]|\x1bO[A-Za-z]|[^]/gu;

/** The keys in what a terminal in raw mode sent: names for those without a character; other sequences are left out. */
export function keysOf(text: string): string[] {
  return (text.match(KEY) ?? []).flatMap((key) => NAMED[key] ?? (/^\p{Cc}/u.test(key) ? [] : [key]));
}
