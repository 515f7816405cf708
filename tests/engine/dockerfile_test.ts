import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import type Dockerode from "dockerode";
import { VERSION } from "../../src/version.ts";
import { filesBelow } from "../../tools/build/files.ts";
import { BARE_IMAGE, ensureBareImage } from "../../tools/image.ts";
import { ROOT } from "../../tools/pp.ts";
import { portable, run } from "../build/portable.ts";
import { engineClient, inContainer, SOCKET } from "./container.ts";
import { TEST_IMAGE } from "./engine.ts";

/** The images as `docker build --network none` makes them from base images that were imported here. */
async function build(docker: Dockerode, target: string, tag: string, commit: string): Promise<void> {
  const context = await Deno.makeTempDir({ prefix: "veripatch-test-" });
  try {
    await Deno.mkdir(`${context}/dist`);
    await Deno.copyFile(await portable(), `${context}/dist/pp`);
    await Deno.copyFile(`${ROOT}/Dockerfile`, `${context}/Dockerfile`);
    const stream = await docker.buildImage({ context, src: await filesBelow(context, ".") }, {
      t: tag,
      target,
      networkmode: "none",
      pull: undefined,
      buildargs: {
        ...{ BUILD_BASE: BARE_IMAGE, RUNTIME_BASE: BARE_IMAGE, SANDBOX_PYTHON_BASE: TEST_IMAGE },
        COMMIT: commit,
      },
    });
    const said: { error?: string; stream?: string }[] = await new Promise((resolve, reject) =>
      docker.modem.followProgress(stream, (error, result) => error ? reject(error) : resolve(result))
    );
    const error = said.find((line) => line.error !== undefined)?.error;
    assert.equal(error, undefined, said.map((line) => line.stream ?? "").join(""));
  } finally {
    await Deno.remove(context, { recursive: true });
  }
}

async function withImage(
  target: string,
  use: (tag: string, docker: Dockerode) => Promise<void>,
  commit = "",
): Promise<void> {
  await ensureBareImage({ host: `unix://${SOCKET}` });
  const docker = await engineClient();
  const tag = `veripatch-test-${target}:${randomUUID().slice(0, 8)}`;
  try {
    await build(docker, target, tag, commit);
    await use(tag, docker);
  } finally {
    await docker.getImage(tag).remove({ force: true }).catch(() => {});
  }
}

/** What the portable file says of itself. */
async function builtFile(): Promise<{ commit: string | null; embedded: unknown }> {
  const home = await Deno.makeTempDir({ prefix: "veripatch-test-" });
  try {
    return JSON.parse(
      (await run([await portable(), "--version", "--json"], { XDG_CACHE_HOME: home })).stdout,
    );
  } finally {
    await Deno.remove(home, { recursive: true });
  }
}

Deno.test("Dockerfile: the runtime image is not root, has pp as its entrypoint, says its commit, writes nothing, and talks to a mounted socket", async () => {
  const { commit, embedded } = await builtFile();
  await withImage("runtime", async (tag, docker) => {
    const { Config } = await docker.getImage(tag).inspect();
    assert.deepEqual([Config.User, Config.Entrypoint], ["65532:65532", ["pp"]]);
    const version = await inContainer(tag, ["--version"], { readOnly: true });
    assert.deepEqual(version, { code: 0, stdout: `pp ${VERSION}\n`, stderr: "" });
    const all = JSON.parse((await inContainer(tag, ["--version", "--json"], { readOnly: true })).stdout);
    assert.deepEqual([all.commit, all.kind, all.embedded], [commit, "portable", embedded]);
    const doctor = await inContainer(tag, ["doctor"], { readOnly: true });
    assert.match(doctor.stdout, /^ok +engine .*\/var\/run\/docker\.sock$/m, doctor.stdout + doctor.stderr);
    const project = await Deno.makeTempDir({ prefix: "veripatch-test-" });
    try {
      await Deno.writeTextFile(`${project}/value.txt`, "wrong\n");
      const diff = "--- a/value.txt\n+++ b/value.txt\n@@ -1 +1 @@\n-wrong\n+right\n";
      await Deno.writeTextFile(`${project}/fix.diff`, diff);
      await Deno.chmod(project, 0o777);
      const args = ["run", "grep -q right value.txt", "--patch", "fix.diff", "--image", TEST_IMAGE, "--json"];
      const binds = [`${project}:/workspace`];
      const { code, stdout, stderr } = await inContainer(tag, args, { readOnly: true, binds });
      assert.equal(code, 0, stdout + stderr);
      assert.equal(JSON.parse(stdout).status, "proved");
    } finally {
      await Deno.remove(project, { recursive: true });
    }
  }, commit ?? "");
});

Deno.test("Dockerfile: a file of another commit than is said makes no image", async () => {
  const other = "0123456789".repeat(4);
  const made = withImage("runtime", () => Promise.resolve(), other);
  await assert.rejects(made, new RegExp(`dist/pp is not of ${other}`));
});

Deno.test("Dockerfile: the sandbox-python image runs pytest as no root", async () => {
  await withImage("sandbox-python", async (tag) => {
    const { code, stdout } = await inContainer(tag, ["sh", "-c", "id -u; python3 -m pytest --version"]);
    assert.equal(code, 0);
    assert.match(stdout, /^65532\n/);
  });
});

Deno.test("Dockerfile: base images are arguments, pinned by digest", async () => {
  const text = await Deno.readTextFile(`${ROOT}/Dockerfile`);
  const pinned = [...text.matchAll(/^ARG (\w+_BASE)=\S+:\S+@sha256:[0-9a-f]{64}$/gm)].map(([, name]) => name);
  const used = [...text.matchAll(/^FROM (\S+)/gm)].map(([, name]) => name);
  assert.deepEqual(used.map((name) => name!.replace(/^\$\{(.*)\}$/, "$1")).sort(), pinned.sort());
  assert.equal(pinned.length, 3);
});
