import type { Duplex } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import type { Failure } from "../../vocabulary/failure.ts";
import { CALL_MS, type Engine, refusedWith } from "./engine.ts";
import { FrameReader } from "./frames.ts";
import { WATCHDOG_MS } from "./limits.ts";
import type { OutputCapture } from "../output_capture.ts";

/** After this much silence, and every so often, the engine is asked whether the command still runs. */
const QUIET_MS = 200;
const ASK_MS = 1_000;
/** A child left behind may hold the output open: reading ends when it is silent for so long, or after so long. */
const LINGER_MS = 250;
const LINGER_MOST_MS = 3_000;
/** An engine under load may miss an answer; that many in a row and it is lost. */
const SLOW_ANSWERS = 2;
const DRAIN_MS = 500;

/** Why following a command ended. Everything but `exited` and `gone` leaves it to the caller to end the command. */
export type Stop =
  | { readonly why: "exited"; readonly code: number; readonly pid: number }
  /** The container is not there any more. */
  | { readonly why: "gone" }
  | { readonly why: "time" | "disk" | "abort" }
  | { readonly why: "lost"; readonly error: Failure };

export interface Followed {
  readonly id: string;
  /** Most the container may have on disk, in bytes. */
  readonly diskBytes: number;
}

/**
 * Reads a started command's output until it ended or has to be ended, whichever comes first. Never rejects. The end
 * of the output alone is no end: a command may close it and go on, or end and leave a child that holds it open.
 */
export async function follow(
  engine: Engine,
  container: Followed,
  started: { readonly id: string; readonly stream: Duplex },
  output: { readonly stdout: OutputCapture; readonly stderr: OutputCapture },
  options: { readonly timeoutMs: number; readonly signal?: AbortSignal },
): Promise<Stop> {
  const over = new AbortController();
  let decide: (stop: Stop) => void = () => {};
  const stopped = new Promise<Stop>((resolve) => decide = resolve);
  const reading = new Reading(started.stream, output, (error) => decide({ why: "lost", error }));

  const timer = setTimeout(() => decide({ why: "time" }), options.timeoutMs);
  const onAbort = () => decide({ why: "abort" });
  options.signal?.addEventListener("abort", onAbort, { once: true });
  if (options.signal?.aborted) onAbort();

  const watches = [
    watchExit(engine, started.id, reading, over.signal).then((stop) => stop !== null && decide(stop)),
    watchDisk(engine, container, over.signal).then((full) => full && decide({ why: "disk" })),
  ];
  try {
    return await stopped;
  } finally {
    clearTimeout(timer);
    options.signal?.removeEventListener("abort", onAbort);
    over.abort();
    await Promise.all(watches);
  }
}

/** Waits, for a moment, until the output of a killed command has all been read. */
export async function drained(stream: Duplex): Promise<void> {
  const over = new AbortController();
  const ended = new Promise<void>((resolve) => {
    if (stream.readableEnded || stream.destroyed) resolve();
    for (const event of ["end", "close", "error"]) stream.once(event, () => resolve());
  });
  await Promise.race([ended, pause(DRAIN_MS, over.signal)]);
  over.abort();
}

/** The output as it comes in. */
class Reading {
  readonly ended: Promise<void>;
  isEnded = false;
  lastData = performance.now();
  /** The connection broke; what was read is not all there was. */
  broken: unknown = null;
  readonly #frames: FrameReader;

  constructor(
    stream: Duplex,
    output: { readonly stdout: OutputCapture; readonly stderr: OutputCapture },
    onGarbage: (error: Failure) => void,
  ) {
    let garbage = false;
    this.#frames = new FrameReader((number, bytes) =>
      (number === 1 ? output.stdout : output.stderr).write(bytes)
    );
    this.ended = new Promise((resolve) => {
      const end = () => {
        this.isEnded = true;
        resolve();
      };
      stream.on("data", (chunk: Uint8Array) => {
        if (garbage) return;
        this.lastData = performance.now();
        try {
          this.#frames.push(chunk);
        } catch (error) {
          garbage = true;
          onGarbage(error as Failure);
        }
      });
      stream.on("end", end);
      stream.on("close", end);
      stream.on("error", (error) => {
        this.broken = error;
        end();
      });
    });
  }

  get isCut(): boolean {
    return this.broken !== null || this.isEnded && this.#frames.isInside;
  }
}

async function watchExit(
  engine: Engine,
  exec: string,
  reading: Reading,
  over: AbortSignal,
): Promise<Stop | null> {
  let slow = 0;
  let lastAsked = performance.now();
  for (let wait = 1; !over.aborted;) {
    if (reading.isEnded) {
      await pause(wait, over);
      wait = Math.min(QUIET_MS, wait * 2);
    } else {
      await either(reading.ended, QUIET_MS, over);
      const now = performance.now();
      const quiet = now - reading.lastData >= QUIET_MS || now - lastAsked >= ASK_MS;
      if (!reading.isEnded && !quiet) continue;
      if (reading.isEnded) continue;
    }
    if (over.aborted) return null;
    lastAsked = performance.now();
    try {
      const state = await engine.call(
        "tell about a command",
        CALL_MS,
        (abortSignal) => engine.docker.getExec(exec).inspect({ abortSignal }),
        over,
      );
      slow = 0;
      if (state.Running || typeof state.ExitCode !== "number") continue;
      await lingering(reading, over);
      if (reading.isCut) {
        const cause = reading.broken ?? new Error("the output ended within a frame");
        return { why: "lost", error: engine.failure("read the output of a command", cause) };
      }
      return { why: "exited", code: state.ExitCode, pid: state.Pid };
    } catch (error) {
      if (refusedWith(error, 404, 409)) return { why: "gone" };
      const failure = engine.failure("tell about a command", error);
      if (failure.code !== "engine_timeout" || ++slow === SLOW_ANSWERS) {
        return { why: "lost", error: failure };
      }
    }
  }
  return null;
}

async function lingering(reading: Reading, over: AbortSignal): Promise<void> {
  const began = performance.now();
  while (!reading.isEnded && !over.aborted) {
    const now = performance.now();
    if (now - Math.max(began, reading.lastData) >= LINGER_MS || now - began >= LINGER_MOST_MS) return;
    await either(reading.ended, 25, over);
  }
}

async function watchDisk(engine: Engine, container: Followed, over: AbortSignal): Promise<boolean> {
  while (true) {
    await pause(WATCHDOG_MS, over);
    if (over.aborted) return false;
    try {
      const state = await engine.call(
        "measure a container",
        CALL_MS,
        (abortSignal) =>
          engine.docker.getContainer(container.id).inspect({ size: true, abortSignal } as object),
        over,
      ) as { SizeRw?: number };
      if ((state.SizeRw ?? 0) > container.diskBytes) return !over.aborted;
    } catch {
      // A container or an engine that is gone is noticed by the other watch.
    }
  }
}

async function either(event: Promise<void>, ms: number, over: AbortSignal): Promise<void> {
  const won = new AbortController();
  await Promise.race([event, pause(ms, AbortSignal.any([over, won.signal]))]);
  won.abort();
}

/** Ends early when aborted; never rejects. */
function pause(ms: number, over: AbortSignal): Promise<void> {
  return sleep(ms, undefined, { signal: over }).catch(() => {});
}
