import type { Command } from "commander";
import type { verbRunner } from "./verb.ts";

type Verb = ReturnType<typeof verbRunner>;

export interface PolicyFlags {
  readonly preset?: string;
  readonly policy?: string;
  readonly json?: boolean;
}

/** `pp policy check|show|protected|schema|presets`. */
export function registerPolicy(program: Command, verb: Verb): void {
  const policy = program.command("policy")
    .description("Check, show and write policies")
    .addHelpText(
      "after",
      `
Examples:
  pp policy check                 every problem of pp.yaml, with its line
  pp policy show --preset strict  a shipped policy with all its defaults
  pp policy presets python > pp.yaml
  pp policy schema > pp.schema.json`,
    );
  policy.command("check")
    .description("Say every problem of a policy file, and what its targets would run")
    .argument("[file]", "policy file (default: pp.yaml, pp.yml or pp.json here)")
    .option("--json", "print one JSON document on stdout")
    .addHelpText(
      "after",
      `
Examples:
  pp policy check
  pp policy check policies/release.yaml
  pp policy check --json | jq '.problems[].message'

Exit 0 when the policy can be used, 2 when it does not allow its own targets, 65 when it is malformed.`,
    ).action(verb(async (file: string | undefined, _flags: PolicyFlags) => {
      const { policyCheck } = await import("./policy.ts");
      return await policyCheck({ root: Deno.cwd(), file });
    }));
  policy.command("show")
    .description("Print a policy with every default filled in, and its digest")
    .argument("[file]", "policy file (default: pp.yaml, pp.yml or pp.json here, else the built-in default)")
    .option("--preset <name>", "show a shipped policy instead")
    .option("--json", "print one JSON document on stdout")
    .addHelpText(
      "after",
      `
Examples:
  pp policy show
  pp policy show --preset ci
  pp policy show --json | jq -r .digest`,
    ).action(verb(async (file: string | undefined, flags: PolicyFlags) => {
      const { policyShow } = await import("./policy.ts");
      return await policyShow({ root: Deno.cwd(), file, preset: flags.preset });
    }));
  policy.command("protected")
    .description("Say which paths a patch may not touch, and why; without paths, list the rules")
    .argument("[paths...]", "paths relative to the workspace")
    .option(
      "--policy <file>",
      "policy file (default: pp.yaml, pp.yml or pp.json here, else the built-in default)",
    )
    .option("--json", "print one JSON document on stdout")
    .addHelpText(
      "after",
      `
Examples:
  pp policy protected
  pp policy protected src/app.py tests/test_app.py
  git diff --name-only main | xargs pp policy protected --json

Exit 0 when a patch may touch all of them, 2 when one of them would be left out of it.
Links of the workspace are not looked at here, and a package.json is not compared.`,
    ).action(verb(async (paths: string[], flags: PolicyFlags) => {
      const { policyProtected } = await import("./policy.ts");
      return await policyProtected({ root: Deno.cwd(), file: flags.policy, paths });
    }));
  policy.command("schema")
    .description("Print the JSON Schema of policy files, for editors")
    .option("--json", "the same: a JSON Schema is JSON")
    .addHelpText(
      "after",
      `
Examples:
  pp policy schema > pp.schema.json
  # then, as the first line of pp.yaml:
  # yaml-language-server: $schema=./pp.schema.json`,
    ).action(verb(async (_flags: PolicyFlags) => {
      const { policySchemaText } = await import("./policy.ts");
      return await policySchemaText();
    }));
  policy.command("presets")
    .description("List the shipped policies, or print one with its comments")
    .argument("[name]", "preset to print")
    .option("--json", "print one JSON document on stdout")
    .addHelpText(
      "after",
      `
Examples:
  pp policy presets
  pp policy presets strict > pp.yaml`,
    ).action(verb(async (name: string | undefined, _flags: PolicyFlags) => {
      const { policyPresets } = await import("./policy.ts");
      return await policyPresets({ name });
    }));
}
