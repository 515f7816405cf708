import { SetUpNeeded, step } from "./log.ts";

/** Runs a program to its end with its output on our stderr. @returns whether it exited 0 */
export async function runs(argv: readonly string[], env: Record<string, string> = {}): Promise<boolean> {
  step(argv.join(" "));
  const child = new Deno.Command(argv[0]!, {
    args: argv.slice(1),
    env,
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  for await (const chunk of child.stdout) await Deno.stderr.write(chunk);
  return (await child.status).success;
}

/** Where a program is in PATH or the usual system directories, or null. */
export async function findProgram(name: string): Promise<string | null> {
  const directories = (Deno.env.get("PATH") ?? "").split(":").concat("/usr/local/sbin", "/usr/sbin", "/sbin");
  for (const directory of directories) {
    if (directory === "") continue;
    const path = `${directory}/${name}`;
    const info = await Deno.stat(path).catch(() => null);
    if (info?.isFile && ((info.mode ?? 0) & 0o111) !== 0) return path;
  }
  return null;
}

/** Whether this process may do what only root may. */
export function isRoot(): boolean {
  return Deno.uid() === 0;
}

let aptListsAreFresh = false;

/**
 * Makes sure programs are there, installing Debian packages when we are root on a Debian-like system.
 * @param wanted program name to package name
 * @throws SetUpNeeded with the exact commands where it may not install
 */
export async function ensurePrograms(wanted: Readonly<Record<string, string>>): Promise<void> {
  const missing = new Set<string>();
  for (const [program, pkg] of Object.entries(wanted)) {
    if (await findProgram(program) === null) missing.add(pkg);
  }
  if (missing.size === 0) return;
  const packages = [...missing].sort();
  const commands = [
    "sudo apt-get update",
    `sudo apt-get install -y --no-install-recommends ${packages.join(" ")}`,
  ];
  if (!isRoot() || await findProgram("apt-get") === null) {
    throw new SetUpNeeded(`Missing: ${packages.join(", ")}.`, commands);
  }
  const env = { DEBIAN_FRONTEND: "noninteractive" };
  if (!aptListsAreFresh) {
    await runs(["apt-get", "-q", "update"], env);
    aptListsAreFresh = true;
  }
  if (!await runs(["apt-get", "install", "-q", "-y", "--no-install-recommends", ...packages], env)) {
    throw new SetUpNeeded(`Could not install ${packages.join(", ")}.`, commands);
  }
}

/** Where downloads, the private engine and built images are kept between runs. */
export function cacheDirectory(): string {
  const base = Deno.env.get("XDG_CACHE_HOME") ?? `${Deno.env.get("HOME") ?? "/tmp"}/.cache`;
  return `${base}/veripatch`;
}
