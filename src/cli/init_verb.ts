import type { Command } from "commander";
import type { verbRunner } from "./verb.ts";

export interface InitFlags {
  readonly preset?: string;
  readonly force?: boolean;
  readonly print?: boolean;
  readonly json?: boolean;
}

/** `pp init`: write a pp.yaml that fits the project. */
export function registerInit(program: Command, verb: ReturnType<typeof verbRunner>): void {
  program.command("init")
    .description("Write a commented pp.yaml that fits the project it stands in")
    .option("--preset <name>", "write a shipped policy instead (see pp policy presets)")
    .option("--force", "replace a pp.yaml that is there")
    .option("--print", "print it instead of writing a file")
    .option("--json", "print one JSON document on stdout")
    .addHelpText(
      "after",
      `
Examples:
  pp init                   look at the project, write pp.yaml
  pp init --print           only show what would be written
  pp init --preset strict --force

Looks at pyproject.toml, setup.cfg, requirements, package.json, deno.json, go.mod, Cargo.toml, pom.xml, build.gradle,
Makefile and at the names of tests. A file that is there is never replaced without --force.`,
    ).action(verb(async (flags: InitFlags) => {
      const { init } = await import("./init.ts");
      return await init({ root: Deno.cwd(), ...flags });
    }));
}
