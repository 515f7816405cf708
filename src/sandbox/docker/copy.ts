import { Failure, interrupted } from "../../vocabulary/failure.ts";
import type { RelativePath } from "../../vocabulary/path.ts";
import type { CommandResult } from "../../vocabulary/verification.ts";
import type { Engine } from "./engine.ts";
import { execIn, type ExecTarget } from "./exec.ts";
import { readFile } from "./read_file.ts";
import type { ExecOptions, PristineCopy } from "../sandbox.ts";

/** One started container, used for one verification. */
export class DockerCopy implements PristineCopy {
  readonly #engine: Engine;
  readonly #target: ExecTarget;
  readonly #remove: () => Promise<void>;
  readonly #onResult: (result: CommandResult) => void;
  #dead = false;
  #discarded: Promise<void> | null = null;
  readonly #over = new AbortController();

  /**
   * @param remove takes the container away; must not reject
   * @param onResult told of every command that ended
   */
  constructor(
    engine: Engine,
    target: ExecTarget,
    remove: () => Promise<void>,
    onResult: (result: CommandResult) => void,
  ) {
    this.#engine = engine;
    this.#target = target;
    this.#remove = remove;
    this.#onResult = onResult;
  }

  get id(): string {
    return this.#target.id;
  }

  async exec(argv: readonly string[], options: ExecOptions): Promise<CommandResult> {
    if (this.#dead || this.#discarded !== null) {
      throw new Failure("bug", "copy_is_dead", "a command for a copy that timed out or was discarded");
    }
    if (argv.length === 0) throw new Failure("bug", "argv_empty", "a command without a program");
    const over = this.#over.signal;
    const signal = options.signal === undefined ? over : AbortSignal.any([over, options.signal]);
    // Whoever aborts waits for the kill, which an engine that hangs never does.
    const onAbort = () => this.#engine.life.doubt(true);
    signal.addEventListener("abort", onAbort, { once: true });
    try {
      const { result, dead } = await execIn(this.#engine, this.#target, argv, { ...options, signal });
      if (dead && result.end !== "exited") this.#dead = true;
      this.#onResult(result);
      return result;
    } catch (error) {
      // Only an abort that reached the command killed the container.
      if (signal.aborted) this.#dead = true;
      if (over.aborted) throw interrupted();
      if (signal.aborted) throw interrupted(signal.reason);
      throw error;
    } finally {
      signal.removeEventListener("abort", onAbort);
    }
  }

  read(path: RelativePath, maxBytes: number): Promise<Uint8Array | null> {
    if (this.#discarded !== null) {
      return Promise.reject(new Failure("bug", "copy_is_dead", "a file of a copy that was discarded"));
    }
    return readFile(this.#engine, this.#target.id, this.#target.workdir, path, maxBytes);
  }

  discard(): Promise<void> {
    return this.#discarded ??= this.#end();
  }

  async #end(): Promise<void> {
    this.#over.abort();
    await this.#remove();
  }
}
