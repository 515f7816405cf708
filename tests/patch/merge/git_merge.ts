import { spawnSync } from "node:child_process";
import { join } from "node:path";
import type { MergeStrategy } from "../../../src/patch/merge.ts";

/** Runs `git merge-file` on three texts in a folder of its own, with no configuration of the machine. */
export class GitMerge {
  readonly #dir = Deno.makeTempDirSync({ prefix: "pp-merge-" });

  /** @returns what it printed, and the number of conflicts it says are left */
  run(base: Uint8Array, ours: Uint8Array, theirs: Uint8Array, strategy: MergeStrategy) {
    for (const [name, bytes] of Object.entries({ base, ours, theirs })) {
      Deno.writeFileSync(join(this.#dir, name), bytes);
    }
    const flags = strategy === "manual" ? [] : [`--${strategy}`];
    const run = spawnSync(
      "git",
      [
        "merge-file",
        "-p",
        "-q",
        "-L",
        "ours",
        "-L",
        "base",
        "-L",
        "theirs",
        ...flags,
        "ours",
        "base",
        "theirs",
      ],
      {
        cwd: this.#dir,
        maxBuffer: 1 << 28,
        env: {
          PATH: Deno.env.get("PATH"),
          HOME: this.#dir,
          GIT_CONFIG_NOSYSTEM: "1",
          GIT_CEILING_DIRECTORIES: this.#dir,
          LC_ALL: "C",
        },
      },
    );
    return { bytes: new Uint8Array(run.stdout), conflicts: run.status! };
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.#dir, { recursive: true });
  }
}
