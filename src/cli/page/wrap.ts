/** How many columns a text takes on a terminal, colours not counted. */
export function columnsOf(text: string): number {
  // deno-lint-ignore no-control-regex -- colours are control characters
  return [...text.replaceAll(/\x1b\[[0-9;]*m/g, "")].length;
}

/** Breaks a text between words so that no line is longer than `width`, but for words that are. */
export function wrapWords(text: string, width: number): readonly string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(/[ \n]+/).filter((word) => word !== "")) {
    if (line !== "" && columnsOf(line) + 1 + columnsOf(word) > width) {
      lines.push(line);
      line = word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  return line === "" ? lines : [...lines, line];
}
