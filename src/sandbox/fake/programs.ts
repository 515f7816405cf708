import type { CommandEnd } from "../../vocabulary/verification.ts";
import { joinedBytes } from "../../vocabulary/joined_bytes.ts";
import type { FakeTree } from "./tree.ts";

/** What a program of the fake did. Text is written as UTF-8; left out means nothing. */
export interface FakeProgramResult {
  readonly exitCode: number;
  readonly stdout?: Uint8Array | string;
  readonly stderr?: Uint8Array | string;
  /** `exited` unless given; any other end has no exit code. */
  readonly end?: Exclude<CommandEnd, "timed_out">;
}

/**
 * A program of the fake. The signal aborts when the command is killed; a program that does not heed it is left behind
 * and what it returns is dropped. A thrown Failure stands for a broken engine and comes out of `exec`.
 */
export type FakeProgram = (
  argv: readonly string[],
  files: FakeTree,
  env: Readonly<Record<string, string>>,
  signal: AbortSignal,
) => FakeProgramResult | Promise<FakeProgramResult>;

/** The programs every image and host has too, as far as the contract uses them. */
export const COMMON_PROGRAMS: Readonly<Record<string, FakeProgram>> = {
  true: () => ({ exitCode: 0 }),
  false: () => ({ exitCode: 1 }),
  echo: (argv) => ({ exitCode: 0, stdout: `${argv.slice(1).join(" ")}\n` }),
  pwd: (_argv, files) => ({ exitCode: 0, stdout: `${files.workdir}\n` }),
  env: (_argv, _files, env) => ({
    exitCode: 0,
    stdout: Object.entries(env).map(([name, value]) => `${name}=${value}\n`).join(""),
  }),
  seq: (argv) => {
    const [first, last] = [Number(argv[1]), Number(argv[2])];
    if (argv.length !== 3 || !Number.isInteger(first) || !Number.isInteger(last)) {
      return { exitCode: 1, stderr: "seq: two integers wanted\n" };
    }
    const lines: string[] = [];
    for (let n = first; n <= last; n++) lines.push(`${n}\n`);
    return { exitCode: 0, stdout: lines.join("") };
  },
  sleep: async (argv, _files, _env, signal) => {
    const seconds = Number(argv[1]);
    if (!(seconds >= 0)) return { exitCode: 1, stderr: "sleep: invalid time interval\n" };
    await delay(seconds * 1000, signal);
    return { exitCode: 0 };
  },
  cat: (argv, files) =>
    forEach("cat", argv, (path) => {
      const node = files.node(files.resolve(path));
      if (node === undefined) return missing;
      return node.kind === "file" ? { out: node.bytes } : { error: "Is a directory" };
    }),
  touch: (argv, files) =>
    forEach("touch", argv, (path) => {
      const key = files.resolve(path);
      if (key === null || !files.hasParent(key)) return missing;
      if (files.node(key) === undefined) {
        files.put(key, { kind: "file", bytes: new Uint8Array(), executable: false });
      }
      return {};
    }),
  rm: (argv, files) =>
    forEach("rm", argv, (path) => {
      const node = files.node(files.resolve(path, false));
      if (node?.kind === "directory") return { error: "Is a directory" };
      return files.remove(path) ? {} : missing;
    }),
  readlink: (argv, files) =>
    forEach("readlink", argv, (path) => {
      const node = files.node(files.resolve(path, false));
      return node?.kind === "link" ? { out: `${node.target}\n` } : { error: "not a link" };
    }),
  ls: (argv, files) =>
    forEach("ls", argv.length > 1 ? argv : ["ls", "."], (path) => {
      const key = files.resolve(path);
      const node = files.node(key);
      if (node === undefined) return missing;
      if (node.kind !== "directory") return { out: `${path}\n` };
      const names = files.children(key!).filter((name) => !name.startsWith("."));
      return { out: names.map((name) => `${name}\n`).join("") };
    }),
  test: (argv, files) => {
    const [, flag, path] = argv;
    if (argv.length !== 3 || flag === undefined || path === undefined) {
      return { exitCode: 2, stderr: "test: one condition wanted\n" };
    }
    const node = files.node(files.resolve(path, flag !== "-L"));
    const holds: Record<string, boolean> = {
      "-e": node !== undefined,
      "-f": node?.kind === "file",
      "-d": node?.kind === "directory",
      "-L": node?.kind === "link",
      "-x": node?.kind === "directory" || (node?.kind === "file" && node.executable),
    };
    if (!(flag in holds)) return { exitCode: 2, stderr: `test: ${flag}: unary operator expected\n` };
    return { exitCode: holds[flag] ? 0 : 1 };
  },
};

const missing = { error: "No such file or directory" };

/** Runs `act` for each operand as the real programs do: an error goes to stderr, the others are still done. */
function forEach(
  name: string,
  argv: readonly string[],
  act: (path: string) => { out?: Uint8Array | string; error?: string },
): FakeProgramResult {
  const out: Uint8Array[] = [];
  let stderr = "";
  for (const path of argv.slice(1)) {
    const { out: made, error } = act(path);
    if (error !== undefined) stderr += `${name}: ${path}: ${error}\n`;
    if (made !== undefined) out.push(typeof made === "string" ? new TextEncoder().encode(made) : made);
  }
  return { exitCode: stderr === "" ? 0 : 1, stdout: joinedBytes(out), stderr };
}

/** Waits, or rejects with the signal's reason as soon as it aborts. */
export function delay(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((done, stop) => {
    if (signal.aborted) return stop(signal.reason);
    const onAbort = () => {
      clearTimeout(timer);
      stop(signal.reason);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener("abort", onAbort);
      done();
    }, ms);
    signal.addEventListener("abort", onAbort, { once: true });
  });
}
