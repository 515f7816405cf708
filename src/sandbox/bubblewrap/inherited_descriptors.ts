import { access, readdir, readFile } from "node:fs/promises";
import { Failure } from "../../vocabulary/failure.ts";

const CLOSE_ON_EXEC = 0o2000000;

/** How to start a program without the descriptors we were started with. */
export interface CleanShell {
  readonly program: string;
  /** Closes them; empty when there are none. */
  readonly prologue: string;
}

/**
 * Open files our own parent left to us would be left to a sandboxed command too, and a directory among them is a way
 * out. What this process opens itself is closed on exec already.
 * @throws Failure `unavailable` `inherited_descriptors` when one is open that no shell here can close
 */
export async function cleanShell(): Promise<CleanShell> {
  const inherited: number[] = [];
  for (const name of await readdir("/proc/self/fd").catch(() => [] as string[])) {
    const info = await readFile(`/proc/self/fdinfo/${name}`, "latin1").catch(() => "");
    const flags = /^flags:\s*([0-7]+)/m.exec(info)?.[1];
    if (Number(name) > 2 && flags !== undefined && (parseInt(flags, 8) & CLOSE_ON_EXEC) === 0) {
      inherited.push(Number(name));
    }
  }
  const prologue = inherited.map((n) => `exec ${n}>&-; `).join("");
  // POSIX shells need not know descriptors beyond 9.
  if (inherited.every((n) => n <= 9)) return { program: "/bin/sh", prologue };
  const bash = await access("/bin/bash").then(() => true, () => false);
  if (bash) {
    // Only there does bash count `ulimit -f` in blocks of 512 bytes, as the other shells do.
    return { program: "/bin/bash", prologue: `set -o posix; ${prologue}` };
  }
  throw new Failure(
    "unavailable",
    "inherited_descriptors",
    "veripatch was started with open files it cannot close",
    {
      hint: "start it without them, or install bash",
      details: [`descriptors ${inherited.join(", ")}`],
    },
  );
}
