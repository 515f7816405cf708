import { showProblem } from "../document/parse.ts";
import { parseTemplate, type Template } from "../edit/template.ts";
import { Failure } from "../vocabulary/failure.ts";

/** The shipped files of policies/templates. */
export const TEMPLATE_FILES = [
  "add-argument.python",
  "add-argument.typescript",
  "add-field.python",
  "add-field.typescript",
  "add-import.python",
  "add-import.typescript",
  "wrap-call.python",
  "wrap-call.typescript",
] as const;

let loaded: Promise<readonly Template[]> | undefined;

/** The shipped templates, read once from beside the program's modules. */
export function shippedTemplates(): Promise<readonly Template[]> {
  return loaded ??= Promise.all(TEMPLATE_FILES.map(async (name) => {
    const url = new URL(`../../policies/templates/${name}.yaml`, import.meta.url);
    const parsed = parseTemplate(await Deno.readTextFile(url), `${name}.yaml`);
    if (parsed.ok) return parsed.template;
    throw new Failure("bug", "template_broken", `the shipped template ${name}.yaml does not load`, {
      details: parsed.problems.map((problem) => showProblem(`${name}.yaml`, problem)),
    });
  }));
}
