import assert from "node:assert/strict";
import { declaredDependencies } from "../../src/safety/imports/declared.ts";
import { pathsOf, unresolvedImports } from "../../src/safety/imports/resolve.ts";
import { importsOf } from "../../src/safety/imports/specifiers.ts";
import { treeSitterTrees } from "../../src/syntax/tree_sitter_trees.ts";

const trees = treeSitterTrees();

/** Verdict by specifier of a file's imports in a tree; resolved ones are left out. */
async function verdicts(file: string, source: string, others: Readonly<Record<string, string>>) {
  const parsed = await trees.tree(file, new TextEncoder().encode(source));
  assert.ok(parsed.ok);
  const found = unresolvedImports(
    file,
    parsed.language,
    importsOf(parsed.language, parsed.root, parsed.text),
    pathsOf([file, ...Object.keys(others)]),
    declaredDependencies(new Map(Object.entries(others))),
  );
  return found.map(({ specifier, verdict, line }) => `${line} ${specifier} ${verdict}`);
}

const REQUIREMENTS = {
  "requirements.txt": "requests>=2 # http\nPyYAML\nscikit-learn[all]==1\n\n# a\n-r more.txt\n",
};

Deno.test("unresolvedImports: Python: standard library, declared packages and modules of the tree resolve", async () => {
  const source =
    "import os.path, json\nfrom __future__ import annotations\nimport requests.adapters\nimport yaml\nfrom sklearn import svm\n" +
    "from . import b\nfrom .c import x\nfrom ..d import y\nimport pkg.sub.b\nfrom pkg.sub import c, anything\nimport tool\n";
  const tree = {
    ...{ "pkg/__init__.py": "", "pkg/sub/__init__.py": "", "pkg/sub/b.py": "", "pkg/sub/c/__init__.py": "" },
    ...{ "pkg/d.py": "", "src/tool.py": "", ...REQUIREMENTS },
  };
  assert.deepEqual(await verdicts("pkg/sub/a.py", source, tree), []);
});

Deno.test("unresolvedImports: Python: what is nowhere is missing, with its line", async () => {
  const source =
    "import os\nimport nothere\nfrom .gone import x\nfrom pkg.sub import y\nfrom . import z\nimport pkg.q.r\n";
  const tree = { "pkg/__init__.py": "", "ns/b.py": "", ...REQUIREMENTS };
  assert.deepEqual(await verdicts("ns/a.py", source, tree), [
    "2 nothere missing",
    "3 .gone missing",
    "4 pkg.sub missing",
    "5 .z missing",
    "6 pkg.q.r missing",
  ]);
});

Deno.test("unresolvedImports: Python: what cannot be decided is unknown", async () => {
  assert.deepEqual(await verdicts("a.py", "import x\n", {}), ["1 x unknown"]);
  assert.deepEqual(await verdicts("a.py", "import x\n", { ...REQUIREMENTS, "setup.py": "" }), [
    "1 x unknown",
  ]);
  assert.deepEqual(
    await verdicts("a.py", "try:\n    import x\nexcept ImportError:\n    x = None\n", REQUIREMENTS),
    [
      "2 x unknown",
    ],
  );
});

Deno.test("declaredDependencies: reads the lists of pyproject.toml, of PEP 621, PEP 735 and Poetry", () => {
  const declared = (text: string) => {
    const { python, pythonIsClosed } = declaredDependencies(new Map([["pyproject.toml", text]]));
    return [pythonIsClosed, ...[...python].sort()];
  };
  assert.deepEqual(
    declared(
      '[project]\nname = "Own_Name"\ndependencies = [\n  "A.b[c]>=1", # "no"\n  \'d\',\n]\n[project.optional-dependencies]\nx = ["e"]\n[dependency-groups]\ndev = ["f", {include-group = "x"}]\n[tool.z]\nq = ["g"]\n',
    ),
    [true, "a-b", "d", "e", "f", "own-name"],
  );
  assert.deepEqual(declared('[tool.poetry.dependencies]\npython = "^3"\nflask = {version = "1"}\n'), [
    true,
    "flask",
    "python",
  ]);
  assert.deepEqual(declared("[tool.black]\nline-length = 100\n"), [false]);
});

const PACKAGE = {
  "package.json":
    '{"name": "own", "dependencies": {"a": "1", "@s/b": "1"}, "devDependencies": {"@types/c": "1"}}',
};

Deno.test("unresolvedImports: JavaScript: builtins, declared packages and files of the tree resolve", async () => {
  const source = [
    ..."fs node:path fs/promises a a/deep @s/b/x c own ./b ./b.js ./c.js ../lib ./data.json npm:z@1 https://h/x.js"
      .split(" "),
    "./b?raw",
  ].map((s) => `import ${JSON.stringify(s)};`).join("\n");
  const tree = { ...PACKAGE, "src/b.ts": "", "src/c.tsx": "", "lib/index.js": "", "src/data.json": "" };
  assert.deepEqual(await verdicts("src/a.ts", source, tree), []);
  assert.deepEqual(
    await verdicts("src/a.js", "require('./b'); import('a'); export * from './c.js'", tree),
    [],
  );
});

Deno.test("unresolvedImports: JavaScript: what is nowhere is missing, what a tool decides is unknown", async () => {
  const source =
    "import './gone';\nimport 'nopkg';\nimport 'node:nope';\nimport '../../out';\nimport '@/x';\nimport 'virtual:y';\nimport 'al/z';\n";
  const tree = {
    ...PACKAGE,
    "tsconfig.json": '{ // a\n "compilerOptions": {"paths": {"al/*": ["src/*"],}}}',
  };
  assert.deepEqual(await verdicts("src/a.ts", source, tree), [
    "1 ./gone missing",
    "2 nopkg missing",
    "3 node:nope missing",
    "4 ../../out missing",
    "5 @/x unknown",
    "6 virtual:y unknown",
    "7 al/z unknown",
  ]);
  assert.deepEqual(await verdicts("a.js", "import 'x';", {}), ["1 x unknown"]);
});

Deno.test("unresolvedImports: Deno: import maps resolve, by name and by prefix", async () => {
  const tree = { "deno.json": '{"imports": {"std/": "https://d/std/", "zod": "npm:zod@1"}}' };
  assert.deepEqual(await verdicts("a.ts", "import 'std/x.ts'; import 'zod'; import 'zo';", tree), [
    "1 zo missing",
  ]);
});
