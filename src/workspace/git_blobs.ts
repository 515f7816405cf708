import { Buffer } from "node:buffer";
import { Failure } from "../vocabulary/failure.ts";

/** What is done with each blob, in the order asked for. */
export interface BlobSink {
  /** @param size bytes of the blob that now comes */
  begin(id: string, size: number): void;
  piece(bytes: Uint8Array): void;
  end(): void;
}

const IDS_AT_ONCE = 500;
const MAX_HEADER = 256;

/**
 * Streams blobs out of `git cat-file --batch`, or only their sizes out of `--batch-check`; memory does not grow with
 * their size.
 * @param child git, with its stdin piped
 * @throws Failure `unavailable` `objects_missing`, `git_failed`; `malformed` `not_a_blob`
 */
export async function streamBlobs(
  child: Deno.ChildProcess,
  ids: readonly string[],
  sink: BlobSink,
  contents: boolean,
): Promise<void> {
  const asking = ask(child.stdin, ids);
  const complaints = lastWords(child.stderr);
  const reader = new BatchReader(ids, sink, contents);
  try {
    for await (const chunk of child.stdout) reader.take(chunk);
    await asking;
  } catch (error) {
    kill(child);
    await asking.catch(() => {});
    throw error;
  } finally {
    await child.status;
  }
  const said = await complaints;
  if (!reader.done) throw gitFailed(said === "" ? "git cat-file ended early" : said);
}

async function ask(stdin: WritableStream<Uint8Array>, ids: readonly string[]): Promise<void> {
  const writer = stdin.getWriter();
  try {
    for (let from = 0; from < ids.length; from += IDS_AT_ONCE) {
      const lines = ids.slice(from, from + IDS_AT_ONCE).map((id) => `${id}\n`).join("");
      await writer.write(new TextEncoder().encode(lines));
    }
    await writer.close();
  } catch (error) {
    // A git that ended takes no more; what it has to say is read elsewhere.
    if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
  }
}

async function lastWords(stderr: ReadableStream<Uint8Array>): Promise<string> {
  let text = "";
  for await (const part of stderr) if (text.length < 2_000) text += new TextDecoder().decode(part);
  return text.trim().slice(0, 2_000);
}

class BatchReader {
  #header: number[] = [];
  #left = -1;
  #next = 0;

  constructor(readonly ids: readonly string[], readonly sink: BlobSink, readonly contents: boolean) {}

  get done(): boolean {
    return this.#next === this.ids.length && this.#left < 0 && this.#header.length === 0;
  }

  take(chunk: Uint8Array): void {
    for (let at = 0; at < chunk.length;) {
      if (this.#left > 0) {
        const piece = chunk.subarray(at, at + this.#left);
        this.sink.piece(piece);
        this.#left -= piece.length;
        at += piece.length;
      } else if (this.#left === 0) {
        // The line feed after the content.
        this.sink.end();
        this.#left = -1;
        at++;
      } else {
        const end = chunk.indexOf(0x0a, at);
        this.#header.push(...chunk.subarray(at, Math.min(end < 0 ? chunk.length : end, at + MAX_HEADER)));
        if (this.#header.length >= MAX_HEADER) throw gitFailed("git cat-file says what it never says");
        at = end < 0 ? chunk.length : end + 1;
        if (end >= 0) this.#begin();
      }
    }
  }

  #begin(): void {
    const header = Buffer.from(this.#header).toString("latin1");
    this.#header = [];
    const id = this.ids[this.#next++];
    if (id === undefined) throw gitFailed("git cat-file says more than it was asked");
    const match = /^([0-9a-f]+) ([a-z]+) (\d+)$/.exec(header);
    if (match === null) {
      throw new Failure("unavailable", "objects_missing", `the repository does not have object ${id}`, {
        hint: "fetch it whole: a clone without --filter and without --depth has every object",
      });
    }
    if (match[1] !== id || match[2] !== "blob") {
      throw new Failure("malformed", "not_a_blob", `object ${id} is listed as a file and is a ${match[2]}`);
    }
    const size = Number(match[3]);
    this.sink.begin(id, size);
    if (this.contents) this.#left = size;
    else this.sink.end();
  }
}

/** Ends a git that is not needed any more. */
export function kill(child: Deno.ChildProcess): void {
  try {
    child.kill("SIGKILL");
  } catch {
    // It has ended already.
  }
}

export function gitFailed(detail: string): Failure {
  return new Failure("unavailable", "git_failed", `git could not read the repository: ${detail}`, {
    hint: "check it with: git fsck",
  });
}
