import { Failure, interrupted } from "../../vocabulary/failure.ts";
import type { FileChange } from "../../vocabulary/change.ts";
import { parentsOf } from "../../vocabulary/path.ts";
import {
  type ContainerPlan,
  isRunning,
  killContainer,
  labelledContainers,
  removeContainer,
  removeImage,
} from "./container.ts";
import { DockerCopy } from "./copy.ts";
import { CHANGE_MS, type Engine } from "./engine.ts";
import { execIn, type ExecTarget } from "./exec.ts";
import { putFiles } from "./files.ts";
import { fitsInlet } from "./inlet.ts";
import { BASE_LABEL, keptName } from "./labels.ts";
import { ReadyPool } from "./pool.ts";
import { ContainerStarter, type WaitingContainer } from "./waiting.ts";
import type { FrozenBase, SandboxEnvironment } from "../sandbox.ts";

export interface DockerBaseOptions {
  readonly engine: Engine;
  readonly plan: ContainerPlan;
  readonly session: string;
  /** Label value of everything of this base. */
  readonly baseId: string;
  readonly snapshot: string;
  /** The container the snapshot was made from. Removed when that does not slow the first command down. */
  readonly builder: string;
  readonly parallel: number;
  readonly keep: boolean;
  /** How a person calls the engine's client. */
  readonly client: string;
  readonly diskBytes: number;
  readonly clockOffset: number;
  readonly environment: SandboxEnvironment;
  /** What goes on in the background since open and must not outlive close. */
  readonly background: Promise<unknown>;
  /** Called when nothing more is asked of the engine. */
  readonly letGo: () => void;
}

/** For all of a close of an engine that is slow. One that hangs is lost sooner. */
const CLOSE_MS = 120_000;

const DELETE_MS = 60_000;
/** Characters of paths given to one `rm`. */
const DELETE_BATCH = 60_000;

/** After a checkout, until the pool is refilled: about what starting its command takes. */
const REFILL_MS = 60;
/** The same after the first checkout. A command that fails sooner refills at once: a candidate comes next. */
const FIRST_REFILL_MS = 1_000;

/** A snapshot image and the containers made from it. */
export class DockerBase implements FrozenBase {
  readonly environment: SandboxEnvironment;
  readonly #options: DockerBaseOptions;
  readonly #starter: ContainerStarter;
  readonly #pool: ReadyPool<WaitingContainer>;
  readonly #copies = new Set<DockerCopy>();
  readonly #checkouts = new Set<Promise<unknown>>();
  readonly #knownDirectories = new Map<string, boolean>();
  #given = false;
  #dismissed: Promise<void> | null = null;
  #refilling: ReturnType<typeof setTimeout> | undefined;
  /** The last copy given back, when copies are kept. */
  #parked: string | null = null;
  #kept: string[] = [];
  #closing: Promise<void> | null = null;

  constructor(options: DockerBaseOptions) {
    this.#options = options;
    this.environment = options.environment;
    const { engine, plan, snapshot } = options;
    this.#starter = new ContainerStarter(engine, plan, snapshot);
    this.#pool = new ReadyPool({
      size: 1,
      concurrency: Math.min(4, Math.max(1, Math.floor(options.parallel))),
      create: () => this.#starter.start(),
      destroy: (waiting) => this.#drop(waiting),
      // The connection of one with an inlet ends with it; if that is not heard in time, laying fails.
      usable: ({ id, inlet }) => inlet === null ? isRunning(engine, id) : Promise.resolve(!inlet.ended),
    });
    this.#pool.fill();
  }

  checkout(
    changes: readonly FileChange[],
    options: { readonly fresh?: boolean; readonly signal?: AbortSignal } = {},
  ): Promise<DockerCopy> {
    const checkout = this.#checkout(changes, options.fresh ?? false, options.signal);
    const settled = checkout.catch(() => {}).finally(() => this.#checkouts.delete(settled));
    this.#checkouts.add(settled);
    return checkout;
  }

  async #checkout(
    changes: readonly FileChange[],
    fresh: boolean,
    signal: AbortSignal | undefined,
  ): Promise<DockerCopy> {
    if (signal?.aborted) throw interrupted(signal.reason);
    if (this.#closing !== null) {
      throw new Failure("bug", "sandbox_closed", "a copy was asked for after the sandbox was closed");
    }
    const { engine } = this.#options;
    let target: ExecTarget | null = null;
    // The one that is being made already is for the first who asks, and may be all there is.
    const first = !this.#given && changes.length === 0;
    if (first) this.#pool.resize(0);
    this.#given = true;
    try {
      target = await this.#prepare(changes, fresh, signal);
      if (signal?.aborted) throw interrupted(signal.reason);
      if (this.#closing !== null) throw interrupted();
    } catch (error) {
      if (target !== null) await this.#take(target.id);
      if (signal?.aborted) throw interrupted(signal.reason);
      throw error;
    } finally {
      this.#refillIn(first ? FIRST_REFILL_MS : REFILL_MS);
    }
    const { id } = target;
    const copy: DockerCopy = new DockerCopy(engine, target, async () => {
      if (this.#options.keep) await this.#park(id);
      else await this.#take(id);
      this.#copies.delete(copy);
    }, (result) => {
      if (result.end !== "exited" || result.exitCode !== 0) this.#refill();
    });
    this.#copies.add(copy);
    return copy;
  }

  /**
   * Making a container competes with the command of the one just given out, so that it begins a moment later; whoever
   * waits for one does not wait for that.
   */
  #refillIn(ms: number): void {
    clearTimeout(this.#refilling);
    if (this.#closing === null) this.#refilling = setTimeout(() => this.#refill(), ms);
  }

  #refill(): void {
    if (this.#closing !== null) return;
    this.#dismissed ??= this.#take(this.#options.builder);
    this.#pool.resize(Math.max(1, Math.floor(this.#options.parallel)));
    this.#pool.fill();
  }

  /** A container with changes laid in. When it cannot take them by itself, the engine lays them into another. */
  async #prepare(changes: readonly FileChange[], fresh: boolean, signal?: AbortSignal): Promise<ExecTarget> {
    const { plan } = this.#options;
    let waiting = fresh ? await this.#starter.start() : await this.#pool.take(signal);
    try {
      if (waiting.inlet !== null) {
        const fits = fitsInlet(changes);
        const laid = await waiting.inlet.lay(fits ? changes : [], plan.user, signal);
        if (laid && fits) return this.#target(waiting.id, changes);
        if (!laid) {
          // Why it failed is for the engine's way to tell, where it fails too.
          const dead = !await isRunning(this.#options.engine, waiting.id);
          if (!dead) this.#starter.withoutInlets();
          await this.#drop(waiting);
          waiting = await this.#starter.start({ inlet: false });
        }
      }
      const target = this.#target(waiting.id, changes);
      await this.#lay(target, changes, signal);
      return target;
    } catch (error) {
      await this.#drop(waiting);
      throw error;
    }
  }

  #target(id: string, changes: readonly FileChange[]): ExecTarget {
    const { plan } = this.#options;
    return {
      id,
      user: `${plan.user.uid}:${plan.user.gid}`,
      workdir: plan.workdir,
      diskBytes: this.#options.diskBytes + bytesOf(changes),
      deadline: plan.deadline,
      clockOffset: this.#options.clockOffset,
    };
  }

  /** Deletions go first where a written file takes the place of what is deleted, else both go at once. */
  async #lay(target: ExecTarget, changes: readonly FileChange[], signal?: AbortSignal): Promise<void> {
    const { engine, plan } = this.#options;
    const put = () =>
      putFiles(engine, target.id, plan.workdir, changes, plan.user, this.#knownDirectories, signal);
    const deleted = new Set<string>(changes.filter((c) => c.kind === "delete").map((c) => c.path));
    const written = changes.filter((c) => c.kind === "write").map((c) => c.path);
    const above = new Set(parentsOf([...deleted]));
    const replaces = written.some((path) => deleted.has(path) || above.has(path)) ||
      parentsOf(written).some((path) => deleted.has(path));
    if (replaces) {
      await this.#delete(target, changes, signal);
      await put();
      return;
    }
    const outcomes = await Promise.allSettled([this.#delete(target, changes, signal), put()]);
    for (const outcome of outcomes) if (outcome.status === "rejected") throw outcome.reason;
  }

  async #delete(target: ExecTarget, changes: readonly FileChange[], signal?: AbortSignal): Promise<void> {
    const paths = changes.filter((change) => change.kind === "delete").map((change) => change.path);
    for (let from = 0; from < paths.length;) {
      let to = from;
      for (let size = 0; to < paths.length && size < DELETE_BATCH; to++) size += paths[to]!.length + 1;
      const argv = ["rm", "-f", "--", ...paths.slice(from, to)];
      const { result } = await execIn(this.#options.engine, target, argv, {
        timeoutMs: DELETE_MS,
        outputBytes: 4096,
        ...(signal === undefined ? {} : { signal }),
      });
      if (result.end !== "exited" || result.exitCode !== 0) {
        const said = new TextDecoder().decode(result.stderr.head).trim();
        throw new Failure(
          "unavailable",
          "image_unfit",
          "cannot delete files of the workspace in the container",
          {
            details: [said || `rm: ${result.end}, exit code ${result.exitCode}`],
            hint: "the image needs `rm` and `sleep` (coreutils or busybox) on its PATH",
          },
        );
      }
      from = to;
    }
  }

  kept(): readonly string[] {
    return this.#kept;
  }

  close(): Promise<void> {
    return this.#closing ??= this.#close().finally(this.#options.letGo);
  }

  async #close(): Promise<void> {
    const { engine, snapshot, baseId } = this.#options;
    clearTimeout(this.#refilling);
    engine.life.endIn(CLOSE_MS);
    await Promise.all([
      this.#dismissed ??= this.#take(this.#options.builder),
      this.#pool.close(),
      ...[...this.#copies].map((copy) => copy.discard()),
      ...this.#checkouts,
    ]);
    await this.#nameParked();
    try {
      // Whatever an answer that never came may have left.
      const left = await labelledContainers(engine, `${BASE_LABEL}=${baseId}`);
      await Promise.all(left.filter((id) => id !== this.#parked).map((id) => this.#take(id)));
      await removeImage(engine, snapshot);
    } catch {
      // Without the engine nothing more can be done; what is left is reaped at the next start.
    }
    await this.#options.background;
  }

  async #drop({ id, inlet }: WaitingContainer): Promise<void> {
    inlet?.close();
    await this.#take(id);
  }

  /** Removes a container as far as that is possible. */
  async #take(id: string): Promise<void> {
    await removeContainer(this.#options.engine, id).catch(() => {});
  }

  async #park(id: string): Promise<void> {
    const before = this.#parked;
    this.#parked = id;
    await killContainer(this.#options.engine, id).catch(() => {});
    if (before !== null) await this.#take(before);
  }

  async #nameParked(): Promise<void> {
    const id = this.#parked;
    if (id === null) return;
    const { engine, session, client } = this.#options;
    const name = keptName(session, id);
    try {
      await engine.call(
        "name the kept container",
        CHANGE_MS,
        () => engine.docker.getContainer(id).rename({ name }),
      );
      this.#kept = [[
        `container ${name}`,
        `${client} start ${name} && ${client} exec -it ${name} sh`,
        `${client} rm -f ${name}`,
      ].join("\n")];
    } catch {
      this.#parked = null;
    }
  }
}

function bytesOf(changes: readonly FileChange[]): number {
  return changes.reduce((sum, change) => sum + (change.kind === "write" ? change.bytes.length : 0), 0);
}
