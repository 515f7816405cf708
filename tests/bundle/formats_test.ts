import assert from "node:assert/strict";
import { bundleFiles } from "../../src/bundle/documents.ts";
import { BOUNDS } from "../../src/bundle/layout.ts";
import { record, redact, reported } from "./fixture.ts";

const PAGE = await Deno.readTextFile(new URL("../../docs/formats.md", import.meta.url));

Deno.test("docs/formats.md: names every format and member that is written", async () => {
  const words = new Set(PAGE.match(/[a-z0-9_]+/gi));
  const missing = new Set<string>();
  const look = (value: unknown): void => {
    if (Array.isArray(value)) value.forEach(look);
    else if (typeof value === "object" && value !== null) {
      for (const [key, member] of Object.entries(value)) {
        if (!words.has(key)) missing.add(key);
        // What is in a policy is told in docs/policy.md.
        if (key !== "config") look(member);
      }
    }
  };
  for (
    const [name, bytes] of [...await bundleFiles(record(), redact), ...await bundleFiles(reported(), redact)]
  ) {
    if (!name.endsWith(".json")) continue;
    const document = JSON.parse(new TextDecoder().decode(bytes));
    if (!PAGE.includes(`\`${document.format}\``)) missing.add(document.format);
    look(document);
  }
  assert.deepEqual([...missing], []);
});

Deno.test("docs/formats.md: states the bounds that are kept", () => {
  const { files, bytes, totalBytes, jsonDepth } = BOUNDS;
  const mib = (n: number) => `${n / 1024 / 1024} MiB`;
  for (const bound of [files.toLocaleString("en"), mib(bytes), mib(totalBytes), `at most ${jsonDepth}`]) {
    assert.ok(PAGE.includes(bound), bound);
  }
});
