/** A request as the server got it. */
export interface Asked {
  readonly path: string;
  readonly headers: Record<string, string>;
  // deno-lint-ignore no-explicit-any -- the body of a chat completion request, asserted field by field
  readonly body: any;
}

export type Answer = (asked: Asked, number: number) => Response | Promise<Response>;

/** Runs work against a real HTTP server on loopback that answers as told, and stops it. */
export async function withServer(
  answer: Answer,
  work: (url: string, asked: readonly Asked[]) => Promise<void>,
): Promise<void> {
  const asked: Asked[] = [];
  const handle = async (request: Request) => {
    const text = await request.text();
    asked.push({
      path: new URL(request.url).pathname,
      headers: Object.fromEntries(request.headers),
      body: text === "" ? null : JSON.parse(text),
    });
    return await answer(asked.at(-1)!, asked.length);
  };
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {}, onError: failed }, handle);
  try {
    await work(`http://127.0.0.1:${server.addr.port}/v1`, asked);
  } finally {
    await server.shutdown();
  }
}

function failed(error: unknown): Response {
  return new Response(String(error), { status: 400 });
}

/** A well-formed completion with the content. */
export function completion(content: unknown, choice: Record<string, unknown> = {}): Response {
  return Response.json({
    id: "c",
    object: "chat.completion",
    choices: [{ index: 0, finish_reason: "stop", message: { role: "assistant", content }, ...choice }],
  });
}

/** Answers one raw byte sequence to every connection, then closes it. */
export async function withRawServer(reply: string, work: (url: string) => Promise<void>): Promise<void> {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const serving = (async () => {
    for await (const connection of listener) {
      await connection.read(new Uint8Array(1 << 20));
      await connection.write(new TextEncoder().encode(reply));
      connection.close();
    }
  })();
  try {
    await work(`http://127.0.0.1:${listener.addr.port}/v1`);
  } finally {
    listener.close();
    await serving;
  }
}
