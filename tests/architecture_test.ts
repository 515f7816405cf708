import assert from "node:assert/strict";
import { VERSION } from "../src/version.ts";

const ROOT = new URL("..", import.meta.url);

/**
 * Which rooms a room may import from. Vocabulary imports nothing of ours; the core takes values; ports are interfaces;
 * orchestration uses core and ports; only the command line knows adapters.
 */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  vocabulary: [],
  "build_info.ts": ["version.ts", "workspace/git_command.ts"],
  "portable_cache.ts": [],
  patch: ["vocabulary", "minimize/problem.ts", "minimize/minimize.ts"],
  minimize: ["vocabulary"],
  document: ["vocabulary"],
  policy: ["vocabulary", "document"],
  tar: ["vocabulary"],
  workspace: ["vocabulary", "tar"],
  sandbox: ["vocabulary"],
  propose: ["vocabulary"],
  syntax: ["vocabulary"],
  store: ["vocabulary", "sign", "patch", "tar", "workspace", "approve"],
  apply: [
    ...[
      "vocabulary",
      "patch",
      "workspace/target.ts",
      "approve/states.ts",
      "store/store.ts",
      "store/operations.ts",
    ],
    ...["store/proposals.ts", "store/proposal", "store/operation", "store/log", "store/artifact/tree.ts"],
    ...["store/artifact/create.ts", "policy/policy.ts", "prove/reports.ts", "prove/verification.ts"],
    ...["sandbox/sandbox.ts", "workspace/workspace.ts"],
  ],
  approve: ["vocabulary", "sign", "policy/policy.ts", "policy/glob.ts", "policy/protected.ts"],
  sign: ["vocabulary", "document"],
  testreport: ["vocabulary"],
  bundle: [
    ...["vocabulary", "minimize/problem.ts", "minimize/minimize.ts", "policy/policy.ts", "patch"],
    ...["sandbox/sandbox.ts", "workspace/workspace.ts", "sign", "testreport", "tar"],
  ],
  prove: [
    ...["vocabulary", "testreport", "minimize", "patch", "policy", "bundle/record.ts"],
    ...["sandbox/sandbox.ts", "workspace/workspace.ts", "propose/proposer.ts", "syntax/syntax.ts"],
  ],
  verify: [
    "vocabulary",
    "testreport",
    "sign",
    "minimize",
    "patch",
    "policy",
    "sign",
    "bundle",
    "prove",
    "sandbox/sandbox.ts",
    "syntax/syntax.ts",
    "workspace/workspace.ts",
    "workspace/history.ts",
  ],
  report: [
    "vocabulary",
    "patch",
    "bundle/read.ts",
    "bundle/schema.ts",
    "bundle/summary_tests.ts",
    "sign/dsse.ts",
  ],
  safety: ["vocabulary", "document", "policy/policy.ts", "syntax/tree.ts"],
  edit: ["vocabulary", "document", "patch", "syntax/tree.ts"],
  proposal: [
    ...[
      "vocabulary",
      "document",
      "patch",
      "edit",
      "policy",
      "prove",
      "safety",
      "sign",
      "approve",
      "bundle/record.ts",
    ],
    ...[
      "store/artifact",
      "store/log",
      "store/operation",
      "store/operations.ts",
      "store/proposal",
      "store/names.ts",
      "store/proposals.ts",
      "store/store.ts",
    ],
    ...["propose/proposer.ts", "sandbox/sandbox.ts", "syntax/syntax.ts", "syntax/tree.ts"],
    ...["workspace/workspace.ts", "workspace/ignore.ts"],
  ],
  cli: [
    "proposal",
    ...["apply", "store/operation", "store/operations.ts"],
    "vocabulary",
    "report",
    "version.ts",
    "build_info.ts",
    "portable_cache.ts",
    "patch",
    "document",
    "policy",
    "prove",
    "sign",
    "bundle",
    "verify",
    "minimize",
    ...["store/artifact", "store/log", "store/proposal", "store/proposals.ts", "store/names.ts"],
    "approve",
    "safety",
    "edit",
    "propose/select.ts",
    "workspace/real_directory.ts",
  ],
};

/** Where adapters may be built, besides their own room. */
const WIRE = "cli/wire/";

/** Ports the command line may name as types. */
const PORTS = [
  "sandbox/sandbox.ts",
  "workspace/workspace.ts",
  "workspace/history.ts",
  "propose/proposer.ts",
  "syntax/syntax.ts",
  "store/store.ts",
  "workspace/target.ts",
];

/** Rooms without files, clock, network or environment of their own, and what they may not mention; ports bring them. */
const PURE = [
  ...["vocabulary", "patch", "minimize", "document", "sign", "testreport", "tar", "report", "safety", "edit"],
  ...["approve", "prove", "verify", "proposal", "apply"],
  ...[
    "policy/schema.ts",
    "policy/target_schema.ts",
    "policy/policy.ts",
    "policy/glob.ts",
    "policy/commands.ts",
    "policy/shell_words.ts",
  ],
  ...["policy/writes.ts", "policy/protected.ts", "policy/control_files.ts", "policy/report.ts"],
  ...["bundle/claims.ts", "bundle/claims_of.ts", "bundle/statement.ts", "bundle/make_statement.ts"],
  ...["bundle/attest.ts", "store/store.ts", "store/names.ts", "store/log"],
  ...["store/artifact/tree.ts", "store/artifact/diff.ts"],
  ...["store/proposals.ts", "store/proposal", "store/operations.ts", "store/operation"],
];
const IMPURE = /\bDeno\.|\bfetch\(|node:(fs|net|http|child_process|os|process)|\bDate\.now\(|\bprocess\./;

interface Module {
  readonly specifier: string;
  readonly dependencies?: readonly {
    readonly code?: { specifier?: string };
    readonly type?: { specifier?: string };
  }[];
}

async function sourceFiles(directory = "src"): Promise<string[]> {
  const files: string[] = [];
  for await (const entry of Deno.readDir(new URL(`${directory}/`, ROOT))) {
    if (entry.isDirectory) files.push(...await sourceFiles(`${directory}/${entry.name}`));
    else if (entry.name.endsWith(".ts")) files.push(`${directory}/${entry.name}`);
  }
  return files.sort();
}

/** Every import between files of src/, from the module graph of all of them. */
async function arrows(): Promise<{ from: string; to: string }[]> {
  const probe = await Deno.makeTempFile({ dir: import.meta.dirname!, suffix: ".tmp.ts" });
  try {
    const files = await sourceFiles();
    await Deno.writeTextFile(probe, files.map((f) => `import "../${f}";`).join("\n"));
    const command = new Deno.Command(Deno.execPath(), {
      args: ["info", "--json", probe],
      cwd: ROOT.pathname,
    });
    const graph = JSON.parse(new TextDecoder().decode((await command.output()).stdout)) as {
      modules: Module[];
    };
    const src = new URL("src/", ROOT).href;
    const found: { from: string; to: string }[] = [];
    for (const module of graph.modules) {
      if (!module.specifier.startsWith(src)) continue;
      for (const { code, type } of module.dependencies ?? []) {
        for (const to of new Set([code?.specifier, type?.specifier])) {
          if (to?.startsWith(src)) {
            found.push({ from: module.specifier.slice(src.length), to: to.slice(src.length) });
          }
        }
      }
    }
    return found;
  } finally {
    await Deno.remove(probe);
  }
}

const room = (file: string) => file.split("/")[0]!;

Deno.test("imports: every arrow between rooms points one way", async () => {
  const all = await arrows();
  assert.ok(all.length > 100, `the module graph has only ${all.length} arrows: it was not read`);
  const wrong = all.filter(({ from, to }) => {
    if (room(from) === room(to) || from.startsWith(WIRE)) return false;
    const allowed = from === "cli/program.ts" || room(from) === "cli"
      ? [...MAY_IMPORT.cli!, ...PORTS]
      : MAY_IMPORT[room(from)];
    assert.ok(allowed !== undefined, `room ${room(from)} has no rule here`);
    return !allowed.some((a) => to === a || to.startsWith(`${a}/`));
  });
  assert.deepEqual(wrong.map(({ from, to }) => `${from} -> ${to}`), []);
});

Deno.test("imports: the pure core names no files, clock, network or environment", async () => {
  const found: string[] = [];
  for (const file of await sourceFiles()) {
    if (!PURE.some((pure) => file === `src/${pure}` || file.startsWith(`src/${pure}/`))) continue;
    const lines = (await Deno.readTextFile(new URL(file, ROOT))).split("\n");
    lines.forEach((line, i) => {
      if (!/^\s*(\*|\/\/|\/\*)/.test(line) && IMPURE.test(line)) {
        found.push(`${file}:${i + 1}: ${line.trim()}`);
      }
    });
  }
  assert.deepEqual(found, []);
});

Deno.test("VERSION: is what deno.json says", async () => {
  const { version } = JSON.parse(await Deno.readTextFile(new URL("deno.json", ROOT)));
  assert.equal(VERSION, version);
});
