import { Failure } from "../../vocabulary/failure.ts";
import type { HostConfig } from "./dockerode.ts";
import type { Enforcement, SandboxSpec } from "../sandbox.ts";

export const WATCHDOG_MS = 1_500;

const GIB = 1024 ** 3;
const DEFAULT_MEMORY = 2 * GIB;
const DEFAULT_PIDS = 512;
const DEFAULT_FILE = 4 * GIB;
const DEFAULT_DISK = 8 * GIB;
/** The engine refuses less. */
const LEAST_MEMORY = 6 * 1024 ** 2;

/** What an engine says about itself, as far as limits depend on it. */
export interface EngineInfo {
  readonly NCPU?: number;
  readonly MemoryLimit?: boolean;
  readonly SwapLimit?: boolean;
  readonly PidsLimit?: boolean;
  readonly CpuCfsPeriod?: boolean;
  readonly CpuCfsQuota?: boolean;
  readonly SecurityOptions?: readonly string[] | null;
  readonly Runtimes?: Readonly<Record<string, unknown>> | null;
  readonly DefaultRuntime?: string;
  readonly OSType?: string;
  readonly Architecture?: string;
  readonly SystemTime?: string;
}

export interface SandboxUser {
  readonly uid: number;
  readonly gid: number;
}

/** How containers of a session are made, and what that enforces. */
export interface Hardening {
  readonly user: SandboxUser;
  readonly hostConfig: HostConfig;
  /** The engine is to set up no network at all: the runtime's new namespace, with a loopback, is all there is. */
  readonly unnetworked: boolean;
  readonly diskBytes: number;
  readonly runtime: string;
  readonly enforced: readonly Enforcement[];
}

/**
 * The hardened configuration for a spec on an engine.
 * @throws Failure denied `cannot_enforce` naming everything that was asked for and cannot be enforced (seccomp is
 *   always asked for), denied `user_is_root`, unavailable `runtime_missing`
 */
export function harden(spec: SandboxSpec, info: EngineInfo): Hardening {
  const user = sandboxUser(spec.user);
  const runtime = spec.runtime ?? info.DefaultRuntime ?? "runc";
  if (spec.runtime !== null && info.Runtimes && !(spec.runtime in info.Runtimes)) {
    throw new Failure("unavailable", "runtime_missing", `the engine has no runtime ${spec.runtime}`, {
      hint: `it has ${Object.keys(info.Runtimes).join(", ")}; set sandbox.runtime to one of them`,
    });
  }

  const asked = spec.limits;
  const cannot: string[] = [];
  const enforced: Enforcement[] = [];
  const row = (limit: Enforcement["limit"], value: string, by: string) => enforced.push({ limit, value, by });
  const hostConfig: HostConfig = {
    NetworkMode: spec.network === "allow" ? "default" : "none",
    CapDrop: ["ALL"],
    SecurityOpt: ["no-new-privileges"],
    Init: true,
    IpcMode: "private",
    ReadonlyRootfs: false,
    Binds: [],
    LogConfig: { Type: "none", Config: {} },
    Privileged: false,
    ...(spec.runtime === null ? {} : { Runtime: spec.runtime }),
  };

  if (spec.network === "allow") row("network", "allowed", "none");
  else row("network", "none", "network namespace");

  const cpus = asked.cpus ?? Math.min(2, info.NCPU ?? 1);
  if (info.CpuCfsQuota === false || info.CpuCfsPeriod === false) {
    if (asked.cpus !== null) cannot.push("cpus: the engine's kernel has no CPU quota");
    row("cpus", "unlimited", "none");
  } else if (!(cpus >= 0.01) || (info.NCPU !== undefined && cpus > info.NCPU)) {
    cannot.push(`cpus: ${cpus} asked for, the engine has ${info.NCPU ?? "an unknown number"}`);
  } else {
    hostConfig.NanoCpus = Math.round(cpus * 1e9);
    row("cpus", String(cpus), "cgroup");
  }

  const memory = asked.memoryBytes ?? DEFAULT_MEMORY;
  if (info.MemoryLimit === false) {
    if (asked.memoryBytes !== null) cannot.push("memory: the engine has no memory limit");
    row("memory", "unlimited", "none");
  } else if (!Number.isSafeInteger(memory) || memory < LEAST_MEMORY) {
    cannot.push(`memory: ${memory} bytes asked for, the least is ${LEAST_MEMORY}`);
  } else {
    hostConfig.Memory = memory;
    hostConfig.OomKillDisable = false;
    if (info.SwapLimit === false) {
      if (asked.memoryBytes !== null) cannot.push("memory: the engine cannot limit swap");
      row("memory", String(memory), "cgroup, swap not limited");
    } else {
      hostConfig.MemorySwap = memory;
      row("memory", String(memory), "cgroup, no swap");
    }
  }

  const pids = asked.pids ?? DEFAULT_PIDS;
  if (info.PidsLimit === false) {
    if (asked.pids !== null) cannot.push("pids: the engine has no limit of processes");
    row("pids", "unlimited", "none");
  } else if (!Number.isSafeInteger(pids) || pids < 1) {
    cannot.push(`pids: ${pids} asked for, the least is 1`);
  } else {
    hostConfig.PidsLimit = pids;
    row("pids", String(pids), "cgroup");
  }

  const fileBytes = Math.floor(asked.fileBytes ?? DEFAULT_FILE);
  if (!Number.isSafeInteger(fileBytes) || fileBytes < 1) {
    cannot.push(`file size: ${fileBytes} bytes asked for`);
  }
  hostConfig.Ulimits = [
    { Name: "fsize", Soft: fileBytes, Hard: fileBytes },
    { Name: "core", Soft: 0, Hard: 0 },
  ];
  row("file_size", String(fileBytes), "rlimit");

  const diskBytes = asked.diskBytes ?? DEFAULT_DISK;
  if (!(diskBytes >= 1)) cannot.push(`disk: ${diskBytes} bytes asked for`);
  row("disk", String(diskBytes), `watchdog, every ${WATCHDOG_MS / 1000} s`);

  row(
    "time",
    `per command, all until ${new Date(spec.deadline).toISOString()}`,
    "container kill, own end of the container unless its main process is stopped",
  );
  row("user", `${user.uid}:${user.gid}`, "container user, no new privileges");
  row("capabilities", "none", "capability sets");

  if (hasSeccomp(info.SecurityOptions)) row("syscalls", "engine's default profile", "seccomp profile");
  else cannot.push("syscalls: the engine has no seccomp profile");

  if (cannot.length > 0) {
    throw new Failure("denied", "cannot_enforce", `the engine cannot enforce ${cannot.join("; ")}`, {
      details: cannot,
      hint: "ask for less in the policy, or use an engine that can",
    });
  }
  // The engine's own way to no network doubles the time of a start. Only of runc it is known that it brings the
  // loopback of a new namespace up by itself.
  const unnetworked = spec.network !== "allow" && runtime === "runc";
  return { user, hostConfig, unnetworked, diskBytes, runtime, enforced };
}

/** `uid` or `uid:gid` in numbers; the group of a lone uid is the same number. Root is refused. */
export function sandboxUser(text: string): SandboxUser {
  const match = /^(\d{1,9})(?::(\d{1,9}))?$/.exec(text);
  if (match === null || Number(match[1]) === 0) {
    const code = match === null ? "user_not_numeric" : "user_is_root";
    throw new Failure("denied", code, `sandbox user ${JSON.stringify(text)} is refused`, {
      hint: "set sandbox.user to a number other than 0, such as 1000 or 1000:1000",
    });
  }
  const uid = Number(match[1]);
  return { uid, gid: match[2] === undefined ? uid : Number(match[2]) };
}

function hasSeccomp(options: readonly string[] | null | undefined): boolean {
  return (options ?? []).some((option) => {
    const fields = option.split(",");
    return fields[0] === "name=seccomp" && !fields.includes("profile=unconfined");
  });
}
