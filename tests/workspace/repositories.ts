import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { writeFiles } from "./trees.ts";

/** Plain git, which heeds what a repository configures. */
export function git(cwd: string, ...args: string[]): string {
  const identity = ["-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false"];
  const options = {
    cwd,
    stdio: ["ignore", "pipe", "pipe"] as ["ignore", "pipe", "pipe"],
    env: { PATH: Deno.env.get("PATH"), HOME: cwd, GIT_CONFIG_NOSYSTEM: "1" },
  };
  return execFileSync("git", [...identity, "-c", "protocol.file.allow=always", ...args], options).toString()
    .trim();
}

/** A repository with everything committed on `main`. */
export function commitAll(root: string, files: Record<string, string>): string {
  Deno.mkdirSync(root, { recursive: true });
  git(root, "init", "-q", "-b", "main");
  writeFiles(root, files);
  git(root, "add", "-A");
  git(root, "commit", "-q", "-m", "first");
  return git(root, "rev-parse", "HEAD");
}

export interface HostileRepository {
  readonly root: string;
  /** A file that is there once anything of the repository has been executed. */
  readonly marker: string;
  /** A commit before HEAD. */
  readonly first: string;
}

/**
 * A repository with a submodule that has a program in every place git might take one from, and with changed files,
 * so that git looks into them. Plain `git status` falls into the trap.
 */
export function hostileRepository(base: string): HostileRepository {
  const root = join(base, "repo");
  const marker = join(base, "marker");
  const run = `touch ${marker}; cat`;
  const first = commitAll(root, { "a": "1\n", "b.txt": "1\n", "sub/c": "1\n" });
  commitAll(join(root, "module"), { "m": "1\n" });
  git(root, "add", "module");
  git(root, "commit", "-q", "-m", "module");
  writeFiles(root, {
    ".gitattributes": "* filter=evil diff=evil merge=evil\n",
    ".git/info/attributes": "* filter=evil diff=evil\n",
    "module/.gitattributes": "* filter=evil diff=evil\n",
  });
  for (const directory of [root, join(root, "module")]) {
    for (
      const [key, value] of Object.entries({
        "core.fsmonitor": `touch ${marker}; false`,
        "core.hooksPath": join(base, "hooks"),
        "core.pager": run,
        "pager.diff": run,
        "core.sshCommand": run,
        "core.worktree": "/etc",
        "diff.external": run,
        "diff.evil.command": run,
        "diff.evil.textconv": run,
        "filter.evil.clean": run,
        "filter.evil.smudge": run,
        "filter.evil.process": run,
        "filter.evil.required": "true",
        "extensions.partialClone": "origin",
        "remote.origin.url": `ext::sh -c "touch ${marker}"`,
        "remote.origin.promisor": "true",
        "protocol.ext.allow": "always",
        "protocol.allow": "always",
        "alias.diff": `!touch ${marker}`,
        "alias.rev-parse": `!touch ${marker}`,
      })
    ) execFileSync("git", ["config", "--file", join(directory, ".git/config"), key, value]);
  }
  Deno.mkdirSync(join(base, "hooks"));
  for (const hook of ["post-index-change", "fsmonitor-watchman", "reference-transaction"]) {
    for (const directory of [join(base, "hooks"), join(root, ".git/hooks")]) {
      Deno.mkdirSync(directory, { recursive: true });
      Deno.writeTextFileSync(join(directory, hook), `#!/bin/sh\ntouch ${marker}\n`);
      Deno.chmodSync(join(directory, hook), 0o755);
    }
  }
  writeFiles(root, { "a": "2\n", "b.txt": "1\n", "sub/c": "3\n", "module/m": "2\n" });
  // The trap is live: plain git falls into it.
  try {
    git(root, `--work-tree=${root}`, "status");
  } catch {
    // What it says does not matter.
  }
  Deno.removeSync(marker);

  return { root, marker, first };
}
