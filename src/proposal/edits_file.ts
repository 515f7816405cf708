import { z } from "zod";
import { parseDocument } from "../document/parse.ts";
import type { DocumentProblem } from "../document/problem.ts";
import type { Edit } from "../edit/edit.ts";
import { parsePosition } from "../edit/insert_code.ts";
import { MAX_INSTRUCTION, MAX_NAMED_FILES } from "./instruction.ts";
import { MAX_STEPS, patchStep, type ProposalStep } from "./steps.ts";

/** Characters of a file of edits. */
export const MAX_EDITS_FILE = 1 << 20;

const path = z.string().min(1).max(4_096);
const code = z.string().max(MAX_EDITS_FILE);

const shape = {
  file: path.optional().meta({ description: "The file that is edited." }),
  old: code.min(1).optional().meta({ description: "Code that is there in exactly one place." }),
  new: code.optional().meta({ description: "What takes its place." }),
  code: code.min(1).optional().meta({ description: "Code to put at a place, or all of a new file." }),
  at: z.string().max(4_100).optional().meta({
    description: "start, end, before:ANCHOR or after:ANCHOR; left out for a file that is not there yet.",
  }),
  template: z.string().min(1).max(100).optional(),
  params: z.record(z.string().max(100), z.string().max(20_000)).optional(),
  line: z.number().int().min(1).optional().meta({
    description: "Of a template: where its place begins, when there are several.",
  }),
  patch: code.min(1).optional().meta({ description: "A diff, SEARCH/REPLACE blocks or whole files." }),
  instruction: z.string().min(1).max(MAX_INSTRUCTION).optional(),
  files: z.array(path).max(MAX_NAMED_FILES).optional().meta({
    description: "Files an instruction is about.",
  }),
};

/** The members that each kind of edit has; those with a `?` may be missing. */
const KINDS = {
  replace: ["file", "old", "new"],
  insert: ["file", "code", "at?"],
  template: ["template", "file", "params?", "line?"],
  patch: ["patch"],
  instruction: ["instruction", "files?"],
} as const;

/** One of each kind that has members which must be there, as JSON, which is YAML, too. */
const EXAMPLES: Readonly<Partial<Record<keyof typeof KINDS, string>>> = {
  replace: '{"file": "src/a.py", "old": "x = 1", "new": "x = 2"}',
  insert: '{"file": "src/a.py", "code": "import os", "at": "start"}',
  template: '{"template": "add-import", "file": "src/a.py", "params": {"module": "os"}}',
};
const EXAMPLE = EXAMPLES.replace;

const KNOWN_MEMBERS = Object.keys(shape);

const itemSchema = z.strictObject(shape, { error: `must be an edit, such as ${EXAMPLE}` }).superRefine(
  (item, context) => {
    const problem = (message: string, at: string[] = []) =>
      context.addIssue({ code: "custom", path: at, message });
    const kind = kindOf(item);
    if (kind === null) {
      problem(
        `must have old and new, code, template, patch or instruction, and only one of them, such as ${EXAMPLE}`,
      );
      return;
    }
    const names = KINDS[kind].map((name) => name.replace("?", ""));
    for (const name of KNOWN_MEMBERS) {
      const given = item[name as keyof typeof item] !== undefined;
      if (given && !names.includes(name)) {
        problem(`does not go with ${kind === "insert" ? "code" : kind}`, [name]);
      }
    }
    for (const name of KINDS[kind]) {
      if (name.endsWith("?") || item[name as keyof typeof item] !== undefined) continue;
      problem(`is missing; such an edit is ${EXAMPLES[kind]}`, [name]);
    }
    if (item.at !== undefined && parsePosition(item.at) === undefined) {
      problem("must be start, end, before:ANCHOR or after:ANCHOR", ["at"]);
    }
  },
);

type Item = z.output<typeof itemSchema>;

function kindOf(item: z.output<z.ZodObject<typeof shape>>): keyof typeof KINDS | null {
  const found = [
    item.old !== undefined || item.new !== undefined ? "replace" as const : null,
    item.code !== undefined ? "insert" as const : null,
    item.template !== undefined ? "template" as const : null,
    item.patch !== undefined ? "patch" as const : null,
    item.instruction !== undefined ? "instruction" as const : null,
  ].filter((kind) => kind !== null);
  return found.length === 1 ? found[0]! : null;
}

const editsSchema = z.strictObject({
  title: z.string().min(1).max(1_000).optional(),
  edits: z.array(itemSchema, { error: `must be a list of edits, such as [${EXAMPLE}]` }).min(1).max(
    MAX_STEPS,
  ),
}, { error: `must be a mapping that has edits, such as {"edits": [${EXAMPLE}]}` });

export type EditsParse =
  | { readonly ok: true; readonly title: string | null; readonly steps: readonly ProposalStep[] }
  | { readonly ok: false; readonly problems: readonly DocumentProblem[] };

/**
 * Reads a file of edits: strict JSON if its name ends in `.json`, YAML otherwise. Edits that follow one another are about
 * the files as they were before the first of them; a patch or an instruction is about what those before it left.
 * @returns or every problem with its line; never throws on any text
 */
export function parseEditsFile(text: string, fileName: string): EditsParse {
  const known = new Map([["", ["title", "edits"]], ["edits[]", KNOWN_MEMBERS]]);
  const parsed = parseDocument(text, fileName, { schema: editsSchema, known, empty: "the file is empty" });
  if (!parsed.ok) return parsed;
  const steps: ProposalStep[] = [];
  let waiting: Edit[] = [];
  const flush = () => {
    if (waiting.length > 0) steps.push({ kind: "edits", edits: waiting });
    waiting = [];
  };
  for (const [index, item] of parsed.value.edits.entries()) {
    const edit = editOf(item);
    if (edit !== null) {
      waiting.push(edit);
      continue;
    }
    flush();
    steps.push(
      item.patch !== undefined
        ? patchStep(item.patch, `edits[${index}]`)
        : { kind: "instruction", instruction: item.instruction!, files: item.files ?? [] },
    );
  }
  flush();
  return { ok: true, title: parsed.value.title ?? null, steps };
}

function editOf(item: Item): Edit | null {
  const file = item.file ?? "";
  switch (kindOf(item)) {
    case "replace":
      return { kind: "replace", file, old: item.old!, new: item.new! };
    case "insert": {
      if (item.at === undefined) return { kind: "create", file, code: item.code! };
      const position = parsePosition(item.at);
      return position === undefined ? null : { kind: "insert", file, position, code: item.code! };
    }
    case "template": {
      const line = item.line === undefined ? {} : { line: item.line };
      return { kind: "template", template: item.template!, file, parameters: { ...item.params }, ...line };
    }
    default:
      return null;
  }
}
