import { withFolder } from "../cli/process.ts";
import { TEST_IMAGE } from "./engine.ts";

export { denoDirectory, PP, pp, type PpOptions, type PpResult, spawnPp } from "../cli/process.ts";

/** A folder with files, and a policy for the test image unless the files have one. Removed afterwards. */
export async function withProject<T>(
  files: Readonly<Record<string, string | Uint8Array>>,
  use: (directory: string) => Promise<T>,
  policy: Readonly<Record<string, unknown>> = {},
): Promise<T> {
  const config = { policy: { sandbox: { backend: "container", container_image: TEST_IMAGE }, ...policy } };
  return await withFolder({ "pp.json": JSON.stringify(config), ...files }, use);
}

/** Paths, kinds, modes and contents below a folder, `.pp-artifacts` left out; equal exactly when nothing changed. */
export async function fingerprint(directory: string): Promise<string> {
  const find = `find . -mindepth 1 -path ./.pp-artifacts -prune -o -printf '%y %m %p %l %s %T@\\n' | sort;
    find . -path ./.pp-artifacts -prune -o -type f -print0 | sort -z | xargs -0 sha256sum`;
  const { stdout, success } = await new Deno.Command("sh", { args: ["-c", find], cwd: directory }).output();
  if (!success) throw new Error(`could not read ${directory}`);
  return new TextDecoder().decode(stdout);
}
