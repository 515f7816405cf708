import { Failure } from "../vocabulary/failure.ts";

/** A finished git. `stdout` is cut at the bound. */
export interface GitResult {
  readonly code: number;
  /** Killed at the end of its time; what it said until then is no answer. */
  readonly timedOut: boolean;
  /** Ended by a signal: its own fault, ours past a bound, or somebody else's. */
  readonly signal: string | null;
  readonly stdout: Uint8Array;
  readonly stderr: string;
  readonly truncated: boolean;
}

export interface GitCall {
  readonly cwd: string;
  /** Added to the hardened environment. */
  readonly env: Readonly<Record<string, string>>;
  /** Configuration that beats every file. */
  readonly config?: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  readonly maxBytes: number;
}

const CONFIG: Readonly<Record<string, string>> = {
  "core.fsmonitor": "false",
  "core.untrackedCache": "false",
  "core.hooksPath": "/dev/null",
  "core.pager": "cat",
  "core.attributesFile": "/dev/null",
  "core.excludesFile": "/dev/null",
  "diff.external": "",
  "protocol.allow": "never",
  "gc.auto": "0",
  "maintenance.auto": "false",
};

/**
 * Runs git without anything a repository or user can configure to be executed: no system or user configuration, no
 * hooks, pager, prompt, monitor or transport. Past the time or the output bound git is killed.
 * @returns null when there is no git in an absolute directory of PATH
 * @throws Failure `unavailable` `git_not_started`
 */
export async function runGit(args: readonly string[], call: GitCall): Promise<GitResult | null> {
  const child = startGit(args, call, "null");
  if (child === null) return null;
  const kill = () => {
    try {
      child.kill("SIGKILL");
    } catch {
      // It has ended already.
    }
  };
  let timedOut = false;
  const timer = setTimeout(() => {
    timedOut = true;
    kill();
  }, call.timeoutMs);
  try {
    const [out, err] = await Promise.all([
      readBounded(child.stdout, call.maxBytes, kill),
      // Warnings are cut, not punished; the time is bounded anyway.
      readBounded(child.stderr, 64 * 1024, () => {}),
    ]);
    const { code, signal } = await child.status;
    return {
      code,
      // A git that ended by itself at the last moment has answered.
      timedOut: timedOut && signal !== null,
      signal,
      stdout: out.bytes,
      stderr: new TextDecoder().decode(err.bytes).trim(),
      truncated: out.truncated,
    };
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Starts git as `runGit` does, for callers that talk with it; time and output are theirs to bound.
 * @returns null when there is no git in an absolute directory of PATH
 * @throws Failure `unavailable` `git_not_started`
 */
export function startGit(
  args: readonly string[],
  call: Pick<GitCall, "cwd" | "env" | "config">,
  stdin: "null" | "piped",
): Deno.ChildProcess | null {
  const program = findGit();
  if (program === null) return null;
  const config = Object.entries({ ...CONFIG, ...call.config });
  const env: Record<string, string> = {
    PATH: absolutePath(),
    HOME: "/nonexistent",
    LC_ALL: "C",
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_CONFIG_GLOBAL: "/dev/null",
    GIT_ATTR_NOSYSTEM: "1",
    GIT_OPTIONAL_LOCKS: "0",
    GIT_TERMINAL_PROMPT: "0",
    GIT_PAGER: "cat",
    GIT_ALLOW_PROTOCOL: "none",
    GIT_NO_LAZY_FETCH: "1",
    GIT_NO_REPLACE_OBJECTS: "1",
    GIT_GRAFT_FILE: "/dev/null",
    GIT_CONFIG_COUNT: String(config.length),
    ...call.env,
  };
  config.forEach(([key, value], i) => {
    env[`GIT_CONFIG_KEY_${i}`] = key;
    env[`GIT_CONFIG_VALUE_${i}`] = value;
  });
  const command = new Deno.Command(program, {
    args: ["--no-pager", ...args],
    cwd: call.cwd,
    env,
    clearEnv: true,
    stdin,
    stdout: "piped",
    stderr: "piped",
  });
  return start(command, program);
}

function start(command: Deno.Command, program: string): Deno.ChildProcess {
  try {
    return command.spawn();
  } catch (cause) {
    throw new Failure("unavailable", "git_not_started", `${program} cannot be started`, {
      hint: "mend the installation of git, or take it out of PATH",
      cause,
    });
  }
}

async function readBounded(
  stream: ReadableStream<Uint8Array>,
  maxBytes: number,
  kill: () => void,
): Promise<{ bytes: Uint8Array; truncated: boolean }> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const part of stream) {
    if (length >= maxBytes) continue;
    parts.push(part.subarray(0, maxBytes - length));
    length += part.length;
    if (length > maxBytes) kill();
  }
  const bytes = new Uint8Array(Math.min(length, maxBytes));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return { bytes, truncated: length > maxBytes };
}

/** A relative entry of PATH would run a program out of the workspace. */
function absolutePath(): string {
  return (Deno.env.get("PATH") ?? "").split(":").filter((directory) => directory.startsWith("/")).join(":");
}

/** The git in the first absolute directory of PATH that has one. */
export function findGit(): string | null {
  for (const directory of absolutePath().split(":")) {
    if (directory === "") continue;
    try {
      const info = Deno.statSync(`${directory}/git`);
      if (info.isFile && ((info.mode ?? 0) & 0o111) !== 0) return `${directory}/git`;
    } catch {
      continue;
    }
  }
  return null;
}
