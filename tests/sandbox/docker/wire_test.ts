import assert from "node:assert/strict";
import fc from "fast-check";
import { inspect } from "node:util";
import { clientCall, engineClient, engineHosts } from "../../../src/sandbox/docker/connect.ts";
import { FrameReader } from "../../../src/sandbox/docker/frames.ts";
import { isKeptName, keptName } from "../../../src/sandbox/docker/labels.ts";
import { startRefusal } from "../../../src/sandbox/docker/start_refusal.ts";
import { Failure } from "../../../src/vocabulary/failure.ts";

function frame(stream: number, payload: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(8 + payload.length);
  bytes[0] = stream;
  new DataView(bytes.buffer).setUint32(4, payload.length);
  bytes.set(payload, 8);
  return bytes;
}

Deno.test("FrameReader: literal bytes", () => {
  const seen: [number, number[]][] = [];
  const reader = new FrameReader((stream, bytes) => seen.push([stream, [...bytes]]));
  reader.push(new Uint8Array([1, 0, 0, 0, 0, 0, 0, 2, 104, 105, 2, 0, 0, 0, 0, 0, 0, 1, 33]));
  assert.deepEqual(seen, [[1, [104, 105]], [2, [33]]]);
  assert.equal(reader.isInside, false);
});

Deno.test("FrameReader: wherever the bytes are cut, both streams come out whole", () => {
  const frames = fc.array(fc.tuple(fc.constantFrom(1, 2), fc.uint8Array({ maxLength: 50 })), {
    maxLength: 20,
  });
  fc.assert(
    fc.property(frames, fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1 }), (sent, cuts) => {
      const wire = new Uint8Array(sent.flatMap(([stream, payload]) => [...frame(stream, payload)]));
      const got: Record<number, number[]> = { 1: [], 2: [] };
      const reader = new FrameReader((stream, bytes) => got[stream]!.push(...bytes));
      for (let at = 0, n = 0; at < wire.length; n++) {
        const length = cuts[n % cuts.length]!;
        reader.push(wire.subarray(at, at += length));
      }
      for (const stream of [1, 2]) {
        assert.deepEqual(got[stream], sent.filter(([s]) => s === stream).flatMap(([, p]) => [...p]));
      }
      assert.equal(reader.isInside, false);
    }),
    { numRuns: 300 },
  );
});

Deno.test("FrameReader: what is no frame is refused, an unfinished one is noticed", () => {
  const reader = new FrameReader(() => {});
  assert.throws(
    () => reader.push(new TextEncoder().encode("HTTP/1.1 500")),
    (error) => error instanceof Failure && error.code === "engine_protocol",
  );
  const cut = new FrameReader(() => {});
  cut.push(frame(1, new Uint8Array(5)).subarray(0, 10));
  assert.equal(cut.isInside, true);
});

Deno.test("startRefusal: engines' words in a shell's terms", () => {
  const start = "OCI runtime exec failed: exec failed: unable to start container process: ";
  const cases: [string, number][] = [
    [`${start}exec: "x": executable file not found in $PATH: unknown`, 127],
    [`${start}exec: "./x": stat ./x: no such file or directory: unknown`, 127],
    [`${start}exec: "/etc/passwd": permission denied: unknown`, 126],
    [`${start}exec /a: exec format error: unknown`, 126],
    [`${start}chdir to cwd ("/w") set in config.json failed: no such file or directory: unknown`, 126],
    [
      "crun: executable file `x` not found in $PATH: No such file or directory: OCI runtime attempted to invoke",
      127,
    ],
  ];
  for (const [words, exitCode] of cases) assert.equal(startRefusal("x", words)?.exitCode, exitCode, words);
  assert.equal(startRefusal("x", "No such container: 123"), null);
  assert.equal(startRefusal("x", "cat: no such file or directory"), null);
});

Deno.test("engine client: what its debug log writes out for each request does not take in the whole agent", async () => {
  for (const tls of [undefined, "1"]) {
    const certificates = await Deno.makeTempDir();
    for (const name of ["ca", "cert", "key"]) await Deno.writeTextFile(`${certificates}/${name}.pem`, "");
    const env = { DOCKER_CERT_PATH: certificates, ...(tls === undefined ? {} : { DOCKER_TLS_VERIFY: tls }) };
    const { modem } = await engineClient("tcp://127.0.0.1:9", env);
    const { agent } = modem as unknown as { readonly agent: unknown };
    assert.equal(inspect(agent, { showHidden: true, depth: null }), "Agent");
    await Deno.remove(certificates, { recursive: true });
  }
});

Deno.test("clientCall: names the address that the engine's client would not find by itself", () => {
  assert.equal(clientCall("unix:///var/run/docker.sock", {}), "docker");
  assert.equal(clientCall("tcp://h:1", { DOCKER_HOST: "tcp://h:1" }), "docker");
  assert.equal(
    clientCall("unix:///home/a/docker.sock", { DOCKER_HOST: "" }),
    "docker -H unix:///home/a/docker.sock",
  );
});

Deno.test("engineHosts: DOCKER_HOST alone, else the runtime's sockets first and our own last", () => {
  assert.deepEqual(engineHosts({ DOCKER_HOST: "tcp://h:1" }, "podman"), ["tcp://h:1"]);
  const env = { HOME: "/home/u", XDG_RUNTIME_DIR: "/run/user/1" };
  assert.deepEqual(engineHosts(env, "docker"), [
    "unix:///var/run/docker.sock",
    "unix:///run/user/1/docker.sock",
    "unix:///run/user/1/podman/podman.sock",
    "unix:///run/podman/podman.sock",
    "unix:///home/u/.cache/veripatch/engine/docker.sock",
  ]);
  assert.equal(engineHosts(env, "podman")[0], "unix:///run/user/1/podman/podman.sock");
  assert.equal(
    engineHosts({ XDG_CACHE_HOME: "/c" }, "docker").at(-1),
    "unix:///c/veripatch/engine/docker.sock",
  );
});

Deno.test("keptName: recognized again, and a name engines accept whatever the session is called", () => {
  const name = keptName("se/ss ion\n", "0123456789abcdef");
  assert.match(name, /^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/);
  assert.ok(isKeptName(`/${name}`));
  assert.ok(!isKeptName("/other"));
});
