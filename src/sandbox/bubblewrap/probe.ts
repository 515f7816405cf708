import { Failure } from "../../vocabulary/failure.ts";
import { asHostUser, type HostUser, hostUser } from "./host_user.ts";

export interface BubblewrapProbe {
  readonly found: boolean;
  readonly version?: string;
  /** A command ran in namespaces of its own, as an ordinary user. */
  readonly works: boolean;
  /** Why not. */
  readonly error?: string;
}

const NOBODY: HostUser = { uid: 65534, gid: 65534 };

/** Looks for `bwrap` in PATH and runs `true` in it, as nobody when we are root. Takes some milliseconds. */
export async function probeBubblewrap(): Promise<BubblewrapProbe> {
  const version = await bubblewrapVersion();
  if (version === null) return { found: false, works: false, error: "bwrap is not in PATH" };
  const command = new Deno.Command("bwrap", {
    args: [
      ...["--unshare-all", "--unshare-user", "--die-with-parent", "--new-session", "--cap-drop", "ALL"],
      ...["--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc", "--tmpfs", "/tmp"],
      ...["--uid", "1000", "--gid", "1000", "--", "/bin/sh", "-c", "exit 0"],
    ],
    stdin: "null",
    stdout: "null",
    ...asHostUser(hostUser(NOBODY)),
  });
  try {
    const { success, stderr } = await command.output();
    if (success) return { found: true, version, works: true };
    return {
      found: true,
      version,
      works: false,
      error: new TextDecoder().decode(stderr).trim().slice(0, 500),
    };
  } catch (error) {
    return { found: true, version, works: false, error: String(error) };
  }
}

/** The version `bwrap` tells, or null when there is no such program. */
export async function bubblewrapVersion(): Promise<string | null> {
  try {
    const { stdout } = await new Deno.Command("bwrap", { args: ["--version"], stdin: "null" }).output();
    return /(\d+\.\d+(?:\.\d+)?)/.exec(new TextDecoder().decode(stdout))?.[1] ?? "unknown";
  } catch {
    return null;
  }
}

/** The failure a missing `bwrap` is. */
export function bubblewrapMissing(): Failure {
  return new Failure(
    "unavailable",
    "bubblewrap_missing",
    "this backend needs bubblewrap; bwrap is not in PATH",
    {
      hint: "install it (`apt-get install bubblewrap`, `dnf install bubblewrap`) or use a container engine",
    },
  );
}

/** The failure a `bwrap` that cannot set up its namespaces is. */
export function bubblewrapUnusable(said: string): Failure {
  const lines = said.trim().split("\n").filter((line) => line !== "").slice(0, 10);
  const namespaces = /namespace|uid map|Operation not permitted|No permissions/i.test(said);
  const reach = /Permission denied/.test(said);
  return new Failure("unavailable", "bubblewrap_unusable", "bubblewrap could not set up the sandbox", {
    hint: /mount proc/.test(said)
      ? "this looks like the inside of a container that masks /proc; run on its host, or use a container engine"
      : namespaces
      ? "user namespaces seem to be switched off here; see the sysctls kernel.unprivileged_userns_clone, " +
        "user.max_user_namespaces and kernel.apparmor_restrict_unprivileged_userns, or use a container engine"
      : reach
      ? "the sandbox user must be able to pass through the temporary directory; point TMPDIR at one that is open"
      : "`pp doctor` shows what works here; a container engine is the other way",
    details: lines,
  });
}
