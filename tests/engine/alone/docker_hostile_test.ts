import assert from "node:assert/strict";
import { connectEngine } from "../../../src/sandbox/docker/connect.ts";
import type { ExecOptions, FrozenBase, PristineCopy, SandboxLimits } from "../../../src/sandbox/sandbox.ts";
import { parseRelativePath } from "../../../src/vocabulary/path.ts";
import type { CommandResult } from "../../../src/vocabulary/verification.ts";
import { file, tarOf } from "../../contract/tar_of.ts";
import { ENGINE_ENV, engineSpec, leftovers, NOTHING, withBase } from "../engine.ts";

const MIB = 1024 ** 2;
const LIMITS: SandboxLimits = {
  cpus: null,
  memoryBytes: 256 * MIB,
  pids: 64,
  fileBytes: 200 * MIB,
  diskBytes: 100 * MIB,
};

/** A hostile command in a copy of its own; afterwards nothing of the session may be left. */
function hostile(
  name: string,
  body: (
    run: (argv: string[], options?: Partial<ExecOptions>) => Promise<CommandResult>,
    of: Context,
  ) => Promise<void>,
  limits: Partial<SandboxLimits> = {},
): void {
  Deno.test(`docker exec: ${name}`, async () => {
    const spec = engineSpec({ limits: { ...LIMITS, ...limits } });
    await withBase(spec, tarOf([file("a.txt", "a\n")]), async (base) => {
      const copy = await base.checkout([]);
      const run = (argv: string[], options: Partial<ExecOptions> = {}) =>
        copy.exec(argv, { timeoutMs: 60_000, outputBytes: 64 * 1024, ...options });
      await body(run, { base, copy, session: spec.session });
      await copy.discard();
    });
    assert.deepEqual(await leftovers(spec.session), NOTHING);
  });
}

interface Context {
  readonly base: FrozenBase;
  readonly copy: PristineCopy;
  readonly session: string;
}

const python = (code: string) => ["python3", "-c", code];
const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

hostile("a pipe, a link or a file of no end made by a command is not waited for", async (run, { copy }) => {
  const made = await run([
    "sh",
    "-c",
    "mkfifo pipe; ln -s /etc/passwd link; ln -s /etc etc; truncate -s 150M long",
  ]);
  assert.equal(made.exitCode, 0);
  const read = async (name: string) => {
    const path = parseRelativePath(name);
    assert.ok(path.ok);
    return await copy.read(path.path, 1000);
  };
  for (const name of ["pipe", "link", "etc/passwd"]) assert.equal(await read(name), null, name);
  const began = performance.now();
  assert.equal((await read("long"))!.length, 1001);
  assert.ok(performance.now() - began < 20_000);
});

for (
  const [kind, argv] of [
    ["shell", ["sh", "-c", "f() { f | f & }; f; wait"]],
    ["python", python("import os\nwhile True:\n try: os.fork()\n except OSError: pass")],
  ] as const
) {
  hostile(`a ${kind} fork bomb ends at the timeout, with every process`, async (run, { session, base }) => {
    const began = Date.now();
    // A shell whose forks fail gives up by itself; its children go on, so that it is made to stay.
    const bomb = kind === "shell" ? ["sh", "-c", `${argv[2]}; sleep 60`] : [...argv];
    const result = await run(bomb, { timeoutMs: 2_000 });
    const took = Date.now() - began;
    assert.ok(result.end === "timed_out" || result.exitCode !== 0, `${result.end} ${result.exitCode}`);
    assert.ok(took < 20_000, `took ${took} ms`);
    if (result.end === "timed_out") assert.deepEqual(await strays(session), []);
    const next = await base.checkout([]);
    assert.equal((await next.exec(["true"], { timeoutMs: 10_000, outputBytes: 10 })).exitCode, 0);
    await next.discard();
  });
}

hostile("a timeout leaves no process of a detached tree", async (run, { session }) => {
  const result = await run(["sh", "-c", "setsid sh -c 'setsid sleep 99 & sleep 99' & sleep 99"], {
    timeoutMs: 1_000,
  });
  assert.equal(result.end, "timed_out");
  assert.deepEqual(await strays(session), []);
});

hostile("a memory hog is out of memory, whether it or a child of a shell", async (run) => {
  const direct = await run(python("x = bytearray(600 << 20)"));
  assert.equal(direct.end, "out_of_memory");
  assert.equal(direct.exitCode, null);
  const child = await run(["sh", "-c", "python3 -c 'x = bytearray(600 << 20)'"]);
  assert.equal(child.end, "out_of_memory");
  const killed = await run(["sh", "-c", "kill -9 $$"]);
  assert.equal(killed.end, "exited", "an earlier hog does not make every kill one for memory");
  assert.equal(killed.exitCode, 137);
});

hostile("a disk hog is killed by the watchdog", async (run) => {
  const hog = "n=0; while :; do head -c 10000000 /dev/zero > f$n; n=$((n+1)); sleep 0.1; done";
  const result = await run(["sh", "-c", hog]);
  assert.equal(result.end, "out_of_disk");
  assert.equal(result.exitCode, null);
  assert.ok(result.durationMs < 20_000, `took ${result.durationMs} ms`);
});

hostile("a file past its limit is cut by the kernel", async (run) => {
  const result = await run(["sh", "-c", "head -c 5000000 /dev/zero > big; stat -c %s big"]);
  assert.equal(text(result.stdout.head).trim(), "1000000");
}, { fileBytes: 1_000_000 });

hostile("a gigabyte of output leaves memory flat", async (run) => {
  // The runtime's own buffers and heap reach their size with the first of it.
  await run(["head", "-c", String(200 * MIB), "/dev/zero"]);
  const before = Deno.memoryUsage().rss;
  let peak = before;
  const timer = setInterval(() => peak = Math.max(peak, Deno.memoryUsage().rss), 50);
  try {
    const result = await run(["head", "-c", String(1024 ** 3), "/dev/zero"]);
    assert.equal(result.exitCode, 0);
    assert.equal(result.stdout.totalBytes, 1024 ** 3);
    assert.equal(result.stdout.sha256, "49bc20df15e412a64472421e13fe86ff1c5165e18b2afccf160d4dc19fe68a14");
  } finally {
    clearInterval(timer);
  }
  // Read buffers wait for the collector as long as it likes; keeping the output would take four times as much.
  assert.ok(peak - before < 256e6, `grew by ${Math.round((peak - before) / 1e6)} MB`);
});

hostile("a daemon that keeps writing does not hold the command", async (run) => {
  const began = Date.now();
  const result = await run(["sh", "-c", "(while :; do echo x; sleep 0.05; done) & echo started; exit 4"]);
  assert.equal(result.exitCode, 4);
  assert.match(text(result.stdout.head), /^started\n|^x\n/);
  assert.ok(Date.now() - began < 10_000);
});

hostile("a command that closes its output and goes on is waited for", async (run) => {
  const result = await run(["sh", "-c", "exec >&- 2>&-; sleep 1; exit 5"]);
  assert.equal(result.exitCode, 5);
  assert.ok(result.durationMs >= 1_000);
});

hostile("a command that kills all it can see has only killed itself", async (run) => {
  const result = await run(["sh", "-c", "kill -9 -1; sleep 5"]);
  assert.equal(result.end, "exited");
  assert.equal(result.exitCode, 137);
  const after = await run(["true"]);
  assert.equal(after.end, "exited");
  assert.notEqual(after.exitCode, 0);
});

hostile("a program that is not there or cannot run is said so in stderr", async (run) => {
  const missing = await run(["no-such-program"]);
  assert.deepEqual([missing.exitCode, text(missing.stderr.head)], [127, "no-such-program: not found\n"]);
  assert.equal(missing.stdout.totalBytes, 0);
  const text126 = await run(["./a.txt"]);
  assert.deepEqual([text126.exitCode, text(text126.stderr.head)], [126, "./a.txt: permission denied\n"]);
  const said = await run(["sh", "-c", "echo 'OCI runtime exec failed: not found'; exit 127"]);
  assert.equal(text(said.stdout.head), "OCI runtime exec failed: not found\n", "a command's own words stay");
});

hostile("no network, no root, no capability, no new privilege, no mount of the host", async (run) => {
  const network = await run(python(
    "import socket\ntry: socket.create_connection(('192.0.2.1', 80), 3)\nexcept OSError as e: print(e.errno)",
  ));
  assert.equal(text(network.stdout.head), "101\n", "network is unreachable");
  const devices = text((await run(["cat", "/proc/net/dev"])).stdout.head).match(/^ *\w+:/gm);
  assert.deepEqual(devices?.map((name) => name.trim()), ["lo:"]);
  assert.equal(text((await run(["id", "-u"])).stdout.head), "1000\n");
  assert.equal(text((await run(["id", "-G"])).stdout.head), "1000\n");
  const status = text((await run(["cat", "/proc/self/status"])).stdout.head);
  for (const set of ["CapEff", "CapPrm", "CapBnd", "CapInh"]) {
    assert.match(status, new RegExp(`^${set}:\\s0+$`, "m"));
  }
  assert.match(status, /^NoNewPrivs:\s1$/m);
  assert.match(status, /^Seccomp:\s2$/m);
  assert.equal(text((await run(["hostname"])).stdout.head), "sandbox\n");
  const first = text((await run(["cat", "/proc/1/cmdline"])).stdout.head);
  assert.match(first, /docker-init|tini|catatonit/);
  const mounts = text((await run(["cat", "/proc/self/mounts"])).stdout.head);
  const real = mounts.split("\n").filter((line) => /^\/dev\//.test(line)).map((line) => line.split(" ")[1]);
  const engineOwn = [
    "/etc/resolv.conf",
    "/etc/hostname",
    "/etc/hosts",
    "/sbin/docker-init",
    "/usr/sbin/docker-init",
  ];
  assert.deepEqual(real.filter((path) => !engineOwn.includes(path!)), []);
  assert.notEqual((await run(["sh", "-c", "echo x > /etc/passwd"])).exitCode, 0);
});

hostile(
  "without network the loopback is there all the same, by number and by name",
  async (run, { base }) => {
    assert.equal(base.environment.enforced.find((row) => row.limit === "network")?.value, "none");
    const talk = `import socket
for host in ("127.0.0.1", "localhost"):
  server = socket.create_server((host, 0))
  client = socket.create_connection((host, server.getsockname()[1]), 3)
  client.sendall(host.encode())
  print(server.accept()[0].recv(20).decode())`;
    assert.equal(text((await run(python(talk))).stdout.head), "127.0.0.1\nlocalhost\n");
    assert.equal(text((await run(["stat", "-c", "%a %u:%g", "/etc/hosts"])).stdout.head), "644 0:0\n");
    const unknown = await run(python(
      "import socket\ntry: socket.getaddrinfo('veripatch.example', 80)\nexcept socket.gaierror: print('no')",
    ));
    assert.equal(text(unknown.stdout.head), "no\n");
    assert.ok(unknown.durationMs < 10_000, "a name is not waited for");
  },
);

/** Programs that run in containers of a session beside their own main processes; which of those are up yet is no matter. */
async function strays(session: string): Promise<string[]> {
  const engine = await connectEngine(ENGINE_ENV, "docker");
  const programs = new Set<string>();
  for (const id of (await leftovers(session)).containers) {
    const top = await engine.docker.getContainer(id).top({ ps_args: "-eo pid,args" })
      .catch(() => null) as { Processes: string[][] } | null;
    for (const row of top?.Processes ?? []) {
      const argv = row[1]!.split(" ");
      if (argv[0]!.includes("init")) continue;
      // A container of the pool that waits for its changes.
      if (argv[0] === "sh" && argv[1] === "-s" && Number(argv[2]) > 100) continue;
      // The main process sleeps for the rest of the session, in seconds; a command's own sleep is told apart by that.
      if (argv[0] === "sleep" && Number(argv[1]) > 100) continue;
      programs.add(argv.join(" "));
    }
  }
  return [...programs];
}
