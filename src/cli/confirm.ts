import { Failure, interrupted } from "../vocabulary/failure.ts";

/**
 * Shows something on the terminal and goes on only after `yes`.
 * @param shown printable already
 * @throws Failure `not_confirmed` (denied), `interrupted`
 */
export async function confirmed(shown: string, question: string): Promise<void> {
  const encoder = new TextEncoder();
  await Deno.stderr.write(encoder.encode(`${shown}\n${question} [yes/no] `));
  const buffer = new Uint8Array(256);
  const read = await Deno.stdin.read(buffer);
  if (read === null) throw interrupted();
  const answer = new TextDecoder().decode(buffer.subarray(0, read)).trim().toLowerCase();
  if (answer === "yes" || answer === "y") return;
  throw new Failure("denied", "not_confirmed", "nothing was decided", { hint: "answer yes to decide" });
}
