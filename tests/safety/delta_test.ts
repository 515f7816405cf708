import assert from "node:assert/strict";
import fc from "fast-check";
import { safetyDelta } from "../../src/safety/delta.ts";
import type { FileScan, Site } from "../../src/safety/site.ts";
import { shownShape } from "../../src/safety/shape.ts";
import { scan } from "./fixture.ts";

const shown = (site: Site) =>
  `${site.capability} ${site.file} ${site.function} ${site.symbol}${shownShape(site.shape)}`;

async function delta(
  before: Record<string, string>,
  after: Record<string, string>,
  renames: [string, string][] = [],
) {
  const scans = (files: Record<string, string>) =>
    Promise.all(Object.entries(files).map(([path, source]) => scan(path, source)));
  const { added, removed, widened, narrowed, moved, unanalyzed } = safetyDelta(
    await scans(before),
    await scans(after),
    new Map(renames),
  );
  return {
    added: added.map(shown),
    removed: removed.map(shown),
    widened: widened.map(({ before, after }) => `${shown(before)} -> ${shown(after)}`),
    narrowed: narrowed.map(({ before, after }) => `${shown(before)} -> ${shown(after)}`),
    moved: moved.map(({ before, after }) => `${shown(before)} -> ${shown(after)}`),
    unanalyzed: unanalyzed.map(({ path }) => path),
  };
}

const NOTHING = { added: [], removed: [], widened: [], narrowed: [], moved: [], unanalyzed: [] };
const RUN = "import subprocess\ndef run(x):\n    subprocess.run(['ls', x])\n";

Deno.test("safetyDelta: a new use is added, and its opposite removed", async () => {
  const after = { "a.py": `${RUN}def go(x):\n    subprocess.run(x)\n` };
  assert.deepEqual(await delta({ "a.py": RUN }, after), {
    ...NOTHING,
    added: ["exec a.py go subprocess.run(…)"],
  });
  assert.deepEqual(await delta(after, { "a.py": RUN }), {
    ...NOTHING,
    removed: ["exec a.py go subprocess.run(…)"],
  });
});

Deno.test("safetyDelta: a second use like the first one counts, as sites are a multiset", async () => {
  const twice = RUN + "    subprocess.run(['ls', x])\n";
  assert.deepEqual((await delta({ "a.py": RUN }, { "a.py": twice })).added, [
    'exec a.py run subprocess.run(["ls", …])',
  ]);
});

Deno.test("safetyDelta: other lines, names, aliases and formatting are no change", async () => {
  const same =
    "# a comment\nimport subprocess as s\n\n\nr = s.run\ndef run(name):\n    r(\n        ['l' + 's', name],\n    )\n";
  const { added, removed, widened } = await delta({ "a.py": RUN }, { "a.py": same });
  assert.deepEqual({ added, removed, widened }, {
    added: ["exec a.py <file> subprocess.run"],
    removed: [],
    widened: [],
  });
});

const WIDER: readonly (readonly [string, string, string, string])[] = [
  ["a literal became a variable", "a.py", "import os\nos.system('ls')", "import os\nos.system(c)"],
  [
    "shell went on",
    "a.py",
    "import subprocess as s\ns.run(c)",
    "import subprocess as s\ns.run(c, shell=True)",
  ],
  [
    "shell went from off to on",
    "a.py",
    "import subprocess as s\ns.run(c, shell=False)",
    "import subprocess as s\ns.run(c, shell=True)",
  ],
  [
    "shell became computed",
    "a.py",
    "import subprocess as s\ns.run(c, shell=True)",
    "import subprocess as s\ns.run(c, shell=x)",
  ],
  ["a fixed host became computed", "a.js", "fetch('https://a.example/x')", "fetch(`https://a.example${x}`)"],
  ["a beginning became shorter", "a.js", "fetch('https://a.example/' + x)", "fetch('https://' + x)"],
  ["a beginning went away", "a.js", "fetch('https://a.example/' + x)", "fetch(x)"],
  [
    "an item of a list became computed",
    "a.py",
    "import subprocess as s\ns.run(['ls', '-l'])",
    "import subprocess as s\ns.run(['ls', a])",
  ],
  [
    "a list became computed",
    "a.py",
    "import subprocess as s\ns.run(['ls', a])",
    "import subprocess as s\ns.run(a)",
  ],
  ["a call became a mention", "a.js", "fetch('https://a/')", "g(fetch)"],
  ["one of two constants became three", "a.js", "fetch(a ? 'x' : 'y')", "fetch(a ? 'x' : b ? 'y' : 'z')"],
  [
    "options became more",
    "a.js",
    "import {exec} from 'child_process'; exec('ls', {cwd: 'a'})",
    "import {exec} from 'child_process'; exec('ls', {cwd: b})",
  ],
];

for (const [name, path, before, after] of WIDER) {
  Deno.test(`safetyDelta: ${name}: widened, and narrowed the other way`, async () => {
    const there = await delta({ [path]: before }, { [path]: after });
    assert.equal(there.widened.length, 1, JSON.stringify(there));
    assert.deepEqual([there.added, there.removed, there.narrowed], [[], [], []]);
    const back = await delta({ [path]: after }, { [path]: before });
    assert.equal(back.narrowed.length, 1, JSON.stringify(back));
    assert.deepEqual([back.added, back.removed, back.widened], [[], [], []]);
  });
}

Deno.test("safetyDelta: another constant is neither wider nor narrower, but new", async () => {
  const found = await delta({ "a.js": "fetch('https://a/')" }, { "a.js": "fetch('https://evil/')" });
  assert.deepEqual(found, {
    ...NOTHING,
    added: ['network a.js <file> fetch("https://evil/")'],
    removed: ['network a.js <file> fetch("https://a/")'],
  });
});

Deno.test("safetyDelta: a renamed file, moved code and a renamed function are not added", async () => {
  const renamed = await delta({ "a.py": RUN }, { "b/c.py": RUN });
  assert.deepEqual([renamed.added, renamed.removed, renamed.moved.length], [[], [], 1]);
  const edited = RUN.replace("['ls', x]", "x");
  assert.deepEqual((await delta({ "a.py": RUN }, { "b.py": edited }, [["a.py", "b.py"]])).widened.length, 1);
  const within = await delta({ "a.py": RUN }, { "a.py": `class A:\n${RUN.replaceAll(/^/gm, "    ")}` });
  assert.deepEqual([within.added, within.removed, within.moved.length], [[], [], 1]);
  const other = await delta({ "a.py": RUN }, { "a.py": RUN.replace("def run", "def start") });
  assert.deepEqual([other.added, other.moved.length], [[], 1]);
});

Deno.test("safetyDelta: what was moved and doubled is added once", async () => {
  const found = await delta({ "a.py": RUN }, { "b.py": RUN, "c.py": RUN });
  assert.deepEqual([found.added.length, found.moved.length], [1, 1]);
});

Deno.test("safetyDelta: files that could not be analyzed are named", async () => {
  const found = await delta({ "a.py": RUN }, { "a.py": "def f(:\n", "b.zig": "x" });
  assert.deepEqual(found.unanalyzed, ["a.py", "b.zig"]);
});

const shapes = fc.oneof(
  fc.constant({ positional: null, options: [] }),
  fc.record({
    positional: fc.array(fc.constantFrom('"a"', '"ab"', '"a"…', "…", '["a", …]', '["a", "b"]', "1"), {
      maxLength: 2,
    }),
    options: fc.constantFrom<[string, string][]>([], [["shell", "true"]], [["shell", "false"]], [[
      "shell",
      "…",
    ]]),
  }),
);
const sites = fc.array(
  fc.record({
    file: fc.constantFrom("a.py", "b.py"),
    line: fc.nat(5),
    function: fc.constantFrom("<file>", "f", "A.f"),
    capability: fc.constantFrom("exec" as const, "network" as const),
    rule: fc.constant("r"),
    symbol: fc.constantFrom("x", "y"),
    shape: shapes,
    code: fc.constantFrom("x()", "y()", "z"),
  }),
  { maxLength: 14 },
);
const scansOf = (
  list: readonly Site[],
): FileScan[] => [{ path: "a.py", language: "python", sites: list, unanalyzed: null }];

Deno.test("safetyDelta: of a state to itself is empty", () => {
  fc.assert(fc.property(sites, (list) => {
    const { added, removed, widened, narrowed, moved } = safetyDelta(
      scansOf(list),
      scansOf([...list].reverse()),
    );
    assert.deepEqual([added, removed, widened, narrowed, moved], [[], [], [], [], []]);
  }));
});

Deno.test("safetyDelta: is antisymmetric, and every site is accounted for", () => {
  fc.assert(fc.property(sites, sites, (a, b) => {
    const there = safetyDelta(scansOf(a), scansOf(b)), back = safetyDelta(scansOf(b), scansOf(a));
    const bag = (list: readonly unknown[]) => list.map((x) => JSON.stringify(x)).sort();
    const swapped = (pairs: typeof there.widened) =>
      bag(pairs.map(({ before, after }) => ({ before: after, after: before })));
    assert.deepEqual(bag(there.added), bag(back.removed));
    assert.deepEqual(bag(there.removed), bag(back.added));
    assert.deepEqual(bag(there.widened), swapped(back.narrowed));
    assert.deepEqual(bag(there.narrowed), swapped(back.widened));
    assert.deepEqual(bag(there.moved), swapped(back.moved));
    const pairs = there.widened.length + there.narrowed.length + there.moved.length;
    const same = a.length - there.removed.length - pairs;
    assert.equal(b.length - there.added.length - pairs, same);
    assert.ok(same >= 0);
  }));
});

Deno.test("safetyDelta: a site that became a tighter and a looser one is paired the same in both directions", () => {
  const site = (argument: string, line: number): Site => ({
    file: "a.py",
    line,
    function: "f",
    capability: "exec",
    rule: "r",
    symbol: "x",
    shape: { positional: [argument], options: [] },
    code: `x(${line})`,
  });
  const [tight, middle, loose] = [site('"ab"', 1), site('"a"…', 2), site("…", 3)];
  const there = safetyDelta(scansOf([middle]), scansOf([tight, loose]));
  const back = safetyDelta(scansOf([tight, loose]), scansOf([middle]));
  assert.deepEqual([there.narrowed, there.added], [[{ before: middle, after: tight }], [loose]]);
  assert.deepEqual([back.widened, back.removed], [[{ before: tight, after: middle }], [loose]]);
});
