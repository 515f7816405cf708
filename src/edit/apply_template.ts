import { bytesOf, displayText } from "../patch/bytes.ts";
import type { QueryCapture, QueryMatch, SyntaxQueries } from "../syntax/tree.ts";
import type { ByteString } from "../vocabulary/patch.ts";
import { quoted } from "../vocabulary/printable.ts";
import type { EditRefused } from "./edit.ts";
import { startOfCode } from "./insert_code.ts";
import { encoded, type FileText, indentAt, lineNumber } from "./layout.ts";
import { type Asked, place } from "./place_text.ts";
import { linesText, refused } from "./refusal.ts";
import type { Splices } from "./replace_code.ts";
import { substitute } from "./substitute.ts";
import type { Template, TemplateCase, TemplateSearch } from "./template.ts";

interface Call {
  readonly file: FileText;
  readonly template: Template;
  readonly parameters: Readonly<Record<string, string>>;
  readonly line: number | undefined;
  readonly language: string;
  readonly queries: SyntaxQueries;
}

/**
 * Makes the change a template describes. The target is found first and must be one; then the first case whose
 * conditions hold and whose query finds something within the target says where its text goes.
 * @returns what to change, or `parameter_missing`, `parameter_unknown`, `parameter_unfit`, `target_not_found`,
 *   `target_ambiguous` with all places, `already_there`, `no_place`, `no_room`, `syntax_unknown`, `encoding_unknown`
 */
export async function applyTemplate(call: Call): Promise<Splices | EditRefused> {
  const { file, template } = call;
  const given = readParameters(call);
  if ("ok" in given) return given;
  const values = given.values;
  const search = searcher(call, (text) => substitute(text, (name) => values.get(name) ?? ""));
  const target = await findTarget(call, search);
  if ("ok" in target) return target;
  for (const entry of template.cases) {
    if (!holds(entry.when, values)) continue;
    const found = await findPlace(entry, target, search);
    if (found === null) continue;
    if ("ok" in found) return found;
    return written(call, entry, found, target, values);
  }
  return refused("no_place", `${template.name} knows no place for this in ${file.path}`, file.path);
}

/** Values by name, defaults and derived texts included. */
function readParameters(
  { template, parameters, file }: Call,
): { readonly values: ReadonlyMap<string, string> } | EditRefused {
  const names = template.parameters.map(({ name }) => name);
  const unknown = Object.keys(parameters).find((name) => !names.includes(name));
  if (unknown !== undefined) {
    const known = names.join(", ");
    return refused(
      "parameter_unknown",
      `${template.name} has no parameter ${quoted(unknown, 60)}; it has ${known}`,
      file.path,
    );
  }
  const values = new Map<string, string>();
  for (const { name, pattern, default: standard, description } of template.parameters) {
    const value = Object.hasOwn(parameters, name) ? parameters[name]! : standard;
    if (value === null) {
      return refused("parameter_missing", `${template.name} needs ${name}: ${description}`, file.path);
    }
    if (value.length > MAX_VALUE || !fits(value, pattern)) {
      return refused("parameter_unfit", `${name} is ${quoted(value, 60)}, no ${description}`, file.path);
    }
    values.set(name, value);
  }
  for (const { name, when, text } of template.let) {
    if (!values.has(name) && holds(when, values)) {
      values.set(name, substitute(text, (used) => values.get(used) ?? ""));
    }
  }
  const without = template.let.find(({ name }) => !values.has(name));
  if (without !== undefined) {
    return refused(
      "parameter_unfit",
      `${template.name} cannot make ${without.name} of these parameters: ${template.description}`,
      file.path,
    );
  }
  return { values };
}

const MAX_VALUE = 2_000;

function fits(value: string, pattern: string): boolean {
  return new RegExp(`^(?:${pattern})$`, "u").test(value);
}

function holds(when: Readonly<Record<string, string>>, values: ReadonlyMap<string, string>): boolean {
  return Object.entries(when).every(([name, pattern]) => fits(values.get(name) ?? "", pattern));
}

type Search = (asked: TemplateSearch) => Promise<readonly QueryMatch[] | EditRefused>;

/** Runs queries, and keeps the matches whose captures have the text asked for. */
function searcher({ file, queries }: Call, fill: (text: string) => string): Search {
  const bytes = bytesOf(file.content);
  return async ({ query, where }) => {
    const result = await queries.query(file.path, bytes, query);
    if (!result.ok) {
      const why = "detail" in result ? `${result.reason}: ${result.detail}` : result.reason;
      return refused("syntax_unknown", `${file.path} could not be searched: ${why}`, file.path);
    }
    const wanted = Object.entries(where).map(([name, text]) => [name, fill(text)] as const);
    return result.matches.filter((match) =>
      wanted.every(([name, text]) => match.some((c) => c.name === name && textOf(file, c) === text))
    );
  };
}

function textOf(file: FileText, { start, end }: QueryCapture): string {
  return displayText(file.content.slice(start, end) as ByteString);
}

type Target = { readonly capture: QueryCapture | null; readonly match: QueryMatch };

async function findTarget(
  { file, template, line }: Call,
  search: Search,
): Promise<Target | EditRefused> {
  const there: QueryMatch[] = [];
  for (const entry of template.unless) {
    const found = await search(entry);
    if ("ok" in found) return found;
    there.push(...found);
  }
  const already = () => refused("already_there", `${file.path} has it already`, file.path);
  if (template.target === undefined) {
    return there.length > 0 ? already() : { capture: null, match: [] };
  }
  const found = await search(template.target);
  if ("ok" in found) return found;
  const targets = distinct(found, "target");
  const done = distinct(there, "target");
  const open = targets.filter(({ capture }) =>
    (line === undefined || lineNumber(file, capture!.start) === line) &&
    !done.some((other) => sameRange(other.capture!, capture!))
  );
  if (open.length === 0) {
    if (done.length > 0) return already();
    const at = line === undefined ? "" : ` on line ${line}`;
    const asked = Object.values(template.target.where).length > 0 ? "what the parameters name" : "its target";
    return refused(
      "target_not_found",
      `${template.name} does not find ${asked} in ${file.path}${at}`,
      file.path,
    );
  }
  const { several } = template.target;
  if (open.length === 1 || several === "first") return open[0]!;
  if (several === "last") return open[open.length - 1]!;
  const lines = open.map(({ capture }) => lineNumber(file, capture!.start));
  return refused(
    "target_ambiguous",
    `${template.name} could mean several places of ${file.path}: ${linesText(lines)}; say which line`,
    file.path,
    lines,
  );
}

function distinct(matches: readonly QueryMatch[], name: string): Target[] {
  const byRange = new Map<string, Target>();
  for (const match of matches) {
    const capture = match.find((c) => c.name === name);
    if (capture) byRange.set(`${capture.start} ${capture.end}`, { capture, match });
  }
  return [...byRange.values()].sort((a, b) => a.capture!.start - b.capture!.start);
}

function sameRange(a: QueryCapture, b: QueryCapture): boolean {
  return a.start === b.start && a.end === b.end;
}

/** The match a case puts its text at: the target's own when it has no query, null when it finds nothing there. */
async function findPlace(
  entry: TemplateCase,
  target: Target,
  search: Search,
): Promise<{ readonly match: QueryMatch } | EditRefused | null> {
  if (entry.query === undefined) return { match: target.match };
  const found = await search({ query: entry.query, where: entry.where });
  if ("ok" in found) return found;
  const [, name] = placeName(entry);
  const inside = found.filter((match) => {
    const own = match.find((c) => c.name === "target");
    return target.capture === null || own !== undefined && sameRange(own, target.capture);
  });
  const at = (match: QueryMatch) => match.find((c) => c.name === name)?.start ?? 0;
  inside.sort((a, b) => at(a) - at(b));
  const match = entry.pick === "first" ? inside[0] : inside[inside.length - 1];
  return match === undefined ? null : { match };
}

/** Such as `["after", "item"]`. */
function placeName({ position }: TemplateCase): [Asked["how"] | "file", string] {
  const [how, name] = Object.entries(position).find(([, value]) => value !== undefined)!;
  return [how as Asked["how"] | "file", name!];
}

function written(
  { file, template, language }: Call,
  entry: TemplateCase,
  { match }: { readonly match: QueryMatch },
  target: Target,
  values: ReadonlyMap<string, string>,
): Splices | EditRefused {
  const captured = new Map<string, QueryCapture>();
  for (const capture of [...target.match, ...match]) captured.set(capture.name, capture);
  const [how, name] = placeName(entry);
  const start = startOfCode(file);
  const at = how === "file" ? { start, end: start } : captured.get(name);
  if (at === undefined) {
    return refused("no_place", `${template.name} finds no @${name} in ${file.path}`, file.path);
  }
  const text = encoded(
    file,
    substitute(entry.text, (used) => {
      if (values.has(used)) return values.get(used)!;
      if (used === "indent") return indentAt(file, (target.capture ?? at).start);
      if (used === "unit") return file.unit;
      const capture = captured.get(used);
      return capture === undefined ? "" : textOf(file, capture);
    }),
  );
  if (text === null) {
    return refused(
      "encoding_unknown",
      `${file.path} is not UTF-8, and the parameters are not ASCII`,
      file.path,
    );
  }
  const splices = place(file, { how, at, text, language });
  if (splices === null) {
    return refused(
      "no_room",
      `${template.name} wants a line of its own beside line ${lineNumber(file, at.start)} of ${file.path}, ` +
        "which holds other code too",
      file.path,
    );
  }
  return { splices, notes: [] };
}
