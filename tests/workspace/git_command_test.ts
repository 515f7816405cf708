import assert from "node:assert/strict";
import { moduleText, withFakeGit } from "./fake_git.ts";
import { inTempDir } from "./trees.ts";

const RUN = `import { runGit } from ${moduleText("git_command.ts")};
  const call = { cwd: "/", env: {}, timeoutMs: 1_000, maxBytes: 10 };
  const { stdout, stderr, ...rest } = await runGit(["x"], call).catch((e) => ({ error: e.code })) ?? { none: true };
  console.log(JSON.stringify({ ...rest, out: stdout?.length, err: stderr?.length }));`;

Deno.test("runGit: how git ended", () =>
  inTempDir(async (root) => {
    const ended = { code: 0, timedOut: false, signal: null, truncated: false, out: 0, err: 0 };
    const cases: [string | null, object][] = [
      [null, { none: true }],
      ["#!/nowhere/sh\n", { error: "git_not_started" }],
      ["#!/bin/sh\nprintf abc; exit 3\n", { ...ended, code: 3, out: 3 }],
      ["#!/bin/sh\nexec /bin/sleep 30\n", { ...ended, code: 137, timedOut: true, signal: "SIGKILL" }],
      ["#!/bin/sh\nkill -SEGV $$\n", { ...ended, code: 139, signal: "SIGSEGV" }],
      ["#!/bin/sh\nwhile :; do echo line; done\n", {
        ...{ ...ended, code: 137, signal: "SIGKILL" },
        ...{ truncated: true, out: 10 },
      }],
      // Warnings without end are cut; git goes on.
      ["#!/bin/sh\n/usr/bin/head -c 1000000 /dev/zero | /usr/bin/tr '\\0' x >&2\n", {
        ...ended,
        err: 65_536,
      }],
    ];
    for (const [git, want] of cases) {
      assert.deepEqual(JSON.parse(await withFakeGit(root, git, RUN)), want, git ?? "no git");
    }
  }));
