import { PP_FROM_CHECKOUT, ROOT } from "../../tools/pp.ts";

/** How `pp` is called: the checkout's main.ts, or the built file that PP_BIN names. */
export const PP: readonly string[] = Deno.env.get("PP_BIN") !== undefined
  ? [Deno.env.get("PP_BIN")!]
  : PP_FROM_CHECKOUT;

export interface PpOptions {
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly stdin?: string;
  /** Only `env`, and where Deno has its modules. */
  readonly clearEnv?: boolean;
}

export interface PpResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Starts `pp` with plain output. */
export function spawnPp(args: readonly string[], options: PpOptions): Deno.ChildProcess {
  // With another home Deno would fetch all modules anew.
  const alone = options.clearEnv === true || options.env?.HOME !== undefined;
  const own: Record<string, string> = alone ? { DENO_DIR: denoDirectory() } : {};
  return new Deno.Command(PP[0]!, {
    args: [...PP.slice(1), ...args],
    cwd: options.cwd,
    env: { NO_COLOR: "1", ...own, ...options.env },
    clearEnv: options.clearEnv ?? false,
    stdin: options.stdin === undefined ? "null" : "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
}

/** Runs `pp` to its end. */
export async function pp(args: readonly string[], options: PpOptions): Promise<PpResult> {
  const child = spawnPp(args, options);
  if (options.stdin !== undefined) {
    const writer = child.stdin.getWriter();
    await writer.write(new TextEncoder().encode(options.stdin));
    await writer.close();
  }
  return texts(await child.output());
}

/** Runs a script of the tests, which prints what it saw. */
export async function script(
  name: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<PpResult> {
  const url = new URL(name, import.meta.url).pathname;
  const command = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--quiet", "--config", `${ROOT}/deno.json`, url, ...args],
    env: { NO_COLOR: "1", ...env },
    stdin: "null",
  });
  return texts(await command.output());
}

function texts({ code, stdout, stderr }: Deno.CommandOutput): PpResult {
  return { code, stdout: new TextDecoder().decode(stdout), stderr: new TextDecoder().decode(stderr) };
}

let found: string | undefined;

/** Where this Deno keeps its modules, for children whose home is another. */
export function denoDirectory(): string {
  if (found !== undefined) return found;
  const { stdout } = new Deno.Command(Deno.execPath(), { args: ["info", "--json"], stderr: "null" })
    .outputSync();
  return found = (JSON.parse(new TextDecoder().decode(stdout)) as { denoDir: string }).denoDir;
}

/** A folder with files, removed afterwards. */
export async function withFolder<T>(
  files: Readonly<Record<string, string | Uint8Array>>,
  use: (directory: string) => Promise<T>,
): Promise<T> {
  const directory = await Deno.makeTempDir({ prefix: "veripatch-test-" });
  try {
    for (const [path, content] of Object.entries(files)) {
      await Deno.mkdir(`${directory}/${path}`.replace(/\/[^/]*$/, ""), { recursive: true });
      const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
      await Deno.writeFile(`${directory}/${path}`, bytes);
    }
    return await use(directory);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}
