import { bytesOf, byteString, byteStringOfText } from "../patch/bytes.ts";
import { MAX_FILE_BYTES } from "../patch/refusal.ts";
import { Failure } from "../vocabulary/failure.ts";
import type { ByteString, FilePatch, Hunk, HunkLine } from "../vocabulary/patch.ts";
import { printablePath, quoted } from "../vocabulary/printable.ts";
import { readBoundedFile } from "./bounded_file.ts";
import { lendTerminal } from "./lent_terminal.ts";

/** What came of an edit; without one, why, as a sentence for people. */
export type Edited<T> = { readonly ok: true; readonly value: T } | {
  readonly ok: false;
  readonly why: string;
};

const NO_NEWLINE = "\\ No newline at end of file\n";

/** A hunk as somebody edits it: its lines, byte for byte, below remarks. */
export function editableHunk({ newPath }: FilePatch, { lines }: Hunk): Uint8Array {
  const head = byteStringOfText(
    `# ${printablePath(newPath ?? "")}: change, add or remove lines with +; make a - a space to keep it.\n` +
      "# Lines that begin with # are left out. To leave the hunk as it is, remove all lines.\n",
  );
  const body = lines.map(({ op, text, newline }) => `${op}${text}\n${newline ? "" : NO_NEWLINE}`);
  return bytesOf(`${head}${body.join("")}` as ByteString);
}

/** Reads an edited hunk back: the lines of the file it stands on must still be there, and something must change. */
export function readEdit(hunk: Hunk, bytes: Uint8Array): Edited<Hunk> {
  const no = (why: string): Edited<Hunk> => ({ ok: false, why });
  const lines: HunkLine[] = [];
  const rows = byteString(bytes).replace(/\n$/, "").split("\n").filter((row) => !row.startsWith("#"));
  if (rows.every((row) => row.trim() === "")) return no("the edit is empty");
  for (const row of rows) {
    // Editors take a blank off the end of a line.
    const op = row[0] ?? " ";
    if (op === "\\" && lines.length > 0) lines.push({ ...lines.pop()!, newline: false });
    else if (op === " " || op === "-" || op === "+") {
      lines.push({ op, text: row.slice(1) as ByteString, newline: true });
    } else return no("the edit has a line that begins with neither a space, - nor +");
  }
  const before = side(lines, "+"), after = side(lines, "-");
  if (joined(before) !== joined(side(hunk.lines, "+"))) {
    return no("the edit does not apply: lines with a space or - are those of the file, and stay");
  }
  if (joined(before) === joined(after)) return no("the edit changes nothing");
  if (after.slice(0, -1).some(({ newline }) => !newline)) {
    return no("the edit does not apply: only the last line of a file has no newline");
  }
  return { ok: true, value: { ...hunk, lines, oldCount: before.length, newCount: after.length } };
}

function side(lines: readonly HunkLine[], without: HunkLine["op"]): readonly HunkLine[] {
  return lines.filter(({ op }) => op !== without);
}

function joined(lines: readonly HunkLine[]): string {
  return lines.map(({ text, newline }) => `${text}\n${newline ? "" : NO_NEWLINE}`).join("");
}

/** Has the user's editor, `$VISUAL`, `$EDITOR` or vi, change a text; the terminal is the editor's meanwhile. */
export async function editInEditor(text: Uint8Array): Promise<Edited<Uint8Array>> {
  const editor = Deno.env.get("VISUAL") || Deno.env.get("EDITOR") || "vi";
  // A folder of its own, which takes with it what an editor leaves beside the file.
  const folder = await Deno.makeTempDir({ prefix: "veripatch-hunk-" });
  const file = `${folder}/hunk.diff`;
  try {
    await Deno.writeFile(file, text, { mode: 0o600 });
    // What it draws is no part of what pp prints. The shell outlives a Ctrl-C that the editor lives on after.
    const args = ["-c", `trap : INT QUIT; { ${editor} "$1"\n} >&2`, "sh", file];
    const { code, signal } = await lendTerminal(() => new Deno.Command("sh", { args }).spawn().status);
    const shown = quoted(editor, 100);
    if (code === 127) {
      return { ok: false, why: `there is no editor ${shown}: set VISUAL or EDITOR to one that is there` };
    }
    if (code !== 0) return { ok: false, why: `the editor ${shown} ended with ${signal ?? `exit ${code}`}` };
    return { ok: true, value: (await readBoundedFile(file, MAX_FILE_BYTES, "edited hunk")).bytes };
  } catch (error) {
    if (error instanceof Failure) return { ok: false, why: error.message };
    throw error;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
