import assert from "node:assert/strict";
import { parsePolicy } from "../../src/policy/parse.ts";
import { KNOWN_KEYS } from "../../src/policy/schema.ts";
import { BUILT_IN_RULES, STAGED_PREFIX } from "../../src/workspace/ignore.ts";

const text = await Deno.readTextFile(new URL("../../docs/policy.md", import.meta.url));

Deno.test("docs/policy.md: every policy in it loads", () => {
  const policies = [...text.matchAll(/^```yaml\n([\s\S]*?)^```$/gm)].map((match) => match[1]!);
  assert.ok(policies.length > 0);
  for (const policy of policies) {
    const parsed = parsePolicy(policy, "pp.yaml");
    assert.ok(parsed.ok, JSON.stringify(parsed));
  }
});

Deno.test("docs/policy.md: names everything that is left out of a workspace by itself", () => {
  const section = /^## The workspace\n([\s\S]*?)^## /m.exec(text)![1]!;
  const rules = BUILT_IN_RULES.filter((rule) => rule !== "" && rule !== STAGED_PREFIX);
  assert.ok(rules.length > 10);
  for (const rule of rules) assert.ok(section.includes(`\`${rule}\``), rule);
});

Deno.test("docs/policy.md: names every key in a table", () => {
  const named = new Set([...text.matchAll(/^\| `(?:\w+\.)?(\w+)`/gm)].map((match) => match[1]!));
  for (const [place, keys] of KNOWN_KEYS) {
    if (place === "") continue;
    const sections = new Set([...KNOWN_KEYS.keys()].map((other) => other.split(".").at(-1)));
    for (const key of keys) assert.ok(named.has(key) || sections.has(key), `${place}.${key}`);
  }
});
