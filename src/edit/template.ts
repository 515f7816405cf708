import { z } from "zod";
import { type DocumentParse, parseDocument } from "../document/parse.ts";
import { placeholders } from "./substitute.ts";

const MAX_TEXT = 20_000;

const name = z.string().regex(/^[a-z][a-z0-9_]{0,40}$/, {
  error: "expected a name of lower case letters, digits and _",
});
const regex = z.string().max(400).superRefine((source, context) => {
  try {
    new RegExp(`^(?:${source})$`, "u");
  } catch (error) {
    context.addIssue({ code: "custom", message: `no regular expression: ${(error as Error).message}` });
  }
});
const texts = z.record(name, z.string().max(MAX_TEXT));
const when = z.record(name, regex).default({}).meta({
  description: "Counts only when each of these parameters matches.",
});

const parameterShape = {
  name,
  description: z.string().min(1).max(400),
  pattern: regex.meta({ description: "The whole value must match it." }),
  default: z.string().max(2_000).nullable().default(null),
};

const searchShape = {
  query: z.string().min(1).max(MAX_TEXT).meta({ description: "A tree-sitter query." }),
  where: texts.default({}).meta({ description: "The text that captures must have." }),
};

const positionShape = {
  before: name.optional(),
  after: name.optional(),
  "inside-start": name.optional(),
  "inside-end": name.optional(),
  replace: name.optional(),
  "list-before": name.optional(),
  "list-after": name.optional(),
  file: z.literal("start").optional(),
};

const several = z.enum(["refuse", "first", "last"]);

const caseShape = {
  when,
  query: searchShape.query.optional(),
  where: searchShape.where,
  pick: z.enum(["first", "last"]).default("last").meta({ description: "Which of several places to take." }),
  position: z.strictObject(positionShape).superRefine((position, context) => {
    if (Object.values(position).filter((value) => value !== undefined).length !== 1) {
      context.addIssue({ code: "custom", message: "must name exactly one place" });
    }
  }),
  text: z.string().min(1).max(MAX_TEXT),
};

const exampleShape = {
  about: z.string().max(200).default(""),
  file: z.string().min(1).max(200),
  parameters: z.record(name, z.string().max(2_000)),
  line: z.number().int().min(1).optional(),
  before: z.string().max(MAX_TEXT),
  after: z.string().max(MAX_TEXT).optional(),
  refusal: z.string().max(80).optional(),
};

const letShape = { name, when, text: z.string().max(MAX_TEXT) };

const templateShape = {
  name: z.string().regex(/^[a-z][a-z0-9-]{0,60}$/, { error: "expected a name, such as add-field" }),
  languages: z.array(z.string().regex(/^[a-z]+$/)).min(1).max(20),
  description: z.string().min(1).max(400),
  parameters: z.array(z.strictObject(parameterShape)).max(20),
  let: z.array(z.strictObject(letShape)).max(20).default([]).meta({
    description: "Texts made of parameters; the first whose `when` holds gives a name its value.",
  }),
  target: z.strictObject({ ...searchShape, several: several.default("refuse") }).optional().meta({
    description: "What is changed, as @target; all else is looked for in it.",
  }),
  unless: z.array(z.strictObject(searchShape)).max(20).default([]).meta({
    description: "What is there already, so that nothing has to be done.",
  }),
  cases: z.array(z.strictObject(caseShape)).min(1).max(40),
  examples: z.array(
    z.strictObject(exampleShape).superRefine(({ after, refusal }, context) => {
      if ((after === undefined) === (refusal === undefined)) {
        context.addIssue({ code: "custom", message: "must have either after or refusal" });
      }
    }),
  ).min(1).max(60),
};

const templateSchema = z.strictObject(templateShape, {
  error: "expected a template: name, languages, parameters, cases, examples",
}).superRefine((template, context) => {
  const problem = (path: (string | number)[], message: string) =>
    context.addIssue({ code: "custom", path, message });
  const known = new Set<string>();
  template.parameters.forEach((parameter, i) => {
    if (known.has(parameter.name)) problem(["parameters", i, "name"], "is there twice");
    known.add(parameter.name);
    const { default: value, pattern } = parameter;
    if (value !== null && !new RegExp(`^(?:${pattern})$`, "u").test(value)) {
      problem(["parameters", i, "default"], "does not match the pattern");
    }
  });
  const check = (path: (string | number)[], text: string, more: readonly string[]) => {
    const found = placeholders(text);
    if (!found.ok) return problem(path, found.problem);
    const unknown = found.names.find((used) => !known.has(used) && !more.includes(used));
    if (unknown !== undefined) problem(path, `{{${unknown}}} is no parameter or capture`);
  };
  const checkWhere = (path: (string | number)[], where: Readonly<Record<string, string>>) => {
    for (const [key, value] of Object.entries(where)) check([...path, "where", key], value, []);
  };
  template.let.forEach((entry, i) => check(["let", i, "text"], entry.text, []));
  for (const entry of template.let) known.add(entry.name);
  if (template.target) {
    checkWhere(["target"], template.target.where);
    if (!captures(template.target.query).includes("target")) {
      problem(["target", "query"], "must capture @target");
    }
  }
  template.unless.forEach((entry, i) => checkWhere(["unless", i], entry.where));
  template.cases.forEach((entry, i) => {
    const path = ["cases", i];
    checkWhere(path, entry.where);
    const captured = [...captures(entry.query ?? ""), ...captures(template.target?.query ?? "")];
    check([...path, "text"], entry.text, [...captured, "indent", "unit"]);
    for (const place of Object.values(entry.position)) {
      if (place !== undefined && place !== "start" && !captured.includes(place)) {
        problem([...path, "position"], `nothing captures @${place}`);
      }
    }
    if (entry.query !== undefined && template.target && !captures(entry.query).includes("target")) {
      problem([...path, "query"], "must capture @target");
    }
  });
});

const KNOWN = new Map([
  ["", Object.keys(templateShape)],
  ["parameters[]", Object.keys(parameterShape)],
  ["let[]", Object.keys(letShape)],
  ["target", [...Object.keys(searchShape), "several"]],
  ["unless[]", Object.keys(searchShape)],
  ["cases[]", Object.keys(caseShape)],
  ["cases[].position", Object.keys(positionShape)],
  ["examples[]", Object.keys(exampleShape)],
]);

/** Names a query captures; more rather than fewer, as strings in it are not looked at. */
function captures(query: string): string[] {
  return [...query.matchAll(/@([A-Za-z_][\w.-]*)/g)].map((found) => found[1]!);
}

/** A change that is asked for by name, as a file in policies/templates has it. */
export type Template = z.output<typeof templateSchema>;
export type TemplateCase = Template["cases"][number];
export type TemplateSearch = Pick<TemplateCase, "where"> & { readonly query: string };

/**
 * Reads a template.
 * @returns the template, or every problem of the file
 */
export function parseTemplate(text: string, fileName: string): DocumentParse<Template> {
  return parseDocument(text, fileName, { schema: templateSchema, known: KNOWN, empty: "the file is empty" });
}
