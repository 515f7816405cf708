/** No diagnostic is longer; the rest of a longer line is not looked at. */
const MAX_LINE = 2000;

// deno-lint-ignore no-control-regex
const ANSI = /\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b\n]*(?:\x07|\x1b\\)?|[()#][0-9A-Za-z]|[@-Z\\^_])/g;

/** Text as it reads without colours and cursor movements. */
export function withoutEscapes(text: string): string {
  return text.includes("\x1b") ? text.replace(ANSI, "") : text;
}

/** The lines of a program's output without colours and cursor movements, each cut to 2000 characters. */
export function* outputLines(output: string): Generator<string> {
  let start = 0;
  while (start < output.length) {
    let end = output.indexOf("\n", start);
    if (end < 0) end = output.length;
    const raw = output.slice(start, Math.min(end, start + 2 * MAX_LINE));
    start = end + 1;
    const plain = withoutEscapes(raw);
    // What a carriage return overwrote was progress; the end of the line is what stays.
    const trimmed = plain.endsWith("\r") ? plain.slice(0, -1) : plain;
    yield trimmed.slice(trimmed.lastIndexOf("\r") + 1).slice(0, MAX_LINE);
  }
}
