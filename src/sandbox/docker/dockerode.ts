import Module from "node:module";
// @ts-types="@types/dockerode"
import type Dockerode from "dockerode";

/** Those calls of dockerode's client that are used here. */
export type Docker = Pick<
  Dockerode,
  | "modem"
  | "ping"
  | "info"
  | "version"
  | "createContainer"
  | "listContainers"
  | "listImages"
  | "getContainer"
  | "getExec"
  | "getImage"
  | "getEvents"
  | "pull"
>;
export type HostConfig = Dockerode.HostConfig;
export type ImageInspectInfo = Dockerode.ImageInspectInfo;

type Query = { abortSignal?: AbortSignal };

/** One request, as docker-modem takes it. */
interface Asked {
  readonly path: string;
  readonly method: "GET" | "POST";
  readonly options?: object | undefined;
  readonly abortSignal?: AbortSignal | undefined;
  readonly isStream?: boolean;
}

interface Modem {
  dial(asked: object, done: (error: Error | null, answer: unknown) => void): void;
}

type Made<T> = { readonly default: new (modem: Modem, id: string) => T };

const GOOD = { 200: true, 201: true };

/**
 * What these packages load at once and use only for engines behind SSH and for build contexts, of which pp asks for
 * neither. A build leaves them out.
 */
export const UNUSED: ReadonlySet<string> = new Set(["ssh2", "tar-fs", "@balena/dockerignore"]);

/**
 * Loads packages without what is never used of them: it takes as long as all the rest. Whatever else is loaded meanwhile
 * comes whole, unless it asks for the same.
 */
async function withoutUnused<T>(load: () => Promise<T>): Promise<T> {
  const loader = Module as unknown as { _load: (request: string, ...rest: unknown[]) => unknown };
  const whole = loader._load;
  loader._load = (request, ...rest) => UNUSED.has(request) ? {} : whole.call(loader, request, ...rest);
  try {
    return await load();
  } finally {
    loader._load = whole;
  }
}

let client: ReturnType<typeof loadPackages> | undefined;

/** Loads the packages that calls to an engine need, once; whoever knows early that there will be calls begins early. */
export function loadClient(): ReturnType<typeof loadPackages> {
  return client ??= withoutUnused(loadPackages);
}

function loadPackages() {
  return Promise.all([
    import("docker-modem") as Promise<{ default: unknown }>,
    import("dockerode/lib/container.js") as Promise<unknown> as Promise<Made<Dockerode.Container>>,
    import("dockerode/lib/exec.js") as Promise<unknown> as Promise<Made<Dockerode.Exec>>,
    import("dockerode/lib/image.js") as Promise<unknown> as Promise<Made<Dockerode.Image>>,
  ]);
}

/**
 * dockerode's client without its first page, which loads all that building images takes (gRPC, protobuf): twice the
 * time of everything else. Its containers, commands and images are used as they are, and its transport is; what that
 * page asks of the engine itself is asked here. A pull loads it after all.
 * @param options as docker-modem takes them
 */
export async function dockerClient(options: object): Promise<Docker> {
  const [transport, { default: Container }, { default: Exec }, { default: Image }] = await loadClient();
  const modem = new (transport.default as new (options: object) => Modem & { Promise?: unknown })(options);
  modem.Promise = Promise;
  const ask = <T>({ abortSignal, ...asked }: Asked) =>
    new Promise<T>((resolve, reject) => {
      const request = { ...asked, statusCodes: GOOD, ...(abortSignal === undefined ? {} : { abortSignal }) };
      modem.dial(request, (error, answer) => error ? reject(error) : resolve(answer as T));
    });
  const get = <T>(path: string) => (query: Query = {}) => {
    const { abortSignal, ...options } = query;
    return ask<T>({ path, method: "GET", options, abortSignal });
  };
  const docker = {
    modem,
    ping: get("/_ping"),
    info: get("/info"),
    version: get("/version"),
    listContainers: get("/containers/json?"),
    listImages: get("/images/json?"),
    getEvents: ({ abortSignal, ...options }: Query) =>
      ask({ path: "/events?", method: "GET", options, abortSignal, isStream: true }),
    createContainer: async ({ name, ...plan }: Dockerode.ContainerCreateOptions) => {
      const options = { _query: name === undefined ? {} : { name }, _body: plan };
      const made = await ask<{ Id: string }>({ path: "/containers/create?", method: "POST", options });
      return new Container(modem, made.Id);
    },
    getContainer: (id: string) => new Container(modem, id),
    getExec: (id: string) => new Exec(modem, id),
    getImage: (name: string) => new Image(modem, name),
    pull: async (name: string, options: object) => {
      const { default: Whole } = await import("dockerode");
      return await new Whole({ modem } as never).pull(name, options);
    },
  };
  return docker as unknown as Docker;
}
