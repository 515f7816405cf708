import assert from "node:assert/strict";
import fc from "fast-check";
import { MAX_CASES, MAX_ID_LENGTH } from "../../src/testreport/case_list.ts";
import { MAX_REPORT_BYTES, readReport } from "../../src/testreport/report.ts";
import type { ReportFormat } from "../../src/vocabulary/test_report.ts";

const VECTORS = new URL("../vectors/reports/", import.meta.url);

/** `id: outcome` of every test; the report has to be whole. */
function listed(format: ReportFormat, text: string | Uint8Array, incomplete: RegExp | null = null): string[] {
  const bytes = typeof text === "string" ? new TextEncoder().encode(text) : text;
  const read = readReport(format, bytes);
  assert.ok(read.ok, read.ok ? "" : read.detail);
  if (incomplete === null) assert.equal(read.report.incomplete, null);
  else assert.match(read.report.incomplete ?? "", incomplete);
  return read.report.cases.map(({ id, outcome }) => `${id}: ${outcome}`);
}

function refused(format: ReportFormat, text: string | Uint8Array, why: RegExp): void {
  const read = readReport(format, typeof text === "string" ? new TextEncoder().encode(text) : text);
  assert.ok(!read.ok, "it was taken");
  assert.match(read.detail, why);
}

const vector = async (name: string) => await Deno.readFile(new URL(name, VECTORS));
const suite = (inner: string) => `<testsuite name="s">${inner}</testsuite>`;

Deno.test("readReport: pytest's outcomes, and a test whose teardown fails too is one test", async () => {
  assert.deepEqual(listed("junit", await vector("pytest.xml")), [
    "pytest > test_a > test_ok: passed",
    "pytest > test_a > test_bad: failed",
    "pytest > test_a > test_skip: skipped",
    "pytest > test_a > test_xf: xfailed",
    "pytest > test_a > test_xp: passed",
    "pytest > test_a.TestC > test_p[a]: passed",
    "pytest > test_a.TestC > test_p[b<&>]: passed",
    "pytest > test_a > test_td: error",
  ]);
});

Deno.test("readReport: a module pytest cannot collect is an error of its name", async () => {
  assert.deepEqual(listed("junit", await vector("pytest_collection.xml")), ["pytest > test_b: error"]);
});

Deno.test("readReport: node --test writes the same tests as TAP and as JUnit", async () => {
  const tap = listed("tap", await vector("node.tap"));
  assert.deepEqual(tap, [
    "ok one: passed",
    "bad: failed",
    "skipped: skipped",
    "todo failing: xfailed",
    "todo ok: xpassed",
    "suite > inner # hash: passed",
    "suite > inner bad: failed",
    "/workspace/b.test.mjs: failed",
  ]);
  assert.deepEqual(listed("junit", await vector("node.xml")), [
    "test > ok one: passed",
    "test > bad: failed",
    "test > skipped: skipped",
    "test > todo failing: xfailed",
    "test > todo ok: skipped",
    "suite > test > inner # hash: passed",
    "suite > test > inner bad: failed",
    "test > /workspace/b.test.mjs: failed",
  ]);
});

Deno.test("readReport: deno test's steps and ignored tests", async () => {
  assert.deepEqual(listed("junit", await vector("deno.xml")), [
    "./c_test.ts > ok one: passed",
    "./c_test.ts > bad: failed",
    "./c_test.ts > ign: skipped",
    "./c_test.ts > steps: failed",
    "./c_test.ts > steps > one: passed",
    "./c_test.ts > steps > two: failed",
  ]);
  assert.deepEqual(listed("tap", await vector("deno.tap")), [
    "ok one: passed",
    "bad: failed",
    "ign: skipped",
    "steps > one: passed",
    "steps > two: failed",
  ]);
});

Deno.test("readReport: jest, go-junit-report and bats", async () => {
  assert.deepEqual(listed("junit", await vector("jest.xml")), [
    "math adds > math adds two numbers: passed",
    "math adds > math adds none: failed",
    "math adds > math adds later: skipped",
    "math adds > math adds todo: skipped",
  ]);
  assert.deepEqual(listed("junit", await vector("go.xml")), [
    "example.com/shop > TestTotal: passed",
    "example.com/shop > TestTax/zero: failed",
    "example.com/shop > TestSlow: skipped",
  ]);
  assert.deepEqual(listed("tap", await vector("bats.tap")), [
    "greets: passed",
    "greets by name: failed",
    "(unnamed): skipped",
    "says nothing: skipped",
  ]);
});

Deno.test("readReport: JUnit with a document type, an unknown entity or another encoding is refused", () => {
  const bomb = `<!DOCTYPE t [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><testsuites name="&b;"/>`;
  refused("junit", bomb, /document type/);
  refused("junit", `<!DOCTYPE t SYSTEM "file:///etc/passwd"><testsuites/>`, /document type/);
  refused("junit", suite(`<testcase name="&xxe;"/>`), /no XML/);
  refused("junit", `<?xml version="1.0" encoding="UTF-16"?><testsuites/>`, /encoding/);
  refused("junit", new Uint8Array([0x3c, 0xff, 0x3e]), /UTF-8/);
});

Deno.test("readReport: a JUnit failure that hides in an attribute, deeper down or in a count is one", () => {
  const one = (attributes: string, inner = "") =>
    listed("junit", suite(`<testcase name="a" ${attributes}>${inner}</testcase>`));
  for (const name of ["status", "result"]) {
    for (const word of ["failed", "FAIL", "Failure", " failed "]) {
      assert.deepEqual(one(`${name}="${word}"`), ["s > a: failed"], word);
      assert.deepEqual(one(`${name}="${word}"`, "<skipped/>"), ["s > a: failed"], word);
    }
    for (const word of ["error", "ERROR", "TimedOut"]) {
      assert.deepEqual(one(`${name}="${word}"`), ["s > a: error"]);
    }
    for (const word of ["passed", "run", "completed", "Success", ""]) {
      assert.deepEqual(one(`${name}="${word}"`), ["s > a: passed"], word);
    }
    assert.deepEqual(one(`${name}="NotRun"`), ["s > a: skipped"]);
  }
  assert.deepEqual(one(`status="run" result="failed"`), ["s > a: failed"]);
  assert.deepEqual(one("", "<properties><property><failure/></property></properties>"), ["s > a: failed"]);
  assert.deepEqual(one("", "<system-out><x><error/></x></system-out>"), ["s > a: error"]);
  assert.deepEqual(listed("junit", suite(`<properties><failure/></properties>`)), ["s > (failure): error"]);
  assert.deepEqual(listed("junit", "<testsuites><error/></testsuites>"), ["(error): error"]);

  const cases = `<testcase name="a"/><testcase name="b"><failure/></testcase>`;
  const hidden = "(a failure that is not listed): error";
  const counting = (attributes: string, inner = cases) =>
    listed("junit", `<testsuite name="s" ${attributes}>${inner}</testsuite>`);
  assert.deepEqual(counting(`failures="1" errors="0"`), ["s > a: passed", "s > b: failed"]);
  assert.deepEqual(counting(`failures="2"`), ["s > a: passed", "s > b: failed", `s > ${hidden}`]);
  assert.deepEqual(counting(`failures="1" errors="1"`).at(-1), `s > ${hidden}`);
  assert.deepEqual(counting(`errors="1"`, ""), [`s > ${hidden}`]);
  assert.deepEqual(counting(`failures="1"`, `<testcase name="a" result="failed"/>`), ["s > a: failed"]);
  assert.deepEqual(
    listed("junit", `<testsuites failures="1">${suite(`<testcase name="a"/>`)}</testsuites>`),
    [
      "s > a: passed",
      hidden,
    ],
  );
  // What an inner suite says counts once, also for those around it.
  const inner = `<testsuite name="t" failures="1"><testcase name="a"/></testsuite>`;
  assert.deepEqual(
    listed(
      "junit",
      `<testsuites failures="1"><testsuite name="s" failures="1">${inner}</testsuite></testsuites>`,
    ),
    ["s > t > a: passed", `s > t > ${hidden}`],
  );
  for (const odd of ["some", "-1", "1e9", "0x1", "1.5"]) {
    refused("junit", `<testsuite failures="${odd}"/>`, /no number/);
  }
});

Deno.test("readReport: JUnit that is cut off, empty, or another document is refused", () => {
  refused("junit", "", /empty|no XML/);
  refused("junit", suite(`<testcase name="a"/>`).slice(0, -4), /no XML/);
  refused("junit", "<html><body/></html>", /no JUnit report/);
  refused("junit", "<testsuites/><testsuites/>", /no XML/);
  refused("junit", suite(`<testcase name="a"><testcase name="b"/></testcase>`), /inside another/);
});

Deno.test("readReport: depth, tests and bytes are bounded", () => {
  refused("junit", "<testsuite>".repeat(100) + "</testsuite>".repeat(100), /nested deeper/);
  refused("junit", suite(`<testcase name="a"/>`.repeat(MAX_CASES + 1)), /more than/);
  refused("tap", "ok\n".repeat(MAX_CASES + 1), /more than/);
  refused("tap", `${" ".repeat(4 * 40)}ok 1\n`, /nested deeper/);
  refused("tap", new Uint8Array(MAX_REPORT_BYTES + 1), /longer than/);
});

Deno.test("readReport: names that come twice, are long or hold control characters stay apart and bounded", () => {
  const long = "x".repeat(30_000);
  const names = ["a", "a", "a #2", "a", `${long}1`, `${long}2`, "two&#10;lines", ""];
  const cases = listed("junit", suite(names.map((name) => `<testcase name="${name}"/>`).join("")));
  const ids = cases.map((line) => line.slice(0, -": passed".length));
  assert.equal(new Set(ids).size, names.length);
  assert.deepEqual(ids.slice(0, 4), ["s > a", "s > a #2", "s > a #2 #2", "s > a #3"]);
  assert.ok(ids.every((id) => id.length <= MAX_ID_LENGTH));
  assert.equal(ids[6], "s > two lines");
  assert.equal(ids[7], "s");
});

Deno.test("readReport: deep suites with long names around many tests take no time", () => {
  const depth = 60;
  const text =
    Array.from({ length: depth }, (_, i) => `<testsuite name="${String(i).repeat(20_000)}">`).join("") +
    `<testcase name="t"/>`.repeat(50_000) + "</testsuite>".repeat(depth);
  const began = performance.now();
  const cases = listed("junit", text);
  assert.equal(new Set(cases).size, 50_000);
  assert.ok(performance.now() - began < 10_000, `${performance.now() - began} ms`);
});

Deno.test("readReport: TAP without its plan, with another number of tests or bailed out is not whole", () => {
  assert.deepEqual(listed("tap", "ok 1 - a\n", /no plan/), ["a: passed"]);
  assert.deepEqual(listed("tap", "1..3\nok 1 - a\nok 2 - b\n", /3 tests were planned and 2/).length, 2);
  assert.deepEqual(listed("tap", "1..1\nok 1 - a\nok 2 - b\n", /1 tests were planned and 2/).length, 2);
  assert.deepEqual(listed("tap", "1..1\nok 1 - a\nBail out! no database\n", /bailed out/), ["a: passed"]);
  assert.deepEqual(listed("tap", "1..1\nok 1\n1..1\n", /two plans/).length, 1);
  assert.deepEqual(listed("tap", "1..1\nok 1 - a\n  ---\n  x: 1\n", /does not end/), ["a: passed"]);
  assert.deepEqual(listed("tap", "    ok 1 - inner\n    1..1\n1..0\n", /no test line of its own/), [
    "inner: passed",
  ]);
  refused("tap", "hello\nworld\n", /no TAP/);
  refused("tap", "", /no TAP/);
});

Deno.test("readReport: a plan of none is a report without tests", () => {
  assert.deepEqual(listed("tap", "TAP version 14\n1..0 # SKIP no database\n"), []);
  assert.deepEqual(listed("junit", "<testsuites/>"), []);
});

Deno.test("readReport: TAP names, directives and escapes", () => {
  const text = [
    "TAP version 14",
    "ok 1 - plain",
    "ok - no number",
    "ok 3 no dash",
    "ok",
    "ok 5 - with \\# hash and \\\\ slash",
    "not ok 6 - later # TODO not yet",
    "ok 7 - todos # todos are many",
    "ok 8 - skipped # SKIPPED: no network",
    "ok 9 - took long # time=12.5ms",
    "okay 10 - no test line",
    "not ok 11\t- tabs",
    "1..10",
  ].join("\r\n");
  assert.deepEqual(listed("tap", text), [
    "plain: passed",
    "no number: passed",
    "no dash: passed",
    "(unnamed): passed",
    "with # hash and \\ slash: passed",
    "later: xfailed",
    "todos # todos are many: passed",
    "skipped: skipped",
    "took long: passed",
    "tabs: failed",
  ]);
});

Deno.test("readReport: test lines inside a YAML block and deeper indented output are none", () => {
  const text = "1..1\nnot ok 1 - a\n  ---\n  out: |\n    ok 2 - forged\n  ok 3 - forged\n  ...\n";
  assert.deepEqual(listed("tap", text), ["a: failed"]);
});

Deno.test("readReport: a TAP parent counts by its tests, by itself only when it alone fails", () => {
  const inner = (line: string) => `    ok 1 - x\n    ${line}\n    1..2\n`;
  const of = (line: string, parent: string) => listed("tap", `${inner(line)}${parent}\n1..1\n`);
  assert.deepEqual(of("ok 2 - y", "ok 1 - p"), ["p > x: passed", "p > y: passed"]);
  assert.deepEqual(of("not ok 2 - y", "not ok 1 - p"), ["p > x: passed", "p > y: failed"]);
  assert.deepEqual(of("ok 2 - y", "not ok 1 - p"), ["p > x: passed", "p > y: passed", "p: failed"]);
  assert.deepEqual(of("not ok 2 - y", "not ok 1 - p # TODO"), ["p > x: xpassed", "p > y: xfailed"]);
});

Deno.test("readReport: whatever the bytes, it neither throws nor hangs, and ids are distinct and bounded", () => {
  const piece = fc.constantFrom(
    ...[
      "<testsuite name='s'>",
      "</testsuite>",
      "<testcase name='a'>",
      "<testcase/>",
      "</testcase>",
      "<failure>",
    ],
    ...[
      "</failure>",
      "<skipped type='pytest.xfail'/>",
      "<![CDATA[",
      "]]>",
      "<!--",
      "-->",
      "&amp;",
      "&#0;",
      "<?x?>",
    ],
    ...[
      "ok 1 - a\n",
      "not ok\n",
      "    ok 2 # skip\n",
      "        not ok 3 # TODO\n",
      "1..2\n",
      "    1..1\n",
      "  ---\n",
    ],
    ...["  ...\n", "Bail out!\n", "# x\n", "\ufeff", "\u0000", "\ud800", "\n"],
  );
  const text = fc.array(fc.oneof(piece, fc.string({ unit: "binary" })), { maxLength: 60 }).map((p) =>
    p.join("")
  );
  fc.assert(
    fc.property(
      text,
      fc.constantFrom<ReportFormat>("junit", "tap"),
      fc.boolean(),
      (body, format, wrapped) => {
        const full = wrapped && format === "junit" ? `<testsuites>${body}</testsuites>` : body;
        const read = readReport(format, new TextEncoder().encode(full));
        if (!read.ok) return assert.notEqual(read.detail, "");
        const ids = read.report.cases.map(({ id }) => id);
        assert.equal(new Set(ids).size, ids.length);
        assert.ok(
          ids.every((id) => id.length <= MAX_ID_LENGTH && id.isWellFormed() && !/\p{Cc}/u.test(id)),
        );
      },
    ),
    { numRuns: 2_000 },
  );
});

Deno.test("readReport: every test written as JUnit or TAP is read back with its outcome", () => {
  const name = fc.string({ unit: "grapheme", maxLength: 30 }).map((s) =>
    `t ${s.replaceAll(/[\s\p{C}]+/gu, " ")}`.trim()
  )
    .filter((s) => !/#|\\/.test(s));
  const outcome = fc.constantFrom("passed", "failed", "skipped", "xfailed");
  const xml = (s: string) => s.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");
  fc.assert(fc.property(fc.uniqueArray(fc.tuple(name, outcome), { selector: ([n]) => n }), (tests) => {
    const inner = {
      passed: "",
      failed: "<failure/>",
      skipped: "<skipped/>",
      xfailed: "<skipped type='pytest.xfail'/>",
    };
    const junit = suite(tests.map(([n, o]) => `<testcase name="${xml(n)}">${inner[o]}</testcase>`).join(""));
    assert.deepEqual(listed("junit", junit), tests.map(([n, o]) => `s > ${n}: ${o}`));
    const line = {
      passed: ["ok", ""],
      failed: ["not ok", ""],
      skipped: ["ok", " # SKIP"],
      xfailed: ["not ok", " # TODO"],
    };
    const tap = tests.map(([n, o], i) => `${line[o][0]} ${i + 1} - ${n}${line[o][1]}\n`).join("");
    assert.deepEqual(listed("tap", `1..${tests.length}\n${tap}`), tests.map(([n, o]) => `${n}: ${o}`));
  }));
});
