import assert from "node:assert/strict";
import fc from "fast-check";
import { MAX_COMMAND_LENGTH, quoteWords, splitWords } from "../../src/policy/shell_words.ts";

/** The arguments a real shell makes of `line`, or null if it failed. */
function shellWords(shell: readonly string[], line: string): string[] | null {
  const [program, ...options] = shell;
  const { success, stdout } = new Deno.Command(program!, {
    args: [
      ...options,
      "-c",
      `PATH=/nowhere; show() { for word do printf '%s\\0' "$word"; done; }\nshow ${line}`,
    ],
    env: {
      PATH: Deno.env.get("PATH") ?? "/usr/bin:/bin",
      HOME: "/home/somebody",
      a: "expanded",
      LC_ALL: "C.UTF-8",
    },
    clearEnv: true,
    // Nothing can be created here, should a line be misjudged.
    cwd: "/proc",
    stdin: "null",
    stderr: "null",
  }).outputSync();
  if (!success) return null;
  const parts = new TextDecoder().decode(stdout).split("\0");
  assert.equal(parts.pop(), "");
  return parts;
}

const tricky = fc.constantFrom(
  ..."abz019 \t'\"\\$`|&;<>()*?[]{}~#=!,.:/-+@%^\n".split(""),
  "é",
  "😀",
  "\u00a0",
  "\u0085",
  "\u2003",
  "\r",
  "\x01",
  "\x81",
  " '",
  '" ',
  "\\\\",
  "a=",
  " ~",
);
const line = fc.array(tricky, { maxLength: 14 }).map((parts) => parts.join(""));
const harmless = fc.array(
  fc.oneof(
    fc.constantFrom(" ", "\t", "\\ ", "\\'", '\\"', "''", '""', "a#b", "~"),
    fc.stringMatching(/^[A-Za-z0-9_.\/:=,@%+-]{1,6}$/),
    fc.string({ maxLength: 6 }).filter((s) => !/['\0]/.test(s) && s.isWellFormed()).map((s) => `'${s}'`),
    fc.stringMatching(/^[ a-z*?;|&()<>#~'\\]{0,6}$/).filter((s) => !s.endsWith("\\")).map((s) => `"${s}"`),
  ),
  { maxLength: 10 },
).map((parts) => parts.join(""));

Deno.test("splitWords: what needs no shell gives the words of sh and of bash", () => {
  let compared = 0;
  fc.assert(
    fc.property(fc.oneof(line, harmless), (text) => {
      const split = splitWords(text);
      if (split.kind !== "words") return;
      compared++;
      assert.deepEqual(shellWords(["sh"], text), split.words);
      assert.deepEqual(shellWords(["bash", "--norc"], text), split.words);
    }),
    { numRuns: 700 },
  );
  assert.ok(compared > 150, `only ${compared} lines were compared`);
});

Deno.test("quoteWords: sh gives back any words, and so does splitWords", () => {
  const word = fc.oneof(fc.string(), fc.string({ unit: "binary" }), line)
    .filter((w) => !w.includes("\0") && w.isWellFormed());
  fc.assert(
    fc.property(fc.array(word, { maxLength: 6 }), (words) => {
      const quoted = quoteWords(words);
      assert.deepEqual(shellWords(["sh"], quoted), words);
      // A word in front keeps the first one from being taken for a builtin.
      assert.deepEqual(splitWords(`run ${quoted}`), { kind: "words", words: ["run", ...words] });
    }),
    { numRuns: 200 },
  );
});

Deno.test("splitWords: quotes and backslashes are not shell syntax", () => {
  const cases: [string, string[]][] = [
    ["pytest -q", ["pytest", "-q"]],
    ["  a\t b  ", ["a", "b"]],
    [`python -c "print('x')"`, ["python", "-c", "print('x')"]],
    [`a "b \\" c" 'd"e'`, ["a", 'b " c', 'd"e']],
    [`a "\\n\\\\"`, ["a", "\\n\\"]],
    [`a\\ b c`, ["a b", "c"]],
    [`a '' ""`, ["a", "", ""]],
    [`a 'x\ny' "p\nq"`, ["a", "x\ny", "p\nq"]],
    [`a '$HOME * ; |'`, ["a", "$HOME * ; |"]],
    [`make CC=gcc`, ["make", "CC=gcc"]],
    [`git diff HEAD~1 a#b`, ["git", "diff", "HEAD~1", "a#b"]],
    [`a ! if x`, ["a", "!", "if", "x"]],
    [`'if' x`, ["if", "x"]],
    [`"A"=b`, ["A=b"]],
    ["", []],
    [" \t ", []],
  ];
  for (const [text, words] of cases) assert.deepEqual(splitWords(text), { kind: "words", words }, text);
});

Deno.test("splitWords: anything a shell could read in its own way needs one", () => {
  const cases = [
    "a $X",
    'a "$X"',
    'a "`b`"',
    "a `b`",
    "a | b",
    "a & b",
    "a; b",
    "a < b",
    "a > b",
    "a 2>&1",
    "(a)",
    "a *.py",
    "a b?",
    "a [b]",
    "a ~",
    "a ~/x",
    "make P=~/x",
    "a x:~",
    "a # b",
    "#a",
    "a\nb",
    "a \\\nb",
    'a "x\\\ny"',
    "A=b c",
    "A+=b c",
    "A= c",
    "a {b,c}",
    "a {1..3}",
    "{ a; }",
    "! a",
    "if a",
    "time a",
    "cd x",
    "exit 1",
    "'exit' 1",
    "export A=b",
    ". x",
    ": x",
    "a\rb",
    "a\u00a0b",
    "a $(b '",
    "cat <<'E' # don't",
  ];
  for (const text of cases) assert.equal(splitWords(text).kind, "shell", JSON.stringify(text));
});

Deno.test("splitWords: what no shell could finish is malformed", () => {
  for (
    const text of ["a 'b", 'a "b', 'a "b\\"', "a\\", "a\0b", "a \ud800", "a".repeat(MAX_COMMAND_LENGTH + 1)]
  ) {
    assert.equal(splitWords(text).kind, "malformed", JSON.stringify(text.slice(0, 20)));
  }
});
