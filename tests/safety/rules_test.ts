import assert from "node:assert/strict";
import { CAPABILITIES } from "../../src/safety/capability.ts";
import { parseRuleFile } from "../../src/safety/rules.ts";
import { capabilityRules, RULE_FILES } from "../../src/cli/capability_rules.ts";
import { EXAMPLE_PATH, ruleFiles, rules, sitesOf } from "./fixture.ts";

for (const file of ruleFiles()) {
  for (const language of [file.language, ...file.also]) {
    Deno.test(`policies/capabilities: every example of every rule of ${language} is judged as it says`, async () => {
      const wrong: string[] = [];
      const path = EXAMPLE_PATH[language]!;
      for (const rule of file.rules) {
        for (const [list, expected] of [[rule.match, true], [rule.no_match, false]] as const) {
          for (const example of list) {
            const sites = await sitesOf(path, wrapped(language, example));
            const found = sites.some((site) => site.rule === rule.id && site.capability === rule.capability);
            if (found !== expected) {
              wrong.push(`${rule.id} ${expected ? "misses" : "wrongly finds"} ${JSON.stringify(example)}`);
            }
          }
        }
      }
      assert.deepEqual(wrong, []);
    });
  }
}

/** PHP needs its tag. */
function wrapped(language: string, example: string): string {
  return language === "php" ? `<?php\n${example}\n` : `${example}\n`;
}

Deno.test("policies/capabilities: together the rules know every capability that rules can find", () => {
  const found = new Set(ruleFiles().flatMap((file) => file.rules.map(({ capability }) => capability)));
  // Obfuscation is found in texts of any language, by no rule.
  assert.deepEqual(CAPABILITIES.filter((capability) => !found.has(capability)), ["obfuscation"]);
});

Deno.test("parseRuleFile: every problem of a file is reported, with its line", () => {
  const parsed = parseRuleFile(
    "language: python\nrules:\n  - id: X\n    capability: exek\n    about: a\n    calls: [a]\n    match: [a]\n    no_match: [b]\n" +
      "  - id: ab\n    capability: exec\n    about: a\n    texts: ['(']\n    match: []\n    no_match: [b]\n    extra: 1\n",
    "python.yaml",
  );
  assert.ok(!parsed.ok);
  const seen = parsed.problems.map(({ path, line }) => `${line} ${path}`);
  assert.deepEqual(seen, [
    "3 rules[0].id",
    "4 rules[0].capability",
    "12 rules[1].texts[0]",
    "13 rules[1].match",
    "15 rules[1].extra",
  ]);
});

Deno.test("parseRuleFile: a rule that names nothing, and an id twice, are refused", () => {
  const rule = (id: string, more: string) =>
    `  - { id: ${id}, capability: exec, about: a, match: [a], no_match: [b]${more} }\n`;
  const parsed = parseRuleFile(
    `language: python\nrules:\n${rule("aa", "")}${rule("bb", ", calls: [a]")}${rule("bb", ", calls: [a]")}`,
    "x.yaml",
  );
  assert.ok(!parsed.ok);
  assert.deepEqual(parsed.problems.map(({ message }) => message), [
    "names nothing that could match",
    "is there twice",
  ]);
});

Deno.test("capabilityRules: every file of policies/capabilities is there, with the languages it names and the rules it has when all are made ready at once", async () => {
  assert.deepEqual(
    RULE_FILES,
    Object.fromEntries(ruleFiles().map(({ language, also }) => [language, [language, ...also]])),
  );
  const shipped = await capabilityRules();
  for (const file of ruleFiles()) {
    const names = file.rules.flatMap(({ symbols, calls }) => [...symbols, ...calls])
      .map((pattern) => pattern.replaceAll("*", "x"));
    for (const language of [file.language, ...file.also]) {
      for (const name of names) {
        const [late, atOnce] = [shipped, rules].map((all) =>
          all.get(language)!.symbolRules(name, true).map(({ id, config }) => ({ id, config }))
        );
        assert.ok(late!.length > 0, `${language} ${name}`);
        assert.deepEqual(late, atOnce, `${language} ${name}`);
      }
    }
  }
  assert.equal(shipped.get("tsx"), shipped.get("javascript"));
  assert.equal(shipped.get("cobol"), undefined);
});
