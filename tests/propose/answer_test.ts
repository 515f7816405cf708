import assert from "node:assert/strict";
import fc from "fast-check";
import { MAX_ANSWER_CHARACTERS, parseAnswer, parseRewrite } from "../../src/propose/answer.ts";
import { firstObject } from "../../src/propose/json_in_text.ts";
import { DIFF } from "./requests.ts";

const ANSWER = { diff: DIFF, rationale: "sign", risk_notes: "none", confidence: 0.9 };
const PARSED = {
  kind: "parsed",
  diff: DIFF,
  rationale: "sign",
  riskNotes: "none",
  confidence: 0.9,
  plain: false,
} as const;

Deno.test("parseAnswer: strict JSON", () => {
  assert.deepEqual(parseAnswer(JSON.stringify(ANSWER)), PARSED);
});

Deno.test("parseAnswer: JSON in a fence, with prose around it", () => {
  assert.deepEqual(
    parseAnswer("Sure!\n```json\n" + JSON.stringify(ANSWER, null, 2) + "\n```\nDone {ok}."),
    PARSED,
  );
});

Deno.test("parseAnswer: the fence of the JSON may hold fences within strings", () => {
  const diff = DIFF + "+```\n";
  assert.deepEqual(parseAnswer("```\n" + JSON.stringify({ ...ANSWER, diff }) + "\n```"), { ...PARSED, diff });
});

Deno.test("parseAnswer: first wanted object in prose, braces and other objects before it", () => {
  const text = 'The set {a, b} and {"note": 1} matter. {"unclosed: {. Here: ' + JSON.stringify(ANSWER) +
    " bye }";
  assert.deepEqual(parseAnswer(text), PARSED);
});

Deno.test("parseAnswer: thinking before the answer is dropped", () => {
  const text = `<think>maybe {"diff": "wrong"}</think>\n${JSON.stringify(ANSWER)}`;
  assert.deepEqual(parseAnswer(text), PARSED);
});

Deno.test("parseAnswer: a bare diff, fenced or not, is the diff", () => {
  for (const text of [DIFF, "```diff\n" + DIFF + "```\n", "Here you are:\n\n" + DIFF]) {
    const answer = parseAnswer(text);
    assert.ok(answer.kind === "parsed" && answer.plain);
    assert.equal(answer.diff, text);
  }
});

Deno.test("parseAnswer: a diff that adds JSON with a diff field is taken as a whole", () => {
  const text = '--- a/x.json\n+++ b/x.json\n@@ -1 +1 @@\n-{}\n+{"diff": "evil"}\n';
  const answer = parseAnswer(text);
  assert.ok(answer.kind === "parsed");
  assert.equal(answer.diff, text);
});

Deno.test("parseAnswer: SEARCH/REPLACE blocks and whole files as text", () => {
  for (
    const text of [
      "calc.py\n<<<<<<< SEARCH\na\n=======\nb\n>>>>>>> REPLACE\n",
      "I rewrote it.\nFile: calc.py\n```python\nx = 1\n```\n",
    ]
  ) {
    const answer = parseAnswer(text);
    assert.ok(answer.kind === "parsed" && answer.diff === text);
  }
});

Deno.test("parseAnswer: path and content instead of a diff become a whole-file rewrite", () => {
  const answer = parseAnswer('{"path": "a.md", "content": "```\\ncode\\n```"}');
  assert.ok(answer.kind === "parsed");
  assert.equal(answer.diff, "File: a.md\n````\n```\ncode\n```\n````\n");
  const escaping = parseAnswer('{"path": "../a.md", "content": "x"}');
  assert.ok(escaping.kind === "invalid" && escaping.reason === "answer_malformed");
});

Deno.test("parseAnswer: confidence as number, string, percentage, nonsense", () => {
  const cases: [unknown, number | null][] = [
    [0.5, 0.5],
    ["0.5", 0.5],
    ["85%", 0.85],
    ["85 %", 0.85],
    [85, 0.85],
    [1, 1],
    ["1%", 0.01],
    ["high", null],
    [-1, null],
    [101, null],
    [null, null],
    [{}, null],
    [undefined, null],
  ];
  for (const [confidence, expected] of cases) {
    const answer = parseAnswer(JSON.stringify({ diff: DIFF, confidence }));
    assert.ok(answer.kind === "parsed");
    assert.equal(answer.confidence, expected, String(confidence));
    assert.deepEqual([answer.rationale, answer.riskNotes], ["", ""]);
  }
});

Deno.test("parseAnswer: remarks may be lists; control characters do not survive", () => {
  const answer = parseAnswer(
    JSON.stringify({ diff: DIFF, rationale: ["a", "b"], risk_notes: "\u001b[31mred\u202e" }),
  );
  assert.ok(answer.kind === "parsed");
  assert.equal(answer.rationale, "a\nb");
  assert.equal(answer.riskNotes, "red\\u{202e}");
});

Deno.test("parseAnswer: declined", () => {
  assert.deepEqual(parseAnswer('{"none": "cannot"}'), { kind: "none", reason: "cannot" });
  assert.equal(parseAnswer(JSON.stringify({ diff: DIFF, none: "x" })).kind, "parsed");
});

Deno.test("parseAnswer: useless answers are invalid with a reason", () => {
  const cases: [string, string][] = [
    ["", "answer_empty"],
    [" \n", "answer_empty"],
    ["I cannot help with that.", "answer_malformed"],
    ["[1, 2]", "answer_malformed"],
    ['{"patch": "x"}', "answer_malformed"],
    ['{"diff": 3}', "answer_malformed"],
    ['{"diff": "--- a', "answer_malformed"],
    ["x".repeat(MAX_ANSWER_CHARACTERS + 1), "answer_too_large"],
  ];
  for (const [text, reason] of cases) {
    const answer = parseAnswer(text);
    assert.ok(answer.kind === "invalid", text.slice(0, 50));
    assert.equal(answer.reason, reason);
  }
});

Deno.test("parseAnswer: a null or missing diff field is an empty diff, plain text only where asked", () => {
  const answer = parseAnswer('{"diff": null}');
  assert.ok(answer.kind === "parsed" && answer.diff === "");
  const plain = parseAnswer("whatever", { plain: true });
  assert.ok(plain.kind === "parsed" && plain.diff === "whatever");
  assert.equal(parseAnswer('{"other": 1}', { plain: true }).kind, "invalid");
});

Deno.test("parseRewrite: JSON in any wrapping, wrong types invalid", () => {
  const text = 'Here:\n```json\n{"path": "a.py", "content": "x = 1\\n"}\n```';
  assert.deepEqual(parseRewrite(text), { kind: "rewrite", path: "a.py", content: "x = 1\n", rationale: "" });
  assert.equal(parseRewrite('{"path": "a.py", "content": 1}').kind, "invalid");
  assert.equal(parseRewrite("no").kind, "invalid");
});

const FRAGMENTS = [
  "{",
  "}",
  '"',
  "\\",
  '{"',
  '{"diff":',
  "```",
  "```json\n",
  "\n",
  "--- a/x\n",
  "+++ b/x\n",
  "@@ -1 +1 @@\n",
  "[",
  "a",
];

Deno.test("parseAnswer: never throws, whatever is sent", () => {
  const hostile = fc.oneof(
    fc.string({ unit: "binary", maxLength: 200 }),
    fc.array(fc.constantFrom(...FRAGMENTS), { maxLength: 60 }).map((parts) => parts.join("")),
    fc.json(),
    fc.record({
      diff: fc.anything(),
      none: fc.anything(),
      rationale: fc.anything(),
      confidence: fc.anything(),
    })
      .map((o) => {
        try {
          return JSON.stringify(o);
        } catch {
          return "{}";
        }
      }),
  );
  fc.assert(
    fc.property(hostile, (text) => {
      assert.ok(["parsed", "none", "invalid"].includes(parseAnswer(text).kind));
      assert.ok(["rewrite", "invalid"].includes(parseRewrite(text).kind));
    }),
    { numRuns: 1500 },
  );
});

Deno.test("parseAnswer: any diff survives JSON, with harmless prose on both sides", () => {
  const prose = fc.string({ maxLength: 40 }).map((s) => s.replace(/[{}"`~<@\-]/g, ""));
  fc.assert(
    fc.property(fc.string({ unit: "grapheme", minLength: 1 }), prose, prose, (diff, before, after) => {
      if (diff.trim() === "") return;
      const answer = parseAnswer(`.${before}${JSON.stringify({ rationale: "r {", diff })}${after}`);
      assert.ok(answer.kind === "parsed");
      assert.equal(answer.diff, diff);
    }),
    { numRuns: 500 },
  );
});

Deno.test("firstObject: hostile text of 1 MB costs at most a few passes", () => {
  const size = 1 << 20;
  const hostile = [
    '{"'.repeat(size / 2),
    "{".repeat(size),
    '{ "a": '.repeat(size / 7),
    '{"' + "\\".repeat(size),
    '{"a":{"'.repeat(size / 7) + '"}'.repeat(100),
    "{" + " ".repeat(size),
    '{"a": 1}'.repeat(size / 8),
    "[".repeat(size),
    "`".repeat(size),
    "```\n".repeat(size / 4),
    "~~~ {\n".repeat(size / 6),
    "--- a\n".repeat(size / 6),
    "File: a\n".repeat(size / 8),
    " ".repeat(size) + "x",
    "\n".repeat(size) + "x",
    "<think>".repeat(size / 7),
  ];
  for (const text of hostile) {
    const start = performance.now();
    firstObject(text, (o) => "diff" in o);
    parseAnswer(text, { plain: true });
    // Quadratic work on 1 MB takes minutes; a busy machine still does a few passes in this time.
    assert.ok(performance.now() - start < 3000, JSON.stringify(text.slice(0, 10)));
  }
});
