import type { Duplex, Readable } from "node:stream";
import { interrupted } from "../../vocabulary/failure.ts";
import type { FileChange } from "../../vocabulary/change.ts";
import { changeTar } from "../change_tar.ts";
import { FrameReader } from "./frames.ts";
import type { SandboxUser } from "./limits.ts";

/**
 * What the shell of a container that waits for changed files reads first, as one command, so that nothing is read
 * ahead: a child reads names to delete and one tar from stdin, as the sandbox user, before any command runs, and ends;
 * the shell itself has become the sleep by then and holds none of these streams. Says R when it waits, N when the
 * image has not what it needs, K when all is in place, F when not. Not in its argv, where a command would find it.
 */
const SCRIPT = `{
exec 3<&0 4>&1 </dev/null >/dev/null 2>&1
((
exec <&3 >&4 3<&- 4>&-
umask 022
unset TAR_OPTIONS
for tool in head tar rm; do command -v "$tool" >/dev/null || { echo N; exit; }; done
echo R
set --
while IFS= read -r line; do
case $line in
-*) set -- "$@" "./\${line#-}" ;;
*) break ;;
esac
done
[ $# -eq 0 ] || rm -f -- "$@" || { echo F; exit; }
case $line in
go) ;;
tar*) head -c "\${line#tar}" | tar -x -p -o -f - || { echo F; exit; } ;;
*) exit ;;
esac
echo K
) & )
exec 3<&- 4>&-
exec sleep "$1"
}
`;

/** The argv of a container's main process that waits for changes and ends by itself after some seconds. */
export function waitingEntrypoint(seconds: number): string[] {
  return ["sh", "-s", String(seconds)];
}

/** An engine under load starts a container slowly; without a word for so long the image is taken for unfit. */
const READY_MS = 30_000;
/** Nothing moved for so long. */
const STALL_MS = 30_000;
/** Names given to the one `rm`. */
const MOST_DELETIONS = 256;
const BLOCK = 512;
/** Printable ASCII that a tar holds without extensions, which not every tar program reads. */
const PLAIN_NAME = /^[\x20-\x7e]{1,100}$/;

/** Whether changes can go through an inlet; the engine lays the others. */
export function fitsInlet(changes: readonly FileChange[]): boolean {
  const deletions = changes.filter((change) => change.kind === "delete").length;
  return deletions <= MOST_DELETIONS && changes.every((change) => PLAIN_NAME.test(change.path));
}

/** The open connection to a container that waits for its changes. Used once. */
export class Inlet {
  readonly #stream: Duplex;
  readonly #lost: AbortSignal;
  readonly #onLost = () => this.close();
  #ended = false;
  #hear: (word: string) => void = () => {};
  #word: string | null = null;

  /**
   * @param stream attached before the container started; owned and destroyed here
   * @param lost closes it: the engine is lost
   */
  constructor(stream: Duplex, lost: AbortSignal) {
    this.#stream = stream;
    this.#lost = lost;
    lost.addEventListener("abort", this.#onLost, { once: true });
    const say = (word: string) => {
      this.#word = word;
      this.#hear(word);
    };
    const frames = new FrameReader((_, bytes) => {
      const text = new TextDecoder().decode(bytes).trim();
      if (text !== "") say(text.slice(0, 16));
    });
    stream.on("data", (chunk: Uint8Array) => {
      try {
        frames.push(chunk);
      } catch {
        this.close();
      }
    });
    const end = () => {
      this.#ended = true;
      say("");
    };
    for (const event of ["end", "close", "error"]) stream.on(event, end);
    // A container that waits is no reason for the process to stay.
    (stream as Duplex & { unref?: () => void }).unref?.();
  }

  /** The container is gone or the connection is. */
  get ended(): boolean {
    return this.#ended;
  }

  /** Whether the container, just started, says that it waits; false when it cannot, or says nothing in time. */
  async ready(): Promise<boolean> {
    this.#stream.write(SCRIPT);
    return await this.#answer(READY_MS) === "R";
  }

  /**
   * Lays changes into the container, and lets go of it. After false what is in the container is unknown.
   * @param changes `fitsInlet` holds for them
   * @returns whether all of it is in place
   * @throws Failure interrupted
   */
  async lay(changes: readonly FileChange[], user: SandboxUser, signal?: AbortSignal): Promise<boolean> {
    const onAbort = () => this.close();
    if (signal?.aborted) onAbort();
    signal?.addEventListener("abort", onAbort, { once: true });
    const laid = await this.#lay(changes, user);
    signal?.removeEventListener("abort", onAbort);
    this.close();
    if (signal?.aborted) throw interrupted(signal.reason);
    return laid;
  }

  /** Lets go of the container. Idempotent. */
  close(): void {
    this.#ended = true;
    this.#lost.removeEventListener("abort", this.#onLost);
    this.#stream.destroy();
  }

  async #lay(changes: readonly FileChange[], user: SandboxUser): Promise<boolean> {
    if (this.#ended || this.#word !== "R") return false;
    this.#word = null;
    const sent = this.#send(changes, user).catch(() => false);
    return await this.#answer(STALL_MS) === "K" && await sent;
  }

  async #send(changes: readonly FileChange[], user: SandboxUser): Promise<boolean> {
    const files = changes.filter((change) => change.kind === "write");
    let lines = "";
    for (const change of changes) if (change.kind === "delete") lines += `-${change.path}\n`;
    if (files.length === 0) return await this.#write(Buffer.from(`${lines}go\n`));
    let size = 2 * BLOCK;
    for (const file of files) size += BLOCK + Math.ceil(file.bytes.length / BLOCK) * BLOCK;
    let chunk: Uint8Array = Buffer.from(`${lines}tar${size}\n`);
    for await (const next of changeTar("", [], files, user) as Readable) {
      chunk = Buffer.concat([chunk, next as Uint8Array]);
      if (chunk.length < 65_536) continue;
      if (!await this.#write(chunk)) return false;
      chunk = new Uint8Array(0);
    }
    return await this.#write(chunk);
  }

  /** Whether the connection took the bytes. */
  #write(chunk: Uint8Array): Promise<boolean> {
    if (this.#ended) return Promise.resolve(false);
    this.#moved();
    return new Promise((resolve) => {
      const gone = () => resolve(false);
      this.#stream.once("close", gone);
      this.#stream.write(chunk, (error) => {
        this.#stream.off("close", gone);
        resolve(!error);
      });
    });
  }

  #moved: () => void = () => {};

  /** The next word, or empty when there is none before the end or for some time without progress. */
  async #answer(ms: number): Promise<string> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    try {
      return await new Promise<string>((resolve) => {
        this.#hear = resolve;
        this.#moved = () => {
          clearTimeout(timer);
          timer = setTimeout(() => resolve(""), ms);
        };
        this.#moved();
        if (this.#word !== null) resolve(this.#word);
        else if (this.#ended) resolve("");
      });
    } finally {
      clearTimeout(timer);
      this.#moved = () => {};
      this.#hear = () => {};
    }
  }
}
