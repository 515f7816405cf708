import { chown, readFile, rm, writeFile } from "node:fs/promises";
import { Failure, interrupted } from "../../vocabulary/failure.ts";
import type { CommandResult } from "../../vocabulary/verification.ts";
import { bubblewrapUnusable } from "./probe.ts";
import { asHostUser, type HostUser } from "./host_user.ts";
import type { CleanShell } from "./inherited_descriptors.ts";
import { OutputCapture } from "../output_capture.ts";

export interface BubblewrapRun {
  /** Options of `bwrap`, without program and argv. */
  readonly setUp: readonly string[];
  readonly shell: CleanShell;
  readonly argv: readonly string[];
  readonly user: HostUser | null;
  readonly fileBytes: number | null;
  /** A path of ours for what bubblewrap reports; made and removed here. */
  readonly statusFile: string;
  readonly timeoutMs: number;
  readonly outputBytes: number;
  /** Caller's wish to stop, and the end of the copy. */
  readonly signals: readonly AbortSignal[];
}

/** Output still open this long after the namespace is gone is given up. */
const DRAIN_MS = 5_000;
const BLOCK = 512;

/**
 * Runs one argv in bubblewrap to its end. The PID namespace dies with the `bwrap` we started, so killing that kills
 * everything, and a command's background children end with it.
 * @throws Failure `unavailable` `bubblewrap_unusable` when the sandbox could not be set up (the command did not run);
 *   `interrupted`, or the reason that is a Failure, when a signal aborts
 */
export async function runInBubblewrap(run: BubblewrapRun): Promise<CommandResult> {
  for (const signal of run.signals) if (signal.aborted) throw interrupted(signal.reason);
  await writeFile(run.statusFile, "", { mode: 0o600, flag: "wx" });
  if (run.user !== null) await chown(run.statusFile, run.user.uid, run.user.gid);
  try {
    return await watch(run);
  } finally {
    await rm(run.statusFile, { force: true });
  }
}

async function watch(run: BubblewrapRun): Promise<CommandResult> {
  const began = performance.now();
  const child = new Deno.Command(run.shell.program, {
    args: [
      "-c",
      run.shell.prologue + outerScript(run.fileBytes),
      run.statusFile,
      ...run.setUp,
      "--",
      ...innerCommand(run.argv),
    ],
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
    clearEnv: true,
    env: { PATH: Deno.env.get("PATH") ?? "/usr/bin:/bin" },
    ...asHostUser(run.user),
  }).spawn();

  let stopped: "timed_out" | Failure | null = null;
  const stop = (why: "timed_out" | Failure) => {
    if (stopped !== null) return;
    stopped = why;
    try {
      child.kill("SIGKILL");
    } catch {
      // It ended in the same moment.
    }
  };
  const timer = setTimeout(() => stop("timed_out"), run.timeoutMs);
  const listeners = run.signals.map((signal) => {
    const onAbort = () => stop(interrupted(signal.reason));
    signal.addEventListener("abort", onAbort, { once: true });
    if (signal.aborted) onAbort();
    return () => signal.removeEventListener("abort", onAbort);
  });

  const stdout = new OutputCapture(run.outputBytes);
  const stderr = new OutputCapture(run.outputBytes);
  const readers = [child.stdout.getReader(), child.stderr.getReader()];
  const drains = Promise.all([drain(readers[0]!, stdout), drain(readers[1]!, stderr)]);
  const ended = await child.status;
  clearTimeout(timer);
  for (const unlisten of listeners) unlisten();
  const durationMs = performance.now() - began;
  const late = setTimeout(() => readers.forEach((reader) => reader.cancel().catch(() => {})), DRAIN_MS);
  await drains;
  clearTimeout(late);

  const why = stopped as "timed_out" | Failure | null;
  if (why instanceof Failure) throw why;
  const output = { argv: [...run.argv], durationMs, stdout: stdout.finish(), stderr: stderr.finish() };
  if (why === "timed_out") return { ...output, end: "timed_out", exitCode: null };
  const exitCode = /"exit-code": (\d+)/.exec(await readFile(run.statusFile, "utf8"))?.[1];
  if (exitCode === undefined) {
    const said = new TextDecoder().decode(output.stderr.head);
    throw bubblewrapUnusable(said === "" ? `bwrap ended with ${ended.signal ?? ended.code}` : said);
  }
  return { ...output, end: "exited", exitCode: Number(exitCode) };
}

/** `$0` is where bubblewrap reports whether the command ran and how it ended: its own exit 1 is nobody's. */
function outerScript(fileBytes: number | null): string {
  const limit = fileBytes === null ? "" : `ulimit -f ${fileBlocks(fileBytes)} || exit 1; `;
  return `ulimit -c 0; ${limit}exec 3>"$0" && exec bwrap --json-status-fd 3 "$@"`;
}

/** A shell only to tell a missing program (127) from one that cannot be executed (126), as it does by itself. */
function innerCommand(argv: readonly string[]): string[] {
  return ["/bin/sh", "-c", 'exec "$@"', "sh", ...argv];
}

/** What `ulimit -f` counts in: a limit is never looser than asked for, and never nothing. */
export function fileBlocks(bytes: number): number {
  return Math.max(1, Math.floor(bytes / BLOCK));
}

async function drain(reader: ReadableStreamDefaultReader<Uint8Array>, into: OutputCapture): Promise<void> {
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    into.write(value);
  }
}
