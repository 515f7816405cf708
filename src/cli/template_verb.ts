import type { Command } from "commander";
import type { verbRunner } from "./verb.ts";

type Verb = ReturnType<typeof verbRunner>;

export interface TemplateFlags {
  readonly language?: string;
  readonly json?: boolean;
}

/** `pp template list|show`. */
export function registerTemplate(program: Command, verb: Verb): void {
  const template = program.command("template")
    .description("Changes that can be asked for by name")
    .addHelpText(
      "after",
      `
Examples:
  pp template list
  pp template show add-field --language python`,
    );
  template.command("list")
    .description("List the shipped templates, with the languages each is for")
    .option("--json", "print one JSON document on stdout")
    .addHelpText(
      "after",
      `
Examples:
  pp template list
  pp template list --json | jq -r '.templates[].name'`,
    ).action(verb(async (_flags: TemplateFlags) => {
      const { templateList } = await import("./template.ts");
      return await templateList();
    }));
  template.command("show")
    .description("Show a template's parameters, and what it makes of an example")
    .argument("<name>", "template to show")
    .option("--language <name>", "only that for this language, such as python")
    .option("--json", "print one JSON document on stdout, with all examples")
    .addHelpText(
      "after",
      `
Examples:
  pp template show add-import
  pp template show add-argument --language typescript
  pp template show add-field --json | jq '.variants[].parameters'`,
    ).action(verb(async (name: string, flags: TemplateFlags) => {
      const { templateShow } = await import("./template.ts");
      return await templateShow({ name, language: flags.language });
    }));
}
