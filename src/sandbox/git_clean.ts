import { Failure } from "../vocabulary/failure.ts";

const LISTED = 20;

/**
 * Checks that a checkout has no change git would report, untracked files included; ignored files and `.pp-artifacts`
 * do not count. Only reads: the index is not refreshed, no hook or file system monitor of the repository runs.
 * @throws Failure `unavailable` `git_missing` or `not_a_git_checkout`; `denied` `git_not_clean` naming the paths
 */
export async function requireCleanCheckout(root: string): Promise<void> {
  const command = new Deno.Command("git", {
    args: [
      ...["-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null", "-C", root],
      ...["status", "--porcelain=v1", "-z", "--untracked-files=all", "--ignore-submodules=none", "--", "."],
      ":(exclude).pp-artifacts",
    ],
    // GIT_DIR and its kin would make git speak of another repository.
    clearEnv: true,
    env: { ...passedOn(["PATH", "HOME", "XDG_CONFIG_HOME"]), GIT_OPTIONAL_LOCKS: "0", LC_ALL: "C" },
    stdin: "null",
  });
  const { success, stdout, stderr } = await command.output().catch((cause) => {
    throw new Failure(
      "unavailable",
      "git_missing",
      "the git_worktree backend needs git, which is not there",
      {
        hint: "install git, or use sandbox.backend copy",
        cause,
      },
    );
  });
  if (!success) {
    throw new Failure("unavailable", "not_a_git_checkout", `${root} is not a git checkout git can read`, {
      hint: "use sandbox.backend copy",
      details: new TextDecoder().decode(stderr).trim().split("\n").slice(0, LISTED),
    });
  }
  const lines = new TextDecoder().decode(stdout).split("\0").filter((line) => line !== "");
  if (lines.length === 0) return;
  const details = lines.slice(0, LISTED);
  if (lines.length > LISTED) details.push(`… and ${lines.length - LISTED} more`);
  throw new Failure("denied", "git_not_clean", `${root} has changes that are not committed`, {
    hint: "commit or stash them, or use sandbox.backend copy, which takes the files as they are",
    details,
  });
}

/** Whether `requireCleanCheckout` would pass. */
export async function isCleanCheckout(root: string): Promise<boolean> {
  return await requireCleanCheckout(root).then(() => true, () => false);
}

function passedOn(names: readonly string[]): Record<string, string> {
  const env: Record<string, string> = {};
  for (const name of names) {
    const value = Deno.env.get(name);
    if (value !== undefined) env[name] = value;
  }
  return env;
}
