import assert from "node:assert/strict";
import { dirname, join } from "node:path";
import { bubblewrapSandbox } from "../../src/sandbox/bubblewrap/bubblewrap.ts";
import type { BubblewrapOptions } from "../../src/sandbox/bubblewrap/bubblewrap.ts";
import { probeBubblewrap } from "../../src/sandbox/bubblewrap/probe.ts";
import { directoryOrphans, reapDirectories } from "../../src/sandbox/bubblewrap/host_directories.ts";
import type { FrozenBase, PristineCopy, SandboxSpec } from "../../src/sandbox/sandbox.ts";
import type { FileChange } from "../../src/vocabulary/change.ts";
import { Failure } from "../../src/vocabulary/failure.ts";
import { parseRelativePath } from "../../src/vocabulary/path.ts";
import { checkoutState } from "../../src/workspace/git_checkout.ts";
import { sandboxContract } from "../contract/sandbox_contract.ts";
import { directory, file, link, type TarEntry, tarOf } from "../contract/tar_of.ts";
import { SPEC } from "./bubblewrap_spec.ts";

sandboxContract("copy", async () => {
  const tmpRoot = await temporaryRoot();
  return {
    sandbox: bubblewrapSandbox({ kind: "copy", tmpRoot }),
    spec: SPEC,
    cleanUp: () => removeEmpty(tmpRoot),
  };
});

// What a command can reach.

inSandbox("no network: only a loopback of its own, the host's is not reached", {}, async (copy) => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  try {
    const { port } = listener.addr as Deno.NetAddr;
    const dial = ["bash", "-c", `exec 3<>/dev/tcp/127.0.0.1/${port}`];
    const onHost = await new Deno.Command(dial[0]!, { args: dial.slice(1), stderr: "null" }).output();
    assert.ok(onHost.success, "the listener answers on the host");
    assert.notEqual((await run(copy, dial)).exitCode, 0);
  } finally {
    listener.close();
  }
  const devices = (await run(copy, ["cat", "/proc/net/dev"])).out.match(/^ *[^ ]+:/gm);
  assert.deepEqual(devices?.map((name) => name.trim()), ["lo:"]);
});

inSandbox("the host's system is read-only, devices included", {}, async (copy) => {
  for (const path of ["/made", "/usr/made", "/etc/made", "/run/made", "/home/made", "/dev/made"]) {
    const { exitCode, err } = await run(copy, ["touch", path]);
    assert.equal(exitCode, 1, path);
    assert.match(err, /Read-only file system/, path);
  }
});

inSandbox("a pipe or a link made by a command is no file to read", {}, async (copy) => {
  assert.equal((await run(copy, ["mkfifo", "pipe"])).exitCode, 0);
  assert.equal((await run(copy, ["ln", "-s", "/etc/passwd", "host"])).exitCode, 0);
  assert.equal((await run(copy, ["ln", "-s", "/etc", "etc"])).exitCode, 0);
  for (const name of ["pipe", "host", "etc/passwd"]) {
    const path = parseRelativePath(name);
    assert.ok(path.ok);
    assert.equal(await copy.read(path.path, 100), null, name);
  }
});

Deno.test("bubblewrapSandbox: home, other copies and asked directories are hidden", async () => {
  await withRoot(async (tmpRoot) => {
    const secrets = await Deno.makeTempDir({ dir: Deno.cwd(), prefix: "hidden-", suffix: ".tmp" });
    try {
      await Deno.writeTextFile(join(secrets, "secret"), "secret");
      await withBase({ tmpRoot, hidden: [secrets] }, [], async (base) => {
        const copy = await base.checkout([]);
        const other = await base.checkout([]);
        assert.equal((await run(other, ["touch", "mine"])).exitCode, 0);
        const session = join(tmpRoot, [...Deno.readDirSync(tmpRoot)][0]!.name);
        for (const path of [join(secrets, "secret"), session, join(session, "base")]) {
          assert.equal((await run(copy, ["test", "-e", path])).exitCode, 1, path);
        }
        const home = Deno.env.get("HOME");
        if (home !== undefined && home !== "/") assert.equal((await run(copy, ["ls", "-A", home])).out, "");
        assert.equal((await run(copy, ["ls", "-A", "/tmp"])).out, "");
      });
    } finally {
      await Deno.remove(secrets, { recursive: true });
    }
  });
});

Deno.test("bubblewrapSandbox: sockets in the host's file system are covered", async () => {
  const place = await Deno.makeTempDir({ dir: Deno.cwd(), prefix: "socket-", suffix: ".tmp" });
  await Deno.chmod(place, 0o755);
  const path = join(place, "engine.sock");
  const listener = Deno.listen({ transport: "unix", path });
  try {
    await withRoot((tmpRoot) =>
      withBase({ tmpRoot }, [], async (base) => {
        const copy = await base.checkout([]);
        assert.equal((await run(copy, ["test", "-S", path])).exitCode, 1);
      })
    );
  } finally {
    listener.close();
    await Deno.remove(place, { recursive: true });
  }
});

inSandbox("no capabilities, no new privileges, not root", {}, async (copy) => {
  const { out } = await run(copy, ["cat", "/proc/self/status"]);
  for (const set of ["CapPrm", "CapEff", "CapBnd", "CapAmb"]) {
    assert.match(out, new RegExp(`^${set}:\\s0{16}$`, "m"));
  }
  assert.match(out, /^NoNewPrivs:\s1$/m);
  assert.match(out, /^Uid:\s1000\s/m);
  assert.match(out, /^Gid:\s1000\s/m);
});

Deno.test("bubblewrapSandbox: open files of our own parent do not reach a command, limits stay exact", async () => {
  await withRoot(async (tmpRoot) => {
    const run = (...argv: string[]) =>
      holder(["bash", "-c", 'exec 7</etc 20</etc; exec "$@"', "bash", ...holderCommand(tmpRoot), ...argv]);
    // `ls` itself opens the directory as 3.
    assert.deepEqual((await run("ls", "/proc/self/fd")).stdout.trim().split("\n"), ["0", "1", "2", "3"]);
    assert.equal((await run("sh", "-c", "ulimit -f")).stdout, `${SPEC.limits.fileBytes! / 512}\n`);
  });
});

inSandbox("/tmp and /dev/shm belong to the copy", {}, async (copy, base) => {
  assert.equal((await run(copy, ["touch", "/tmp/mine", "/dev/shm/mine"])).exitCode, 0);
  assert.equal((await run(copy, ["test", "-e", "/tmp/mine"])).exitCode, 0, "seen by the next exec");
  assert.equal((await run(copy, ["test", "-e", "/dev/shm/mine"])).exitCode, 0, "seen by the next exec");
  const next = await base.checkout([]);
  assert.equal((await run(next, ["test", "-e", "/tmp/mine"])).exitCode, 1);
  assert.equal((await run(next, ["test", "-e", "/dev/shm/mine"])).exitCode, 1);
});

inSandbox("the adapter's env is set, the call's wins", { env: { A: "1", B: "1" } }, async (copy) => {
  const { out } = await run(copy, ["env"], { env: { B: "2" } });
  assert.match(out, /^A=1$/m);
  assert.match(out, /^B=2$/m);
});

Deno.test("bubblewrapSandbox: any path can be the workdir, whether the host has it or not", async () => {
  await withRoot(async (tmpRoot) => {
    for (const workdir of ["/tmp/build/here", "/usr/src/veripatch/x", "/srv", "/home/someone/project"]) {
      await withBase({ tmpRoot }, [file("a.txt", "a\n")], async (base) => {
        const copy = await base.checkout([]);
        assert.equal((await run(copy, ["pwd"])).out, `${workdir}\n`);
        assert.equal((await run(copy, ["cat", `${workdir}/a.txt`])).out, "a\n");
        assert.equal((await run(copy, ["touch", "made"])).exitCode, 0);
      }, { workdir });
    }
    for (const workdir of ["/", "/proc/x", "/dev", "/usr", "relative", "/a/../b", "/a/", "/bin/x"]) {
      const failure = await failureOf(open({ tmpRoot }, [], { workdir }));
      assert.deepEqual([failure.kind, failure.code], ["denied", "workdir_unusable"], workdir);
    }
  });
});

// What ends, and what is left.

inSandbox("a command that daemonizes dies with its exec", {}, async (copy) => {
  const marker = `4${Date.now() % 100_000_000}`;
  const { exitCode } = await run(copy, ["sh", "-c", `setsid sleep ${marker} >/dev/null 2>&1 & exit 0`]);
  assert.equal(exitCode, 0);
  assert.deepEqual(await eventually(() => running(marker), (pids) => pids.length === 0), []);
});

inSandbox("a timeout kills the whole tree, daemons included", {}, async (copy) => {
  const marker = `5${Date.now() % 100_000_000}`;
  const script = `setsid sleep ${marker} >/dev/null 2>&1 & sleep ${marker}`;
  const exec = run(copy, ["sh", "-c", script], { timeoutMs: 1_500 });
  assert.ok((await eventually(() => running(marker), (pids) => pids.length >= 2)).length >= 2, "they ran");
  assert.equal((await exec).end, "timed_out");
  assert.deepEqual(await eventually(() => running(marker), (pids) => pids.length === 0), []);
});

inSandbox("a file larger than the limit is not written", {}, async (copy) => {
  const { exitCode } = await run(copy, [
    "sh",
    "-c",
    "head -c 3000000 /dev/zero > big; wc -c < big >&2; exit 9",
  ]);
  assert.equal(exitCode, 9);
  const { err } = await run(copy, ["sh", "-c", "wc -c < big >&2"]);
  assert.equal(Number(err), 1_000_000 - 1_000_000 % 512);
}, { limits: { ...SPEC.limits, fileBytes: 1_000_000 } });

inSandbox("what a command made is removed, however it made it", {}, async (copy) => {
  // Two trees of 3,500 bytes, one moved to the bottom of the other: its path is longer than any call takes.
  const script =
    "mkdir -p ro/deep none && touch ro/deep/file none/file && chmod 500 ro/deep ro && chmod 0 none && " +
    "p=$(for i in $(seq 1 70); do printf '%048d/' 0; done) && mkdir -p a/$p b/$p && mv b a/$p";
  assert.equal((await run(copy, ["sh", "-c", script])).exitCode, 0);
});

Deno.test("reapDirectories: finds what a SIGKILL left, and only that", async () => {
  await withRoot(async (tmpRoot) => {
    const marker = `6${Date.now() % 100_000_000}`;
    const [program, ...args] = [...holderCommand(tmpRoot), "sleep", marker];
    const held = new Deno.Command(program!, { args, stdout: "null", stderr: "null", stdin: "null" })
      .spawn();
    const pids = await eventually(() => running(marker), (found) => found.length > 0, 20_000);
    assert.ok(pids.length > 0, "the command runs");
    assert.deepEqual(await directoryOrphans(tmpRoot), [], "its owner is alive");
    assert.deepEqual(await reapDirectories(tmpRoot), []);
    held.kill("SIGKILL");
    await held.status;
    assert.deepEqual(await eventually(() => running(marker), (found) => found.length === 0), []);

    await Deno.mkdir(join(tmpRoot, "veripatch-of-someone-else"));
    await Deno.writeTextFile(join(tmpRoot, "veripatch-of-someone-else", "file"), "kept");
    await Deno.symlink("/etc", join(tmpRoot, "veripatch-link"));
    const orphans = await directoryOrphans(tmpRoot);
    assert.equal(orphans.length, 1);
    assert.equal(orphans[0]!.session, SPEC.session);
    assert.equal(orphans[0]!.kind, "directory");
    assert.deepEqual(await reapDirectories(tmpRoot), orphans);
    assert.deepEqual(await directoryOrphans(tmpRoot), []);
    assert.equal(await Deno.readTextFile(join(tmpRoot, "veripatch-of-someone-else", "file")), "kept");
    await Deno.remove(join(tmpRoot, "veripatch-of-someone-else"), { recursive: true });
    await Deno.remove(join(tmpRoot, "veripatch-link"));
  });
});

Deno.test("directoryOrphans: a maker that cannot be asked keeps its directory until its deadline is long over", async () => {
  await withRoot(async (tmpRoot) => {
    const path = join(tmpRoot, "veripatch-elsewhere-1");
    await Deno.mkdir(path);
    const deadline = 1_000_000_000_000;
    const owner = "v1:another-boot:1:1:1";
    await Deno.writeTextFile(
      join(path, "owner.json"),
      JSON.stringify({ owner, session: "elsewhere", createdAt: "2001-09-09T00:00:00Z", deadline }),
    );
    assert.deepEqual(await directoryOrphans(tmpRoot, deadline + 60_000), []);
    const orphans = await directoryOrphans(tmpRoot, deadline + 2 * 60 * 60 * 1000);
    assert.deepEqual(orphans.map((o) => [o.id, o.session]), [[path, "elsewhere"]]);
    await Deno.remove(path, { recursive: true });
  });
});

Deno.test("bubblewrapSandbox: keep leaves the last copy where kept() says, out of reach of reaping", async () => {
  await withRoot(async (tmpRoot) => {
    const base = await open({ tmpRoot }, [file("a.txt", "a\n")], { keep: true });
    for (const name of ["first", "second"]) {
      const copy = await base.checkout([]);
      assert.equal((await run(copy, ["touch", name])).exitCode, 0);
      await copy.discard();
    }
    await base.close();
    const [kept, ...more] = base.kept();
    assert.equal(more.length, 0);
    assert.deepEqual([...Deno.readDirSync(kept!)].map((e) => e.name).sort(), ["a.txt", "second"]);
    assert.deepEqual(await reapDirectories(tmpRoot), []);
    const session = dirname(dirname(dirname(kept!)));
    assert.deepEqual([...Deno.readDirSync(session)].map((e) => e.name), ["copies"]);
    assert.equal([...Deno.readDirSync(dirname(dirname(kept!)))].length, 1);
    await Deno.remove(session, { recursive: true });
  });
});

// What is refused.

Deno.test("bubblewrapSandbox: limits it cannot hold are refused, all named at once", async () => {
  await withRoot(async (tmpRoot) => {
    const limits = { cpus: 1.5, memoryBytes: 1 << 30, pids: 64, fileBytes: null, diskBytes: 1 << 30 };
    const failure = await failureOf(open({ tmpRoot }, [], { limits, runtime: "runsc" }));
    assert.deepEqual([failure.kind, failure.code], ["denied", "cannot_enforce"]);
    assert.deepEqual(failure.details.map((line) => line.split(":")[0]), [
      "sandbox.cpu_limit",
      "sandbox.memory_limit",
      "limits.pids",
      "limits.disk_bytes",
      "sandbox.runtime",
    ]);
    for (const user of ["0", "0:0", "1000:0", "root", "", "1000:1000:1000", "99999999999"]) {
      assert.equal((await failureOf(open({ tmpRoot }, [], { user }))).code, "user_refused", user);
    }
  });
});

Deno.test("bubblewrapSandbox: a stream that would write outside of the copy is refused", async () => {
  await withRoot(async (tmpRoot) => {
    const outside = join(tmpRoot, "outside");
    await Deno.mkdir(outside);
    await Deno.writeTextFile(join(outside, "file"), "untouched");
    const streams: TarEntry[][] = [
      [file("../escape", "x")],
      [file("a/../../escape", "x")],
      [file("/escape", "x")],
      [link("out", outside), { path: "out/file", kind: "file", text: "x" }],
      [link("out", join(outside, "file")), file("out", "x")],
      [file("twice", "x"), file("twice", "y")],
      [file("a", "x"), file("a/b", "x")],
      [link("out", outside), directory("out")],
    ];
    for (const entries of streams) {
      const failure = await failureOf(open({ tmpRoot }, entries));
      assert.deepEqual([failure.kind, failure.code], ["malformed", "tar_refused"], JSON.stringify(entries));
      assert.equal(await Deno.readTextFile(join(outside, "file")), "untouched");
      assert.deepEqual([...Deno.readDirSync(tmpRoot)].map((e) => e.name), ["outside"]);
    }
    await Deno.remove(outside, { recursive: true });
  });
});

Deno.test("bubblewrapSandbox: a change through a link is refused, the host is not touched", async () => {
  await withRoot(async (tmpRoot) => {
    const outside = join(tmpRoot, "outside");
    await Deno.mkdir(outside);
    await Deno.writeTextFile(join(outside, "file"), "untouched");
    await withBase(
      { tmpRoot },
      [link("out", outside), link("to-file", join(outside, "file"))],
      async (base) => {
        for (const change of [write("out/file"), write("out/new/file"), remove("out/file")]) {
          assert.equal((await failureOf(base.checkout([change]))).code, "change_unsafe");
        }
        const copy = await base.checkout([write("to-file")]);
        assert.equal((await run(copy, ["test", "-L", "to-file"])).exitCode, 1);
      },
    );
    assert.deepEqual([...Deno.readDirSync(outside)].map((e) => e.name), ["file"]);
    assert.equal(await Deno.readTextFile(join(outside, "file")), "untouched");
    await Deno.remove(outside, { recursive: true });
  });
});

Deno.test("bubblewrapSandbox: without bwrap it says what to install", async () => {
  await withRoot(async (tmpRoot) => {
    // A process of its own: PATH of this one is that of every test beside this one.
    const failure = await holder([...holderCommand(tmpRoot), "true"], { PATH: "/nonexistent" });
    assert.deepEqual([failure.kind, failure.code], ["unavailable", "bubblewrap_missing"]);
    assert.match(failure.hint, /install/);
    assert.deepEqual(failure.probe, { found: false, works: false, error: "bwrap is not in PATH" });
  });
});

Deno.test("bubblewrapSandbox: works for a root who has no other users, says so where namespaces are off", async () => {
  await withRoot(async (tmpRoot) => {
    // Root over files of its own only, as in a rootless container.
    if (Deno.uid() === 0) await Deno.chmod(tmpRoot, 0o700);
    const nested = [
      "bwrap",
      "--cap-add",
      "ALL",
      "--unshare-user",
      "--uid",
      "0",
      "--gid",
      "0",
      "--bind",
      "/",
      "/",
      "--dev-bind",
    ];
    const inside = ["/dev", "/dev", "--", ...holderCommand(tmpRoot)];
    const rootless = await holder([...nested, ...inside, "sh", "-c", "id -u; touch made"]);
    assert.deepEqual(rootless, { exitCode: 0, stdout: "1000\n" });
    const off = await holder([
      ...nested,
      ...inside.slice(0, 2),
      "--disable-userns",
      ...inside.slice(2),
      "true",
    ]);
    assert.equal(off.code, "bubblewrap_unusable");
    assert.match(off.hint, /user namespaces seem to be switched off/);
    assert.notEqual(off.details.length, 0);
  });
});

Deno.test("bubblewrapSandbox: works for a root who stands where the sandbox's user may not go", async () => {
  const closed = await Deno.makeTempDir();
  const before = Deno.cwd();
  Deno.chdir(closed);
  try {
    assert.ok((await probeBubblewrap()).works);
    await withRoot((tmpRoot) =>
      withBase({ tmpRoot }, [file("a", "1")], async (base) => {
        assert.equal((await run(await base.checkout([]), ["cat", "a"])).out, "1");
      })
    );
  } finally {
    Deno.chdir(before);
    await Deno.remove(closed);
  }
});

Deno.test("probeBubblewrap: tells version and that it works", async () => {
  const probe = await probeBubblewrap();
  assert.equal(probe.error, undefined);
  assert.deepEqual([probe.found, probe.works], [true, true]);
  assert.match(probe.version!, /^\d+\.\d+/);
});

Deno.test("bubblewrapSandbox: a network the policy allows is shared, and reported as not enforced", async () => {
  await withRoot((tmpRoot) =>
    withBase({ tmpRoot }, [], async (base) => {
      const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
      const { port } = listener.addr as Deno.NetAddr;
      const copy = await base.checkout([]);
      assert.equal((await run(copy, ["bash", "-c", `exec 3<>/dev/tcp/127.0.0.1/${port}`])).exitCode, 0);
      listener.close();
      const row = base.environment.enforced.find(({ limit }) => limit === "network");
      assert.deepEqual([row?.value, row?.by], ["allow", "none"]);
    }, { network: "allow" })
  );
});

Deno.test("bubblewrapSandbox: git_worktree takes a clean checkout only and leaves .git alone", async () => {
  await withRoot(async (tmpRoot) => {
    const gitRoot = await Deno.realPath(await Deno.makeTempDir({ prefix: "git-root-" }));
    const checkout = () => checkoutState(gitRoot);
    const git = async (...args: string[]) => {
      const identity = ["-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false"];
      const { success } = await new Deno.Command("git", {
        args: ["-C", gitRoot, ...identity, ...args],
        stdout: "null",
      })
        .output();
      assert.ok(success, args.join(" "));
    };
    const attempt = () => open({ tmpRoot, kind: "git_worktree", checkout }, [file("a.txt", "a\n")]);
    try {
      assert.equal((await failureOf(attempt())).code, "not_a_git_checkout");
      await git("init", "-q");
      await Deno.writeTextFile(join(gitRoot, "a.txt"), "a\n");
      const untracked = await failureOf(attempt());
      assert.deepEqual([untracked.kind, untracked.code, untracked.details], ["denied", "git_not_clean", [
        "?? a.txt",
      ]]);
      await git("add", "a.txt");
      await git("commit", "-q", "-m", "a");
      await Deno.mkdir(join(gitRoot, ".pp-artifacts"));
      await Deno.writeTextFile(join(gitRoot, ".pp-artifacts", "bundle"), "ours");
      await Deno.utime(join(gitRoot, "a.txt"), 1_000_000_000, 1_000_000_000);

      const before = await snapshot(join(gitRoot, ".git"));
      const base = await attempt();
      assert.equal(base.environment.backend, "git_worktree");
      const copy = await base.checkout([]);
      assert.equal((await run(copy, ["cat", "a.txt"])).out, "a\n");
      await base.close();
      assert.deepEqual(await snapshot(join(gitRoot, ".git")), before);

      await Deno.writeTextFile(join(gitRoot, "a.txt"), "changed\n");
      assert.deepEqual((await failureOf(attempt())).details, [" M a.txt"]);
    } finally {
      await Deno.remove(gitRoot, { recursive: true });
    }
  });
});

/** A temporary directory the sandbox user may pass through. */
async function temporaryRoot(): Promise<string> {
  const tmpRoot = await Deno.makeTempDir({ prefix: "bubblewrap-test-" });
  await Deno.chmod(tmpRoot, 0o711);
  return tmpRoot;
}

/** Nothing may be left in it. */
async function removeEmpty(tmpRoot: string): Promise<void> {
  try {
    assert.deepEqual([...Deno.readDirSync(tmpRoot)].map((e) => e.name), [], "left behind");
  } finally {
    await Deno.remove(tmpRoot, { recursive: true });
  }
}

async function withRoot(body: (tmpRoot: string) => Promise<void>): Promise<void> {
  const tmpRoot = await temporaryRoot();
  try {
    await body(tmpRoot);
  } finally {
    await removeEmpty(tmpRoot);
  }
}

function open(
  options: Partial<BubblewrapOptions>,
  entries: readonly TarEntry[],
  spec: Partial<SandboxSpec> = {},
): Promise<FrozenBase> {
  return bubblewrapSandbox({ kind: "copy", ...options }).open({ ...SPEC, ...spec }, tarOf(entries));
}

async function withBase(
  options: Partial<BubblewrapOptions>,
  entries: readonly TarEntry[],
  body: (base: FrozenBase) => Promise<void>,
  spec: Partial<SandboxSpec> = {},
): Promise<void> {
  const base = await open(options, entries, spec);
  try {
    await body(base);
  } finally {
    await base.close();
  }
}

function inSandbox(
  behaviour: string,
  options: Partial<BubblewrapOptions>,
  body: (copy: PristineCopy, base: FrozenBase) => Promise<void>,
  spec: Partial<SandboxSpec> = {},
): void {
  Deno.test(`bubblewrapSandbox: ${behaviour}`, () =>
    withRoot((tmpRoot) =>
      withBase({ ...options, tmpRoot }, [], async (base) => await body(await base.checkout([]), base), spec)
    ));
}

async function run(
  copy: PristineCopy,
  argv: readonly string[],
  options: { timeoutMs?: number; env?: Record<string, string> } = {},
) {
  const result = await copy.exec(argv, { timeoutMs: 30_000, outputBytes: 100_000, ...options });
  const decoder = new TextDecoder();
  return { ...result, out: decoder.decode(result.stdout.head), err: decoder.decode(result.stderr.head) };
}

async function failureOf(promise: Promise<unknown>): Promise<Failure> {
  const error = await promise.then(() => new Error("it went through"), (reason) => reason);
  assert.ok(error instanceof Failure, String(error));
  return error;
}

function holderCommand(tmpRoot: string): string[] {
  const holder = new URL("./bubblewrap_holder.ts", import.meta.url).pathname;
  return [Deno.execPath(), "run", "-q", "-A", holder, tmpRoot];
}

/** What bubblewrap_holder.ts prints last. */
async function holder(command: readonly string[], env: Record<string, string> = {}) {
  const [program, ...args] = command;
  const { stdout } = await new Deno.Command(program!, { args, env, stderr: "null" }).output();
  return JSON.parse(new TextDecoder().decode(stdout).trim().split("\n").at(-1)!);
}

/** PIDs of `sleep <marker>` on this host, in whatever namespace. */
function running(marker: string): Promise<number[]> {
  const pids: number[] = [];
  for (const { name } of Deno.readDirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    try {
      if (Deno.readTextFileSync(`/proc/${name}/cmdline`) === `sleep\0${marker}\0`) pids.push(Number(name));
    } catch {
      // It ended while we looked.
    }
  }
  return Promise.resolve(pids);
}

/** Looks again until `done`, at most `withinMs`; gives what it saw last. */
async function eventually<T>(
  look: () => Promise<T>,
  done: (seen: T) => boolean,
  withinMs = 5_000,
): Promise<T> {
  const end = Date.now() + withinMs;
  for (;;) {
    const seen = await look();
    if (done(seen) || Date.now() > end) return seen;
    await new Promise((go) => setTimeout(go, 50));
  }
}

/** Every file of a tree with size and time of last change. */
async function snapshot(root: string): Promise<string[]> {
  const lines: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(root)) {
    const path = join(root, name);
    const { size, mtime } = await Deno.lstat(path);
    lines.push(`${path} ${isDirectory ? "" : size} ${mtime?.getTime()}`);
    if (isDirectory) lines.push(...await snapshot(path));
  }
  return lines.sort();
}

function change(kind: "write" | "delete", text: string): FileChange {
  const parsed = parseRelativePath(text);
  if (!parsed.ok) throw new Error(parsed.reason);
  return kind === "delete"
    ? { kind, path: parsed.path }
    : { kind, path: parsed.path, mode: "100644", bytes: new TextEncoder().encode("changed") };
}

function write(path: string): FileChange {
  return change("write", path);
}

function remove(path: string): FileChange {
  return change("delete", path);
}
