import { chown, mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { FileChange } from "../../vocabulary/change.ts";
import { Failure, interrupted } from "../../vocabulary/failure.ts";
import { BubblewrapCopy, type BubblewrapOptions, type Place } from "./copy.ts";
import { fileBlocks } from "./exec.ts";
import { bubblewrapMissing, bubblewrapVersion } from "./probe.ts";
import { requireClean } from "./clean_checkout.ts";
import { hostUser, parseUser } from "./host_user.ts";
import { defaultTmpRoot, disown, makeSessionDirectory, removeTree } from "./host_directories.ts";
import { applyChanges, copyTree, extractTree } from "./host_tree.ts";
import { cleanShell } from "./inherited_descriptors.ts";
import type {
  Enforcement,
  FrozenBase,
  PristineCopy,
  Sandbox,
  SandboxEnvironment,
  SandboxSpec,
  TarSource,
} from "../sandbox.ts";

export type { BubblewrapOptions } from "./copy.ts";

/** Runs commands on this host, inside bubblewrap, in fresh copies of the workspace. */
export function bubblewrapSandbox(options: BubblewrapOptions): Sandbox {
  return { backend: options.kind, open: (spec, tar, signal) => open(options, spec, tar, signal) };
}

async function open(
  options: BubblewrapOptions,
  spec: SandboxSpec,
  tar: TarSource,
  signal?: AbortSignal,
): Promise<FrozenBase> {
  if (signal?.aborted) throw interrupted(signal.reason);
  refuseUnenforceable(options.kind, spec);
  const inside = parseUser(spec.user);
  const version = await bubblewrapVersion();
  if (version === null) throw bubblewrapMissing();
  if (options.kind === "git_worktree") {
    if (options.checkout === undefined) {
      throw new Failure("bug", "checkout_missing", "git_worktree cannot ask whether the checkout is clean");
    }
    requireClean(await options.checkout());
  }

  const shell = await cleanShell();
  const tmpRoot = options.tmpRoot ?? defaultTmpRoot();
  const user = hostUser(inside);
  const directory = await makeSessionDirectory(tmpRoot, spec.session, spec.deadline, user);
  const base = new BubblewrapBase({ options, spec, directory, tmpRoot, inside, user, version, shell });
  try {
    await base.fill(tar, signal);
    return base;
  } catch (error) {
    await base.close();
    throw error;
  }
}

/** @throws Failure `denied` `cannot_enforce` naming every limit asked for that no host backend can hold */
function refuseUnenforceable(kind: string, spec: SandboxSpec): void {
  const { limits } = spec;
  const asked: [string, string | number | null][] = [
    ["sandbox.cpu_limit", limits.cpus],
    ["sandbox.memory_limit", limits.memoryBytes],
    ["limits.pids", limits.pids],
    ["limits.disk_bytes", limits.diskBytes],
    ["sandbox.runtime", spec.runtime],
  ];
  const details = asked.filter(([, value]) => value !== null).map(([name, value]) => `${name}: ${value}`);
  if (details.length === 0) return;
  throw new Failure(
    "denied",
    "cannot_enforce",
    `the ${kind} backend cannot enforce what the policy asks for`,
    {
      hint: "use sandbox.backend container, or take these limits out of the policy",
      details,
    },
  );
}

class BubblewrapBase implements FrozenBase {
  readonly environment: SandboxEnvironment;
  readonly #copies = new Set<BubblewrapCopy>();
  readonly #pending = new Set<Promise<unknown>>();
  readonly #life = new AbortController();
  #made = 0;
  #closing: Promise<void> | null = null;
  #kept: BubblewrapCopy | null = null;

  constructor(readonly place: Place) {
    this.environment = environmentOf(place);
  }

  get #root(): string {
    return join(this.place.directory, "base");
  }

  /** Tries the sandbox out before the workspace is streamed, then streams it. */
  async fill(tar: TarSource, signal?: AbortSignal): Promise<void> {
    await mkdir(this.#root, { mode: 0o755 });
    await mkdir(join(this.place.directory, "copies"), { mode: 0o755 });
    await mkdir(join(this.place.directory, "status"), { mode: 0o755 });
    const trial = await this.checkout([], signal === undefined ? {} : { signal });
    await trial.exec(["true"], {
      timeoutMs: 30_000,
      outputBytes: 4096,
      ...(signal === undefined ? {} : { signal }),
    });
    await trial.discard();
    await this.#kept?.remove();
    this.#kept = null;
    // Copies are made by whoever runs commands, so the base is ours and that user can only read it.
    const owner = { uid: Deno.uid() ?? 0, gid: Deno.gid() ?? 0 };
    await extractTree(this.#root, tar({ ...owner, prefix: "" }), signal);
  }

  async checkout(
    changes: readonly FileChange[],
    options: { readonly fresh?: boolean; readonly signal?: AbortSignal } = {},
  ): Promise<PristineCopy> {
    if (this.#closing !== null) throw closed();
    if (options.signal?.aborted) throw interrupted(options.signal.reason);
    const making = this.#make(changes, options.signal);
    this.#pending.add(making);
    try {
      return await making;
    } finally {
      this.#pending.delete(making);
    }
  }

  async #make(changes: readonly FileChange[], signal?: AbortSignal): Promise<PristineCopy> {
    const name = String(++this.#made);
    const root = join(this.place.directory, "copies", name);
    const places = { work: join(root, "work"), tmp: join(root, "tmp"), shm: join(root, "shm") };
    const copy: BubblewrapCopy = new BubblewrapCopy(this.place, root, places, () => this.#release(copy));
    this.#copies.add(copy);
    try {
      const { user } = this.place;
      await mkdir(root, { mode: 0o755 });
      for (const path of Object.values(places)) {
        await mkdir(path, { mode: 0o755 });
        if (user !== null) await chown(path, user.uid, user.gid);
      }
      const signals = signal === undefined ? [this.#life.signal] : [this.#life.signal, signal];
      await copyTree(this.#root, places.work, user, AbortSignal.any(signals));
      await applyChanges(places.work, changes, user);
      if (signal?.aborted) throw interrupted(signal.reason);
      if (this.#closing !== null) throw closed();
      return copy;
    } catch (error) {
      await copy.remove();
      this.#copies.delete(copy);
      throw error;
    }
  }

  /** What becomes of a discarded copy's directory: removed, or kept until the next one. */
  async #release(copy: BubblewrapCopy): Promise<void> {
    this.#copies.delete(copy);
    if (!this.place.spec.keep) return await copy.remove();
    const before = this.#kept;
    this.#kept = copy;
    await before?.remove();
  }

  close(): Promise<void> {
    return this.#closing ??= this.#close();
  }

  async #close(): Promise<void> {
    this.#life.abort(closed());
    await Promise.allSettled(this.#pending);
    await Promise.allSettled([...this.#copies].map((copy) => copy.discard()));
    if (this.#kept === null) return await removeTree(this.place.directory);
    await disown(this.place.directory);
    await removeTree(this.#root);
    await removeTree(join(this.place.directory, "status"));
  }

  kept(): readonly string[] {
    return this.#kept === null ? [] : [this.#kept.places.work];
  }
}

function closed(): Failure {
  return new Failure("bug", "base_closed", "checkout after close");
}

function environmentOf({ options, spec, inside, user, version }: Place): SandboxEnvironment {
  const { fileBytes } = spec.limits;
  const denied = spec.network === "deny";
  const enforced: Enforcement[] = [
    { limit: "network", value: spec.network, by: denied ? "network namespace" : "none" },
    { limit: "cpus", value: "unlimited", by: "none" },
    { limit: "memory", value: "unlimited", by: "none" },
    { limit: "pids", value: "unlimited", by: "none" },
    fileBytes === null
      ? { limit: "file_size", value: "unlimited", by: "none" }
      : { limit: "file_size", value: String(fileBlocks(fileBytes) * 512), by: "rlimit" },
    { limit: "disk", value: "unlimited", by: "none" },
    { limit: "time", value: "timeout of each command", by: "watchdog and PID namespace" },
    {
      limit: "user",
      value: `${inside.uid}:${inside.gid}`,
      by: user === null ? "user namespace" : "setuid and user namespace",
    },
    { limit: "capabilities", value: "none, no new privileges", by: "bubblewrap" },
    { limit: "syscalls", value: "all", by: "none" },
  ];
  return {
    backend: options.kind,
    engine: "bubblewrap",
    engineVersion: version,
    platform: `${Deno.build.os}/${Deno.build.arch}`,
    image: null,
    runtime: "bubblewrap",
    enforced,
  };
}
