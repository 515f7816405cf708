import assert from "node:assert/strict";
import { templateList, templateShow } from "../../src/cli/template.ts";
import { shippedTemplates } from "../../src/cli/templates.ts";
import { TEMPLATE_NAMES } from "../../src/cli/template_names.ts";
import { parseTemplate } from "../../src/edit/template.ts";
import { Failure } from "../../src/vocabulary/failure.ts";
import { pp } from "./process.ts";

Deno.test("templateList: each template once for each of its languages", async () => {
  const { exit, text, json } = await templateList();
  assert.equal(exit, 0);
  for (const { name, languages } of await shippedTemplates()) {
    assert.match(text, new RegExp(`^${name} +${languages.join(", ")} `, "m"));
  }
  const { templates } = json as { templates: { name: string }[] };
  assert.deepEqual([...new Set(templates.map(({ name }) => name))], TEMPLATE_NAMES);
});

Deno.test("templateShow: parameters with their defaults, and an example", async () => {
  const { text, json } = await templateShow({ name: "add-field", language: "python" });
  assert.match(text, /^add-field \(python\)\n/);
  assert.match(text, /^ {2}class {4}the class$/m);
  assert.match(text, /^ {2}type {5}its type, on one line \(default: nothing\)$/m);
  assert.match(text, /Example: class=A, name=size, type=int, default=0\n[^]*becomes[^]*size: int = 0/);
  assert.doesNotMatch(text, /typescript/);
  const { variants } = json as {
    variants: { languages: string[]; examples: { refusal: string | null }[] }[];
  };
  assert.deepEqual(variants.map(({ languages }) => languages), [["python"]]);
  assert.ok(variants[0]!.examples.some(({ refusal }) => refusal === "already_there"));
});

Deno.test("templateShow: an unknown template or language is wrong usage with the known ones", async () => {
  const wrong = async (name: string, language?: string) => {
    const error = await templateShow({ name, language }).catch((error) => error);
    assert.ok(error instanceof Failure && error.kind === "usage" && error.code === "template_unknown");
    return error.hint;
  };
  assert.match(await wrong("add-feild") ?? "", /add-argument, add-field, [^]*did you mean add-field/);
  assert.match(await wrong("add-field", "go") ?? "", /it is for python, typescript, tsx/);
});

Deno.test("pp template: list and show from the command line", async () => {
  const list = await pp(["template", "list", "--json"], { cwd: Deno.cwd() });
  assert.equal(list.code, 0);
  assert.equal(JSON.parse(list.stdout).format, "veripatch-templates/v1");
  const show = await pp(["template", "show", "wrap-call"], { cwd: Deno.cwd() });
  assert.equal(show.code, 0);
  assert.match(show.stdout, /wrap-call \(python\)[^]*wrap-call \(typescript, tsx, javascript\)/);
  assert.equal((await pp(["template", "show", "x"], { cwd: Deno.cwd() })).code, 64);
});

Deno.test("parseTemplate: every problem of a file, with its line", () => {
  const text = [
    "name: Add",
    "languages: [python]",
    "description: x",
    "parameters:",
    "  - {name: a, description: a, pattern: '('}",
    "  - {name: b, description: b, pattern: 'x', default: y}",
    "  - {name: b, description: b, pattern: 'x'}",
    "cases:",
    "  - {position: {file: start, after: x}, text: '{{a}}'}",
    "  - {position: {after: x}, text: '{{c}} {{ }}'}",
    "examples: []",
    "more: 1",
  ].join("\n");
  const parsed = parseTemplate(text, "add.yaml");
  assert.ok(!parsed.ok);
  const found = parsed.problems.map(({ path, line }) => `${line} ${path}`);
  for (
    const problem of ["1 name", "5 parameters[0].pattern", "9 cases[0].position", "11 examples", "12 more"]
  ) {
    assert.ok(found.includes(problem), `${problem} in ${found.join("; ")}`);
  }
});

Deno.test("parseTemplate: a placeholder or capture that is not there is a problem", () => {
  const make = (over: Record<string, unknown>) =>
    parseTemplate(
      JSON.stringify({
        name: "t",
        languages: ["python"],
        description: "d",
        parameters: [{ name: "a", description: "a", pattern: "x" }],
        target: { query: "(call) @target", where: {} },
        cases: [{
          query: "(call (_) @item) @target",
          position: { after: "item" },
          text: "{{a}}{{item}}{{indent}}",
        }],
        examples: [{ file: "a.py", parameters: {}, before: "", after: "" }],
        ...over,
      }),
      "t.json",
    );
  assert.ok(make({}).ok);
  const cases = (over: Record<string, unknown>) => ({
    cases: [{ query: "(call (_) @item) @target", position: { after: "item" }, text: "x", ...over }],
  });
  const wrong: readonly (readonly [Record<string, unknown>, RegExp])[] = [
    [cases({ text: "{{b}}" }), /\{\{b\}\} is no parameter or capture/],
    [cases({ text: "{{a b c}}" }), /is no placeholder/],
    [cases({ position: { after: "other" } }), /nothing captures @other/],
    [cases({ query: "(call (_) @item)" }), /must capture @target/],
    [cases({ where: { item: "{{b}}" } }), /\{\{b\}\} is no parameter or capture/],
    [{ examples: [{ file: "a.py", parameters: {}, before: "" }] }, /either after or refusal/],
  ];
  for (const [over, message] of wrong) {
    const parsed = make(over);
    assert.ok(!parsed.ok, JSON.stringify(over));
    assert.match(parsed.problems.map((problem) => problem.message).join("\n"), message);
  }
});
