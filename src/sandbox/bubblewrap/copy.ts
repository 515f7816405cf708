import { homedir } from "node:os";
import { join } from "node:path";
import type { CheckoutState } from "../../vocabulary/checkout.ts";
import { Failure, interrupted } from "../../vocabulary/failure.ts";
import type { RelativePath } from "../../vocabulary/path.ts";
import type { CommandResult } from "../../vocabulary/verification.ts";
import { runInBubblewrap } from "./exec.ts";
import { type CopyPlaces, type Layout, layoutArguments } from "./layout.ts";
import { removeTree } from "./host_directories.ts";
import { readFileOf } from "./host_tree.ts";
import type { HostUser } from "./host_user.ts";
import type { CleanShell } from "./inherited_descriptors.ts";
import type { ExecOptions, PristineCopy, SandboxSpec } from "../sandbox.ts";

export interface BubblewrapOptions {
  /**
   * `git_worktree` is `copy` for a checkout without uncommitted changes. The base is filled from the workspace stream
   * in both, so that what is proved is what was hashed; `git worktree add` would add nothing to that and would write
   * into the user's `.git`, which is never touched.
   */
  readonly kind: "copy" | "git_worktree";
  /** Asks whether the workspace is a clean checkout; required for `git_worktree`. */
  readonly checkout?: () => Promise<CheckoutState>;
  /** Where copies live; the system's temporary directory unless given. */
  readonly tmpRoot?: string;
  /** What commands find in their environment, over the defaults. Nothing of ours is passed on by itself. */
  readonly env?: Readonly<Record<string, string>>;
  /** Host directories commands must not see, beside the user's home, /home, /root, /run and other usual ones. */
  readonly hidden?: readonly string[];
}

const DEFAULT_ENV = {
  PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
  HOME: "/tmp",
  LANG: "C.UTF-8",
};

/** What the copies of one base share. */
export interface Place {
  readonly options: BubblewrapOptions;
  readonly spec: SandboxSpec;
  readonly directory: string;
  readonly tmpRoot: string;
  /** Whom commands see themselves as. */
  readonly inside: HostUser;
  /** Whom the host sees; null for ourselves. */
  readonly user: HostUser | null;
  readonly version: string;
  readonly shell: CleanShell;
}

/** A directory nobody used before, and the commands run in it. */
export class BubblewrapCopy implements PristineCopy {
  readonly #life = new AbortController();
  readonly #running = new Set<Promise<unknown>>();
  #dead: string | null = null;
  #discarding: Promise<void> | null = null;
  #runs = 0;

  constructor(
    readonly place: Place,
    readonly root: string,
    readonly places: CopyPlaces,
    readonly release: () => Promise<void>,
  ) {}

  async exec(argv: readonly string[], options: ExecOptions): Promise<CommandResult> {
    if (this.#dead !== null) throw new Failure("bug", "copy_dead", `exec in a copy after ${this.#dead}`);
    if (argv.length === 0 || argv[0] === "" || argv.some((a) => a.includes("\0"))) {
      throw new Failure("bug", "argv_unusable", `argv cannot be executed: ${JSON.stringify(argv)}`);
    }
    if (options.signal?.aborted) throw interrupted(options.signal.reason);
    const running = this.#exec(argv, options);
    this.#running.add(running);
    try {
      const result = await running;
      if (result.end === "timed_out") this.#dead ??= "its timeout";
      return result;
    } catch (error) {
      this.#dead ??= "an exec that broke off";
      throw error;
    } finally {
      this.#running.delete(running);
    }
  }

  async #exec(argv: readonly string[], options: ExecOptions): Promise<CommandResult> {
    const { spec, directory, user } = this.place;
    const name = `${this.root.slice(this.root.lastIndexOf("/") + 1)}-${++this.#runs}`;
    const setUp = [...isolation(this.place), ...await layoutArguments(layoutOf(this.place), this.places)];
    for (
      const [key, value] of Object.entries({ ...DEFAULT_ENV, ...this.place.options.env, ...options.env })
    ) {
      setUp.push("--setenv", key, value);
    }
    return await runInBubblewrap({
      setUp,
      shell: this.place.shell,
      argv,
      user,
      fileBytes: spec.limits.fileBytes,
      statusFile: join(directory, "status", name),
      timeoutMs: options.timeoutMs,
      outputBytes: options.outputBytes,
      signals: options.signal === undefined ? [this.#life.signal] : [this.#life.signal, options.signal],
    });
  }

  async read(path: RelativePath, maxBytes: number): Promise<Uint8Array | null> {
    if (this.#discarding !== null) {
      throw new Failure("bug", "copy_dead", "a file of a copy that was discarded");
    }
    // Nothing may change under the eyes of a reader.
    await Promise.allSettled(this.#running);
    return await readFileOf(this.places.work, path, maxBytes);
  }

  discard(): Promise<void> {
    return this.#discarding ??= this.#discard();
  }

  async #discard(): Promise<void> {
    this.#dead ??= "its discard";
    this.#life.abort(
      new Failure("interrupted", "copy_discarded", "the copy was discarded while a command ran"),
    );
    await Promise.allSettled(this.#running);
    await this.release();
  }

  async remove(): Promise<void> {
    await removeTree(this.root);
  }
}

function isolation(place: Place): string[] {
  const { inside, spec, version } = place;
  const args = ["--unshare-all", "--unshare-user", "--die-with-parent", "--new-session", "--cap-drop", "ALL"];
  if (spec.network === "allow") args.push("--share-net");
  if (canDisableUserNamespaces(version)) args.push("--disable-userns");
  args.push("--uid", String(inside.uid), "--gid", String(inside.gid), "--hostname", "sandbox", "--clearenv");
  return args;
}

function canDisableUserNamespaces(version: string): boolean {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  return major > 0 || minor >= 8;
}

function layoutOf({ options, spec, directory, tmpRoot }: Place): Layout {
  const engine = /^unix:\/\/(\/.+)$/.exec(Deno.env.get("DOCKER_HOST") ?? "")?.[1];
  return {
    workdir: spec.workdir,
    network: spec.network,
    hidden: [homedir(), tmpRoot, directory, ...options.hidden ?? []],
    sockets: engine === undefined ? [] : [engine],
  };
}
