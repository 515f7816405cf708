/** Empties the line that the cursor is in. */
export const CLEAR_LINE = "\r\x1b[2K";

/** Whether stderr is a terminal whose last line can be written over. */
export function isLive(): boolean {
  return Deno.stderr.isTerminal() && Deno.env.get("TERM") !== "dumb";
}

/** Columns of the terminal; 80 where nobody knows. */
export function columns(): number {
  try {
    return Deno.consoleSize().columns || 80;
  } catch {
    return 80;
  }
}

/** To stderr; that nobody reads it is no reason to stop. */
export function writeStderr(text: string): void {
  try {
    const bytes = new TextEncoder().encode(text);
    for (let done = 0; done < bytes.length;) done += Deno.stderr.writeSync(bytes.subarray(done));
  } catch {
    // Closed or full: progress is for people who look.
  }
}
