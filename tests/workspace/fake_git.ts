import { join } from "node:path";

/**
 * Runs a script in a process of its own that finds a given program as git.
 * @param git text of the program, null for none
 * @returns what the script prints
 */
export async function withFakeGit(root: string, git: string | null, script: string): Promise<string> {
  const bin = join(root, "bin");
  Deno.mkdirSync(bin, { recursive: true });
  if (git === null) Deno.removeSync(bin, { recursive: true });
  else {
    Deno.writeTextFileSync(join(bin, "git"), git);
    Deno.chmodSync(join(bin, "git"), 0o755);
  }
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["eval", "-q", script],
    cwd: root,
    env: { PATH: `.:${bin}` },
  }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout).trim();
}

/** The address of a module of the workspace room, as text of a script. */
export function moduleText(name: string): string {
  return JSON.stringify(import.meta.resolve(`../../src/workspace/${name}`));
}
