import { access, constants, stat } from "node:fs/promises";
import { resolve } from "node:path";
import { Failure } from "../vocabulary/failure.ts";
import { joinedBytes } from "../vocabulary/joined_bytes.ts";
import { killMarked } from "./stragglers.ts";

export interface ProgramCall {
  readonly argv: readonly string[];
  readonly cwd?: string;
  readonly env: Readonly<Record<string, string>>;
  readonly input: Uint8Array<ArrayBuffer>;
  readonly timeoutMs: number;
  readonly graceMs: number;
  readonly stdoutBytes: number;
  /** The last bytes of standard error are kept. */
  readonly stderrBytes: number;
}

export interface ProgramResult {
  readonly end: "exited" | "timed_out" | "aborted" | "too_much_output";
  /** Of the program when it exited by itself; 128+N when signal N ended it. */
  readonly exitCode: number;
  readonly stdout: Uint8Array;
  readonly stderr: Uint8Array;
}

/** How long after a program's exit its pipes may stay open in the hands of its children. */
const DRAIN_MS = 1000;
/** The variable that marks everything a program starts, so that what leaves its process group is found too. */
const MARK = "PP_PROPOSER_RUN";

/**
 * Runs a program in a session of its own with the input on its standard input. At its end, whatever that is,
 * nothing it started is left: its process group is killed, and on Linux also what carries the mark in its
 * environment. On timeout, abort and too much output the group gets SIGTERM, then SIGKILL after the grace.
 *
 * @throws Failure unavailable `command_missing` or `command_not_executable`
 */
export async function runProgram(call: ProgramCall, signal: AbortSignal): Promise<ProgramResult> {
  const mark = crypto.randomUUID();
  const child = spawn(call, mark);
  const stop = Promise.withResolvers<ProgramResult["end"]>();
  const timer = setTimeout(() => stop.resolve("timed_out"), call.timeoutMs);
  const abort = () => stop.resolve("aborted");
  signal.addEventListener("abort", abort, { once: true });
  if (signal.aborted) abort();
  const stdout = collect(child.stdout, call.stdoutBytes, "head", () => stop.resolve("too_much_output"));
  const stderr = collect(child.stderr, call.stderrBytes, "tail", () => {});
  const input = child.stdin.getWriter();
  // A program need not read its input; then writing fails or never ends, and neither matters.
  const feeding = input.write(call.input).then(() => input.close()).catch(() => {});
  const closed = Promise.all([child.status, stdout.done, stderr.done]).then(() => {});
  try {
    const exited = child.status.then((): ProgramResult["end"] => "exited");
    let end = await Promise.race([stop.promise, exited]);
    if (end === "exited") {
      await within(DRAIN_MS, Promise.race([closed, stop.promise]));
      // A limit hit while draining still counts; an abort after the exit is the caller's to see.
      if (stdout.full()) end = "too_much_output";
    } else {
      killGroup(child.pid, "SIGTERM");
      await within(call.graceMs, closed);
    }
    return {
      end,
      exitCode: (await killed(child, mark)).code,
      stdout: stdout.bytes(),
      stderr: stderr.bytes(),
    };
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", abort);
    await input.abort().catch(() => {});
    await Promise.all([stdout.cancel(), stderr.cancel(), feeding]);
  }
}

function spawn(call: ProgramCall, mark: string): Deno.ChildProcess {
  const [program, ...args] = call.argv;
  try {
    return new Deno.Command(program!, {
      args,
      ...(call.cwd === undefined ? {} : { cwd: call.cwd }),
      clearEnv: true,
      env: { ...call.env, [MARK]: mark },
      detached: true,
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
  } catch (error) {
    throw notStarted(program, error instanceof Deno.errors.NotFound, error);
  }
}

function notStarted(program: string, missing: boolean, cause?: unknown): Failure {
  return new Failure(
    "unavailable",
    missing ? "command_missing" : "command_not_executable",
    `the proposer program ${JSON.stringify(program)} ${missing ? "was not found" : "cannot be executed"}`,
    { hint: "check PP_COMMAND and PATH", ...(cause === undefined ? {} : { cause }) },
  );
}

/**
 * Looks for a program where `runProgram` will, so that one that is not there is told before anything runs.
 * @throws Failure as `runProgram`
 */
export async function requireProgram(
  { argv, cwd, env }: Pick<ProgramCall, "argv" | "cwd" | "env">,
): Promise<void> {
  const program = argv[0] ?? "";
  // Where there is no PATH, the system has one of its own.
  if (!program.includes("/") && env.PATH === undefined) return;
  const folders = program.includes("/") ? [""] : env.PATH!.split(":");
  let there = false;
  for (const folder of folders) {
    const path = resolve(cwd ?? Deno.cwd(), folder, program);
    const found = await stat(path).catch(() => null);
    if (found === null) continue;
    there = true;
    if (found.isFile() && await access(path, constants.X_OK).then(() => true, () => false)) return;
  }
  throw notStarted(program, !there);
}

async function killed(child: Deno.ChildProcess, mark: string): Promise<Deno.CommandStatus> {
  killGroup(child.pid, "SIGKILL");
  await killMarked(`${MARK}=${mark}`);
  return await child.status;
}

function killGroup(pid: number, signal: Deno.Signal): void {
  try {
    Deno.kill(-pid, signal);
  } catch {
    // Nobody is left in the group.
  }
}

async function within(ms: number, promise: Promise<unknown>): Promise<void> {
  const { promise: elapsed, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, ms);
  await Promise.race([promise, elapsed]);
  clearTimeout(timer);
}

interface Collected {
  readonly done: Promise<void>;
  full(): boolean;
  bytes(): Uint8Array;
  cancel(): Promise<void>;
}

/** Reads a stream to its end and keeps at most `limit` of its first or last bytes. */
function collect(
  stream: ReadableStream<Uint8Array>,
  limit: number,
  keep: "head" | "tail",
  onFull: () => void,
): Collected {
  const reader = stream.getReader();
  const chunks: Uint8Array[] = [];
  let kept = 0, total = 0;
  const read = async () => {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      total += value.length;
      if (keep === "head") {
        if (kept < limit) chunks.push(value.subarray(0, limit - kept));
        kept = Math.min(limit, kept + value.length);
        if (total > limit) onFull();
      } else {
        chunks.push(value);
        kept += value.length;
        while (chunks.length > 1 && kept - chunks[0]!.length >= limit) kept -= chunks.shift()!.length;
      }
    }
  };
  return {
    done: read().catch(() => {}),
    full: () => total > limit,
    bytes: () => joinedBytes(chunks).subarray(Math.max(0, kept - limit)),
    cancel: () => reader.cancel().catch(() => {}),
  };
}
