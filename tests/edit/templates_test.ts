import assert from "node:assert/strict";
import { parse } from "yaml";
import { TEMPLATE_FILES } from "../../src/cli/template_names.ts";
import { shippedTemplates } from "../../src/cli/templates.ts";
import { parseTemplate, type Template } from "../../src/edit/template.ts";
import { treeSitterQueries } from "../../src/syntax/tree_sitter_queries.ts";
import { edited } from "./fixture.ts";

const FOLDER = new URL("../../policies/templates/", import.meta.url);

for (const file of TEMPLATE_FILES) {
  const { examples } = parse(await Deno.readTextFile(new URL(`${file}.yaml`, FOLDER))) as Template;
  for (const [i, example] of examples.entries()) {
    Deno.test(`policies/templates/${file}: example ${i + 1}, ${example.about}`, async () => {
      const template = (await shippedTemplates())[TEMPLATE_FILES.indexOf(file)]!;
      const { parameters, before, line } = example;
      const edit = {
        kind: "template",
        template: template.name,
        file: example.file,
        parameters,
        ...(line === undefined ? {} : { line }),
      } as const;
      const result = await edited({ [example.file]: before }, [edit]);
      if (example.after === undefined) {
        assert.equal(result.ok ? `accepted:\n${result.after[example.file]}` : result.reason, example.refusal);
      } else {
        assert.equal(
          result.ok ? result.after[example.file] : `${result.reason}: ${result.detail}`,
          example.after,
        );
      }
    });
  }
}

Deno.test("shippedTemplates: every file of policies/templates is loaded", () => {
  const there = [...Deno.readDirSync(FOLDER)].map(({ name }) => name).sort();
  assert.deepEqual(there, TEMPLATE_FILES.map((name) => `${name}.yaml`));
});

const SAMPLE: Readonly<Record<string, string>> = {
  python: "a.py",
  typescript: "a.ts",
  tsx: "a.tsx",
  javascript: "a.js",
};

Deno.test("shippedTemplates: every query is one for every language of its template", async () => {
  for (const template of await shippedTemplates()) {
    const queries = [template.target, ...template.unless, ...template.cases].map((search) => search?.query)
      .filter((query) => query !== undefined);
    for (const language of template.languages) {
      for (const query of queries) {
        const result = await treeSitterQueries().query(SAMPLE[language]!, new Uint8Array(), query);
        assert.ok(result.ok, `${template.name} in ${language}: ${JSON.stringify(result)}\n${query}`);
        assert.equal(result.language, language);
      }
    }
  }
});

Deno.test("docs/proposals.md: the template it shows loads, and makes of its example what it says", async () => {
  const page = await Deno.readTextFile(new URL("../../docs/proposals.md", import.meta.url));
  const text = /```yaml\n(name: [^]*?)```/.exec(page)![1]!;
  const parsed = parseTemplate(text, "proposals.yaml");
  assert.ok(parsed.ok, JSON.stringify(parsed));
  const template = { ...parsed.value, name: "shown" }, [example] = template.examples;
  const { file, parameters, before, after } = example!;
  const result = await edited({ [file]: before }, [
    { kind: "template", template: "shown", file, parameters },
  ], [template]);
  assert.equal(result.ok ? result.after[file] : result.reason, after);
  for (const name of new Set((await shippedTemplates()).map((shipped) => shipped.name))) {
    assert.ok(page.includes(`| \`${name}\``), name);
  }
});
