import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { probeDocker } from "../../src/sandbox/docker/docker.ts";
import { file, tarOf } from "../contract/tar_of.ts";
import { engineSandbox, engineSpec, leftovers, NOTHING } from "./engine.ts";
import { proxyEngine } from "./engine_proxy.ts";

Deno.test("docker open: DOCKER_HOST tcp with TLS, both sides known to each other", async () => {
  const directory = await mkdtemp(join(tmpdir(), "veripatch-tls-"));
  try {
    const ours = await makeAuthority(join(directory, "ours"));
    const other = await makeAuthority(join(directory, "other"));
    const proxy = await proxyEngine(ours.server);
    try {
      const env = { DOCKER_HOST: `tcp://127.0.0.1:${proxy.port}`, DOCKER_TLS_VERIFY: "1" };
      const spec = engineSpec();
      const base = await engineSandbox({ ...env, DOCKER_CERT_PATH: ours.directory })
        .open(spec, tarOf([file("a.txt", "over TLS\n")]));
      try {
        const copy = await base.checkout([]);
        const result = await copy.exec(["cat", "a.txt"], { timeoutMs: 20_000, outputBytes: 100 });
        assert.equal(new TextDecoder().decode(result.stdout.head), "over TLS\n");
      } finally {
        await base.close();
      }
      assert.deepEqual(await leftovers(spec.session), NOTHING);

      const stranger = await probeDocker({ ...env, DOCKER_CERT_PATH: other.directory }, "docker");
      assert.equal(stranger.reachable, false);
      const without = await probeDocker({ DOCKER_HOST: env.DOCKER_HOST }, "docker");
      assert.equal(without.reachable, false);
      const missing = await probeDocker({ ...env, DOCKER_CERT_PATH: join(directory, "none") }, "docker");
      assert.match(missing.error ?? "", /ca\.pem/);
    } finally {
      await proxy.cut();
    }
  } finally {
    await rm(directory, { recursive: true });
  }
});

/** A throw-away CA with a server and a client certificate, the client's under the names Docker uses. */
async function makeAuthority(directory: string) {
  await Deno.mkdir(directory);
  const at = (name: string) => join(directory, name);
  const openssl = (...args: string[]) => execFileSync("openssl", args, { stdio: "pipe" });
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
  openssl(
    "req",
    "-x509",
    ...key,
    "-keyout",
    at("ca-key.pem"),
    "-out",
    at("ca.pem"),
    "-days",
    "2",
    "-subj",
    "/CN=ca",
  );
  for (
    const [name, extension] of [["server", "subjectAltName=IP:127.0.0.1"], [
      "client",
      "extendedKeyUsage=clientAuth",
    ]]
  ) {
    const pem = name === "client" ? "" : "server-";
    openssl("req", ...key, "-keyout", at(`${pem}key.pem`), "-out", at(`${name}.csr`), "-subj", `/CN=${name}`);
    await writeFile(at(`${name}.ext`), `${extension}\n`);
    openssl(
      "x509",
      "-req",
      "-in",
      at(`${name}.csr`),
      "-CA",
      at("ca.pem"),
      "-CAkey",
      at("ca-key.pem"),
      "-CAcreateserial",
      "-days",
      "2",
      "-extfile",
      at(`${name}.ext`),
      "-out",
      at(`${pem}cert.pem`),
    );
  }
  const read = (name: string) => readFile(at(name), "utf8");
  const server = {
    key: await read("server-key.pem"),
    cert: await read("server-cert.pem"),
    ca: await read("ca.pem"),
  };
  return { directory, server };
}
