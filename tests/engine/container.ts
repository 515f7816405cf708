import type Dockerode from "dockerode";
import { PassThrough } from "node:stream";
import { ENGINE_ENV } from "./engine.ts";

/** The engine's socket on this host; the tests mount it into containers. */
export const SOCKET = (ENGINE_ENV.DOCKER_HOST ?? "unix:///var/run/docker.sock").replace(/^unix:\/\//, "");

export async function engineClient(): Promise<Dockerode> {
  const { default: Docker } = await import("dockerode");
  return new Docker({ socketPath: SOCKET });
}

export interface Contained {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A user of no account, whose group may use the engine's socket. */
export async function userOfSocket(): Promise<{ readonly User: string; readonly GroupAdd: string[] }> {
  return { User: "65532:65532", GroupAdd: [String((await Deno.stat(SOCKET)).gid)] };
}

/**
 * Runs a command in a new container without network that has the engine's socket, as an ordinary user.
 * @param binds as `docker run -v` takes them
 */
export async function inContainer(
  image: string,
  command: readonly string[],
  options: {
    readonly binds?: readonly string[];
    readonly readOnly?: boolean;
    readonly env?: readonly string[];
  } = {},
): Promise<Contained> {
  const docker = await engineClient();
  const { User, GroupAdd } = await userOfSocket();
  const container = await docker.createContainer({
    Image: image,
    Cmd: [...command],
    User,
    Env: ["NO_COLOR=1", ...options.env ?? []],
    HostConfig: {
      NetworkMode: "none",
      ReadonlyRootfs: options.readOnly ?? false,
      ...(options.readOnly ? { Tmpfs: { "/tmp": "mode=1777,exec" } } : {}),
      GroupAdd,
      Binds: [`${SOCKET}:/var/run/docker.sock`, ...options.binds ?? []],
    },
  });
  try {
    const stream = await container.attach({ stream: true, stdout: true, stderr: true });
    const [stdout, stderr] = [new PassThrough(), new PassThrough()];
    docker.modem.demuxStream(stream, stdout, stderr);
    stream.on("end", () => [stdout, stderr].forEach((out) => out.end()));
    const texts = Promise.all([stdout, stderr].map(textOf));
    await container.start();
    const { StatusCode: code } = await container.wait();
    const [out, err] = await texts;
    return { code, stdout: out!, stderr: err! };
  } finally {
    await container.remove({ force: true });
  }
}

async function textOf(stream: PassThrough): Promise<string> {
  let text = "";
  for await (const chunk of stream.setEncoding("utf8")) text += chunk;
  return text;
}
