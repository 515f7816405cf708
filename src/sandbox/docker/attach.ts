import { request as plainRequest, type RequestOptions } from "node:http";
import { request as tlsRequest } from "node:https";
import type { Duplex } from "node:stream";
import type { Engine } from "./engine.ts";

/**
 * Connects to the standard streams of a container's main process, before it starts or after. What is written goes to
 * its stdin, what is read are frames of its output. Not by dockerode, which sends its options as a body that an engine
 * may take for stdin.
 * @param abort drops the connection while it is being made; afterwards the stream is the caller's to destroy
 * @throws an error as dockerode's, with `statusCode` when the engine refused
 */
export function attach(engine: Engine, id: string, abort: AbortSignal): Promise<Duplex> {
  const { protocol, socketPath, host, port, agent, ca, cert, key } = engine.docker.modem as unknown as Way;
  const options: RequestOptions & { ca?: unknown; cert?: unknown; key?: unknown } = {
    method: "POST",
    path: `/containers/${id}/attach?stream=1&stdin=1&stdout=1&stderr=1`,
    headers: { Connection: "Upgrade", Upgrade: "tcp", "Content-Length": "0" },
    ...(socketPath === undefined ? { host, port } : { socketPath }),
    ...(protocol === "https" ? { ca, cert, key } : {}),
    agent,
    signal: abort,
  };
  return new Promise((resolve, reject) => {
    const asked = (protocol === "https" ? tlsRequest : plainRequest)(options as RequestOptions);
    asked.on("error", reject);
    asked.on("upgrade", (_response, stream, head) => {
      if (head.length > 0) stream.unshift(head);
      stream.on("error", () => {});
      resolve(stream);
    });
    asked.on("response", (response) => {
      response.resume();
      const error = new Error(`cannot attach: HTTP ${response.statusCode}`);
      reject(Object.assign(error, { statusCode: response.statusCode }));
    });
    asked.end();
  });
}

/** How dockerode's client reaches the engine. */
interface Way {
  readonly protocol: string;
  readonly socketPath: string | undefined;
  readonly host: string;
  readonly port: number;
  readonly agent: RequestOptions["agent"] & object;
  readonly ca: unknown;
  readonly cert: unknown;
  readonly key: unknown;
}
