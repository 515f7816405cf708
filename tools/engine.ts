import { SetUpNeeded, step } from "./log.ts";
import { cacheDirectory, ensurePrograms, findProgram, isRoot } from "./system.ts";

/** A Docker engine that answers. */
export interface Engine {
  /** Value for DOCKER_HOST. */
  readonly host: string;
  /** Takes our name off a private engine and ends it when nobody else uses it. Other engines are left alone. */
  stop(): Promise<void>;
}

const START_TIMEOUT_MS = 60_000;

/** Whether an engine answers `/_ping` on a unix socket within two seconds. */
async function answers(socket: string): Promise<boolean> {
  if (await Deno.stat(socket).catch(() => null) === null) return false;
  const { request } = await import("node:http");
  return await new Promise((resolve) => {
    const req = request({ socketPath: socket, path: "/_ping", timeout: 2000 }, (res) => {
      res.resume();
      res.on("end", () => resolve(res.statusCode === 200));
      res.on("error", () => resolve(false));
    });
    req.on("timeout", () => req.destroy());
    req.on("error", () => resolve(false));
    req.end();
  });
}

/** The engine's own folder; its socket is also where `pp` looks when no other engine is configured. */
export function privateEngineDirectory(): string {
  return `${cacheDirectory()}/engine`;
}

/**
 * Finds an engine, else installs and starts a private one.
 * @throws SetUpNeeded with the exact commands where it may not
 */
export async function ensureEngine(): Promise<Engine> {
  const nothingToStop = () => Promise.resolve();
  const configured = Deno.env.get("DOCKER_HOST");
  if (configured !== undefined && configured !== "") {
    if (!configured.startsWith("unix://") || await answers(configured.slice("unix://".length))) {
      return { host: configured, stop: nothingToStop };
    }
    step(`DOCKER_HOST=${configured} does not answer; looking for another engine`);
  }
  const directory = privateEngineDirectory();
  const ownSocket = `${directory}/docker.sock`;
  if (await answers("/var/run/docker.sock")) {
    step("using the engine at /var/run/docker.sock");
    return { host: "unix:///var/run/docker.sock", stop: nothingToStop };
  }
  await signIn(directory);
  const engine = { host: `unix://${ownSocket}`, stop: () => signOut(directory) };
  if (await answers(ownSocket)) {
    step(`using the private engine at ${ownSocket}`);
    return engine;
  }
  await ensurePrograms({ dockerd: "docker.io" });
  if (!isRoot()) {
    throw new SetUpNeeded("A Docker engine is installed but none answers, and only root can start one.", [
      "sudo systemctl start docker   # or: sudo dockerd &",
      `sudo usermod -aG docker "$USER" && newgrp docker`,
    ]);
  }
  await startPrivateEngine(directory, ownSocket);
  return engine;
}

/** Several tools may use the private engine at once; each leaves a file named by its process id. */
async function signIn(directory: string): Promise<void> {
  await Deno.mkdir(`${directory}/users`, { recursive: true, mode: 0o700 });
  await Deno.writeTextFile(`${directory}/users/${Deno.pid}`, "");
}

/** The last one out ends the engine, by process id, after checking that the process is that engine. */
async function signOut(directory: string): Promise<void> {
  await Deno.remove(`${directory}/users/${Deno.pid}`).catch(() => {});
  for await (const { name } of Deno.readDir(`${directory}/users`)) {
    if (await Deno.stat(`/proc/${name}`).then(() => true, () => false)) return;
    await Deno.remove(`${directory}/users/${name}`).catch(() => {});
  }
  const pid = Number(await Deno.readTextFile(pidFileOf(directory)).catch(() => ""));
  const command = await Deno.readTextFile(`/proc/${pid}/cmdline`).catch(() => "");
  if (!(pid > 0) || !command.includes(`${directory}/data`)) return;
  step(`stopping the private engine (process ${pid})`);
  Deno.kill(pid, "SIGTERM");
  while (await Deno.stat(`/proc/${pid}`).then(() => true, () => false)) await pause(100);
}

function pidFileOf(directory: string): string {
  return `${directory}/dockerd.pid`;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

async function startPrivateEngine(directory: string, socket: string): Promise<void> {
  await Deno.mkdir(`${directory}/data`, { recursive: true, mode: 0o700 });
  // A stale pid file of a killed engine makes dockerd refuse to start when its number was given away again.
  await Deno.remove(pidFileOf(directory)).catch(() => {});
  const dockerd = [
    ...[
      (await findProgram("dockerd"))!,
      "--data-root",
      `${directory}/data`,
      "--exec-root",
      `${directory}/exec`,
    ],
    ...["--pidfile", pidFileOf(directory), "-H", `unix://${socket}`],
    ...["--bridge=none", "--iptables=false", "--ip6tables=false"],
  ];
  step(`starting a private engine: ${dockerd.join(" ")}`);
  // A session of its own: Ctrl-C in the terminal is for the tool, which then ends the engine in order.
  const log = `${directory}/dockerd.log`;
  const child = new Deno.Command("setsid", {
    args: ["sh", "-c", 'log=$1; shift; exec "$@" >"$log" 2>&1', "sh", log, ...dockerd],
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
  child.unref();
  let ended = false;
  child.status.then(() => ended = true);
  const deadline = Date.now() + START_TIMEOUT_MS;
  while (!await answers(socket)) {
    if (ended || Date.now() > deadline) {
      await signOut(directory);
      const tail = (await Deno.readTextFile(log).catch(() => "")).split("\n").slice(-15).join("\n");
      throw new SetUpNeeded(`The private engine did not start:\n${tail}`, ["sudo systemctl start docker"]);
    }
    await pause(200);
  }
}
