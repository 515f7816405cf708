import { lendTerminal } from "../lent_terminal.ts";

/**
 * Shows a text through the reader's pager: PAGER, else less where it is. Nothing is paged where stdout is no terminal,
 * or where PAGER is empty or `cat`.
 * @returns whether it was shown
 */
export async function paged(text: string): Promise<boolean> {
  const pager = Deno.env.get("PAGER") ?? "less";
  if (!Deno.stdout.isTerminal() || Deno.env.get("TERM") === "dumb" || pager === "" || pager === "cat") {
    return false;
  }
  // As git has it: quit when it fits the screen, pass colours, leave the text on the screen.
  const env = Deno.env.get("LESS") === undefined ? { LESS: "FRX" } : {};
  try {
    const { code } = await lendTerminal(async () => {
      // PAGER may be several words. A shell that does not find it exits 127 before anything is shown.
      const child = new Deno.Command("sh", { args: ["-c", pager], env, stdin: "piped" }).spawn();
      const writer = child.stdin.getWriter();
      // Who quits early has read enough.
      await writer.write(new TextEncoder().encode(text)).then(() => writer.close()).catch(() => {});
      return await child.status;
    });
    return code !== 127 && code !== 126;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotCapable) return false;
    throw error;
  }
}
