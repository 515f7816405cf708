import assert from "node:assert/strict";
import { stripVTControlCharacters } from "node:util";
import { bytesText, colourDiff, colours, count, seconds, shownPath } from "../../src/cli/output.ts";
import { script } from "./process.ts";

const PAINTED = colours(true);
const PLAIN = colours(false);

Deno.test("colour: NO_COLOR and a dumb terminal win over FORCE_COLOR, which wins over no terminal", async () => {
  const cases: [Record<string, string>, [terminal: boolean, file: boolean]][] = [
    [{ TERM: "xterm" }, [true, false]],
    [{}, [true, false]],
    [{ TERM: "xterm", NO_COLOR: "1" }, [false, false]],
    [{ TERM: "xterm", NO_COLOR: "" }, [true, false]],
    [{ TERM: "dumb" }, [false, false]],
    [{ FORCE_COLOR: "1" }, [true, true]],
    [{ FORCE_COLOR: "" }, [true, false]],
    [{ FORCE_COLOR: "1", NO_COLOR: "1" }, [false, false]],
    [{ FORCE_COLOR: "1", TERM: "dumb" }, [false, false]],
  ];
  const { stdout } = await script("colour_child.ts", [JSON.stringify(cases.map(([env]) => env))]);
  const seen = JSON.parse(stdout) as boolean[][];
  for (const [i, [env, expected]] of cases.entries()) {
    assert.deepEqual(seen[i], expected, JSON.stringify(env));
  }
});

Deno.test("colours: a colour inside another one ends in it", () => {
  assert.equal(PAINTED.red("a"), "\x1b[31ma\x1b[39m");
  assert.equal(PAINTED.bold(`a${PAINTED.dim("b")}c`), "\x1b[1ma\x1b[2mb\x1b[22m\x1b[1mc\x1b[22m");
  assert.equal(PLAIN.red("a"), "a");
});

Deno.test("colourDiff: each kind of line has its colour, and the text stays", () => {
  const diff = "diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -1,2 +1,2 @@\n same\n-old\n+new";
  const lines = colourDiff(diff, PAINTED).split("\n");
  assert.equal(stripVTControlCharacters(lines.join("\n")), diff);
  const { bold, cyan, red, green } = PAINTED;
  assert.deepEqual(lines, [
    bold("diff --git a/x b/x"),
    bold("--- a/x"),
    bold("+++ b/x"),
    cyan("@@ -1,2 +1,2 @@"),
    " same",
    red("-old"),
    green("+new"),
  ]);
});

Deno.test("colourDiff: what a terminal would obey is made visible", () => {
  const hostile = "+\x1b]0;title\x07\x1b[2J\n+\u202egnp.exe\u2069\n+a\rb\n+end\r\n+\u200bzero\x9b31m\x08";
  const shown = colourDiff(hostile, PLAIN);
  // deno-lint-ignore no-control-regex -- the characters under test
  assert.doesNotMatch(shown, /[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069]/);
  assert.match(shown, /\\u\{1b\}\[2J/);
  assert.match(shown, /^\+a\\u\{d\}b$/m);
  assert.match(shown, /^\+end␍$/m, "a line end of Windows is one mark");
});

Deno.test("seconds: short, long and at the borders", () => {
  const expected: readonly [number, string][] = [
    [0, "0.00 s"],
    [421, "0.42 s"],
    [9_994, "9.99 s"],
    [9_999, "10 s"],
    [10_000, "10 s"],
    [119_499, "119 s"],
    [119_500, "2 min 00 s"],
    [120_000, "2 min 00 s"],
    [185_000, "3 min 05 s"],
    [239_499, "3 min 59 s"],
    [239_700, "4 min 00 s"],
    [3_600_000, "60 min 00 s"],
  ];
  for (const [ms, text] of expected) assert.equal(seconds(ms), text, String(ms));
});

Deno.test("bytesText: the unit changes where the number would reach 1024", () => {
  const expected: readonly [number, string][] = [
    [0, "0 B"],
    [1, "1 B"],
    [1023, "1023 B"],
    [1024, "1.0 KiB"],
    [1536, "1.5 KiB"],
    [1024 ** 2 - 1, "1.0 MiB"],
    [1024 ** 2, "1.0 MiB"],
    [1024 ** 3 * 2.5, "2.5 GiB"],
    [1024 ** 4 * 3000, "3000.0 TiB"],
  ];
  for (const [bytes, text] of expected) assert.equal(bytesText(bytes), text, String(bytes));
});

Deno.test("shownPath: relative inside, whole outside, never a control character", () => {
  assert.equal(shownPath("/a/b/c", "/a"), "b/c");
  assert.equal(shownPath("/ab/c", "/a"), "/ab/c");
  assert.equal(shownPath("/a", "/a"), "/a");
  assert.equal(shownPath("/a/x\x1b[2Jy\nz", "/a"), "x\\u{1b}[2Jy\\nz");
});

Deno.test("count: one of a thing is singular", () => {
  assert.deepEqual([0, 1, 2].map((n) => count(n, "file")), ["0 files", "1 file", "2 files"]);
});
