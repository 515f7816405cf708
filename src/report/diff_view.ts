import { parsePatch } from "../patch/parse.ts";
import { patchStats } from "../patch/stats.ts";
import { displayText } from "../patch/bytes.ts";
import type { ByteString, FilePatch, Hunk, HunkLine } from "../vocabulary/patch.ts";
import { refusalText } from "../vocabulary/printable.ts";
import { type Markup, markup, type Piece, plural } from "./html.ts";

/** Rows of one patch that are shown; the rest is in the bundle. */
const MAX_ROWS = 1_500;
/** Characters of a line that are shown. */
const MAX_LINE = 1_000;

interface Cell {
  readonly number: number;
  readonly line: HunkLine;
}

interface Row {
  readonly kind: "same" | "changed" | "removed" | "added";
  readonly old: Cell | null;
  readonly new: Cell | null;
}

/** A patch side by side, old left and new right, one table a file; on a narrow page the sides stand under each other. */
export function diffView(patch: ByteString, name: string): Markup {
  const parsed = parsePatch(patch);
  if (!parsed.ok) {
    return markup`<p class="note">${name} cannot be read as a patch: ${refusalText(parsed.refusal)}</p>`;
  }
  const budget = { rows: MAX_ROWS };
  const files = parsed.patch.files.map((file) => fileView(file, budget));
  const hidden = budget.rows < 0
    ? markup`<p class="note">${plural(-budget.rows, "more row")} in <code>${name}</code>.</p>`
    : null;
  return markup`${files}${hidden}`;
}

function fileView(file: FilePatch, budget: { rows: number }): Markup {
  const [stats] = patchStats({ files: [file] }).perFile;
  const { path, change, additions, deletions } = stats!;
  const renamed = change === "renamed"
    ? markup`
      <span class="muted">from ${file.oldPath!}</span>
    `
    : null;
  const mode = file.oldMode !== null && file.newMode !== null && file.oldMode !== file.newMode
    ? markup`
      <span class="muted">mode ${file.oldMode} → ${file.newMode}</span>
    `
    : null;
  const caption =
    markup`<span class="path">${path}</span>${renamed}${mode} <span class="muted">${change}</span>
<span class="plus">+${additions}</span> <span class="minus">−${deletions}</span>`;
  const body: Markup[] = [];
  for (const hunk of file.hunks) {
    const rows = rowsOf(hunk);
    const room = Math.max(0, budget.rows);
    budget.rows -= rows.length;
    if (room === 0) continue;
    body.push(markup`
      <tr class="hunk">
        <td colspan="4">${placeOf(hunk)}</td>
      </tr>
      ${rows.slice(0, room).map(rowView)}
    `);
  }
  return markup`
    <div class="scroll diff" tabindex="0" role="region" aria-label="Changes of ${path}">
      <table>
        <caption>${caption}</caption>
        <colgroup><col class="n"><col><col class="n"><col></colgroup>
        <thead class="hidden">
          <tr>
            <th scope="col">Old line</th>
            <th scope="col">Old</th>
            <th scope="col">New line</th>
            <th scope="col">New</th>
          </tr>
        </thead>
        <tbody>${body}</tbody>
      </table>
    </div>
  `;
}

/** Where a hunk is in the old file, and in the new one where that differs: `lines 13–19`, `line 3 → lines 3–5`. */
function placeOf({ oldStart, oldCount, newStart, newCount }: Hunk): string {
  const lines = (start: number, count: number) =>
    count === 0 ? "nothing" : count === 1 ? `line ${start}` : `lines ${start}–${start + count - 1}`;
  const [before, after] = [lines(oldStart, oldCount), lines(newStart, newCount)];
  return before === after ? before : `${before} → ${after}`;
}

/** Removed lines beside the added ones that follow them. */
function rowsOf(hunk: Hunk): Row[] {
  const rows: Row[] = [];
  let [oldAt, newAt] = [hunk.oldStart, hunk.newStart];
  let [removed, added]: [Cell[], Cell[]] = [[], []];
  const flush = () => {
    for (let i = 0; i < Math.max(removed.length, added.length); i++) {
      const [old, fresh] = [removed[i] ?? null, added[i] ?? null];
      const kind = old === null ? "added" : fresh === null ? "removed" : "changed";
      rows.push({ kind, old, new: fresh });
    }
    [removed, added] = [[], []];
  };
  for (const line of hunk.lines) {
    if (line.op === "-") {
      if (added.length > 0) flush();
      removed.push({ number: oldAt++, line });
    } else if (line.op === "+") added.push({ number: newAt++, line });
    else {
      flush();
      rows.push({ kind: "same", old: { number: oldAt++, line }, new: { number: newAt++, line } });
    }
  }
  flush();
  return rows;
}

function rowView({ kind, old, new: fresh }: Row): Markup {
  const [before, after] = kind === "changed"
    ? markedPair(shown(old!.line), shown(fresh!.line))
    : [old === null ? null : shown(old.line), fresh === null ? null : shown(fresh.line)];
  const side = (cell: Cell | null, text: Piece, name: "old" | "new", sign: string, spoken: string) =>
    cell === null
      ? markup`
        <td class="n ${name} none"></td>
        <td class="t ${name} none"></td>
      `
      : markup`
        <td class="n ${name}">${cell.number}</td>
        <td class="t ${name}"><span class="sign" ${
        sign === " " ? markup`` : markup`role="img" aria-label="${spoken}"`
      }>${sign}</span>${text}${
        cell.line.newline
          ? null
          : markup`<span class="muted" title="no line feed at the end of the file"> ⊘</span>`
      }</td>
      `;
  const same = kind === "same";
  return markup`<tr class="${kind}">${side(old, before, "old", same ? " " : "−", "removed")}${
    side(fresh, after, "new", same ? " " : "+", "added")
  }</tr>`;
}

function shown(line: HunkLine): string {
  const text = displayText(line.text);
  const cut = text.length > MAX_LINE ? `${text.slice(0, MAX_LINE).toWellFormed()} …` : text;
  return cut.replace(/\r$/, "␍");
}

/** What differs between two lines, when they have something in common. */
function markedPair(before: string, after: string): [Piece, Piece] {
  const [a, b] = [[...before], [...after]];
  let start = 0;
  while (start < a.length && start < b.length && a[start] === b[start]) start++;
  let end = 0;
  while (
    end < a.length - start && end < b.length - start && a[a.length - 1 - end] === b[b.length - 1 - end]
  ) end++;
  if ((start + end) * 6 < Math.max(a.length, b.length)) return [before, after];
  const marked = (line: string[]): Markup => {
    const middle = line.slice(start, line.length - end).join("");
    const mark = middle === "" ? null : markup`<mark>${middle}</mark>`;
    return markup`${line.slice(0, start).join("")}${mark}${line.slice(line.length - end).join("")}`;
  };
  return [marked(a), marked(b)];
}
