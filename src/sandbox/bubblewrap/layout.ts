import { lstat, readdir, readFile, readlink, realpath, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { Failure } from "../../vocabulary/failure.ts";

export interface Layout {
  /** Where the workspace stands inside. */
  readonly workdir: string;
  /** Host directories that must not be seen: homes, other copies, sockets. */
  readonly hidden: readonly string[];
  /** Sockets to cover beside those this host's table lists. */
  readonly sockets: readonly string[];
  readonly network: "deny" | "allow";
}

/** Directories of this copy on the host. */
export interface CopyPlaces {
  readonly work: string;
  readonly tmp: string;
  readonly shm: string;
}

const OWN = ["/dev", "/proc", "/tmp"];
const ALWAYS_HIDDEN = ["/home", "/root", "/run", "/var/tmp", "/mnt", "/media", "/lost+found"];
/** A home that is one of these (accounts of services have such) cannot be hidden: the system is in it. */
const SYSTEM = ["/", "/bin", "/sbin", "/lib", "/lib64", "/usr", "/etc", "/opt", "/var", "/sys", "/nix"];
const MAX_ENTRIES = 4096;
const MAX_SOCKETS = 512;

/**
 * The arguments that build what a command sees: the host's system read-only, nothing of the hidden directories, fresh
 * /dev and /proc, and three writable places, all of this copy: the workspace, /tmp and /dev/shm.
 *
 * The root is a file system of its own, with the host's top level bound into it one by one, so that `workdir` need
 * not exist on the host.
 * @throws Failure `denied` `workdir_unusable`
 */
export async function layoutArguments(layout: Layout, places: CopyPlaces): Promise<string[]> {
  const { workdir } = layout;
  checkWorkdir(workdir);
  const hidden = await hiddenDirectories(layout.hidden);
  const args = await mirror("/", workdir, new Set([...OWN, ...hidden]));
  args.push("--dev", "/dev", "--proc", "/proc");
  for (const path of hidden) args.push("--tmpfs", path);
  args.push("--bind", places.tmp, "/tmp", "--bind", places.shm, "/dev/shm");
  args.push(...await resolverArguments(layout.network, hidden));
  for (const socket of await visibleSockets(layout.sockets, [...OWN, ...hidden, workdir])) {
    args.push("--ro-bind", "/dev/null", socket);
  }
  args.push("--bind", places.work, workdir);
  for (const path of ["/dev", ...hidden, "/"]) if (path !== workdir) args.push("--remount-ro", path);
  args.push("--chdir", workdir);
  return args;
}

function checkWorkdir(workdir: string): void {
  const normal = /^(\/[^/\0]+)+$/.test(workdir) && !workdir.split("/").some((s) => s === "." || s === "..");
  const within = ["/dev", "/proc", "/sys"].some((p) => workdir === p || workdir.startsWith(`${p}/`));
  if (!normal || within || SYSTEM.includes(workdir)) {
    throw unusable(workdir, "it is not a path a workspace can have");
  }
}

/** Binds every entry of a host directory read-only, going down only towards the workdir. */
async function mirror(directory: string, workdir: string, without: ReadonlySet<string>): Promise<string[]> {
  const entries = await readdir(directory, { withFileTypes: true }).catch((cause) => {
    throw unusable(workdir, `${directory} of this host cannot be listed`, cause);
  });
  if (entries.length > MAX_ENTRIES) {
    throw unusable(workdir, `${directory} has more than ${MAX_ENTRIES} entries`);
  }
  const args: string[] = [];
  for (const entry of entries) {
    const path = join(directory, entry.name);
    if (without.has(path) || path === workdir) continue;
    const above = workdir.startsWith(`${path}/`);
    if (entry.isSymbolicLink()) {
      if (above) throw unusable(workdir, `${path} is a link on this host`);
      args.push("--symlink", await readlink(path), path);
    } else if (entry.isDirectory()) {
      if (above) args.push("--dir", path, ...await mirror(path, workdir, without));
      else args.push("--ro-bind", path, path);
    } else if (above) throw unusable(workdir, `${path} is no directory on this host`);
    else if (entry.isFile()) args.push("--ro-bind", path, path);
  }
  return args;
}

/** Real, existing directories, none inside another. */
async function hiddenDirectories(asked: readonly string[]): Promise<string[]> {
  const found = new Set<string>();
  for (const path of [...ALWAYS_HIDDEN, ...asked]) {
    const real = await realpath(path).catch(() => null);
    if (real === null || SYSTEM.includes(real) || OWN.some((own) => isWithin(real, own))) continue;
    if ((await stat(real).catch(() => null))?.isDirectory()) found.add(real);
  }
  return [...found].filter((path) => ![...found].some((other) => other !== path && isWithin(path, other)))
    .sort();
}

/** With a network, names must resolve: /etc/resolv.conf often leads into /run, which is hidden. */
async function resolverArguments(network: "deny" | "allow", hidden: readonly string[]): Promise<string[]> {
  if (network === "deny") return [];
  const real = await realpath("/etc/resolv.conf").catch(() => null);
  return real !== null && hidden.some((path) => isWithin(real, path)) ? ["--ro-bind", real, real] : [];
}

/**
 * Sockets listening in the file system outside of the hidden directories. A read-only mount and a network namespace do
 * not stop a connection to them (an engine's socket would be a way out), so each is covered.
 */
async function visibleSockets(named: readonly string[], covered: readonly string[]): Promise<string[]> {
  const table = await readFile("/proc/net/unix", "latin1").catch(() => "");
  const found = new Set<string>();
  const paths = [...named];
  for (const line of table.split("\n")) {
    const at = line.indexOf(" /");
    if (at < 0 || paths.length >= MAX_SOCKETS) continue;
    paths.push(new TextDecoder().decode(Uint8Array.from(line.slice(at + 1), (c) => c.charCodeAt(0))));
  }
  for (const path of paths) {
    const real = await realpath(dirname(path)).then(
      (d) => join(d, path.slice(path.lastIndexOf("/") + 1)),
      () => null,
    );
    if (real === null || covered.some((c) => isWithin(real, c))) continue;
    if ((await lstat(real).catch(() => null))?.isSocket()) found.add(real);
  }
  return [...found];
}

function isWithin(path: string, directory: string): boolean {
  return path === directory || path.startsWith(`${directory}/`);
}

function unusable(workdir: string, why: string, cause?: unknown): Failure {
  return new Failure("denied", "workdir_unusable", `sandbox workdir ${JSON.stringify(workdir)}: ${why}`, {
    hint: "set sandbox.container_workdir to a path of its own, such as /workspace",
    cause,
  });
}
