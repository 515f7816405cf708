import type { Duplex } from "node:stream";
import { interrupted } from "../../vocabulary/failure.ts";
import type { CommandEnd, CommandResult } from "../../vocabulary/verification.ts";
import { killContainer } from "./container.ts";
import { CHANGE_MS, type Engine, refusedWith } from "./engine.ts";
import { drained, follow } from "./follow.ts";
import { killedForMemory } from "./oom.ts";
import { startRefusal } from "./start_refusal.ts";
import { captureBytes, OutputCapture } from "../output_capture.ts";
import type { ExecOptions } from "../sandbox.ts";

export interface ExecTarget {
  readonly id: string;
  /** `uid:gid` */
  readonly user: string;
  readonly workdir: string;
  /** Most the container may have on disk, in bytes. */
  readonly diskBytes: number;
  /** When the container ends by itself. */
  readonly deadline: number;
  /** The engine's clock minus ours, in milliseconds. */
  readonly clockOffset: number;
}

/** `dead`: everything in the container was killed and it can run nothing more. */
export interface ExecOutcome {
  readonly result: CommandResult;
  readonly dead: boolean;
}

/**
 * Runs one argv in a started container.
 * @throws Failure interrupted, after the kill; unavailable when the engine is lost. What the command does is a value.
 */
export async function execIn(
  engine: Engine,
  target: ExecTarget,
  argv: readonly string[],
  options: ExecOptions,
): Promise<ExecOutcome> {
  const { signal } = options;
  if (signal?.aborted) throw interrupted(signal.reason);
  const stdout = new OutputCapture(options.outputBytes);
  const stderr = new OutputCapture(options.outputBytes);
  const began = performance.now();
  const startedAt = Date.now();
  const finish = (end: CommandEnd, exitCode: number | null, dead: boolean): ExecOutcome => ({
    result: {
      argv: [...argv],
      end,
      exitCode: end === "exited" ? exitCode : null,
      durationMs: Math.round(performance.now() - began),
      stdout: stdout.finish(),
      stderr: stderr.finish(),
    },
    dead,
  });
  const notStarted = (exitCode: number, message: string): ExecOutcome => {
    const { result } = finish("exited", exitCode, false);
    const said = captureBytes(new TextEncoder().encode(`${message}\n`), options.outputBytes);
    return { result: { ...result, stdout: captureBytes(new Uint8Array(0), 0), stderr: said }, dead: false };
  };

  let started: { readonly id: string; readonly stream: Duplex };
  try {
    started = await start(engine, target, argv, options.env ?? {});
  } catch (error) {
    if (refusedWith(error, 404, 409)) {
      const refused = startRefusal(argv[0] ?? "", error.message);
      if (refused !== null) return notStarted(refused.exitCode, refused.message);
      if (Date.now() >= target.deadline) return finish("timed_out", null, true);
      return { ...notStarted(137, "the container was ended by an earlier command"), dead: true };
    }
    const refused = refusedWith(error, 400, 500) ? startRefusal(argv[0] ?? "", error.message) : null;
    if (refused !== null) return notStarted(refused.exitCode, refused.message);
    throw error;
  }

  const stop = await follow(engine, target, started, { stdout, stderr }, options);
  switch (stop.why) {
    case "lost":
      started.stream.destroy();
      throw stop.error;
    case "time":
    case "disk":
    case "abort":
      try {
        await killContainer(engine, target.id);
        await drained(started.stream);
      } catch (error) {
        // Interrupted stays interrupted; the close that follows kills what it can.
        if (stop.why !== "abort") throw error;
      } finally {
        started.stream.destroy();
      }
      if (stop.why === "abort") throw interrupted(signal?.reason);
      return finish(stop.why === "time" ? "timed_out" : "out_of_disk", null, true);
    case "gone":
    case "exited": {
      started.stream.destroy();
      const gone = stop.why === "gone";
      const code = gone ? 137 : stop.code;
      if (code === 137) {
        if (await killedForMemory(engine, target, startedAt)) return finish("out_of_memory", null, gone);
        if (Date.now() >= target.deadline) return finish("timed_out", null, true);
      }
      if (!gone && stop.pid === 0 && (code === 126 || code === 127)) {
        const words = new TextDecoder().decode(stdout.finish().head);
        const refused = startRefusal(argv[0] ?? "", words);
        if (refused !== null) return notStarted(refused.exitCode, refused.message);
      }
      return finish("exited", code, gone);
    }
  }
}

async function start(
  engine: Engine,
  target: ExecTarget,
  argv: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<{ id: string; stream: Duplex }> {
  const exec = await engine.call(
    "prepare a command",
    CHANGE_MS,
    () =>
      engine.docker.getContainer(target.id).exec({
        Cmd: [...argv],
        AttachStdin: false,
        AttachStdout: true,
        AttachStderr: true,
        Tty: false,
        User: target.user,
        WorkingDir: target.workdir,
        Env: Object.entries(env).map(([name, value]) => `${name}=${value}`),
      }),
  );
  const stream = await engine.call(
    "start a command",
    CHANGE_MS,
    () => exec.start({ hijack: true, stdin: false }),
  );
  return { id: exec.id, stream };
}
