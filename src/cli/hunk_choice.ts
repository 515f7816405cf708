import { Buffer } from "node:buffer";
import { renderPatch } from "../patch/render.ts";
import { interrupted } from "../vocabulary/failure.ts";
import type { FilePatch, Hunk, Patch } from "../vocabulary/patch.ts";
import { editableHunk, type Edited, editInEditor, readEdit } from "./hunk_edit.ts";
import { colour, colourDiff } from "./output.ts";

/** Where questions are asked, and how a text is edited. */
export interface Asking {
  /** @returns null at the end of the input */
  readonly ask: (question: string) => Promise<string | null>;
  readonly say: (text: string) => void;
  readonly edit: (text: Uint8Array) => Promise<Edited<Uint8Array>>;
}

const HELP = `y  take it        n  leave it out
a  take it and all that follow    d  leave it and all that follow out
e  edit it in $VISUAL or $EDITOR  q  stop: nothing is applied`;

/**
 * Asks for each hunk of a patch whether it is taken; a file that is created, deleted, renamed or only changes its mode
 * is one question.
 * @returns the patch of what was taken, which may be the whole one or have no file; null when it was stopped
 */
export async function chooseHunks(patch: Patch, asking: Asking): Promise<Patch | null> {
  const files: FilePatch[] = [];
  let rest: boolean | null = null;
  const total = patch.files.reduce((sum, file) => sum + pieces(file).length, 0);
  let at = 0;
  for (const file of patch.files) {
    const whole = isWhole(file);
    const taken: Hunk[] = [];
    let one = false;
    for (const hunk of pieces(file)) {
      at++;
      if (rest !== null) {
        if (rest) hunk === null ? one = true : taken.push(hunk);
        continue;
      }
      const answer = await answered(
        file,
        hunk,
        `(${at}/${total}) take this ${whole ? "file" : "hunk"}`,
        asking,
      );
      if (answer === null) return null;
      if (answer.rest !== null) rest = answer.rest;
      if (answer.taken === true) hunk === null ? one = true : taken.push(hunk);
      else if (answer.taken !== false) taken.push(answer.taken);
    }
    if (whole ? one : taken.length > 0) files.push(whole ? file : { ...file, hunks: moved(taken) });
  }
  return { files };
}

function isWhole({ oldPath, newPath, hunks }: FilePatch): boolean {
  return oldPath === null || newPath === null || oldPath !== newPath || hunks.length === 0;
}

function pieces(file: FilePatch): readonly (Hunk | null)[] {
  return isWhole(file) ? [null] : file.hunks;
}

interface Answer {
  readonly taken: boolean | Hunk;
  /** What becomes of all that follow. */
  readonly rest: boolean | null;
}

async function answered(
  file: FilePatch,
  hunk: Hunk | null,
  question: string,
  asking: Asking,
): Promise<Answer | null> {
  const shown = hunk === null ? file : { ...file, hunks: [hunk] };
  const text = Buffer.from(renderPatch({ files: [shown] }), "latin1").toString("utf8").trimEnd();
  asking.say(colourDiff(text, colour(Deno.stderr)));
  for (;;) {
    const line = await asking.ask(`${question} [y,n,a,d,${hunk === null ? "" : "e,"}q,?] `);
    const word = line?.trim().toLowerCase();
    switch (word) {
      case "y":
        return { taken: true, rest: null };
      case "n":
        return { taken: false, rest: null };
      case "a":
        return { taken: true, rest: true };
      case "d":
        return { taken: false, rest: false };
      case undefined:
      case "q":
        return null;
      case "e": {
        if (hunk === null) break;
        const text = await asking.edit(editableHunk(file, hunk));
        const edited = text.ok ? readEdit(hunk, text.value) : text;
        if (edited.ok) return { taken: edited.value, rest: null };
        asking.say(`${edited.why}; the hunk is as it was`);
        continue;
      }
    }
    asking.say(HELP);
  }
}

/** Starts in the new file, counted anew for what was taken. */
function moved(hunks: readonly Hunk[]): Hunk[] {
  let shift = 0;
  return hunks.map((hunk) => {
    const first = hunk.oldStart + (hunk.oldCount === 0 ? 1 : 0) + shift;
    shift += hunk.newCount - hunk.oldCount;
    return { ...hunk, newStart: first - (hunk.newCount === 0 ? 1 : 0) };
  });
}

/** Asks on stderr, reads stdin, edits with the user's editor. @param signal ends a question with `interrupted` */
export function terminalAsking(signal: AbortSignal): Asking {
  const write = (text: string) => void Deno.stderr.writeSync(new TextEncoder().encode(text));
  return {
    say: (text) => write(`${text}\n`),
    ask: async (question) => {
      write(question);
      return await unless(signal, lineOfStdin());
    },
    edit: editInEditor,
  };
}

/** One line, and no byte more: what follows may be meant for an editor. @returns null at the end of the input */
async function lineOfStdin(): Promise<string | null> {
  const line: number[] = [], byte = new Uint8Array(1);
  for (;;) {
    if (await Deno.stdin.read(byte) === null) return line.length === 0 ? null : String.fromCharCode(...line);
    if (byte[0] === 10) return String.fromCharCode(...line);
    if (line.length < 100) line.push(byte[0]!);
  }
}

async function unless<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  const stopped = Promise.withResolvers<never>();
  const stop = () => stopped.reject(interrupted(signal.reason));
  if (signal.aborted) stop();
  signal.addEventListener("abort", stop, { once: true });
  try {
    return await Promise.race([stopped.promise, work]);
  } finally {
    signal.removeEventListener("abort", stop);
  }
}
