import { capabilityRules } from "../src/cli/capability_rules.ts";
import { scanTree, type Tree } from "../src/safety/check.ts";
import { treeSitterTrees } from "../src/syntax/tree_sitter_trees.ts";
import { ms, type Row, timed } from "./measure.ts";

const FILES = 1_000;
const LANGUAGES = ["py", "ts", "go", "java"] as const;

/** One function of ordinary code in each language; files are made of many of them, each a little different. */
const FUNCTIONS: Readonly<Record<(typeof LANGUAGES)[number], (i: number) => string>> = {
  py: (i) =>
    `def load_${i}(path, limit=${i}):\n    """Reads a table."""\n    rows = []\n    with open(path) as source:\n        for line in source:\n            name, _, value = line.partition("=")\n            if len(rows) < limit and value.strip():\n                rows.append((name.strip(), int(value)))\n    return {"rows": rows, "total": sum(v for _, v in rows)}\n\n\n`,
  ts: (i) =>
    `export async function load${i}(path: string, limit = ${i}): Promise<Row[]> {\n  const rows: Row[] = [];\n  for (const line of (await read(path)).split("\\n")) {\n    const [name = "", value = ""] = line.split("=");\n    if (rows.length < limit && value.trim() !== "") rows.push({ name: name.trim(), value: Number(value) });\n  }\n  return rows.sort((a, b) => a.value - b.value);\n}\n\n`,
  go: (i) =>
    `func load${i}(path string, limit int) ([]row, error) {\n\tdata, err := os.ReadFile(path)\n\tif err != nil {\n\t\treturn nil, fmt.Errorf("load: %w", err)\n\t}\n\tvar rows []row\n\tfor _, line := range strings.Split(string(data), "\\n") {\n\t\tif len(rows) < limit {\n\t\t\trows = append(rows, row{name: line, value: ${i}})\n\t\t}\n\t}\n\treturn rows, nil\n}\n\n`,
  java: (i) =>
    `  static List<Row> load${i}(Path path, int limit) throws IOException {\n    List<Row> rows = new ArrayList<>();\n    for (String line : Files.readAllLines(path)) {\n      String[] parts = line.split("=");\n      if (rows.size() < limit && parts.length == 2) {\n        rows.add(new Row(parts[0].trim(), Integer.parseInt(parts[1]) + ${i}));\n      }\n    }\n    return rows;\n  }\n\n`,
};

const HEADS: Readonly<Record<(typeof LANGUAGES)[number], readonly [string, string]>> = {
  py: ["import os\nimport json\n\n\n", ""],
  ts: ['import { read } from "./read.ts";\n\n', ""],
  go: ['package a\n\nimport (\n\t"fmt"\n\t"os"\n\t"strings"\n)\n\n', ""],
  java: ["import java.nio.file.*;\nimport java.util.*;\n\nclass A {\n", "}\n"],
};

function project(): { tree: Tree; bytes: number } {
  const contents = new Map<string, Uint8Array>();
  for (let i = 0; i < FILES; i++) {
    const language = LANGUAGES[i % LANGUAGES.length]!;
    const [head, tail] = HEADS[language];
    const body = Array.from({ length: 10 + i % 20 }, (_, j) => FUNCTIONS[language](i * 100 + j)).join("");
    contents.set(`src/m${i}.${language}`, new TextEncoder().encode(head + body + tail));
  }
  const entries = [...contents].map(([path, { length: size }]) => ({
    ...{ path, size, sha256: path, mode: "100644" as const },
  }));
  const bytes = entries.reduce((sum, { size }) => sum + size, 0);
  return { tree: { entries, read: (path) => Promise.resolve(contents.get(path)!) }, bytes };
}

/** A safety scan of 1,000 files of four languages, from bytes to sites; beside it, parsing alone. */
export async function safety(): Promise<Row[]> {
  const { tree, bytes } = project();
  const trees = treeSitterTrees();
  const ports = { trees, rules: await capabilityRules() };
  // Loads grammars.
  await scanTree({ ...tree, entries: tree.entries.slice(0, 8) }, null, ports);
  const parsing = await timed(async () => {
    for (const { path } of tree.entries) await trees.tree(path, await tree.read(path));
  });
  const scanning = await timed(() => scanTree(tree, null, ports));
  const mb = bytes / 1e6;
  return [{
    what: `safety scan of ${FILES.toLocaleString("en")} files, ${mb.toFixed(1)} MB`,
    ours: ms(scanning),
    peer: `${ms(parsing)} for parsing them`,
    figure: `${Math.round(scanning / mb)} ms/MB`,
    target: "at most 2,000 ms/MB",
    met: scanning / mb <= 2_000,
  }];
}
