import assert from "node:assert/strict";
import fc from "fast-check";
import { byteStringOfText } from "../../src/patch/bytes.ts";
import { readProposal } from "../../src/patch/read.ts";
import { wholeFileRewrite } from "../../src/propose/rewrite.ts";

// Content that itself holds a diff or SEARCH/REPLACE markers is read as such; it is left out here.
Deno.test("wholeFileRewrite: the patch reader takes it as that file with that content", () => {
  const segment = fc.stringMatching(/^[a-z][a-z0-9_-]{0,8}$/);
  const path = fc.tuple(
    fc.array(segment, { maxLength: 3 }),
    segment,
    fc.constantFrom(".py", ".ts", ".md", ""),
  )
    .map(([dirs, name, extension]) => [...dirs, name].join("/") + extension);
  const line = fc.oneof(
    fc.constantFrom(
      "```",
      "````",
      "```python",
      "~~~",
      "File: other.py",
      "=======",
      "",
      "  x = 1",
      "é `code` 𝄞",
    ),
    fc.string({ maxLength: 20 }).filter((s) =>
      !/^@@|\.\.\.|…|unchanged|existing|rest of|omitted|same/i.test(s)
    ),
  );
  fc.assert(
    fc.property(path, fc.array(line, { minLength: 1, maxLength: 12 }), (name, lines) => {
      const content = lines.join("\n") + "\n";
      const read = readProposal(byteStringOfText(wholeFileRewrite(name, content)));
      assert.ok(read.ok, JSON.stringify(read));
      assert.equal(read.proposal.exact, null);
      const edits = read.proposal.edits.map((e) => ({
        action: e.action,
        names: e.names,
        content: e.content,
      }));
      assert.deepEqual(edits, [{ action: "whole", names: [name], content: byteStringOfText(content) }]);
    }),
    { numRuns: 400 },
  );
});
