import type { ByteString, FilePatch, Hunk, Patch } from "../vocabulary/patch.ts";
import { quotePath } from "./quote.ts";

/**
 * The canonical bytes of a patch: git-style unified diff, LF headers, names quoted as git quotes them, no `index`
 * lines. An unchanged executable mode is stated (`old mode` and `new mode` alike), so that nothing is lost when
 * the text is parsed again. The empty patch is the empty string.
 */
export function renderPatch(patch: Patch): ByteString {
  return patch.files.map(renderFile).join("") as ByteString;
}

function renderFile(file: FilePatch): string {
  const { oldPath, newPath, oldMode, newMode } = file;
  const one = (oldPath ?? newPath)!, two = (newPath ?? oldPath)!;
  const out = [`diff --git ${quotePath(`a/${one}`)} ${quotePath(`b/${two}`)}\n`];
  if (oldPath === null) out.push(`new file mode ${newMode}\n`);
  else if (newPath === null) out.push(`deleted file mode ${oldMode}\n`);
  else {
    if (oldMode !== newMode || oldMode === "100755") out.push(`old mode ${oldMode}\nnew mode ${newMode}\n`);
    if (oldPath !== newPath) out.push(`rename from ${quotePath(oldPath)}\nrename to ${quotePath(newPath)}\n`);
  }
  if (file.hunks.length > 0) {
    out.push(`--- ${oldPath === null ? "/dev/null" : label(`a/${oldPath}`)}\n`);
    out.push(`+++ ${newPath === null ? "/dev/null" : label(`b/${newPath}`)}\n`);
    for (const hunk of file.hunks) renderHunk(hunk, out);
  }
  return out.join("");
}

/** Git ends a name that holds a space with a tab, so that readers know where it stops. */
function label(name: string): string {
  return quotePath(name) + (name.includes(" ") ? "\t" : "");
}

function renderHunk(hunk: Hunk, out: string[]): void {
  const range = (start: number, count: number) => count === 1 ? `${start}` : `${start},${count}`;
  out.push(
    `@@ -${range(hunk.oldStart, hunk.oldCount)} +${range(hunk.newStart, hunk.newCount)} @@\n`,
  );
  for (const line of hunk.lines) {
    out.push(line.op + line.text + (line.newline ? "\n" : "\n\\ No newline at end of file\n"));
  }
}
