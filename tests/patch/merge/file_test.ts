import assert from "node:assert/strict";
import fc from "fast-check";
import { byteString } from "../../../src/patch/bytes.ts";
import { mergeFile, type MergeStrategy, resolveFile, resolveRegions } from "../../../src/patch/merge.ts";
import { GitMerge } from "./git_merge.ts";

const utf8 = (text: string) => new TextEncoder().encode(text);
const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
const STRATEGIES: readonly MergeStrategy[] = ["manual", "ours", "theirs", "union"];

/** Few distinct lines, some blank or without a letter, so that alignments are ambiguous. */
const line = fc.constantFrom("a", "b", "c", "", "}", "  }", "é");
const otherLine = fc.nat(40).map((n) => `line ${n}`);

const lines = (size: number) =>
  fc.oneof(fc.array(line, { maxLength: size }), fc.array(fc.oneof(line, otherLine), { maxLength: size }));

const cuts = fc.array(
  fc.record({
    at: fc.nat(1000),
    drop: fc.nat(4),
    add: fc.array(fc.oneof(line, otherLine), { maxLength: 4 }),
  }),
  { maxLength: 5 },
);

/** A base and two files made of it by a few cuts, or of nothing. */
const threeSides = (size: number) =>
  fc.record({
    base: lines(size),
    ours: cuts,
    theirs: cuts,
    unrelated: fc.option(lines(size), { freq: 9 }),
    eol: fc.constantFrom("\n", "\n", "\r\n"),
    oddEnds: fc.constantFrom(0, 0, 3, 5),
    bare: fc.tuple(fc.boolean(), fc.boolean(), fc.boolean()),
  }).map(({ base, ours, theirs, unrelated, eol, oddEnds, bare }) => {
    const cut = (changes: readonly { at: number; drop: number; add: string[] }[]) => {
      const out = [...base];
      for (const { at, drop, add } of changes) out.splice(at % (out.length + 1), drop, ...add);
      return out;
    };
    const written = (all: readonly string[], without: boolean) => {
      const whole = all.map((l, i) => l + (oddEnds > 0 && i % oddEnds === 2 ? "\n" : eol)).join("");
      return utf8(without ? whole.replace(/\r?\n$/, "") : whole);
    };
    return [
      written(base, bare[0]),
      written(cut(ours), bare[1]),
      written(unrelated ?? cut(theirs), bare[2]),
    ] as const;
  });

function agree(git: GitMerge, sides: readonly [Uint8Array, Uint8Array, Uint8Array]): void {
  for (const strategy of STRATEGIES) {
    const expected = git.run(...sides, strategy), actual = mergeFile(...sides, strategy);
    assert.equal(text(actual.clean ? actual.bytes : actual.marked), text(expected.bytes), strategy);
    // Git's exit code says no more than 127.
    assert.equal(actual.clean ? 0 : Math.min(actual.regions.length, 127), expected.conflicts, strategy);
  }
}

Deno.test("mergeFile: small files with few distinct lines merge as git merge-file merges them", () => {
  using git = new GitMerge();
  fc.assert(fc.property(threeSides(14), (sides) => agree(git, sides)), { numRuns: 150, seed: 4 });
});

Deno.test("mergeFile: larger files merge as git merge-file merges them", () => {
  using git = new GitMerge();
  fc.assert(fc.property(threeSides(120), (sides) => agree(git, sides)), { numRuns: 50, seed: 4 });
});

Deno.test("mergeFile: files so different that the search ends early merge as git merges them", () => {
  using git = new GitMerge();
  let state = 1;
  const next = (n: number) => (state = state * 48271 % 0x7fffffff) % n;
  const some = (count: number, kinds: number) =>
    Array.from({ length: count }, () => `l${next(kinds)}\n`).join("");
  const shared = some(400, 5);
  for (const kinds of [3, 40, 2000]) {
    agree(git, [utf8(some(1500, kinds)), utf8(some(1500, kinds)), utf8(some(1500, kinds))]);
    // A long run of equal lines far ahead is what ends such a search.
    agree(git, [
      utf8(some(900, kinds) + shared + some(300, kinds)),
      utf8(some(1100, kinds) + shared + some(200, kinds)),
      utf8(some(700, kinds) + shared + some(600, kinds)),
    ]);
  }
});

Deno.test("mergeFile: an unchanged side gives way to the other, and equal changes are none", () => {
  fc.assert(fc.property(threeSides(20), ([base, ours]) => {
    for (const strategy of STRATEGIES) {
      assert.deepEqual(mergeFile(base, ours, base, strategy), { clean: true, bytes: ours });
      assert.deepEqual(mergeFile(base, base, ours, strategy), { clean: true, bytes: ours });
      assert.deepEqual(mergeFile(base, ours, ours, strategy), { clean: true, bytes: ours });
    }
  }));
});

Deno.test("mergeFile: a conflict has its lines, its reason, and where it begins in ours", () => {
  const merge = mergeFile(
    utf8("1\n2\n3\n4\n5\n"),
    utf8("0\n1\n2\nours\n4\n5\n"),
    utf8("1\n2\ntheirs\n4\n5"),
    "manual",
  );
  assert.ok(!merge.clean);
  assert.deepEqual(merge.regions, [{
    line: 4,
    baseLines: ["3\n"],
    oursLines: ["ours\n"],
    theirsLines: ["theirs\n"],
    reason: "both_changed",
  }]);
  assert.equal(text(merge.marked), "0\n1\n2\n<<<<<<< ours\nours\n=======\ntheirs\n>>>>>>> theirs\n4\n5");
});

Deno.test("mergeFile: bytes of any encoding, CRLF and a missing last line feed stay", () => {
  const latin = (s: string) => Uint8Array.from(s, (c) => c.charCodeAt(0));
  const merge = mergeFile(
    latin("\xe9\r\nb\r\nc\r\nd"),
    latin("\xe8\r\nb\r\nc\r\nd"),
    latin("\xe9\r\nb\r\nc\r\n\xff"),
    "manual",
  );
  assert.ok(merge.clean);
  assert.equal(byteString(merge.bytes), "\xe8\r\nb\r\nc\r\n\xff");
});

Deno.test("mergeFile: NUL bytes are not_text, unless one side did not change them", () => {
  const merge = mergeFile(utf8("a\n"), utf8("a\0\n"), utf8("b\n"), "union");
  assert.ok(!merge.clean);
  assert.equal(merge.regions[0]!.reason, "not_text");
  assert.deepEqual(merge.marked, utf8("a\0\n"));
  assert.deepEqual(mergeFile(utf8("\0"), utf8("\0"), utf8("\0b"), "manual"), {
    clean: true,
    bytes: utf8("\0b"),
  });
});

Deno.test("mergeFile: too many lines, and too much to compare, are too_large in bounded time", () => {
  const many = utf8("a\n".repeat(1_000_001));
  const lines = mergeFile(many, utf8("b\n"), utf8("c\n"), "manual");
  assert.ok(!lines.clean);
  assert.equal(lines.regions[0]!.reason, "too_large");
  let state = 7;
  const noise = () => {
    const out: string[] = [];
    for (let i = 0; i < 300_000; i++) out.push(`${(state = state * 48271 % 0x7fffffff) % 600}\n`);
    return utf8(out.join(""));
  };
  const work = mergeFile(noise(), noise(), noise(), "manual");
  assert.ok(!work.clean);
  assert.equal(work.regions[0]!.reason, "too_large");
});

Deno.test("resolveRegions: each conflict ends as it is told, and what is left is counted anew", () => {
  const merge = mergeFile(
    utf8("1\na\nb\nc\nd\n2\n"),
    utf8("x\na\nb\nc\nd\ny\n"),
    utf8("X\na\nb\nc\nd\nY\n"),
    "manual",
  );
  assert.ok(!merge.clean && merge.regions.length === 2);
  const one = resolveRegions(merge, new Map([[0, "theirs"]]));
  assert.ok(!one.clean);
  assert.equal(text(one.marked), "X\na\nb\nc\nd\n<<<<<<< ours\ny\n=======\nY\n>>>>>>> theirs\n");
  assert.equal(one.regions[0]!.line, 6);
  const both = resolveRegions(one, new Map([[0, "both"]]));
  assert.ok(both.clean);
  assert.equal(text(both.bytes), "X\na\nb\nc\nd\ny\nY\n");
  const edited = resolveRegions(merge, new Map([[0, { edited: utf8("z") }], [1, { edited: utf8("") }]]));
  assert.ok(edited.clean);
  assert.equal(text(edited.bytes), "z\na\nb\nc\nd\n");
  assert.throws(() => resolveRegions(merge, new Map([[2, "ours"]])), RangeError);
});

Deno.test("resolveRegions: all by one side is what git's strategy of that side gives", () => {
  using git = new GitMerge();
  fc.assert(
    fc.property(threeSides(14), (sides) => {
      const merge = mergeFile(...sides, "manual");
      if (merge.clean) return;
      for (
        const [resolution, strategy] of [["ours", "ours"], ["theirs", "theirs"], ["both", "union"]] as const
      ) {
        const all = new Map(merge.regions.map((_, i) => [i, resolution]));
        const resolved = resolveRegions(merge, all);
        assert.ok(resolved.clean);
        assert.equal(text(resolved.bytes), text(git.run(...sides, strategy).bytes));
      }
    }),
    { numRuns: 40, seed: 4 },
  );
});

Deno.test("resolveFile: the whole of one side, both, or what a person wrote", () => {
  const sides = { ours: utf8("x\n"), theirs: utf8("y\n") };
  const merge = mergeFile(utf8("1\n"), sides.ours, sides.theirs, "manual");
  assert.equal(text(resolveFile(merge, "ours", sides)), "x\n");
  assert.equal(text(resolveFile(merge, "theirs", sides)), "y\n");
  assert.equal(text(resolveFile(merge, "both", sides)), "x\ny\n");
  assert.equal(text(resolveFile(merge, { edited: utf8("z") }, sides)), "z");
  const binary = mergeFile(utf8("1\n"), utf8("\0"), utf8("\0\0"), "manual");
  assert.throws(() => resolveFile(binary, "both", sides), RangeError);
});
