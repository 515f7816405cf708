import { SetUpNeeded, step } from "./log.ts";
import { cacheDirectory, ensurePrograms, findProgram, isRoot } from "./system.ts";

/** A Docker engine that answers. */
export interface Engine {
  /** Value for DOCKER_HOST. */
  readonly host: string;
  /** Ends the engine if this process started it; otherwise does nothing. */
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
  for (const socket of ["/var/run/docker.sock", ownSocket]) {
    if (await answers(socket)) {
      step(`using the engine at ${socket}`);
      return { host: `unix://${socket}`, stop: nothingToStop };
    }
  }
  await ensurePrograms({ dockerd: "docker.io" });
  if (!isRoot()) {
    throw new SetUpNeeded("A Docker engine is installed but none answers, and only root can start one.", [
      "sudo systemctl start docker   # or: sudo dockerd &",
      `sudo usermod -aG docker "$USER" && newgrp docker`,
    ]);
  }
  return await startPrivateEngine(directory, ownSocket);
}

async function startPrivateEngine(directory: string, socket: string): Promise<Engine> {
  await Deno.mkdir(`${directory}/data`, { recursive: true, mode: 0o700 });
  const pidFile = `${directory}/dockerd.pid`;
  // A stale pid file of a killed engine makes dockerd refuse to start when its number was given away again.
  await Deno.remove(pidFile).catch(() => {});
  const execRoot = await Deno.makeTempDir({ prefix: "veripatch-engine-" });
  const log = await Deno.open(`${directory}/dockerd.log`, { create: true, write: true, truncate: true });
  const dockerd = (await findProgram("dockerd"))!;
  const args = [
    ...["--data-root", `${directory}/data`, "--exec-root", execRoot, "--pidfile", pidFile],
    ...["-H", `unix://${socket}`, "--bridge=none", "--iptables=false", "--ip6tables=false"],
  ];
  step(`starting a private engine: dockerd ${args.join(" ")}`);
  const child = new Deno.Command(dockerd, { args, stdin: "null", stdout: "piped", stderr: "piped" }).spawn();
  const copies = [child.stdout, child.stderr].map(async (stream) => {
    for await (const chunk of stream) await log.write(chunk);
  });
  let ended = false;
  const status = child.status.then((s) => {
    ended = true;
    return s;
  });
  const stop = async () => {
    if (!ended) {
      step(`stopping the private engine (process ${child.pid})`);
      child.kill("SIGTERM");
    }
    await status;
    await Promise.allSettled(copies);
    log.close();
    await Deno.remove(execRoot, { recursive: true }).catch(() => {});
  };
  const deadline = Date.now() + START_TIMEOUT_MS;
  while (!await answers(socket)) {
    if (ended || Date.now() > deadline) {
      await stop();
      const tail = (await Deno.readTextFile(`${directory}/dockerd.log`)).split("\n").slice(-15).join("\n");
      throw new SetUpNeeded(`The private engine did not start:\n${tail}`, ["sudo systemctl start docker"]);
    }
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  return { host: `unix://${socket}`, stop };
}
