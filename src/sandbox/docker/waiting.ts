import { attach } from "./attach.ts";
import { type ContainerPlan, createContainer, removeContainer, startContainer } from "./container.ts";
import { CHANGE_MS, type Engine, EngineRefusal } from "./engine.ts";
import { nameLoopback } from "./files.ts";
import { Inlet } from "./inlet.ts";

/** A started container nothing has run in. */
export interface WaitingContainer {
  readonly id: string;
  /** Where changed files go in; null when the engine has to lay them. */
  readonly inlet: Inlet | null;
}

/** Starts containers of one snapshot, with an inlet as long as the image is fit for it. */
export class ContainerStarter {
  readonly #engine: Engine;
  readonly #plan: ContainerPlan;
  readonly #snapshot: string;
  #inlets = true;

  constructor(engine: Engine, plan: ContainerPlan, snapshot: string) {
    this.#engine = engine;
    this.#plan = plan;
    this.#snapshot = snapshot;
  }

  /** From now on the engine lays all files: containers of this image do not do it well. */
  withoutInlets(): void {
    this.#inlets = false;
  }

  /**
   * @param options.inlet false for one whose files the engine lays
   * @throws Failure unavailable
   */
  async start({ inlet = true } = {}): Promise<WaitingContainer> {
    const waiting = inlet && this.#inlets ? await this.#startWithInlet() : null;
    if (waiting !== null) return waiting;
    return { id: await startContainer(this.#engine, this.#plan, this.#snapshot), inlet: null };
  }

  /** Null when the image is not fit for an inlet and nothing was left behind. */
  async #startWithInlet(): Promise<WaitingContainer | null> {
    const engine = this.#engine;
    const id = await createContainer(engine, this.#plan, this.#snapshot, true);
    let inlet: Inlet | null = null;
    try {
      if (this.#plan.unnetworked) await nameLoopback(engine, id);
      inlet = new Inlet(
        await engine.call("attach to a container", CHANGE_MS, (abort) => attach(engine, id, abort)),
        engine.life.lost,
      );
      await engine.call("start a container", CHANGE_MS, () => engine.docker.getContainer(id).start());
      if (await inlet.ready()) return { id, inlet };
    } catch (error) {
      if (!(error instanceof EngineRefusal)) {
        inlet?.close();
        await removeContainer(engine, id).catch(() => {});
        throw error;
      }
    }
    if (engine.life.lost.aborted) throw engine.lost("start a container");
    // No sh, no tar, an engine that attaches to nothing: whatever it is, sleeping alone may do.
    this.#inlets = false;
    inlet?.close();
    await removeContainer(engine, id);
    return null;
  }
}
