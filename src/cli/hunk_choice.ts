import { Buffer } from "node:buffer";
import { byteString } from "../patch/bytes.ts";
import { renderPatch } from "../patch/render.ts";
import { Failure } from "../vocabulary/failure.ts";
import type { ByteString, FilePatch, Hunk, HunkLine, Patch } from "../vocabulary/patch.ts";
import { printablePath } from "../vocabulary/printable.ts";
import { colour, colourDiff } from "./output.ts";

/** Where questions are asked, and how a text is edited. */
export interface Asking {
  /** @returns null at the end of the input */
  readonly ask: (question: string) => string | null;
  readonly say: (text: string) => void;
  readonly edit: (text: string) => Promise<string>;
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
    const word = asking.ask(`${question} [y,n,a,d,${hunk === null ? "" : "e,"}q,?] `)?.trim().toLowerCase();
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
        const edited = readHunk(hunk, await asking.edit(hunkText(file, hunk)));
        if (edited !== null) return { taken: edited, rest: null };
        asking.say(
          "that is no edit of this hunk: lines begin with a space, - or +, and those with a space or - stay",
        );
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

function hunkText({ newPath }: FilePatch, { lines }: Hunk): string {
  const body = lines.map(({ op, text, newline }) =>
    `${op}${text}\n${newline ? "" : "\\ No newline at end of file\n"}`
  );
  const head = `# ${
    printablePath(newPath ?? "")
  }: change, add or remove lines with +; make a - a space to keep it.\n`;
  return `${head}# Lines that begin with # are left out.\n${
    Buffer.from(body.join(""), "latin1").toString("utf8")
  }`;
}

/** @returns null for what is no edit of the hunk, or changes nothing */
function readHunk(hunk: Hunk, text: string): Hunk | null {
  const lines: HunkLine[] = [];
  const rows = text.replace(/\n$/, "").split("\n").filter((row) => !row.startsWith("#"));
  for (const row of rows) {
    const op = row[0] ?? " ";
    if (op === "\\" && lines.length > 0) lines.push({ ...lines.pop()!, newline: false });
    else if (op === " " || op === "-" || op === "+") {
      lines.push({
        op,
        text: byteString(new TextEncoder().encode(row.slice(1))) as ByteString,
        newline: true,
      });
    } else return null;
  }
  const olds = (all: readonly HunkLine[]) =>
    all.filter(({ op }) => op !== "+").map(({ text, newline }) => `${newline} ${text}`).join("\n");
  if (olds(lines) !== olds(hunk.lines) || lines.every(({ op }) => op === " ")) return null;
  const count = (without: string) => lines.filter(({ op }) => op !== without).length;
  return { ...hunk, lines, oldCount: count("+"), newCount: count("-") };
}

/** Asks on stderr, reads stdin, edits with the user's editor. */
export function terminalAsking(): Asking {
  const write = (text: string) => void Deno.stderr.writeSync(new TextEncoder().encode(text));
  return {
    say: (text) => write(`${text}\n`),
    ask: (question) => {
      write(question);
      const line: number[] = [], byte = new Uint8Array(1);
      for (;;) {
        if (Deno.stdin.readSync(byte) === null) {
          return line.length === 0 ? null : String.fromCharCode(...line);
        }
        if (byte[0] === 10) return String.fromCharCode(...line);
        if (line.length < 100) line.push(byte[0]!);
      }
    },
    edit: async (text) => {
      const editor = Deno.env.get("VISUAL") || Deno.env.get("EDITOR") || "vi";
      const file = await Deno.makeTempFile({ prefix: "veripatch-hunk-", suffix: ".diff" });
      try {
        await Deno.writeTextFile(file, text);
        const run = new Deno.Command("sh", { args: ["-c", `${editor} "$1"`, "sh", file] }).spawn();
        if (!(await run.status).success) {
          throw new Failure("unavailable", "editor_failed", "the editor ended with an error", {
            hint: "nothing was applied; set VISUAL or EDITOR",
          });
        }
        return await Deno.readTextFile(file);
      } finally {
        await Deno.remove(file);
      }
    },
  };
}
