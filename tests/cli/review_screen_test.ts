import assert from "node:assert/strict";
import fc from "fast-check";
import { firstRow, listRow, rowsOf } from "../../src/cli/cells.ts";
import { colours } from "../../src/cli/output.ts";
import { draw, fitted, openedAs, press, type Review } from "../../src/cli/review_screen.ts";
import type { RevisionView } from "../../src/cli/revision_view.ts";
import { keysOf } from "../../src/cli/terminal_keys.ts";
import type { Revision } from "../../src/store/proposals.ts";
import { evidenceOf, NOW, termsOf } from "../approve/fixture.ts";

const C = colours(true);
// deno-lint-ignore no-control-regex
const plain = (text: string) => text.replace(/\x1b\[[0-9;]*m/g, "");
/** Cells as a terminal counts them, for the characters used here. */
const cells = (text: string) =>
  [...plain(text)].reduce((sum, c) => sum + (c === "漢" ? 2 : c === "\u0301" ? 0 : 1), 0);

function opened(patch: string, size: { columns: number; rows: number }): Review {
  const time = NOW.toISOString();
  const revision = {
    ...{
      proposal: 1,
      number: 1,
      state: "proposed",
      reason: "",
      changedAt: time,
      createdAt: time,
      actor: "m",
    },
    ...{
      baseVersion: 1,
      additions: 1,
      deletions: 1,
      files: 1,
      instruction: "",
      expiresAt: null,
      evidence: "e",
    },
    proposerKey: null,
  } as unknown as Revision;
  const view = {
    ...{
      name: "P1.1",
      proposal: { title: "漢".repeat(60), artifact: "a", number: 1 },
      revision,
      state: "proposed",
    },
    ...{
      evidence: evidenceOf(termsOf()),
      checks: [],
      approvals: [],
      standing: null,
      forced: false,
      ...{ inUse: [], trust: { file: null, named: false, shown: "none" } },
      damage: null,
    },
  } as unknown as RevisionView;
  const item = {
    summary: { proposal: view.proposal, revision, forced: false, failed: [] },
    state: "proposed" as const,
  };
  return {
    items: [item],
    selected: 0,
    opened: openedAs(view, patch, size),
    question: null,
    message: "",
    as: "ann",
  };
}

Deno.test("rowsOf: every character is in some row, no row is wider than the terminal, colours end in each", () => {
  const character = fc.constantFrom("a", "漢", "e\u0301", "\t", " ", C.red("red"), C.bold("b"));
  fc.assert(
    fc.property(fc.array(character, { maxLength: 40 }), fc.integer({ min: 3, max: 30 }), (parts, columns) => {
      const line = parts.join("");
      const rows = rowsOf(line, columns);
      assert.equal(plain(rows.join("")), plain(line).replaceAll("\t", "→   "));
      for (const row of rows) assert.ok(cells(row) <= columns, `${cells(row)} cells of ${columns}`);
      assert.ok(cells(firstRow(line, columns)) <= columns);
    }),
  );
});

Deno.test("listRow: one row of a terminal, in which the text gives way to what stands before and after it", () => {
  const text = fc.string({ unit: fc.constantFrom("a", "漢", "e\u0301", " "), maxLength: 60 });
  fc.assert(
    fc.property(text, text, text, fc.integer({ min: 3, max: 60 }), (head, middle, tail, columns) => {
      const line = `${head}${middle}${C.dim(tail)}`;
      const row = listRow(head, middle, C.dim(tail), columns);
      assert.ok(cells(row) <= columns, row);
      if (cells(line) <= columns) assert.equal(row, line);
      if (cells(head) + cells(tail) + 16 <= columns) {
        assert.ok(row.startsWith(head) && row.endsWith(C.dim(tail)));
      }
      assert.equal(listRow(head, middle, C.dim(tail), null), line);
    }),
  );
});

Deno.test("draw: fills any terminal exactly, whatever was pressed before, and never wider", () => {
  const key = fc.constantFrom(
    ..."jkgGab1234rqRyn ",
    "tab",
    "enter",
    "escape",
    "page-down",
    "page-up",
    "backspace",
    "ü",
  );
  const size = fc.record({
    columns: fc.integer({ min: 1, max: 120 }),
    rows: fc.integer({ min: 1, max: 50 }),
  });
  fc.assert(
    fc.property(fc.array(key, { maxLength: 25 }), size, size, (keys, first, second) => {
      let review = opened(`+${"漢x".repeat(100)}\n`.repeat(20), first);
      for (const each of keys) review = press(review, each, first).review;
      for (const now of [first, second]) {
        review = fitted(review, now);
        const rows = draw(review, now, C);
        assert.equal(rows.length, now.rows);
        for (const row of rows) assert.ok(cells(row) <= now.columns, JSON.stringify(row));
      }
    }),
    { numRuns: 300 },
  );
});

Deno.test("press: a decision is asked about first, says when the end was not seen, and any other key stops it", () => {
  const size = { columns: 80, rows: 24 };
  const long = opened("+x\n".repeat(100), size);
  const asked = press(long, "a", size).review;
  assert.match(
    plain(draw(asked, size, C).join("\n")),
    /you have not seen the end of the diff; approve P1\.1 as ann\? y\/n/,
  );
  assert.equal(press(asked, "n", size).wish, null);
  assert.deepEqual(press(asked, "y", size).wish, { kind: "decide", decision: "approve", reason: "" });
  const read = press(press(long, "G", size).review, "a", size).review;
  assert.doesNotMatch(plain(draw(read, size, C).join("\n")), /not seen/);
  assert.match(press({ ...long, as: null }, "a", size).review.message, /only looking/);
  let reason = press(long, "r", size).review;
  for (const each of ["n", "o", "x", "backspace"]) reason = press(reason, each, size).review;
  assert.deepEqual(press(reason, "enter", size).wish, { kind: "decide", decision: "reject", reason: "no" });
  assert.equal(press(reason, "escape", size).review.question, null);
  assert.deepEqual(press(reason, "ctrl-c", size).wish, { kind: "interrupt" });
});

Deno.test("keysOf: names keys, keeps characters, and leaves other sequences out", () => {
  assert.deepEqual(keysOf("\x1b[A\x1bOBq漢\r\x7f\x03\x1b"), [
    "up",
    "down",
    "q",
    "漢",
    "enter",
    "backspace",
    "ctrl-c",
    "escape",
  ]);
  assert.deepEqual(keysOf("\x1b[200~\x01\x1b[1;5C"), []);
});
