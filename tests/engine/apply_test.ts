import assert from "node:assert/strict";
import { loadPolicy } from "../../src/policy/load.ts";
import { proposeChanges } from "../apply/fixture.ts";
import { pp, withFolder } from "../cli/process.ts";
import { openAt } from "../store/fixture.ts";
import { write } from "../workspace/trees.ts";
import { TEST_IMAGE } from "./engine.ts";

const POLICY = `proof_targets:
  - name: check
    argv: ["sh", "-c", "grep -q good answer"]
policy:
  allowed_argv: [["sh", "-c", "grep -q good answer"]]
  approval: { required: never }
  sandbox: { backend: container, container_image: "${TEST_IMAGE}" }
`;

Deno.test("pp apply --run-tests: red tests land nothing, green ones land what was tested", async () => {
  await withFolder({ "w/answer": "bad\n", "w/pp.yaml": POLICY }, async (cwd) => {
    const env = { PP_STORE: `${cwd}/s`, PP_ACTOR: "tester", HOME: cwd };
    const run = (...args: readonly string[]) => pp(args, { cwd, env });
    assert.equal((await run("artifact", "create", "api", "--workspace", "w")).code, 0);
    const { digest } = await loadPolicy(`${cwd}/w`);
    const store = openAt(`${cwd}/s`, false);
    const base = store.records.read((rows) => rows.latest("api"))!;
    await proposeChanges(store, base, [write("answer", "worse\n")], "proposed", digest);
    await proposeChanges(store, base, [write("answer", "good\n")], "proposed", digest);
    store.close();
    const red = await run("apply", "P1", "--run-tests", "--workspace", "w", "--json");
    assert.equal(red.code, 2, red.stdout + red.stderr);
    const { refusal, tests } = JSON.parse(red.stdout);
    assert.deepEqual([refusal.reason, tests.outcome], ["tests_failed", "failed"]);
    assert.equal(await Deno.readTextFile(`${cwd}/w/answer`), "bad\n");
    const green = await run("apply", "P2", "--run-tests", "--workspace", "w");
    assert.equal(green.code, 0, green.stdout + green.stderr);
    assert.match(green.stdout, /^tests {4}passed/m);
    assert.equal(await Deno.readTextFile(`${cwd}/w/answer`), "good\n");
    assert.equal((await run("events", "--verify")).code, 0);
  });
});
