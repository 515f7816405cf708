import type { FileChange } from "../../vocabulary/change.ts";
import { Failure, interrupted } from "../../vocabulary/failure.ts";
import type { RelativePath } from "../../vocabulary/path.ts";
import type { CommandResult } from "../../vocabulary/verification.ts";
import { COMMON_PROGRAMS, type FakeProgram } from "./programs.ts";
import { type FakeEnd, runArgv } from "./shell.ts";
import { FakeTree } from "./tree.ts";
import { OutputCapture } from "../output_capture.ts";
import type {
  ExecOptions,
  FrozenBase,
  PristineCopy,
  Sandbox,
  SandboxEnvironment,
  SandboxSpec,
  TarSource,
} from "../sandbox.ts";

export type { FakeProgram, FakeProgramResult } from "./programs.ts";
export type { FakeFiles } from "./tree.ts";

export interface FakeSandboxOptions {
  /** Programs beside the common ones, by the first element of argv (`pytest`, `./check`); they win over common ones. */
  readonly programs?: Readonly<Record<string, FakeProgram>>;
}

/** A sandbox without an engine, and what it was made to do. */
export interface FakeSandbox extends Sandbox {
  /** Execs begun. */
  readonly runs: number;
  /** Every argv, in the order begun. */
  readonly argvs: readonly (readonly string[])[];
  /** Most execs running at one time. */
  readonly maxParallel: number;
  readonly checkouts: number;
  readonly freshCheckouts: number;
  /** Names of copies checked out and not discarded; a closed base has discarded its own. */
  notDiscarded(): readonly string[];
  /** Names of bases opened and not closed. */
  notClosed(): readonly string[];
}

/**
 * A working sandbox in memory: it reads the workspace tar, keeps trees, and runs the programs the contract names plus
 * those given, so that a whole session runs in a unit test. It holds the whole workspace in memory.
 */
export function fakeSandbox(options: FakeSandboxOptions = {}): FakeSandbox {
  return new InMemorySandbox(new Map(Object.entries({ ...COMMON_PROGRAMS, ...options.programs })));
}

class InMemorySandbox implements FakeSandbox {
  readonly backend = "fake";
  readonly argvs: string[][] = [];
  checkouts = 0;
  freshCheckouts = 0;
  maxParallel = 0;
  #running = 0;
  #opened = 0;
  readonly copies = new Set<string>();
  readonly bases = new Set<string>();

  constructor(readonly programs: ReadonlyMap<string, FakeProgram>) {}

  get runs(): number {
    return this.argvs.length;
  }

  notDiscarded(): readonly string[] {
    return [...this.copies];
  }

  notClosed(): readonly string[] {
    return [...this.bases];
  }

  began(argv: readonly string[]): void {
    this.argvs.push([...argv]);
    this.maxParallel = Math.max(this.maxParallel, ++this.#running);
  }

  ended(): void {
    this.#running--;
  }

  async open(spec: SandboxSpec, tar: TarSource, signal?: AbortSignal): Promise<FrozenBase> {
    if (signal?.aborted) throw interrupted(signal.reason);
    const [uid, gid] = spec.user.split(":").map(Number);
    const source = tar({ uid: uid ?? 0, gid: gid ?? uid ?? 0, prefix: "" });
    const tree = await FakeTree.fromTar(spec.workdir, source, signal);
    const name = `${spec.session}/base-${++this.#opened}`;
    this.bases.add(name);
    return new InMemoryBase(name, this, tree, environmentOf(spec));
  }
}

class InMemoryBase implements FrozenBase {
  readonly #copies = new Set<InMemoryCopy>();
  #made = 0;
  #closed = false;

  constructor(
    readonly name: string,
    readonly sandbox: InMemorySandbox,
    readonly tree: FakeTree,
    readonly environment: SandboxEnvironment,
  ) {}

  checkout(
    changes: readonly FileChange[],
    options: { readonly fresh?: boolean; readonly signal?: AbortSignal } = {},
  ): Promise<PristineCopy> {
    if (this.#closed) {
      return Promise.reject(new Failure("bug", "base_closed", `checkout from ${this.name} after its close`));
    }
    if (options.signal?.aborted) return Promise.reject(interrupted(options.signal.reason));
    this.sandbox.checkouts++;
    if (options.fresh) this.sandbox.freshCheckouts++;
    const tree = this.tree.clone();
    try {
      tree.apply(changes);
    } catch (error) {
      return Promise.reject(error);
    }
    const name = `${this.name}/copy-${++this.#made}`;
    const copy = new InMemoryCopy(name, this.sandbox, tree, () => this.#copies.delete(copy));
    this.#copies.add(copy);
    this.sandbox.copies.add(name);
    return Promise.resolve(copy);
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#copies].map((copy) => copy.discard()));
    this.sandbox.bases.delete(this.name);
  }

  kept(): readonly string[] {
    return [];
  }
}

class InMemoryCopy implements PristineCopy {
  /** Ends everything the copy ever started, background commands included. */
  readonly #life = new AbortController();
  #dead: string | null = null;
  #discarded = false;

  constructor(
    readonly name: string,
    readonly sandbox: InMemorySandbox,
    readonly tree: FakeTree,
    readonly forget: () => void,
  ) {}

  async exec(argv: readonly string[], options: ExecOptions): Promise<CommandResult> {
    if (this.#dead !== null) {
      throw new Failure("bug", "copy_dead", `exec in ${this.name} after ${this.#dead}`);
    }
    if (argv.length === 0) throw new Failure("bug", "argv_empty", "exec without a program");
    if (options.signal?.aborted) throw interrupted(options.signal.reason);
    const streams = {
      stdout: new OutputCapture(options.outputBytes),
      stderr: new OutputCapture(options.outputBytes),
    };
    let over = false;
    const write = (stream: "stdout" | "stderr", bytes: Uint8Array) => {
      if (!over) streams[stream].write(bytes);
    };
    const env = { PATH: "/usr/bin:/bin", ...options.env };
    const { programs } = this.sandbox;
    const process = { files: this.tree, env, signal: this.#life.signal, programs, write };

    const began = performance.now();
    this.sandbox.began(argv);
    let stop = () => {};
    try {
      const ended = await new Promise<FakeEnd | "timed_out">((done, fail) => {
        const timer = setTimeout(() => done("timed_out"), options.timeoutMs);
        const onAbort = () => fail(interrupted(options.signal?.reason));
        const onDiscard = () => fail(this.#life.signal.reason);
        options.signal?.addEventListener("abort", onAbort, { once: true });
        this.#life.signal.addEventListener("abort", onDiscard, { once: true });
        stop = () => {
          clearTimeout(timer);
          options.signal?.removeEventListener("abort", onAbort);
          this.#life.signal.removeEventListener("abort", onDiscard);
        };
        runArgv(argv, process).then(done, fail);
      });
      stop();
      over = true;
      const timedOut = ended === "timed_out";
      if (timedOut) this.#kill("its timeout");
      const end = timedOut ? "timed_out" : ended.end ?? "exited";
      return {
        argv: [...argv],
        end,
        exitCode: timedOut || end !== "exited" ? null : ended.exitCode,
        durationMs: performance.now() - began,
        stdout: streams.stdout.finish(),
        stderr: streams.stderr.finish(),
      };
    } catch (error) {
      stop();
      over = true;
      this.#kill("an exec that broke off");
      throw error;
    } finally {
      this.sandbox.ended();
    }
  }

  read(path: RelativePath, maxBytes: number): Promise<Uint8Array | null> {
    if (this.#discarded) {
      const message = `a file of ${this.name} after its discard`;
      return Promise.reject(new Failure("bug", "copy_dead", message));
    }
    // A path that leads through a link is the key of nothing.
    const node = this.tree.node(path);
    return Promise.resolve(node?.kind === "file" ? node.bytes.slice(0, maxBytes + 1) : null);
  }

  discard(): Promise<void> {
    this.#discarded = true;
    this.#kill("its discard");
    this.sandbox.copies.delete(this.name);
    this.forget();
    return Promise.resolve();
  }

  #kill(why: string): void {
    this.#dead ??= why;
    this.#life.abort(new Failure("interrupted", "copy_discarded", `${this.name} was killed by ${why}`));
  }
}

function environmentOf(spec: SandboxSpec): SandboxEnvironment {
  const by = "in-memory programs";
  const { limits } = spec;
  const asked = [
    ["cpus", limits.cpus],
    ["memory", limits.memoryBytes],
    ["pids", limits.pids],
    ["file_size", limits.fileBytes],
    ["disk", limits.diskBytes],
  ] as const;
  return {
    backend: "fake",
    engine: "fake",
    engineVersion: "1",
    platform: "memory",
    image: null,
    runtime: "fake",
    enforced: [
      { limit: "network", value: "deny", by },
      { limit: "time", value: "timeout of each command", by: "watchdog" },
      { limit: "user", value: spec.user, by },
      { limit: "capabilities", value: "none", by },
      ...asked.map(([limit, value]) =>
        value === null ? { limit, value: "unlimited", by: "none" } : { limit, value: String(value), by }
      ),
    ],
  };
}
