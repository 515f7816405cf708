import { colour } from "../../src/cli/output.ts";

/** Child of the output tests: for each environment, whether a terminal and a file get colours. */
const environments = JSON.parse(Deno.args[0]!) as Record<string, string>[];
const answers = environments.map((environment) => {
  for (const name of ["NO_COLOR", "FORCE_COLOR", "TERM"]) Deno.env.delete(name);
  for (const [name, value] of Object.entries(environment)) Deno.env.set(name, value);
  return [true, false].map((terminal) => colour({ isTerminal: () => terminal }).red("x") !== "x");
});
console.log(JSON.stringify(answers));
