import { readFile } from "node:fs/promises";
import { Agent } from "node:http";
import { Agent as TlsAgent } from "node:https";
import { join } from "node:path";
import type { Environment } from "../../vocabulary/environment.ts";
import { Failure } from "../../vocabulary/failure.ts";
import { type Docker, dockerClient } from "./dockerode.ts";
import { CALL_MS, Engine, ping, refusedWith } from "./engine.ts";

export type ContainerRuntime = "docker" | "podman";

/** What answers at an address, or why nothing does. */
export interface Probe {
  readonly reachable: boolean;
  readonly host: string;
  readonly version?: string;
  readonly apiVersion?: string;
  readonly os?: string;
  readonly arch?: string;
  /** One line for each address that was tried. */
  readonly error?: string;
  /** What to do about an engine that this user may not use. */
  readonly hint?: string;
}

const NOT_ALLOWED = "this user may not use it";
/** The next step of somebody whose engine runs, for others. */
const MAY_NOT_HINT = 'join the engine\'s group: sudo usermod -aG docker "$USER", and log in again';

/** Why a socket does not answer, in words; what the system says where that is something else, such as a key file. */
export function noAnswer(message: string): string {
  if (/\bconnect ENOENT\b/.test(message)) return "not there";
  if (/\bconnect ECONNREFUSED\b/.test(message)) return "nothing listens there";
  return /\bconnect (?:EACCES|EPERM)\b/.test(message) ? NOT_ALLOWED : message;
}

const PING_MS = 5_000;
/** A request on a reused connection is sent again when it is destroyed, so that an aborted one would live on. */
const NO_REUSE = { keepAlive: false };

/**
 * Addresses to try, best first. `DOCKER_HOST` alone when it is set; else the sockets of the asked-for runtime, those
 * of the other as last resort but one, and at last veripatch's own private engine.
 */
export function engineHosts(env: Environment, runtime: ContainerRuntime): readonly string[] {
  if (env.DOCKER_HOST) return [env.DOCKER_HOST];
  if (runtime === "podman" && env.CONTAINER_HOST) return [env.CONTAINER_HOST];
  const user = env.XDG_RUNTIME_DIR;
  const docker = ["/var/run/docker.sock", ...(user ? [join(user, "docker.sock")] : [])];
  const podman = [...(user ? [join(user, "podman/podman.sock")] : []), "/run/podman/podman.sock"];
  const cache = env.XDG_CACHE_HOME || (env.HOME ? join(env.HOME, ".cache") : null);
  const own = cache === null ? [] : [join(cache, "veripatch/engine/docker.sock")];
  const found = runtime === "podman" ? [...podman, ...docker, ...own] : [...docker, ...podman, ...own];
  return found.map((path) => `unix://${path}`);
}

/** How a person calls the client of an engine: with its address, where the client would not find it by itself. */
export function clientCall(host: string, env: Environment): string {
  return host === (env.DOCKER_HOST || "unix:///var/run/docker.sock") ? "docker" : `docker -H ${host}`;
}

/**
 * The first engine that answers.
 * @throws Failure unavailable `engine_unavailable`, naming every address tried and why it did not do
 */
export async function connectEngine(env: Environment, runtime: ContainerRuntime): Promise<Engine> {
  const tried: string[] = [];
  for (const host of engineHosts(env, runtime)) {
    try {
      const engine = new Engine(await engineClient(host, env), host);
      await engine.call("answer", PING_MS, (abortSignal) => ping(engine.docker, abortSignal));
      return engine;
    } catch (error) {
      const why = noAnswer(rootMessage(error));
      tried.push(why.startsWith(`${host}: `) ? why : `${host}: ${why}`);
    }
  }
  throw new Failure("unavailable", "engine_unavailable", "no container engine answers", {
    details: tried,
    hint: tried.some((line) => line.endsWith(NOT_ALLOWED))
      ? MAY_NOT_HINT
      : "start Docker or Podman, or set DOCKER_HOST; `pp doctor` shows what is missing",
  });
}

/** Looks for an engine; never throws. */
export async function probeDocker(env: Environment, runtime: ContainerRuntime): Promise<Probe> {
  const hosts = engineHosts(env, runtime);
  try {
    const engine = await connectEngine(env, runtime);
    const version = await engine.call("tell its version", CALL_MS, () => engine.docker.version());
    return {
      reachable: true,
      host: engine.host,
      version: version.Version,
      apiVersion: version.ApiVersion,
      os: version.Os,
      arch: version.Arch,
    };
  } catch (error) {
    const details = error instanceof Failure ? error.details : [];
    return {
      ...{ reachable: false, host: hosts[0] ?? "", error: details.join("\n") || rootMessage(error) },
      ...(details.some((line) => line.endsWith(NOT_ALLOWED)) ? { hint: MAY_NOT_HINT } : {}),
    };
  }
}

/**
 * Whether an engine holds an image.
 * @throws Failure unavailable when no engine answers
 */
export async function imageExists(
  env: Environment,
  runtime: ContainerRuntime,
  image: string,
): Promise<boolean> {
  const engine = await connectEngine(env, runtime);
  try {
    await engine.call("look for an image", CALL_MS, () => engine.docker.getImage(image).inspect());
    return true;
  } catch (error) {
    if (refusedWith(error, 404, 400)) return false;
    throw error;
  }
}

/** A client for an address; nothing is asked yet. */
export async function engineClient(host: string, env: Environment): Promise<Docker> {
  // Every key is given, else dockerode fills it from the environment of the process.
  const none = {
    socketPath: undefined,
    host: undefined,
    port: undefined,
    timeout: undefined,
    pathPrefix: "/",
  };
  const secret = { ca: undefined, cert: undefined, key: undefined };
  const url = parseHost(host);
  let options: object;
  if (url.protocol === "unix:") {
    options = {
      ...none,
      ...secret,
      agent: opaque(new Agent(NO_REUSE)),
      protocol: "http",
      socketPath: decodeURIComponent(url.pathname),
    };
  } else {
    const tls = Boolean(env.DOCKER_TLS_VERIFY);
    options = {
      ...none,
      ...(tls ? await certificates(env) : secret),
      agent: opaque(tls ? new TlsAgent(NO_REUSE) : new Agent(NO_REUSE)),
      protocol: tls ? "https" : "http",
      host: url.hostname,
      port: Number(url.port || (tls ? 2376 : 2375)),
    };
  }
  return await dockerClient(options);
}

/**
 * The client's debug log writes out every request with all that hangs on its agent, whether or not anybody reads it:
 * 12 ms of each call, unless the agent says what it wants to be shown as.
 */
function opaque<T extends Agent>(agent: T): T {
  return Object.defineProperty(agent, Symbol.for("nodejs.util.inspect.custom"), { value: () => "Agent" });
}

function parseHost(host: string): URL {
  const problem = (why: string) =>
    new Failure("unavailable", "engine_address", `${host}: ${why}`, {
      hint: "set DOCKER_HOST to unix:///path/to/docker.sock or tcp://host:port",
    });
  let url: URL;
  try {
    url = new URL(host.includes("://") ? host : `tcp://${host}`);
  } catch {
    throw problem("not an address");
  }
  if (url.protocol === "unix:" ? url.pathname === "" : url.hostname === "") throw problem("not an address");
  if (!["unix:", "tcp:", "http:", "https:"].includes(url.protocol)) {
    throw problem(`${url.protocol.slice(0, -1)} addresses are not supported`);
  }
  return url;
}

async function certificates(env: Environment): Promise<{ ca: string; cert: string; key: string }> {
  const directory = env.DOCKER_CERT_PATH || join(env.HOME ?? "/", ".docker");
  const read = async (name: string) => {
    try {
      return await readFile(join(directory, name), "utf8");
    } catch (cause) {
      throw new Failure("unavailable", "engine_certificate", `cannot read ${join(directory, name)}`, {
        cause,
        hint: "DOCKER_CERT_PATH names a directory with ca.pem, cert.pem and key.pem",
      });
    }
  };
  return { ca: await read("ca.pem"), cert: await read("cert.pem"), key: await read("key.pem") };
}

function rootMessage(error: unknown): string {
  let at: unknown = error;
  while (at instanceof Error && at.cause !== undefined) at = at.cause;
  return at instanceof Error ? at.message : String(at);
}
