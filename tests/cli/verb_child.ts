import { type Outcome, verbRunner } from "../../src/cli/verb.ts";
import { Failure } from "../../src/vocabulary/failure.ts";

/** Child of the verb tests: one verb that ends as told, with or without `--json`, and its exit code. */
const [how = "", json = ""] = Deno.args;
const outcome: Outcome = { exit: 0 };
const handlers: Readonly<Record<string, () => unknown>> = {
  result: () => ({ exit: 2, text: "text for people", json: { number: 1 } }),
  failure: () => {
    throw new Failure("denied", "not_yours", "no\x1b[2J", {
      hint: "ask\x07",
      details: ["first\x1b", "second"],
      cause: new Error("root\x1b cause"),
    });
  },
  interrupted: () => {
    throw new Failure("interrupted", "interrupted", "stopped", { cause: new Error("noise") });
  },
  bug: () => {
    throw new TypeError("undefined is\x1b not a function");
  },
  "no error": () => {
    throw "a string";
  },
};
const handler = handlers[how]!;
// deno-lint-ignore no-explicit-any -- what a handler returns is told by name
await verbRunner(outcome)((_flags: unknown) => Promise.resolve().then(handler) as Promise<any>)({
  json: json === "json",
});
Deno.exit(outcome.exit);
