import assert from "node:assert/strict";
import { parse } from "yaml";
import { scan } from "./fixture.ts";

interface Vector {
  readonly name: string;
  readonly path: string;
  readonly code: string;
  readonly yields: string;
  readonly function?: string;
}

const FOLDER = new URL("../vectors/safety/", import.meta.url);

let vectors = 0;
for (const { name: file } of [...Deno.readDirSync(FOLDER)].sort((a, b) => a.name < b.name ? -1 : 1)) {
  if (!file.startsWith("evasions_")) continue;
  const list = parse(Deno.readTextFileSync(new URL(file, FOLDER))) as Vector[];
  vectors += list.length;
  for (const vector of list) {
    Deno.test(`scanFile: ${file}: ${vector.name} in ${vector.path} yields ${vector.yields}`, async () => {
      const { sites } = await scan(vector.path, vector.code);
      const found = sites.filter(({ capability }) => capability === vector.yields);
      assert.ok(
        found.length > 0,
        `yields only ${JSON.stringify(sites.map((s) => `${s.capability} ${s.symbol}`))}`,
      );
      if (vector.function !== undefined) {
        assert.ok(
          found.some((site) => site.function === vector.function),
          `only in ${JSON.stringify(found.map((site) => site.function))}`,
        );
      }
    });
  }
}

Deno.test("tests/vectors/safety: the vectors are read", () => {
  assert.ok(vectors >= 40, `only ${vectors}`);
});
