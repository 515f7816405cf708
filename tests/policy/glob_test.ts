import assert from "node:assert/strict";
import fc from "fast-check";
import picomatch from "picomatch";
import { matchesGlob, MAX_GLOB_LENGTH, parseGlob } from "../../src/policy/glob.ts";

function matches(source: string, path: string): boolean {
  const parsed = parseGlob(source);
  assert.ok(parsed.ok, `${source}: ${parsed.ok ? "" : parsed.detail}`);
  return matchesGlob(parsed.glob, path);
}

Deno.test("matchesGlob: agrees with picomatch, dot files included, over the dialect", () => {
  const piece = fc.constantFrom(
    "a",
    "b",
    ".",
    "*",
    "?",
    "[ab]",
    "[!a]",
    "[^b]",
    "[a-b]",
    "{a,b}",
    "{a*,.b}",
    "-",
    "_",
  );
  const segment = fc.oneof(
    { weight: 1, arbitrary: fc.constant("**") },
    { weight: 4, arbitrary: fc.array(piece, { minLength: 1, maxLength: 4 }).map((p) => p.join("")) },
  );
  const glob = fc.array(segment, { minLength: 1, maxLength: 4 }).map((s) => s.join("/"))
    // picomatch lets a/** match a, but not */**; here a /** at the end always matches what stands before it.
    .filter((g) => parseGlob(g).ok && !/\*\/\*\*$/.test(g));
  const name = fc.stringMatching(/^[ab.\-_]{1,4}$/).filter((n) => !/^\.{1,2}$/.test(n));
  const path = fc.array(name, { minLength: 1, maxLength: 4 }).map((n) => n.join("/"));
  let hits = 0;
  fc.assert(
    fc.property(glob, path, (g, p) => {
      // Without posix, picomatch takes the ! of [!a] for a character; Python, sh and we take it for "not".
      const expected = picomatch(g, { dot: true, windows: false, posix: true })(p);
      if (expected) hits++;
      assert.equal(matches(g, p), expected);
    }),
    { numRuns: 4_000 },
  );
  assert.ok(hits > 100, `only ${hits} matches were seen`);
});

Deno.test("matchesGlob: the dialect by example", () => {
  const yes: [string, string][] = [
    ["**", "a"],
    ["**", ".a/b"],
    ["**/.env", ".env"],
    ["**/.env", "a/b/.env"],
    ["src/**", "src/a/.b"],
    ["src/**", "src"],
    ["a/**/b", "a/b"],
    ["a/**/b", "a/x/y/b"],
    ["*.py", ".py"],
    ["*", ".hidden"],
    ["a?c", "a😀c"],
    ["{src,tests/unit}/**", "tests/unit/a"],
    ["x{,.bak}", "x"],
    ["[a-c]x", "bx"],
    ["[!a-c]x", "dx"],
    ["app/[id].ts", "app/[id].ts"],
    ["app/[id].ts", "app/i.ts"],
    ["app/\\[id\\].ts", "app/[id].ts"],
    ["\\(group\\)/\\*", "(group)/*"],
    ["c++/$x^.ts", "c++/$x^.ts"],
    ["a,b", "a,b"],
  ];
  for (const [glob, path] of yes) assert.ok(matches(glob, path), `${glob} ${path}`);
  const no: [string, string][] = [
    ["src/*", "src/a/b"],
    ["src/**", "srcs/a"],
    ["SRC/**", "src/a"],
    ["*.py", "a.pyc"],
    ["a?c", "a/c"],
    ["a[!x]c", "a/c"],
    ["app/\\[id\\].ts", "app/i.ts"],
    ["**/secrets/**", "secret/a"],
    ["a/**/b", "a/bb"],
  ];
  for (const [glob, path] of no) assert.ok(!matches(glob, path), `${glob} ${path}`);
});

Deno.test("parseGlob: refuses what is outside the dialect, and says why", () => {
  const cases: [string, RegExp][] = [
    ["", /empty/],
    ["/etc/passwd", /absolute/],
    ["C:/x", /absolute/],
    ["{/etc,a}/x", /absolute/],
    ["../x", /\.\./],
    ["a/../b", /\.\./],
    ["a/{..,b}", /\.\./],
    ["./a", /\. segment/],
    ["a//b", /empty segment/],
    ["src/", /\/\*\*/],
    ["!a", /deny_write/],
    ["a**", /alone/],
    ["***", /alone/],
    ["+(a)", /dialect/],
    ["a|b", /dialect/],
    ["{a", /without its }/],
    ["a}", /without its \{/],
    ["{a}", /two alternatives/],
    ["{1..3}", /two alternatives/],
    ["{a,{b,c}}", /braces inside/],
    ["[a", /without its \]/],
    ["a]", /without its \[/],
    ["[]", /empty/],
    ["[z-a]", /empty/],
    ["[[:alpha:]]", /inside/],
    ["a\\", /backslash/],
    ["a\\b", /backslash/],
    ["a\n", /control/],
    [" a", /blank/],
    ["\ud800", /Unicode/],
    ["a".repeat(MAX_GLOB_LENGTH + 1), /longer/],
    ["{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}", /more than 64/],
  ];
  for (const [glob, why] of cases) {
    const parsed = parseGlob(glob);
    assert.ok(!parsed.ok, glob);
    assert.match(parsed.detail, why, glob);
  }
});

Deno.test("matchesGlob: no glob makes a long path slow", () => {
  const long = "a".repeat(4_000);
  const deep = "a/".repeat(2_000) + "a";
  const cases: [string, string][] = [
    ["*a".repeat(255) + "b", long],
    ["?*".repeat(255) + "b", long],
    ["**/a/".repeat(100) + "b", deep],
    ["**/*a*/".repeat(70) + "b", deep],
    ["{a*,?*,?a*,aa*}".repeat(3) + "/b", deep],
    ["[ab]*".repeat(100) + "c", long],
  ];
  for (const [glob, path] of cases) {
    const start = performance.now();
    assert.ok(!matches(glob, path));
    const spent = performance.now() - start;
    assert.ok(spent < 2_000, `${glob.slice(0, 20)} took ${spent} ms`);
  }
});
