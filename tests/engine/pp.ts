import { TEST_IMAGE } from "./engine.ts";

const ROOT = new URL("../..", import.meta.url).pathname;

/** How `pp` is called: the checkout's main.ts, or the built file that PP_BIN names. */
export const PP: readonly string[] = Deno.env.get("PP_BIN") !== undefined ? [Deno.env.get("PP_BIN")!] : [
  Deno.execPath(),
  "run",
  "-A",
  "--quiet",
  "--v8-flags=--max-semi-space-size=2",
  "--config",
  `${ROOT}deno.json`,
  `${ROOT}main.ts`,
];

export interface PpOptions {
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly stdin?: string;
}

export interface PpResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Starts `pp` with plain output. */
export function spawnPp(args: readonly string[], options: PpOptions): Deno.ChildProcess {
  return new Deno.Command(PP[0]!, {
    args: [...PP.slice(1), ...args],
    cwd: options.cwd,
    env: { NO_COLOR: "1", ...options.env },
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
  const { code, stdout, stderr } = await child.output();
  return { code, stdout: new TextDecoder().decode(stdout), stderr: new TextDecoder().decode(stderr) };
}

/** A folder with files, and a policy for the test image unless the files have one. Removed afterwards. */
export async function withProject<T>(
  files: Readonly<Record<string, string | Uint8Array>>,
  use: (directory: string) => Promise<T>,
  policy: Readonly<Record<string, unknown>> = {},
): Promise<T> {
  const directory = await Deno.makeTempDir({ prefix: "veripatch-test-" });
  try {
    const config = { policy: { sandbox: { backend: "container", container_image: TEST_IMAGE }, ...policy } };
    const all = { "pp.json": JSON.stringify(config), ...files };
    for (const [path, content] of Object.entries(all)) {
      await Deno.mkdir(`${directory}/${path}`.replace(/\/[^/]*$/, ""), { recursive: true });
      const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
      await Deno.writeFile(`${directory}/${path}`, bytes);
    }
    return await use(directory);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

/** Paths, kinds, modes and contents below a folder, `.pp-artifacts` left out; equal exactly when nothing changed. */
export async function fingerprint(directory: string): Promise<string> {
  const find = `find . -mindepth 1 -path ./.pp-artifacts -prune -o -printf '%y %m %p %l %s %T@\\n' | sort;
    find . -path ./.pp-artifacts -prune -o -type f -print0 | sort -z | xargs -0 sha256sum`;
  const { stdout, success } = await new Deno.Command("sh", { args: ["-c", find], cwd: directory }).output();
  if (!success) throw new Error(`could not read ${directory}`);
  return new TextDecoder().decode(stdout);
}

/** Names in the temporary folder that a session would make. */
export async function temporaries(): Promise<string[]> {
  const names: string[] = [];
  for await (const { name } of Deno.readDir(Deno.env.get("TMPDIR") ?? "/tmp")) {
    if (name.startsWith("veripatch-") && !/^veripatch-(test|bench|reports|engine)-/.test(name)) {
      names.push(name);
    }
  }
  return names.sort();
}
