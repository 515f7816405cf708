import assert from "node:assert/strict";
import { denoDirectory, withFolder } from "../cli/process.ts";

const TOOLS = new URL("../../tools", import.meta.url).pathname;

/**
 * Runs a tool as somebody who is not root and sees no engine: in namespaces of its own, in which the engine's sockets
 * and the system's programs are hidden. Only the folder's `bin` is in PATH.
 */
async function asNobody(folder: string, tool: string, ...args: string[]) {
  const hide = "for d in /run /var/run /usr/sbin /usr/local/sbin /sbin; do mount -t tmpfs none $d; done";
  const command = new Deno.Command("unshare", {
    args: [
      ...["--user", "--map-root-user", "--mount", "sh", "-c"],
      ...[`set -e; ${hide}; PATH=$1; shift; exec "$@"`, "sh", `${folder}/bin`],
      ...["/usr/bin/unshare", "--user", Deno.execPath(), "run", "-A", "--quiet", `${TOOLS}/${tool}`, ...args],
    ],
    cwd: folder,
    env: {
      PATH: Deno.env.get("PATH")!,
      HOME: folder,
      XDG_CACHE_HOME: `${folder}/cache`,
      DENO_DIR: denoDirectory(),
      DOCKER_HOST: "unix:///nonexistent/docker.sock",
    },
    clearEnv: true,
    stdin: "null",
  });
  const { code, stdout, stderr } = await command.output();
  return { code, stdout: new TextDecoder().decode(stdout), stderr: new TextDecoder().decode(stderr) };
}

/** The commands a tool asks for stand alone on indented lines. */
const commands = (text: string) => text.split("\n").filter((l) => l.startsWith("    ")).map((l) => l.trim());

Deno.test("deno task demo: without an engine and without root, the commands to run and exit 69", async () => {
  await withFolder({}, async (folder) => {
    const { code, stdout, stderr } = await asNobody(folder, "demo.ts");
    assert.equal(code, 69, stderr);
    assert.match(stderr, /DOCKER_HOST=unix:\/\/\/nonexistent\/docker\.sock does not answer/);
    assert.match(stderr, /Missing: docker\.io\./);
    assert.deepEqual(commands(stderr), [
      "sudo apt-get update",
      "sudo apt-get install -y --no-install-recommends docker.io",
    ]);
    assert.doesNotMatch(stdout + stderr, /\bat .*\.ts:\d+/, "no stack trace");
  });
});

Deno.test("deno task demo: an engine that is installed but not started is asked to be started", async () => {
  await withFolder({ "bin/dockerd": "#!/bin/sh\nexit 1\n" }, async (folder) => {
    await Deno.chmod(`${folder}/bin/dockerd`, 0o755);
    const { code, stderr } = await asNobody(folder, "demo.ts");
    assert.equal(code, 69, stderr);
    assert.match(stderr, /installed but none answers/);
    assert.match(commands(stderr)[0]!, /^sudo systemctl start docker/);
  });
});

Deno.test("deno task test: programs that are missing are named in one command, and exit 69", async () => {
  await withFolder({}, async (folder) => {
    const { code, stderr } = await asNobody(folder, "test.ts", "tests/cli/exit_code_test.ts");
    assert.equal(code, 69, stderr);
    const [update, install, ...more] = commands(stderr);
    assert.equal(update, "sudo apt-get update");
    assert.match(install!, /^sudo apt-get install .*\bbubblewrap\b.*\bgit\b.*\btmux\b/);
    assert.deepEqual(more, []);
  });
});
