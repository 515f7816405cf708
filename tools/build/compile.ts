import { step } from "../log.ts";
import { writeFiles } from "./files.ts";
import { PERMISSIONS, V8_FLAGS } from "./permissions.ts";
import type { Target } from "./runtime.ts";

/** `deno compile` could not get the part that a compiled program starts with. */
export class StubMissing extends Error {}

/**
 * Looks whether DENORT_BIN, where it is set, names a file: `deno compile` says so only when all else is done.
 * @throws StubMissing when it does not
 */
export async function checkStub(): Promise<void> {
  const named = Deno.env.get("DENORT_BIN") ?? "";
  if (named === "" || (await Deno.stat(named).catch(() => null))?.isFile) return;
  throw new StubMissing(`DENORT_BIN=${named} is no file that is there.`);
}

/**
 * Compiles the program for a target with `deno compile`, which keeps V8's code cache beside the user's other caches.
 * @param files code, policies, grammars and build.json
 * @param folder an empty one to work in
 * @param output the file to be
 * @throws StubMissing when the runtime stub is neither cached, named by DENORT_BIN, nor reached
 */
export async function compileProgram(
  target: Target,
  files: ReadonlyMap<string, Uint8Array>,
  folder: string,
  output: string,
): Promise<void> {
  await writeFiles(`${folder}/program`, files);
  const args = [
    ...["compile", "--quiet", "--no-check", "--no-config", "--no-lock", "--no-remote", "--no-npm"],
    ...[V8_FLAGS, ...PERMISSIONS, "--target", target.triple, "--output", output],
    // Modules that are started by name, grammars and policies.
    ...["--include", "program", "program/main.js"],
  ];
  step(`deno ${args.join(" ")}`);
  const command = new Deno.Command(Deno.execPath(), { args, cwd: folder, stdin: "null", stdout: "null" });
  const { success, stderr } = await command.output();
  if (success) return;
  const said = new TextDecoder().decode(stderr).replace(/\n\s*Stack backtrace:[^]*$/, "").trim();
  throw /denort/i.test(said) ? new StubMissing(said) : new Error(`deno compile failed: ${said}`);
}
