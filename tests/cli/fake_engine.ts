/**
 * An engine on loopback that knows one image and nothing else: enough for `pp doctor`.
 * @param use gets the value for DOCKER_HOST
 * @param containers what it lists
 */
export async function withFakeEngine<T>(
  image: string,
  use: (host: string) => Promise<T>,
  containers: readonly unknown[] = [],
): Promise<T> {
  const answer = (request: Request): Response => {
    const path = decodeURIComponent(new URL(request.url).pathname).replace(/^\/v[\d.]+/, "");
    if (path === "/_ping") return new Response("OK");
    if (path === "/version") {
      return Response.json({ Version: "99.1", ApiVersion: "1.41", Os: "linux", Arch: "amd64" });
    }
    if (path === `/images/${image}/json`) return Response.json({ Id: "sha256:0", RepoTags: [image] });
    if (path === "/containers/json") return Response.json(containers);
    if (path === "/images/json") return Response.json([]);
    return Response.json({ message: `no such thing: ${path}` }, { status: 404 });
  };
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, answer);
  try {
    return await use(`tcp://127.0.0.1:${server.addr.port}`);
  } finally {
    await server.shutdown();
  }
}
