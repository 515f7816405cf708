import { readFile, readlink } from "node:fs/promises";
import process from "node:process";
import { errorCode } from "../vocabulary/system_error.ts";

/**
 * Who made something: one process, named so that no other process on any host, in any PID namespace or after a reuse
 * of the PID has the same name. Text of the form `v1:<boot id>:<pid namespace>:<pid>:<start time>`.
 */
export type Owner = string;

/** `elsewhere`: made on another host, in another PID namespace or by an unknown hand; this process cannot tell. */
export type OwnerState = "alive" | "gone" | "elsewhere";

const FORM = /^v1:([0-9a-z-]{1,64}):([0-9]{1,20}):([0-9]{1,10}):([0-9]{1,20})$/;

interface Place {
  readonly boot: string;
  readonly namespace: string;
}

/** The owner that stands for this process. Where /proc is missing it is one that everyone finds `elsewhere`. */
export async function thisOwner(): Promise<Owner> {
  const place = await thisPlace();
  const start = await startTime(process.pid);
  if (place === null || start == null) return `v1:unknown:0:${process.pid}:0`;
  return `v1:${place.boot}:${place.namespace}:${process.pid}:${start}`;
}

/**
 * Whether the process that made something still runs, as far as this process can know. Never throws: what cannot be
 * read (too many open files, a broken /proc) tells of no death, and the deadline decides.
 * @param statOf gives the text of /proc/PID/stat, or an error of the system
 */
export async function ownerState(owner: string, statOf: StatOf = procStat): Promise<OwnerState> {
  const match = FORM.exec(owner);
  const place = await thisPlace();
  if (match === null || place === null) return "elsewhere";
  const [, boot, namespace, pid, start] = match;
  if (boot !== place.boot || namespace !== place.namespace) return "elsewhere";
  const found = await startTime(Number(pid), statOf);
  return found === undefined ? "elsewhere" : found === start ? "alive" : "gone";
}

type StatOf = (pid: number) => Promise<string>;

async function procStat(pid: number): Promise<string> {
  return await readFile(`/proc/${pid}/stat`, "latin1");
}

async function thisPlace(): Promise<Place | null> {
  try {
    const boot = (await readFile("/proc/sys/kernel/random/boot_id", "utf8")).trim();
    const namespace = /\[(\d+)\]/.exec(await readlink("/proc/self/ns/pid"))?.[1];
    return namespace === undefined ? null : { boot, namespace };
  } catch {
    return null;
  }
}

/**
 * Clock ticks after boot at which a process started; null when it does not run (a zombie does not), undefined when
 * that cannot be read.
 */
async function startTime(pid: number, statOf: StatOf = procStat): Promise<string | null | undefined> {
  try {
    const stat = await statOf(pid);
    // The name in parentheses may hold anything, so fields are counted from the last one.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    const state = fields[0];
    return state === "Z" || state === "X" ? null : fields[19];
  } catch (error) {
    return ["ENOENT", "ESRCH"].includes(errorCode(error)) ? null : undefined;
  }
}
