import type { ByteString } from "../vocabulary/patch.ts";
import type { Notes, RawEdit } from "./proposal.ts";
import { labelPath } from "./read_names.ts";
import { DIVIDER, REPLACE, SEARCH } from "./read_segments.ts";
import { refuse, type Refused } from "./refusal.ts";

/** Takes SEARCH/REPLACE blocks out of a run of lines. */
export class BlockReader {
  readonly edits: RawEdit[] = [];
  private name: ByteString | null = null;

  constructor(private readonly notes: Notes) {}

  /**
   * @param name what the fence around the lines is called, or the label before it
   * @returns the lines that belong to no block, or a refusal of a block that does not end
   */
  read(lines: readonly ByteString[], name: ByteString | null): readonly ByteString[] | Refused {
    if (!lines.some((l) => SEARCH.test(l))) return lines;
    if (name !== null) this.name = name;
    const rest: ByteString[] = [];
    for (let at = 0; at < lines.length; at++) {
      const line = lines[at]!;
      if (!SEARCH.test(line)) {
        const label = labelPath(line);
        if (label !== null) this.name = label;
        rest.push(line);
        continue;
      }
      const divider = find(lines, at + 1, DIVIDER), end = find(lines, divider + 1, REPLACE);
      if (divider < 0 || end < 0) {
        return refuse(
          "proposal_truncated",
          `the SEARCH block of ${this.name ?? "no named file"} does not end`,
        );
      }
      this.take(lines.slice(at + 1, divider), lines.slice(divider + 1, end));
      at = end;
    }
    return rest;
  }

  private take(search: readonly ByteString[], replace: readonly ByteString[]): void {
    this.notes.add("search_replace");
    const raw = (lines: readonly ByteString[]) => lines.map((l) => l + "\n" as ByteString);
    this.edits.push({
      action: search.length === 0 ? "create" : "modify",
      names: this.name === null ? [] : [this.name],
      to: [],
      mode: null,
      hunks: [{ at: null, old: raw(search), new: raw(replace) }],
      content: "" as ByteString,
    });
  }
}

function find(lines: readonly ByteString[], from: number, marker: RegExp): number {
  if (from === 0) return -1;
  for (let at = from; at < lines.length; at++) {
    if (marker.test(lines[at]!)) return at;
    if (SEARCH.test(lines[at]!)) return -1;
  }
  return -1;
}

/** A line that stands for code left out: a block with one is no whole file. */
export function elides(line: string): boolean {
  return line.length < 300 &&
    /^\s*(?:#|\/\/|--|;|\/\*|<!--)?\s*(?:\.\.\.|…)\s*\(?(?:the |all )?(?:rest|existing|unchanged|remaining|previous) (?:of|code|content|lines|functions?|methods?|implementation|file)\b/i
      .test(line);
}
