import assert from "node:assert/strict";
import fc from "fast-check";
import { colours } from "../../../src/cli/output.ts";
import { renderPage } from "../../../src/cli/page/render.ts";
import { columnsOf } from "../../../src/cli/page/wrap.ts";
import { topicPage, TOPICS } from "../../../src/cli/topics.ts";

const plain = (markdown: string, width = 40) =>
  renderPage(markdown, {
    width,
    colour: null,
    topicOf: (href) => href.startsWith("trust.md") ? "trust" : null,
  });

Deno.test("renderPage: headings, prose, lists, code and links", () => {
  const page = [
    "# Keys `pp`\n\nSome **bold** words, and `pp key show` in a line that goes on.\n",
    "- one item that is too long for a line of this page\n  - inner\n- [keys](trust.md#x)\n",
    "1. first\n2. [site](https://example.org)\n\n```sh\n$ a very long command that is never broken at all\n```\n",
  ].join("\n");
  assert.equal(
    plain(page),
    `Keys pp
=======

Some bold words, and \`pp key show\` in a
line that goes on.

- one item that is too long for a line
  of this page
  - inner
- keys (pp help trust)

1. first
2. site (https://example.org)

    $ a very long command that is never broken at all
`,
  );
});

Deno.test("renderPage: a table keeps its columns while they are wide enough, else each row is a block", () => {
  const table = "| key | meaning | default |\n|-|-|-|\n| `a.b` | what it is and does | 3 |\n| c | x |  |\n";
  assert.equal(
    plain(table),
    `key    meaning              default
-----  -------------------  -------
\`a.b\`  what it is and does  3
c      x
`,
  );
  assert.equal(
    plain(table, 24),
    `\`a.b\`
    meaning: what it is
    and does
    default: 3

c
    meaning: x
`,
  );
});

Deno.test("renderPage: colours are added to words and change no line", async () => {
  // deno-lint-ignore no-control-regex -- colours are control characters
  const strip = /\x1b\[\d+m/g;
  for (const topic of TOPICS) {
    const style = { width: 60, topicOf: () => null };
    const coloured = renderPage("**a b** c\n", { ...style, colour: colours(true) });
    assert.equal(coloured, "\x1b[1ma\x1b[22m \x1b[1mb\x1b[22m c\n");
    const page = renderPage(await topicPage(topic), { ...style, colour: colours(true) });
    assert.notEqual(page.replaceAll(strip, ""), page);
  }
});

Deno.test("renderPage: no line of prose is wider than the page, whatever the words", () => {
  const word = fc.stringMatching(/^[a-z]{1,12}$/);
  fc.assert(
    fc.property(fc.array(word, { minLength: 1 }), fc.integer({ min: 14, max: 100 }), (words, width) => {
      const text = plain(`${words.join(" ")}\n\n- ${words.join(" ")}\n`, width);
      assert.ok(text.split("\n").every((line) => columnsOf(line) <= width));
      assert.deepEqual(text.split(/[\s-]+/).filter((w) => w !== ""), [...words, ...words]);
    }),
  );
});

Deno.test("TOPICS: each page is there, begins with a title, and has nothing a terminal cannot show", async () => {
  for (const topic of TOPICS) {
    const page = await topicPage(topic);
    assert.match(page, /^# \S/, topic.file);
    for (const width of [40, 80]) {
      const text = plain(page, width);
      assert.doesNotMatch(text, /&[a-z]+;/, topic.file);
      const prose = text.split("\n").filter((line) => !line.startsWith("    "));
      const wide = prose.filter((line) => columnsOf(line) > width && line.trim().includes(" "));
      assert.deepEqual(wide, [], `${topic.file} at ${width}`);
    }
  }
});
