import { parse } from "shell-quote";
import type { FakeProgram, FakeProgramResult } from "./programs.ts";
import type { FakeTree } from "./tree.ts";

/** Where a command of the fake writes, and what it may use. */
export interface FakeProcess {
  readonly files: FakeTree;
  readonly env: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
  readonly programs: ReadonlyMap<string, FakeProgram>;
  readonly write: (stream: "stdout" | "stderr", bytes: Uint8Array) => void;
}

/** How a command of the fake ended. */
export type FakeEnd = Pick<FakeProgramResult, "end"> & { readonly exitCode: number };

/** What the shell reads a PID as, so that `kill -9 $$` means itself. */
const OWN_PID = "2";
const MAX_DEPTH = 8;

/** Runs one argv: a program by name or path, a script of the workspace, or `sh -c`. Missing is 127, unusable 126. */
export async function runArgv(argv: readonly string[], process: FakeProcess, depth = 0): Promise<FakeEnd> {
  const [name = "", ...rest] = argv;
  const say = (why: string) => process.write("stderr", encode(`${name}: ${why}\n`));
  if (depth > MAX_DEPTH) {
    say("nested too deep");
    return { exitCode: 126 };
  }
  const program = process.programs.get(name) ??
    process.programs.get(/^(?:\/usr)?\/bin\/([^/]+)$/.exec(name)?.[1] ?? "");
  if (program !== undefined) {
    const result = await program(argv, process.files, process.env, process.signal);
    if (process.signal.aborted) throw process.signal.reason;
    for (const stream of ["stdout", "stderr"] as const) {
      const output = result[stream];
      if (output !== undefined) process.write(stream, typeof output === "string" ? encode(output) : output);
    }
    return result;
  }
  if (/^(?:\/bin\/|\/usr\/bin\/)?sh$/.test(name)) {
    if (rest[0] === "-c" && rest[1] !== undefined) return await runScript(rest[1], process, depth + 1);
    const script = process.files.readText(rest[0] ?? "");
    if (script !== undefined) return await runScript(script, process, depth + 1);
    say("cannot open");
    return { exitCode: 2 };
  }
  const node = name.includes("/") ? process.files.node(process.files.resolve(name)) : undefined;
  if (node === undefined) {
    say("not found");
    return { exitCode: 127 };
  }
  if (node.kind !== "file" || !node.executable) {
    say("Permission denied");
    return { exitCode: 126 };
  }
  const script = new TextDecoder().decode(node.bytes);
  const interpreter = /^#! *(\S+)(?: +(\S+))?/.exec(script);
  if (interpreter === null) {
    say("Exec format error");
    return { exitCode: 126 };
  }
  const [, path, argument] = interpreter;
  const command = path === "/usr/bin/env" && argument !== undefined ? [argument] : [path!, argument];
  return await runArgv([...command.filter((s) => s !== undefined), name, ...rest], process, depth + 1);
}

/**
 * The little of a shell the contract uses: commands joined by `;`, newline, `&&`, `||`; `&`; `>&2`; `exit N`;
 * `kill -N $$`. Anything else is a syntax error, exit 2, never a wrong guess.
 */
async function runScript(script: string, process: FakeProcess, depth: number): Promise<FakeEnd> {
  const lookUp = (name: string) => name === "$" ? OWN_PID : process.env[name] ?? "";
  const lines = script.split("\n").filter((line) => line.trim() !== "" && !line.trimStart().startsWith("#"));
  let last: FakeEnd = { exitCode: 0 };
  for (const line of lines) {
    let words: string[] = [];
    let joined = ";";
    let toStderr = false;
    const tokens = [...parse(line, lookUp as unknown as Record<string, string>), { op: ";" } as const];
    for (let i = 0; i < tokens.length; i++) {
      const token = tokens[i]!;
      if (typeof token === "string") {
        words.push(token);
        continue;
      }
      if ("op" in token && token.op === "glob" && "pattern" in token) {
        words.push(token.pattern);
        continue;
      }
      if ("op" in token && (token.op as string) === ">&" && tokens[i + 1] === "2") {
        toStderr = true;
        i++;
        continue;
      }
      const op = "op" in token ? token.op as string : "#";
      if (![";", "&", "&&", "||"].includes(op)) {
        process.write("stderr", encode(`sh: syntax error: ${op}\n`));
        return { exitCode: 2 };
      }
      const skipped = (joined === "&&" && last.exitCode !== 0) || (joined === "||" && last.exitCode === 0);
      joined = op;
      const [command, to] = [words, toStderr];
      [words, toStderr] = [[], false];
      if (command.length === 0 || skipped) continue;
      if (command[0] === "exit") {
        return { exitCode: command[1] === undefined ? last.exitCode : Number(command[1]) & 255 };
      }
      if (command[0] === "kill" && command[2] === OWN_PID) {
        return { exitCode: 128 + Number(command[1]?.slice(1)) };
      }
      const child = to
        ? { ...process, write: (_: unknown, bytes: Uint8Array) => process.write("stderr", bytes) }
        : process;
      if (op === "&") {
        runArgv(command, child, depth).catch(() => {
          // Killed with its copy; nobody waits for a command in the background.
        });
        last = { exitCode: 0 };
        continue;
      }
      last = await runArgv(command, child, depth);
      if (last.end !== undefined && last.end !== "exited") return last;
    }
  }
  return last;
}

function encode(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
