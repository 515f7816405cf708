import { spellingHint } from "../document/spelling.ts";
import type { Template } from "../edit/template.ts";
import { Failure } from "../vocabulary/failure.ts";
import { EXIT } from "./exit_code.ts";
import { inColumns, terminalColumns } from "./help_layout.ts";
import { shippedTemplates } from "./templates.ts";
import type { VerbResult } from "./verb.ts";

/** The shipped templates: a line for each name and language. */
export async function templateList(): Promise<VerbResult> {
  const templates = await shippedTemplates();
  const names = Math.max(...templates.map(({ name }) => name.length));
  const languages = Math.max(...templates.map((template) => template.languages.join(", ").length));
  return {
    exit: EXIT.yes,
    text: templates.map((template) =>
      inColumns(
        `${template.name.padEnd(names)}  ${template.languages.join(", ").padEnd(languages)}  `,
        template.description,
        terminalColumns(),
      )
    ).join("\n"),
    json: {
      format: "veripatch-templates/v1",
      templates: templates.map(({ name, languages, description }) => ({ name, languages, description })),
    },
  };
}

/**
 * A template for each of its languages: what it asks for, and an example.
 * @throws Failure `template_unknown` (usage) for a name, or a language of it, that there is not
 */
export async function templateShow(
  { name, language }: { readonly name: string; readonly language?: string | undefined },
): Promise<VerbResult> {
  const templates = await shippedTemplates();
  const named = templates.filter((template) => template.name === name);
  if (named.length === 0) {
    const names = [...new Set(templates.map((template) => template.name))];
    throw new Failure("usage", "template_unknown", `there is no template ${JSON.stringify(name)}`, {
      hint: `templates are ${names.join(", ")}${spellingHint(name, names)}`,
    });
  }
  const shown = named.filter(({ languages }) => language === undefined || languages.includes(language));
  if (shown.length === 0) {
    const known = named.flatMap(({ languages }) => languages);
    throw new Failure("usage", "template_unknown", `${name} is not for ${JSON.stringify(language)}`, {
      hint: `it is for ${known.join(", ")}${spellingHint(language!, known)}`,
    });
  }
  return {
    exit: EXIT.yes,
    text: shown.map(shownTemplate).join("\n\n"),
    json: {
      format: "veripatch-template/v1",
      name,
      variants: shown.map(({ languages, description, parameters, examples }) => ({
        languages,
        description,
        parameters,
        examples: examples.map((example) => ({
          ...example,
          line: example.line ?? null,
          after: example.after ?? null,
          refusal: example.refusal ?? null,
        })),
      })),
    },
  };
}

function shownTemplate({ name, languages, description, parameters, examples }: Template): string {
  const wide = Math.max(...parameters.map((parameter) => parameter.name.length));
  const example = examples.find(({ after }) => after !== undefined);
  const lines = [
    `${name} (${languages.join(", ")})`,
    `  ${description}`,
    "",
    "Parameters:",
    ...parameters.map((parameter) =>
      `  ${parameter.name.padEnd(wide)}  ${parameter.description}${
        parameter.default === null ? "" : ` (default: ${parameter.default || "nothing"})`
      }`
    ),
  ];
  if (example !== undefined) {
    const given = Object.entries(example.parameters).map(([key, value]) => `${key}=${value}`).join(", ");
    lines.push(
      "",
      `Example: ${given}`,
      "",
      ...indented(example.before),
      "",
      "becomes",
      "",
      ...indented(example.after!),
    );
  }
  return lines.join("\n");
}

function indented(code: string): string[] {
  return code.trimEnd().split("\n").map((line) => line === "" ? "" : `    ${line}`);
}
