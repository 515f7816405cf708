import assert from "node:assert/strict";
import { nearestWord } from "../../src/document/spelling.ts";

Deno.test("nearestWord: finds the word meant, or none", () => {
  const known = ["max_attempts", "max_files_changed", "network", "verify", "pids"];
  const cases: [string, string | null][] = [
    ["max_attempt", "max_attempts"],
    ["maxAttempts", "max_attempts"],
    ["max-files-changed", "max_files_changed"],
    ["netwrok", "network"],
    ["NETWORK", "network"],
    ["verfy", "verify"],
    ["pid", "pids"],
    ["memory", null],
    ["", null],
    ["n".repeat(1_000_000), null],
  ];
  for (const [word, meant] of cases) assert.equal(nearestWord(word, known), meant, word.slice(0, 20));
});
