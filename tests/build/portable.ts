import { PP_FROM_CHECKOUT, ROOT } from "../../tools/pp.ts";

let built: Promise<string> | undefined;

/** A folder with the portable file and what lies beside it: the one this run of the tests built, or one built now. */
export function portableFolder(): Promise<string> {
  const there = Deno.env.get("PP_PORTABLE_FOLDER");
  return built ??= there === undefined ? buildInto(temporary()) : Promise.resolve(there);
}

/** The portable file itself. */
export async function portable(): Promise<string> {
  return `${await portableFolder()}/pp`;
}

/** Builds the portable file. @returns the folder */
export async function buildInto(out: string, env: Readonly<Record<string, string>> = {}): Promise<string> {
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "-A",
      "--quiet",
      "--config",
      `${ROOT}/deno.json`,
      `${ROOT}/tools/build.ts`,
      "--portable",
      "--out",
      out,
    ],
    env: { ...env },
    stdin: "null",
    stdout: "null",
  }).output();
  if (!success) throw new Error(`the build failed: ${new TextDecoder().decode(stderr)}`);
  return out;
}

function temporary(): string {
  const folder = Deno.makeTempDirSync({ prefix: "veripatch-test-build-" });
  Deno.chmodSync(folder, 0o755);
  globalThis.addEventListener("unload", () => Deno.removeSync(folder, { recursive: true }));
  return folder;
}

export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program with exactly this environment and PATH. */
export async function run(argv: readonly string[], env: Readonly<Record<string, string>>): Promise<Ended> {
  const { code, stdout, stderr } = await new Deno.Command(argv[0]!, {
    args: argv.slice(1),
    env: { PATH: Deno.env.get("PATH")!, NO_COLOR: "1", ...env },
    clearEnv: true,
    stdin: "null",
  }).output();
  return { code, stdout: new TextDecoder().decode(stdout), stderr: new TextDecoder().decode(stderr) };
}

export { PP_FROM_CHECKOUT };
