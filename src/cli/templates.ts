import { showProblem } from "../document/problem.ts";
import { parseTemplate, type Template } from "../edit/template.ts";
import { Failure } from "../vocabulary/failure.ts";
import { TEMPLATE_FILES } from "./template_names.ts";

let loaded: Promise<readonly Template[]> | undefined;

/** The shipped templates, read once from beside the program's modules. */
export function shippedTemplates(): Promise<readonly Template[]> {
  return loaded ??= Promise.all(TEMPLATE_FILES.map(async (name) => {
    const url = new URL(`../../policies/templates/${name}.yaml`, import.meta.url);
    const parsed = parseTemplate(await Deno.readTextFile(url), `${name}.yaml`);
    if (parsed.ok) return parsed.value;
    throw new Failure("bug", "template_broken", `the shipped template ${name}.yaml does not load`, {
      details: parsed.problems.map((problem) => showProblem(`${name}.yaml`, problem)),
    });
  }));
}
