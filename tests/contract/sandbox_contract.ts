import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import type {
  ExecOptions,
  FrozenBase,
  PristineCopy,
  Sandbox,
  SandboxSpec,
  TarSource,
} from "../../src/sandbox/sandbox.ts";
import type { FileChange } from "../../src/vocabulary/change.ts";
import { Failure } from "../../src/vocabulary/failure.ts";
import { parseRelativePath } from "../../src/vocabulary/path.ts";
import type { CapturedOutput, CommandResult } from "../../src/vocabulary/verification.ts";
import { directory, file, link, type TarEntry, tarOf } from "./tar_of.ts";

/** One adapter under test. `spec` denies the network and names a workdir nothing else uses. */
export interface SandboxUnderTest {
  readonly sandbox: Sandbox;
  readonly spec: SandboxSpec;
  cleanUp(): Promise<void>;
}

/** The workspace most cases start from. */
export const CONTRACT_WORKSPACE: readonly TarEntry[] = [
  file("plain.txt", "plain\n"),
  file("run.sh", "#!/bin/sh\nexit 7\n", 0o755),
  file("name with $HOME;.txt", "odd name\n"),
  file("dir/inner.txt", "inner\n"),
  link("link", "dir/inner.txt"),
  link("dangling", "nowhere"),
  directory("empty"),
];

const LIMIT = 10_000;
const MISSING = "no-such-program-of-veripatch";

/**
 * Registers `<name> sandbox: <behaviour>` cases every adapter must pass. They use only these programs, which images,
 * hosts and the fake all have: `true false echo cat sleep touch rm ls pwd env seq readlink`, `test` with
 * `-e -f -d -x -L`, and `sh -c` with one or more of those, `exit N` and `kill -N $$`, joined by `;`, `>&2` after a
 * command, and `&` for a command left in the background.
 */
export function sandboxContract(name: string, make: () => Promise<SandboxUnderTest>): void {
  const given = (behaviour: string, body: (under: SandboxUnderTest) => Promise<void>) =>
    Deno.test(`${name} sandbox: ${behaviour}`, async () => {
      const under = await make();
      try {
        await body(under);
      } finally {
        await under.cleanUp();
      }
    });

  const withBase = (
    behaviour: string,
    body: (base: FrozenBase, under: SandboxUnderTest) => Promise<void>,
    tar: TarSource = tarOf(CONTRACT_WORKSPACE),
  ) =>
    given(behaviour, async (under) => {
      const base = await under.sandbox.open(under.spec, tar);
      try {
        await body(base, under);
      } finally {
        await base.close();
      }
    });

  const withCopy = (
    behaviour: string,
    body: (copy: PristineCopy, base: FrozenBase, under: SandboxUnderTest) => Promise<void>,
    changes: readonly FileChange[] = [],
    tar?: TarSource,
  ) =>
    withBase(behaviour, async (base, under) => {
      const copy = await base.checkout(changes);
      try {
        await body(copy, base, under);
      } finally {
        await copy.discard();
      }
    }, tar);

  // What a command gives back.

  withCopy("exit codes come back as they are", async (copy) => {
    assert.equal((await run(copy, ["true"])).exitCode, 0);
    assert.equal((await run(copy, ["false"])).exitCode, 1);
    const result = await run(copy, ["sh", "-c", "exit 42"]);
    assert.equal(result.exitCode, 42);
    assert.equal(result.end, "exited");
    assert.deepEqual(result.argv, ["sh", "-c", "exit 42"]);
    assert.ok(result.durationMs >= 0);
  });

  withCopy("a command killed by signal N exits 128+N", async (copy) => {
    const result = await run(copy, ["sh", "-c", "kill -9 $$"]);
    assert.equal(result.end, "exited");
    assert.equal(result.exitCode, 137);
  });

  withCopy("a missing program is exit 127", async (copy) => {
    const result = await run(copy, [MISSING, "argument"]);
    assert.equal(result.end, "exited");
    assert.equal(result.exitCode, 127);
  });

  withCopy("a program of the workspace runs, one without the executable bit is exit 126", async (copy) => {
    assert.equal((await run(copy, ["./run.sh"])).exitCode, 7);
    const result = await run(copy, ["./plain.txt"]);
    assert.equal(result.end, "exited");
    assert.equal(result.exitCode, 126);
  });

  withCopy("arguments arrive as given, no shell in between", async (copy) => {
    assert.equal(text((await run(copy, ["echo", "$HOME  *", "a;b"])).stdout), "$HOME  * a;b\n");
    assert.equal(text((await run(copy, ["cat", "name with $HOME;.txt"])).stdout), "odd name\n");
  });

  withCopy("stdin is empty", async (copy) => {
    const result = await run(copy, ["cat"], { timeoutMs: 20_000 });
    assert.equal(result.exitCode, 0);
    assert.equal(result.stdout.totalBytes, 0);
  });

  withCopy("stdout and stderr are kept apart", async (copy) => {
    const result = await run(copy, ["cat", "plain.txt", "missing.txt"]);
    assert.equal(result.exitCode, 1);
    assert.equal(text(result.stdout), "plain\n");
    assert.match(text(result.stderr), /missing\.txt/);
    const both = await run(copy, ["sh", "-c", "echo out; echo err >&2"]);
    assert.equal(text(both.stdout), "out\n");
    assert.equal(text(both.stderr), "err\n");
  });

  withCopy(
    "output below, at and above the limit is kept head and tail, counted and hashed whole",
    async (copy) => {
      const whole = numbers(1, 3000); // 13,893 bytes
      for (
        const [last, limit] of [[3000, whole.length + 1], [3000, whole.length], [3000, whole.length - 1], [
          3000,
          100,
        ]]
      ) {
        const { stdout, exitCode } = await run(copy, ["seq", "1", String(last)], { outputBytes: limit! });
        assert.equal(exitCode, 0);
        assertCaptured(stdout, whole, limit!);
      }
      const nothing = await run(copy, ["true"]);
      assertCaptured(nothing.stdout, new Uint8Array(), LIMIT);
      assertCaptured(nothing.stderr, new Uint8Array(), LIMIT);
    },
  );

  withCopy("both streams have a limit of their own", async (copy) => {
    const result = await run(copy, ["sh", "-c", "seq 1 3000; seq 1 2000 >&2"], { outputBytes: 500 });
    assertCaptured(result.stdout, numbers(1, 3000), 500);
    assertCaptured(result.stderr, numbers(1, 2000), 500);
  });

  withCopy("much output is read to the end", async (copy) => {
    const result = await run(copy, ["seq", "1", "500000"], { outputBytes: 4096 });
    assertCaptured(result.stdout, numbers(1, 500_000), 4096);
  });

  withCopy("a command that leaves a child in the background ends when it exits", async (copy) => {
    const began = Date.now();
    const result = await run(copy, ["sh", "-c", "sleep 60 & exit 3"], { timeoutMs: 50_000 });
    assert.equal(result.end, "exited");
    assert.equal(result.exitCode, 3);
    assert.ok(Date.now() - began < 20_000, "waited for the child");
  });

  // Where it runs.

  withCopy("runs in the working directory of the spec", async (copy, _base, { spec }) => {
    assert.equal(text((await run(copy, ["pwd"])).stdout), `${spec.workdir}\n`);
  });

  withCopy("env of the call is added, the caller's environment stays out", async (copy) => {
    Deno.env.set("VERIPATCH_CONTRACT_SECRET", "hidden");
    try {
      const lines = text((await run(copy, ["env"], { env: { ADDED: "a b=c" } })).stdout).split("\n");
      assert.ok(lines.includes("ADDED=a b=c"));
      assert.ok(lines.some((line) => line.startsWith("PATH=/")));
      assert.ok(!lines.some((line) => line.startsWith("VERIPATCH_CONTRACT_SECRET=")));
      const next = text((await run(copy, ["env"])).stdout).split("\n");
      assert.ok(!next.some((line) => line.startsWith("ADDED=")), "env of one call reached the next");
    } finally {
      Deno.env.delete("VERIPATCH_CONTRACT_SECRET");
    }
  });

  // What a copy holds.

  withCopy("files, modes, links and empty directories of the workspace are there", async (copy) => {
    assert.equal(text((await run(copy, ["cat", "plain.txt", "dir/inner.txt"])).stdout), "plain\ninner\n");
    assert.equal(text((await run(copy, ["ls", "dir"])).stdout), "inner.txt\n");
    await holds(copy, ["-x", "run.sh"], true);
    await holds(copy, ["-x", "plain.txt"], false);
    await holds(copy, ["-L", "link"], true);
    assert.equal(text((await run(copy, ["readlink", "link"])).stdout), "dir/inner.txt\n");
    assert.equal(text((await run(copy, ["cat", "link"])).stdout), "inner\n");
    await holds(copy, ["-L", "dangling"], true);
    await holds(copy, ["-e", "dangling"], false);
    await holds(copy, ["-d", "empty"], true);
    assert.equal(text((await run(copy, ["ls", "empty"])).stdout), "");
  });

  withCopy(
    "an empty workspace is a workspace",
    async (copy, _base, { spec }) => {
      const result = await run(copy, ["ls"]);
      assert.equal(result.exitCode, 0);
      assert.equal(text(result.stdout), "");
      assert.equal(text((await run(copy, ["pwd"])).stdout), `${spec.workdir}\n`);
      assert.equal((await run(copy, ["touch", "made"])).exitCode, 0);
    },
    [],
    tarOf([]),
  );

  const big = pattern(20 * 1024 * 1024 + 17);
  withCopy(
    "a large file arrives whole",
    async (copy) => {
      const { stdout } = await run(copy, ["cat", "big.bin"], { outputBytes: 64 });
      assert.equal(stdout.totalBytes, big.size);
      assert.equal(stdout.sha256, big.sha256());
    },
    [],
    tarOf([{ path: "big.bin", kind: "pattern", size: big.size, chunk: big.chunk }]),
  );

  withCopy(
    "a long path and a name that is not ASCII arrive whole",
    async (copy) => {
      assert.equal(text((await run(copy, ["cat", LONG])).stdout), "long\n");
      assert.equal(text((await run(copy, ["cat", "größe/数.txt"])).stdout), "counted\n");
    },
    [],
    tarOf([file(LONG, "long\n"), file("größe/数.txt", "counted\n")]),
  );

  withCopy("the workspace may be written to", async (copy) => {
    assert.equal((await run(copy, ["touch", "made.txt", "dir/made.txt"])).exitCode, 0);
    assert.equal((await run(copy, ["rm", "plain.txt"])).exitCode, 0);
    await holds(copy, ["-f", "made.txt"], true);
    await holds(copy, ["-f", "dir/made.txt"], true);
    await holds(copy, ["-e", "plain.txt"], false);
  });

  withCopy(
    "a file is read as the commands left it, from the workspace, a change or a command",
    async (copy) => {
      const read = async (name: string) => {
        const bytes = await copy.read(path(name), LIMIT);
        return bytes === null ? null : new TextDecoder().decode(bytes);
      };
      assert.equal(await read("dir/inner.txt"), "inner\n");
      assert.equal(await read("new/laid.txt"), "laid\n");
      assert.equal(await read("made.txt"), null);
      assert.equal((await run(copy, ["sh", "-c", "touch made.txt; rm plain.txt; exit 3"])).exitCode, 3);
      assert.equal(await read("made.txt"), "");
      assert.equal(await read("plain.txt"), null);
      assert.equal(await read("name with $HOME;.txt"), "odd name\n");
    },
    [write("new/laid.txt", "laid\n")],
  );

  withCopy(
    "what is no regular file reads as none, and no link is followed",
    async (copy) => {
      for (
        const name of [
          "link",
          "dangling",
          "away",
          "around/plain.txt",
          "around/hosts",
          "dir",
          "empty",
          "dir/none",
        ]
      ) {
        assert.equal(await copy.read(path(name), LIMIT), null, name);
      }
      assert.equal(await copy.read(path("dir/inner.txt/below"), LIMIT), null);
    },
    [],
    tarOf([...CONTRACT_WORKSPACE, link("away", "/etc/passwd"), link("around", "."), link("out", "/etc")]),
  );

  withCopy("a file longer than asked for is cut to one byte more", async (copy) => {
    const whole = (await copy.read(path("seq.bin"), 3000))!;
    assert.equal(whole.length, 3000);
    assert.equal((await copy.read(path("seq.bin"), 2999))!.length, 3000);
    assert.deepEqual([...(await copy.read(path("seq.bin"), 9))!], [...whole.subarray(0, 10)]);
    assert.equal((await copy.read(path("seq.bin"), 0))!.length, 1);
  }, [write("seq.bin", "0123456789".repeat(300))]);

  withCopy(
    "a large file is read in part and whole",
    async (copy) => {
      assert.deepEqual(await copy.read(path("big.bin"), 1000), big.chunk(0, 1001));
      const whole = (await copy.read(path("big.bin"), big.size))!;
      assert.equal(createHash("sha256").update(whole).digest("hex"), big.sha256());
    },
    [],
    tarOf([{ path: "big.bin", kind: "pattern", size: big.size, chunk: big.chunk }]),
  );

  withBase("a discarded copy is not read", async (base) => {
    const copy = await base.checkout([]);
    await copy.discard();
    await assert.rejects(() => copy.read(path("plain.txt"), LIMIT), isFailure("bug"));
  });

  // Changes laid over.

  withCopy("a new file comes with its directories", async (copy) => {
    assert.equal(text((await run(copy, ["cat", "new/deep/er/file.txt"])).stdout), "new\n");
    assert.equal(
      (await run(copy, ["touch", "new/deep/beside"])).exitCode,
      0,
      "made directories are writable",
    );
  }, [write("new/deep/er/file.txt", "new\n")]);

  withCopy("a file is overwritten whole, shorter than before", async (copy) => {
    assert.equal(text((await run(copy, ["cat", "dir/inner.txt"])).stdout), "x");
    assert.equal(text((await run(copy, ["cat", "plain.txt"])).stdout), "");
    assert.equal((await run(copy, ["touch", "plain.txt"])).exitCode, 0, "the file is writable");
  }, [write("dir/inner.txt", "x"), write("plain.txt", "")]);

  withCopy("the executable bit is set and cleared", async (copy) => {
    assert.equal((await run(copy, ["./tool"])).exitCode, 9);
    await holds(copy, ["-x", "plain.txt"], true);
    await holds(copy, ["-x", "run.sh"], false);
  }, [
    write("tool", "#!/bin/sh\nexit 9\n", "100755"),
    write("plain.txt", "plain\n", "100755"),
    write("run.sh", "#!/bin/sh\n", "100644"),
  ]);

  withCopy("a deleted file is gone, its directory stays, a missing one is fine", async (copy) => {
    await holds(copy, ["-e", "dir/inner.txt"], false);
    await holds(copy, ["-d", "dir"], true);
    await holds(copy, ["-e", "plain.txt"], true);
  }, [remove("dir/inner.txt"), remove("never/was.txt"), remove("neither")]);

  withCopy("several changes at once, odd names and bytes included", async (copy) => {
    assert.equal(text((await run(copy, ["cat", "./-dash;$x y.txt"])).stdout), "odd\n");
    const { stdout } = await run(copy, ["cat", "bytes.bin"]);
    assert.deepEqual([...stdout.head], [0, 255, 10, 13, 128]);
    await holds(copy, ["-e", "plain.txt"], false);
  }, [
    write("-dash;$x y.txt", "odd\n"),
    { kind: "write", path: path("bytes.bin"), mode: "100644", bytes: new Uint8Array([0, 255, 10, 13, 128]) },
    remove("plain.txt"),
  ]);

  withCopy("writing over a link replaces the link, not what it names", async (copy) => {
    await holds(copy, ["-L", "link"], false);
    assert.equal(text((await run(copy, ["cat", "link", "dir/inner.txt"])).stdout), "file\ninner\n");
  }, [write("link", "file\n")]);

  withCopy("deleting a link leaves what it names", async (copy) => {
    await holds(copy, ["-L", "link"], false);
    assert.equal(text((await run(copy, ["cat", "dir/inner.txt"])).stdout), "inner\n");
  }, [remove("link")]);

  withCopy(
    "a directory takes the place of a deleted file, a file that of a directory left empty",
    async (copy) => {
      assert.equal(text((await run(copy, ["cat", "plain.txt/inside", "dir"])).stdout), "inside\nfile\n");
    },
    [
      write("plain.txt/inside", "inside\n"),
      write("dir", "file\n"),
      remove("plain.txt"),
      remove("dir/inner.txt"),
    ],
  );

  // Pristine means pristine.

  withBase("what one copy does is not seen in the next, nor are its changes", async (base) => {
    const first = await base.checkout([write("laid.txt", "laid\n"), write("plain.txt", "other\n")]);
    assert.equal((await run(first, ["touch", "made.txt"])).exitCode, 0);
    assert.equal((await run(first, ["rm", "dir/inner.txt", "run.sh"])).exitCode, 0);
    await first.discard();
    const next = await base.checkout([]);
    await holds(next, ["-e", "made.txt"], false);
    await holds(next, ["-e", "laid.txt"], false);
    await holds(next, ["-x", "run.sh"], true);
    assert.equal(text((await run(next, ["cat", "plain.txt", "dir/inner.txt"])).stdout), "plain\ninner\n");
    await next.discard();
  });

  withCopy("several execs share one copy", async (copy) => {
    assert.equal((await run(copy, ["touch", "made.txt"])).exitCode, 0);
    await holds(copy, ["-f", "made.txt"], true);
    assert.equal((await run(copy, ["rm", "made.txt"])).exitCode, 0);
    await holds(copy, ["-f", "made.txt"], false);
  });

  withBase("copies in use at the same time do not see each other", async (base) => {
    const copies = await Promise.all([
      base.checkout([write("mine", "0")]),
      base.checkout([write("mine", "1")]),
    ]);
    await Promise.all(copies.map((copy, n) => run(copy, ["touch", `only-${n}`])));
    await Promise.all(copies.map(async (copy, n) => {
      assert.equal(text((await run(copy, ["cat", "mine"])).stdout), String(n));
      await holds(copy, ["-e", `only-${n}`], true);
      await holds(copy, ["-e", `only-${1 - n}`], false);
    }));
    await Promise.all(copies.map((copy) => copy.discard()));
  });

  withBase("more copies than the pool holds can be out at once", async (base, { spec }) => {
    const copies: PristineCopy[] = [];
    for (let n = 0; n < spec.parallel + 2; n++) copies.push(await base.checkout([]));
    for (const copy of copies) assert.equal(text((await run(copy, ["cat", "plain.txt"])).stdout), "plain\n");
    await Promise.all(copies.map((copy) => copy.discard()));
  });

  withBase("a fresh checkout is as pristine as any", async (base) => {
    const used = await base.checkout([]);
    assert.equal((await run(used, ["rm", "plain.txt"])).exitCode, 0);
    await used.discard();
    const copy = await base.checkout([write("new.txt", "new\n")], { fresh: true });
    assert.equal(text((await run(copy, ["cat", "plain.txt", "new.txt"])).stdout), "plain\nnew\n");
    await copy.discard();
  });

  // Ends that are not exits.

  withBase("a command past its time is killed and its copy is dead", async (base) => {
    const copy = await base.checkout([]);
    const began = Date.now();
    const result = await run(copy, ["sh", "-c", "echo before; sleep 60; echo after"], { timeoutMs: 1_000 });
    const took = Date.now() - began;
    assert.equal(result.end, "timed_out");
    assert.equal(result.exitCode, null);
    assert.equal(text(result.stdout), "before\n");
    assert.ok(result.durationMs >= 900, `ended too early: ${result.durationMs}`);
    assert.ok(took < 15_000, `took ${took} ms`);
    await assert.rejects(run(copy, ["true"]), isFailure("bug"));
    await copy.discard();
    const next = await base.checkout([]);
    assert.equal((await run(next, ["true"])).exitCode, 0, "the base outlives a timeout");
    await next.discard();
  });

  withCopy("a timeout takes the children along, also those that hold the output open", async (copy) => {
    const began = Date.now();
    const result = await run(copy, ["sh", "-c", "sleep 60 & sleep 60"], { timeoutMs: 1_000 });
    assert.equal(result.end, "timed_out");
    assert.ok(Date.now() - began < 15_000);
  });

  withBase("a signal aborted before exec runs nothing", async (base) => {
    const copy = await base.checkout([]);
    const exec = run(copy, ["touch", "made"], { signal: AbortSignal.abort() });
    await assert.rejects(exec, isFailure("interrupted"));
    await copy.discard();
  });

  withBase("a signal aborted during exec kills the command", async (base) => {
    const copy = await base.checkout([]);
    const abort = new AbortController();
    const began = Date.now();
    const timer = setTimeout(() => abort.abort(), 500);
    await assert.rejects(run(copy, ["sleep", "60"], { signal: abort.signal }), isFailure("interrupted"));
    clearTimeout(timer);
    assert.ok(Date.now() - began < 15_000);
    await copy.discard();
  });

  withBase("a signal aborted before checkout gives no copy", async (base) => {
    const checkout = base.checkout([], { signal: AbortSignal.abort() });
    await assert.rejects(checkout, isFailure("interrupted"));
  });

  given("open with an aborted signal is interrupted", async ({ sandbox, spec }) => {
    const open = sandbox.open(spec, tarOf(CONTRACT_WORKSPACE), AbortSignal.abort());
    await assert.rejects(open, isFailure("interrupted"));
  });

  given("a signal aborted while the workspace streams in ends open", async ({ sandbox, spec }) => {
    const abort = new AbortController();
    let asked = 0;
    const chunk = () => {
      if (++asked === 3) abort.abort();
      return new Uint8Array(64 * 1024);
    };
    const endless = tarOf([{ path: "big.bin", kind: "pattern", size: 2 ** 33, chunk }]);
    await assert.rejects(sandbox.open(spec, endless, abort.signal), isFailure("interrupted"));
  });

  given("a workspace that cannot be read ends open with its own failure", async ({ sandbox, spec }) => {
    const broken: TarSource = async function* (options) {
      let first = true;
      for await (const chunk of tarOf(CONTRACT_WORKSPACE)(options)) {
        if (!first) {
          throw new Failure("malformed", "workspace_changed", "plain.txt changed while it was read");
        }
        first = false;
        yield chunk.slice(0, 512);
      }
      throw new Failure("malformed", "workspace_changed", "plain.txt changed while it was read");
    };
    await assert.rejects(sandbox.open(spec, broken), isFailure("malformed"));
  });

  // Ends of copies and bases.

  withBase("discard can be called again, a discarded copy runs nothing", async (base) => {
    const copy = await base.checkout([]);
    await copy.discard();
    await copy.discard();
    await assert.rejects(run(copy, ["true"]), isFailure("bug"));
  });

  withBase("discard kills what still runs", async (base) => {
    const copy = await base.checkout([]);
    const began = Date.now();
    const running = settled(run(copy, ["sleep", "60"]));
    await pause(300);
    await copy.discard();
    await running;
    assert.ok(Date.now() - began < 20_000);
  });

  withBase("close kills what still runs, can be called again and ends checkouts", async (base) => {
    const copy = await base.checkout([]);
    const began = Date.now();
    const running = settled(run(copy, ["sleep", "60"]));
    await pause(300);
    await base.close();
    await running;
    assert.ok(Date.now() - began < 20_000);
    await base.close();
    await copy.discard();
    await assert.rejects(base.checkout([]), isFailure("bug"));
    assert.deepEqual(base.kept(), []);
  });

  withBase("the environment says what is enforced, and by what", (base, { sandbox, spec }) => {
    const { environment } = base;
    assert.equal(environment.backend, sandbox.backend);
    const row = (limit: string) => environment.enforced.filter((r) => r.limit === limit);
    for (const limit of ["network", "time", "user"]) {
      assert.equal(row(limit).length, 1, `one row for ${limit}`);
      assert.notEqual(row(limit)[0]!.by, "none", `${limit} is enforced`);
      assert.notEqual(row(limit)[0]!.value, "");
    }
    const asked: [string, number | null][] = [
      ["cpus", spec.limits.cpus],
      ["memory", spec.limits.memoryBytes],
      ["pids", spec.limits.pids],
      ["file_size", spec.limits.fileBytes],
      ["disk", spec.limits.diskBytes],
    ];
    for (const [limit, value] of asked) {
      if (value === null) continue;
      assert.equal(row(limit).length, 1, `one row for ${limit}`);
      assert.notEqual(row(limit)[0]!.by, "none", `${limit} was asked for`);
    }
    return Promise.resolve();
  });
}

const LONG = `${"directory-of-a-long-name/".repeat(9)}file-of-a-long-name-${"x".repeat(60)}.txt`;

function run(
  copy: PristineCopy,
  argv: readonly string[],
  options: Partial<ExecOptions> = {},
): Promise<CommandResult> {
  return copy.exec(argv, { timeoutMs: 40_000, outputBytes: LIMIT, ...options });
}

async function holds(copy: PristineCopy, condition: readonly string[], expected: boolean): Promise<void> {
  const { exitCode } = await run(copy, ["test", ...condition]);
  assert.equal(exitCode, expected ? 0 : 1, `test ${condition.join(" ")}`);
}

function text(output: CapturedOutput): string {
  return new TextDecoder().decode(output.head) + new TextDecoder().decode(output.tail);
}

function assertCaptured(output: CapturedOutput, whole: Uint8Array, limit: number): void {
  assert.equal(output.totalBytes, whole.length);
  assert.equal(output.sha256, createHash("sha256").update(whole).digest("hex"));
  const { head, tail } = output;
  if (whole.length <= limit) {
    assert.deepEqual(Array.from(head), Array.from(whole));
    assert.equal(tail.length, 0);
    return;
  }
  assert.ok(head.length > 0 && tail.length > 0, "kept head and tail");
  assert.ok(head.length + tail.length <= limit, "kept more than the limit");
  assert.ok(head.length + tail.length >= limit - 1, "kept less than the limit allows");
  assert.ok(Math.abs(head.length - tail.length) <= 1, "half and half");
  assert.deepEqual(Array.from(head), Array.from(whole.subarray(0, head.length)));
  assert.deepEqual(Array.from(tail), Array.from(whole.subarray(whole.length - tail.length)));
}

function numbers(first: number, last: number): Uint8Array {
  let lines = "";
  for (let n = first; n <= last; n++) lines += `${n}\n`;
  return new TextEncoder().encode(lines);
}

function pattern(size: number) {
  const chunk = (offset: number, length: number) => {
    const bytes = new Uint8Array(length);
    for (let i = 0; i < length; i++) {
      const at = offset + i;
      bytes[i] = (at ^ (at >>> 8) ^ (at >>> 16)) & 255;
    }
    return bytes;
  };
  const sha256 = () => {
    const hash = createHash("sha256");
    for (let offset = 0; offset < size; offset += 65536) {
      hash.update(chunk(offset, Math.min(65536, size - offset)));
    }
    return hash.digest("hex");
  };
  return { size, chunk, sha256 };
}

function path(text: string) {
  const parsed = parseRelativePath(text);
  if (!parsed.ok) throw new Error(parsed.reason);
  return parsed.path;
}

function write(to: string, content: string, mode: "100644" | "100755" = "100644"): FileChange {
  return { kind: "write", path: path(to), mode, bytes: new TextEncoder().encode(content) };
}

function remove(at: string): FileChange {
  return { kind: "delete", path: path(at) };
}

function isFailure(kind: Failure["kind"]) {
  return (error: unknown): boolean => {
    assert.ok(error instanceof Failure, `not a Failure: ${error}`);
    assert.equal(error.kind, kind);
    return true;
  };
}

/** A promise that may end either way, watched so that a rejection is never unhandled. */
function settled(promise: Promise<unknown>): Promise<void> {
  return promise.then(() => {}, () => {});
}

function pause(ms: number): Promise<void> {
  return new Promise((done) => setTimeout(done, ms));
}
