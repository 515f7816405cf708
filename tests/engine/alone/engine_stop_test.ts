import assert from "node:assert/strict";
import Docker from "dockerode";
import { fingerprint, spawnPp, withProject } from "../pp.ts";

const IMAGE = "veripatch-tiny:1";

/** Starts a second engine of this test's own, with a tiny image made from this machine's shell. */
async function withOwnEngine(use: (host: string, kill: () => Promise<void>) => Promise<void>): Promise<void> {
  const directory = await Deno.makeTempDir({ prefix: "veripatch-test-" });
  const socket = `${directory}/docker.sock`;
  const engine = new Deno.Command("dockerd", {
    args: [
      ...[
        "--data-root",
        `${directory}/data`,
        "--exec-root",
        `${directory}/exec`,
        "--pidfile",
        `${directory}/pid`,
      ],
      ...["-H", `unix://${socket}`, "--bridge=none", "--iptables=false", "--ip6tables=false"],
    ],
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
  const kill = async () => {
    try {
      engine.kill("SIGKILL");
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
    }
    await engine.status;
  };
  try {
    const docker = new Docker({ socketPath: socket });
    for (let i = 0; !await docker.ping().then(() => true, () => false); i++) {
      assert.ok(i < 150, "the second engine did not start");
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
    await importTinyImage(docker);
    await use(`unix://${socket}`, kill);
  } finally {
    await kill();
    await endContainers(directory);
    await Deno.remove(directory, { recursive: true });
  }
}

async function importTinyImage(docker: Docker): Promise<void> {
  const script = `set -e; root=$(mktemp -d); trap 'rm -rf "$root"' EXIT
    for program in sh sleep rm cat grep; do
      file=$(readlink -f "$(command -v $program)")
      mkdir -p "$root/bin"; cp "$file" "$root/bin/$program"
      for library in $(ldd "$file" | grep -o '/[^ ]*'); do
        mkdir -p "$root/$(dirname "$library")"; cp -L "$library" "$root/$library"
      done
    done
    mkdir -p "$root/tmp"; chmod 1777 "$root/tmp"; tar -C "$root" -cf - .`;
  const { stdout, success } = await new Deno.Command("sh", { args: ["-c", script] }).output();
  assert.ok(success);
  const { Readable } = await import("node:stream");
  const [repo, tag] = IMAGE.split(":");
  const answer = await docker.importImage(Readable.from([stdout]), { repo, tag, changes: "ENV PATH=/bin" });
  await new Promise<void>((resolve, reject) => {
    docker.modem.followProgress(answer, (error) => error ? reject(error) : resolve());
  });
}

/** A killed engine leaves its containerd and shims; everything started from this folder is ended by process id. */
async function endContainers(directory: string): Promise<void> {
  const own = async () => {
    const pids: number[] = [];
    for await (const { name } of Deno.readDir("/proc")) {
      if (!/^\d+$/.test(name)) continue;
      const command = await Deno.readTextFile(`/proc/${name}/cmdline`).catch(() => "");
      if (command.includes(directory)) pids.push(Number(name));
    }
    return pids;
  };
  // Shims first: a container's processes end with the init that its shim reaps.
  for (let round = 0; round < 50; round++) {
    const pids = await own();
    if (pids.length === 0) break;
    for (const pid of pids) {
      const children = await Deno.readTextFile(`/proc/${pid}/task/${pid}/children`).catch(() => "");
      for (const victim of [...children.trim().split(" ").map(Number), pid]) {
        try {
          if (victim > 0) Deno.kill(victim, "SIGKILL");
        } catch (error) {
          if (!(error instanceof Deno.errors.NotFound)) throw error;
        }
      }
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  const { stdout } = await new Deno.Command("sh", { args: ["-c", "awk '{print $2}' /proc/mounts"] }).output();
  const mounts = new TextDecoder().decode(stdout).split("\n").filter((m) => m.startsWith(directory));
  for (const mount of mounts.reverse()) await new Deno.Command("umount", { args: ["-l", mount] }).output();
}

Deno.test("pp run: an engine that dies in the middle is exit 69, soon, with the workspace untouched", async () => {
  await withOwnEngine(async (host, kill) => {
    await withProject({ "check.sh": "sleep 30\n", "pp.json": "{}" }, async (directory) => {
      const before = await fingerprint(directory);
      const args = ["run", "sh check.sh", "--image", IMAGE];
      const child = spawnPp(args, { cwd: directory, env: { DOCKER_HOST: host } });
      const decoder = new TextDecoder();
      const drain = child.stdout.cancel();
      let stderr = "";
      let killedAt = 0;
      for await (const chunk of child.stderr) {
        stderr += decoder.decode(chunk, { stream: true });
        if (killedAt === 0 && /^baseline/m.test(stderr)) {
          // Late enough for the command to be running.
          await new Promise((resolve) => setTimeout(resolve, 1500));
          killedAt = Date.now();
          await kill();
        }
      }
      await drain;
      const { code } = await child.status;
      assert.equal(code, 69, stderr);
      assert.ok(killedAt > 0 && Date.now() - killedAt < 20_000, "it noticed within 20 s");
      assert.match(stderr, /engine/);
      assert.equal(await fingerprint(directory), before);
    });
  });
});
