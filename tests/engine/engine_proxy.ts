import { connect, createServer, type Server, type Socket } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import type { AddressInfo } from "node:net";
import { engineHosts } from "../../src/sandbox/docker/connect.ts";
import { ENGINE_ENV } from "./engine.ts";

/** Something between a client and the real engine that a test can cut. */
export interface EngineProxy {
  /** Its TCP port on loopback. */
  readonly port: number;
  /** Breaks every connection and answers no more, as an engine that was killed. */
  cut(): Promise<void>;
  /** From now on accepts and passes nothing on, as an engine that hangs. Only `cut` ends that. */
  hang(): void;
  /**
   * Hangs when one more call was begun than `calls`, however fast the engine is.
   * @returns resolved once it hangs
   */
  hangAfter(calls: number): Promise<void>;
}

/** Stands before the real engine, over TCP or over TLS that asks for a client certificate. */
export async function proxyEngine(
  tls?: { readonly key: string; readonly cert: string; readonly ca: string },
): Promise<EngineProxy> {
  const socketPath = await engineSocket();
  const open = new Set<Socket>();
  let hangs = false;
  let callsLeft = Infinity;
  let whenHanging = () => {};
  const hang = () => {
    hangs = true;
    for (const socket of open) {
      socket.unpipe();
      socket.resume();
    }
    whenHanging();
  };
  const serve = (client: Socket) => {
    if (callsLeft-- === 0) hang();
    if (hangs) {
      open.add(client);
      client.on("close", () => open.delete(client));
      client.on("error", () => {});
      client.resume();
      return;
    }
    const engine = connect(socketPath);
    for (const [from, to] of [[client, engine], [engine, client]] as const) {
      open.add(from);
      // An engine that hangs does not hang up either: that its answer was over is not passed on.
      from.on("close", () => (open.delete(from), hangs || to.destroy()));
      from.on("error", () => to.destroy());
      from.pipe(to);
    }
  };
  const server: Server = tls === undefined
    ? createServer(serve)
    : createTlsServer({ ...tls, requestCert: true, rejectUnauthorized: true }, serve);
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  return {
    port: (server.address() as AddressInfo).port,
    hang,
    hangAfter: (calls) => {
      callsLeft = calls;
      return new Promise((resolve) => whenHanging = resolve);
    },
    cut: async () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const socket of open) socket.destroy();
      await closed;
    },
  };
}

async function engineSocket(): Promise<string> {
  for (const host of engineHosts(ENGINE_ENV, "docker")) {
    const path = host.replace(/^unix:\/\//, "");
    const answers = await new Promise<boolean>((resolve) => {
      const socket = connect(path);
      socket.on("connect", () => (socket.destroy(), resolve(true)));
      socket.on("error", () => resolve(false));
    });
    if (answers) return path;
  }
  throw new Error("these tests need an engine at a unix socket");
}
