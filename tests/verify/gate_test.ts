import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import fc from "fast-check";
import { PROOF_ENVELOPE } from "../../src/bundle/claims.ts";
import { readProofStatement } from "../../src/bundle/statement.ts";
import { parsePolicy } from "../../src/policy/parse.ts";
import { parseEnvelope, PAYLOAD_TYPE, renderEnvelope } from "../../src/sign/dsse.ts";
import { signEnvelope } from "../../src/sign/sign.ts";
import { GATE_CHECKS } from "../../src/verify/gate/check.ts";
import { targetsCheck } from "../../src/verify/gate/policy_checks.ts";
import { type ReplayFacts, summaryStatement } from "../../src/verify/verification_summary.ts";
import type { ReplayResult } from "../../src/verify/replay.ts";
import { sha256 } from "../../src/vocabulary/digest.ts";
import type { Failure } from "../../src/vocabulary/failure.ts";
import { ISSUED_AT, testKey } from "../bundle/attested.ts";
import { record, reported, verified } from "../bundle/fixture.ts";
import { git } from "../workspace/repositories.ts";
import { inTempDir, writeFiles } from "../workspace/trees.ts";
import {
  brief,
  commitAll,
  type FixtureOptions,
  type GateAsked,
  type GateFixture,
  gateFixture,
  gateOn,
  PATCH,
  POLICY,
  PROJECT,
  proofOf,
} from "./gate_fixture.ts";

async function onFixture(
  options: FixtureOptions,
  body: (fixture: GateFixture) => Promise<void>,
): Promise<void> {
  await inTempDir(async (directory) => await body(await gateFixture(directory, options)));
}

/** Judges a head that is the proved one with something done to it. */
async function headWith(
  fixture: GateFixture,
  change: (root: string) => void | Promise<void>,
  asked: GateAsked = {},
): Promise<{ readonly brief: string; readonly paths: readonly (string | null)[] }> {
  const { root } = fixture;
  git(root, "checkout", "-q", "-f", "-B", "attack", "fix");
  git(root, "clean", "-q", "-f", "-d", "-x");
  await change(root);
  commitAll(root);
  const result = await gateOn(fixture, { head: "attack", ...asked });
  const head = result.checks.find(({ id }) => id === "head")!;
  return { brief: brief(result), paths: head.findings.map(({ path }) => path) };
}

Deno.test("gate: opens for exactly the proved change, in sha1 and sha256 repositories", () =>
  inTempDir(async (base) => {
    for (const format of ["sha1", "sha256"] as const) {
      await Deno.mkdir(`${base}/${format}`);
      const fixture = await gateFixture(`${base}/${format}`, { format });
      const result = await gateOn(fixture);
      assert.equal(brief(result), "open");
      assert.deepEqual(result.checks.map(({ id }) => id), GATE_CHECKS);
      assert.equal(result.mergeBase, fixture.main);
      assert.match(result.policy!.source, /^pp\.yaml of the merge base/);
      const { verdict, required } = result.checks.at(-1)!;
      assert.deepEqual([verdict, required], ["not_checked", false]);
    }
  }));

Deno.test("gate: head must be the merge base plus final.patch and nothing else", () =>
  onFixture({}, async (fixture) => {
    const closed = "closed head:";
    const write = (path: string, text: string) => (root: string) => writeFiles(root, { [path]: text });
    const cases: [what: string, change: (root: string) => void, brief: string, path: string | null][] = [
      ["one more byte", write("calc.py", "def add(a, b):\n    return a + b\n\n"), "not_in_head", "calc.py"],
      ["another byte", write("calc.py", "def add(a, b):\n    return a * b\n"), "not_in_head", "calc.py"],
      ["one byte elsewhere", write("README.md", "# calc\n"), "not_in_patch", "README.md"],
      ["a mode", (root) => Deno.chmodSync(join(root, "README.md"), 0o755), "not_in_patch", "README.md"],
      ["a proved mode", (root) => Deno.chmodSync(join(root, "run.sh"), 0o644), "not_in_head", "run.sh"],
      ["an added file", write("evil.py", "import os\n"), "not_in_patch", "evil.py"],
      ["an ignored file", write(".cache/evil", "x\n"), "not_in_patch", ".cache/evil"],
      ["ignore rules", write(".ppignore", "*.py\n"), "not_in_patch", ".ppignore"],
      ["a deletion", (root) => Deno.removeSync(join(root, "README.md")), "not_in_patch", "README.md"],
      [
        "a creation left out",
        (root) => Deno.removeSync(join(root, "new/note.txt")),
        "not_in_head",
        "new/note.txt",
      ],
      ["a deletion left out", write("old/gone.txt", "goes away\n"), "not_in_head", "old/gone.txt"],
      ["odd names", write("new\n\u202eline", "x"), "not_in_patch", "new\n\u202eline"],
      [
        "a file as a link",
        (root) => {
          Deno.removeSync(join(root, "calc.py"));
          Deno.symlinkSync("README.md", join(root, "calc.py"));
        },
        "not_in_head",
        "calc.py",
      ],
      ["a link added", (root) => Deno.symlinkSync("/etc", join(root, "etc")), "not_in_patch", "etc"],
      [
        "a submodule",
        (root) => {
          git(root, "update-index", "--add", "--cacheinfo", `160000,${fixture.main},module`);
          Deno.mkdirSync(join(root, "module"));
        },
        "not_in_patch",
        "module",
      ],
      [
        "a folder for a file",
        (root) => {
          Deno.removeSync(join(root, "README.md"));
          writeFiles(root, { "README.md/x": "x" });
        },
        "not_in_patch",
        "README.md",
      ],
    ];
    for (const [what, change, code, path] of cases) {
      const told = await headWith(fixture, change);
      assert.equal(told.brief, closed + code, what);
      assert.ok(told.paths.includes(path), what);
    }
  }));

Deno.test("gate: the line from which head differs is named, and a much larger file is not read", () =>
  onFixture({}, async (fixture) => {
    const { root } = fixture;
    git(root, "checkout", "-q", "-B", "attack", "fix");
    writeFiles(root, {
      "calc.py": "def add(a, b):\n    return b + a\n",
      "new/note.txt": "x".repeat(3 << 20),
    });
    commitAll(root);
    const head = (await gateOn(fixture, { head: "attack" })).checks.find(({ id }) => id === "head")!;
    assert.deepEqual(head.findings.map(({ path, line }) => [path, line]), [["calc.py", 2], [
      "new/note.txt",
      null,
    ]]);
  }));

Deno.test("gate: an empty tree that no commit of git's own would have is seen", () =>
  onFixture({}, async (fixture) => {
    const { root } = fixture;
    const empty = execFileSync("git", ["hash-object", "-t", "tree", "-w", "--stdin"], {
      cwd: root,
      input: "",
    })
      .toString().trim();
    const listing = git(root, "ls-tree", "fix") + `\n040000 tree ${empty}\thollow\n`;
    const tree = execFileSync("git", ["mktree"], { cwd: root, input: listing }).toString().trim();
    const commit = git(root, "commit-tree", "-m", "x", "-p", "fix", tree);
    assert.equal(brief(await gateOn(fixture, { head: commit })), "closed head:not_in_patch");
  }));

Deno.test("gate: the proof must be about the merge base", () =>
  onFixture({}, async (fixture) => {
    const { root } = fixture;
    git(root, "checkout", "-q", "main");
    writeFiles(root, { "other.txt": "main moves on\n" });
    commitAll(root);
    assert.equal(brief(await gateOn(fixture)), "open", "main moved on; what was proved is still the change");
    git(root, "checkout", "-q", "fix");
    git(root, "rebase", "-q", "main");
    const rebased = await gateOn(fixture);
    assert.equal(brief(rebased), "closed base:base_lacks head:result_tree_differs");
    assert.deepEqual(rebased.checks.find(({ id }) => id === "base")!.findings.map(({ path }) => path), [
      "other.txt",
    ]);

    const unclean = await gateOn(fixture, {
      base: fixture.main,
      head: fixture.fix,
      files: await (async () => {
        git(root, "checkout", "-q", fixture.main);
        writeFiles(root, { "untracked.txt": "x" });
        return await proofOf(root, PATCH);
      })(),
    });
    assert.equal(brief(unclean), "closed base:base_has_more head:result_tree_differs");

    const unrelated = git(root, "commit-tree", "-m", "x", `${fixture.fix}^{tree}`);
    const alone = await gateOn(fixture, { head: unrelated });
    assert.equal(brief(alone), "closed policy? patch? targets? conditions? base:no_merge_base head? tests?");
  }));

Deno.test("gate: who is not trusted is not believed, and nothing that was said either", () =>
  onFixture({}, async (fixture) => {
    const { files } = fixture;
    const unbelieved = "proved? targets? conditions? base? tests?";
    const stripped = new Map([...files].filter(([name]) => name !== PROOF_ENVELOPE));
    assert.equal(
      brief(await gateOn(fixture, { files: stripped })),
      `closed signature:unsigned integrity? subject? freshness? ${unbelieved}`,
    );
    const stranger = { keys: [testKey(2).publicKey], threshold: 1, owners: new Map(), refused: [] };
    assert.equal(
      brief(await gateOn(fixture, { trust: stranger })),
      `closed signature:not_by_trusted_key integrity? subject? freshness? ${unbelieved}`,
    );
    const changed = new Map(files).set(
      "events.jsonl",
      new TextEncoder().encode('{"format":"veripatch-events/v1"}\n'),
    );
    assert.equal(
      brief(await gateOn(fixture, { files: changed })),
      `closed integrity:changed subject? ${unbelieved}`,
    );
    const late = { now: new Date(ISSUED_AT.getTime() + 10_000), maxAgeMs: 5_000 };
    assert.equal(brief(await gateOn(fixture, late)), `closed freshness:too_old ${unbelieved}`);
    assert.equal(
      brief(await gateOn(fixture, { nonce: "mine" })),
      `closed freshness:nonce_differs ${unbelieved}`,
    );
  }));

Deno.test("gate: another patch under the same signature", () =>
  onFixture({}, async (fixture) => {
    const { files } = fixture;
    const other = new TextEncoder().encode(PATCH.replace("a + b", "a * b"));
    const result = await gateOn(fixture, { files: new Map(files).set("final.patch", other) });
    assert.match(brief(result), /^closed bundle:bundle_inconsistent integrity:changed /);
  }));

Deno.test("gate: the policy is that of the merge base, whatever head makes of it", () =>
  onFixture({
    project: { ...PROJECT, "pp.yaml": `${POLICY}  deny_write: ["new/**"]\n` },
  }, async (fixture) => {
    assert.equal(brief(await gateOn(fixture)), "closed patch:path_denied");
    const loosened = await headWith(fixture, (root) => writeFiles(root, { "pp.yaml": POLICY }));
    assert.equal(loosened.brief, "closed patch:path_denied head:not_in_patch");
    assert.deepEqual(loosened.paths, ["pp.yaml"]);
  }));

Deno.test("gate: a patch that writes the policy is refused, also when it was proved", () =>
  onFixture({
    patch: PATCH.replace(
      "diff --git a/run.sh",
      `diff --git a/pp.yaml b/pp.yaml
--- a/pp.yaml
+++ b/pp.yaml
@@ -1,3 +1,4 @@
+# loosened
 proof_targets:
   - name: tests
     cmd: python3 -m pytest -q
diff --git a/run.sh`,
    ),
  }, async (fixture) => {
    assert.equal(brief(await gateOn(fixture)), "closed patch:path_policy_file");
  }));

Deno.test("gate: a policy that cannot judge closes the gate", () =>
  inTempDir(async (directory) => {
    const cases: [what: string, files: Record<string, string | null>, brief: string][] = [
      ["none", { "pp.yaml": null }, "closed policy:policy_missing patch? targets? conditions? tests?"],
      ["several", { "pp.json": "{}" }, "closed policy:policy_ambiguous patch? targets? conditions? tests?"],
      [
        "malformed",
        { "pp.yaml": "proof_target: []\n" },
        "closed policy:policy_malformed patch? targets? conditions? tests?",
      ],
      [
        "a link",
        { "pp.yaml": null, "real.yaml": POLICY },
        "closed policy:policy_unreadable patch? targets? conditions? tests?",
      ],
      [
        "no targets",
        { "pp.yaml": "policy:\n  sandbox:\n    container_image: python:3.12\n" },
        "closed policy:no_targets",
      ],
    ];
    for (const [what, changes, want] of cases) {
      const project = Object.fromEntries(
        Object.entries({ ...PROJECT, ...changes }).filter((entry): entry is [string, string] =>
          entry[1] !== null
        ),
      );
      const at = join(directory, what.replaceAll(" ", "_"));
      await Deno.mkdir(at);
      if (what === "a link") {
        await Deno.mkdir(join(at, "repo"), { recursive: true });
        await Deno.symlink("real.yaml", join(at, "repo", "pp.yaml"));
      }
      const fixture = await gateFixture(at, { project });
      const result = await gateOn(fixture);
      assert.equal(brief(result), want, what);
      if (what === "malformed") {
        const [first] = result.checks.find(({ id }) => id === "policy")!.findings;
        assert.deepEqual([first!.path, first!.line], ["pp.yaml", 1]);
      }
    }
  }));

function policyOf(text: string): NonNullable<GateAsked["policy"]> {
  const parsed = parsePolicy(text, "mine.yaml");
  assert.ok(parsed.ok, text);
  return { config: parsed.config, source: "mine.yaml" };
}

Deno.test("gate: paths, limits, secrets, targets and conditions by the verifier's own policy", () =>
  onFixture({}, async (fixture) => {
    const cases: [text: string, brief: string][] = [
      [POLICY, "open"],
      [`${POLICY}  write_allowlist: ["*.py"]\n`, "closed patch:path_not_allowlisted"],
      [`${POLICY}  limits: {max_files_changed: 3}\n`, "closed patch:too_many_files"],
      [`${POLICY}  limits: {max_patch_bytes: 100}\n`, "closed patch:patch_too_large"],
      [
        POLICY.replace("policy:\n", "  - name: lint\n    cmd: ruff check\npolicy:\n"),
        "closed targets:target_not_proved",
      ],
      [
        POLICY.replace("pytest -q", "pytest"),
        "closed targets:command_not_allowed+target_not_proved",
      ],
      [POLICY.replace("3.12", "3.11"), "closed conditions:image_differs"],
      [`${POLICY}    backend: copy\n`, "closed conditions:sandbox_differs"],
      [`${POLICY}  verify: {repeat: 3}\n`, "closed conditions:too_few_runs"],
      [
        `${POLICY}  verify: {negative_control: {files: {tests/test_sentinel.py: "assert False"}}}\n`,
        "closed conditions:negative_control_missing",
      ],
      [`${POLICY}  protect: {also: [calc.py]}\n`, "closed tests:path_protected"],
      [`${POLICY}  protect: {also: [calc.py], allow: [calc.py]}\n`, "open"],
    ];
    for (const [text, want] of cases) {
      assert.equal(brief(await gateOn(fixture, { policy: policyOf(text) })), want, text);
    }
    const { policy } = policyOf(`${POLICY}  protect: {also: [calc.py]}\n`).config;
    const adjusted = await gateOn(fixture, {
      policy: policyOf(`${POLICY}  protect: {also: [calc.py]}\n`),
      adjust: (config) => ({
        ...config,
        policy: { ...policy, protect: { ...policy.protect, allow: ["*.py"] } },
      }),
    });
    assert.equal(brief(adjusted), "open", "the verifier's flags count");
    const { notes } = adjusted.checks.find(({ id }) => id === "tests")!;
    assert.deepEqual(notes.map(({ code, path }) => [code, path]), [["protected_touched", "calc.py"]]);
  }));

Deno.test("gate: a secret in the patch, a changed test, a sandbox that is none, a network", () =>
  inTempDir(async (directory) => {
    const { environment, policy } = record();
    const cases: [what: string, options: FixtureOptions, brief: string][] = [
      ["secret", { patch: PATCH.replace("+made", "+sk-secret") }, "closed patch:secret_in_patch"],
      [
        "test",
        {
          patch: `diff --git a/tests/test_calc.py b/tests/test_calc.py
--- a/tests/test_calc.py
+++ b/tests/test_calc.py
@@ -1,4 +1,4 @@
 from calc import add
${" "}
 def test_add():
-    assert add(1, 2) == 3
+    pass
`,
        },
        "closed tests:path_protected",
      ],
      [
        "fake",
        { over: { environment: { ...environment, backend: "fake", image: null } } },
        "closed conditions:sandbox_fake",
      ],
      [
        "network",
        { over: { policy: { ...policy, policy: { ...policy.policy, network: "allow" } } } },
        "closed conditions:network_allowed",
      ],
      [
        "flagged",
        { over: { findings: [{ code: "tests_vanished", path: null, rule: null, detail: "one is gone" }] } },
        "closed tests:tests_vanished",
      ],
    ];
    for (const [what, options, want] of cases) {
      await Deno.mkdir(join(directory, what));
      assert.equal(brief(await gateOn(await gateFixture(join(directory, what), options))), want, what);
    }
  }));

Deno.test("gate: a negative control that failed as the policy wants it", () =>
  onFixture({
    over: {
      negativeControl: {
        files: [{ path: "tests/test_sentinel.py", sha256: sha256("assert False") }],
        targets: ["tests"],
        outcome: "failed",
        runs: [verified("failed", "red\n")],
      },
    },
  }, async (fixture) => {
    const control = (text: string, targets = "[]") =>
      policyOf(
        `${POLICY}  verify: {negative_control: {files: {tests/test_sentinel.py: "${text}"}, targets: ${targets}}}\n`,
      );
    assert.equal(brief(await gateOn(fixture, { policy: control("assert False") })), "open");
    assert.equal(brief(await gateOn(fixture, { policy: control("assert False", "[tests]") })), "open");
    assert.equal(
      brief(await gateOn(fixture, { policy: control("assert True") })),
      "closed conditions:negative_control_missing",
    );
  }));

Deno.test("gate: the test report that the policy names must have been read, and no patch may bring it", () =>
  inTempDir(async (directory) => {
    const withReport = (path: string) =>
      policyOf(POLICY.replace("pytest -q\n", `pytest -q\n    report: {format: junit, path: ${path}}\n`));
    await Deno.mkdir(join(directory, "plain"));
    const plain = await gateFixture(join(directory, "plain"));
    const policy = withReport("out/report.xml");
    assert.equal(brief(await gateOn(plain, { policy })), "closed tests:report_missing");
    await Deno.mkdir(join(directory, "reported"));
    const { targets } = reported();
    const told = await gateFixture(join(directory, "reported"), { over: { targets } });
    const open = await gateOn(told, { policy });
    assert.equal(brief(open), "open");
    assert.match(
      open.checks.find(({ id }) => id === "tests")!.detail,
      /tests fixed 1, kept 1 passing, lost none$/,
    );
    assert.equal(
      brief(await gateOn(told, { policy: withReport("other.xml") })),
      "closed tests:report_missing",
    );
    assert.equal(brief(await gateOn(told)), "open", "the merge base's policy names none");
    const brought = await gateOn(told, { policy: withReport("new/note.txt") });
    assert.equal(brief(brought), "closed patch:path_kept_out tests:report_missing");
  }));

Deno.test("gate: what judges a change must not come with it", () =>
  onFixture({}, async (fixture) => {
    const files = [{ what: "trust file", paths: ["trust.yaml"] }, {
      what: "key",
      paths: ["keys/ci.pub.pem"],
    }];
    const asked = { verifierFiles: files };
    assert.equal(brief(await gateOn(fixture, asked)), "open", "head leaves them alone");
    const write = (path: string) => (root: string) => writeFiles(root, { [path]: "my own\n" });
    const closed = "closed verifier_files:changed_by_head head:not_in_patch";
    assert.equal((await headWith(fixture, write("trust.yaml"), asked)).brief, closed);
    assert.equal((await headWith(fixture, write("keys/ci.pub.pem"), asked)).brief, closed);
    const linked = await headWith(
      fixture,
      (root) => Deno.symlinkSync("elsewhere", join(root, "keys")),
      asked,
    );
    assert.equal(linked.brief, closed, "a link above it");
  }));

Deno.test("gate: a change that begins at an old commit cannot choose the policy or the keys of then", () =>
  onFixture({}, async (fixture) => {
    const { root } = fixture;
    const asked = { verifierFiles: [{ what: "trust file", paths: ["trust.yaml"] }] };
    git(root, "checkout", "-q", "main");
    writeFiles(root, { "trust.yaml": "the stolen key is revoked\n" });
    commitAll(root);
    assert.equal(brief(await gateOn(fixture, asked)), "closed verifier_files:outdated_in_head");
    assert.equal(brief(await gateOn(fixture)), "open", "keys from elsewhere");
    writeFiles(root, { "pp.yaml": POLICY.replace("policy:", "policy:\n  deny_write: [calc.py]") });
    commitAll(root);
    assert.equal(brief(await gateOn(fixture)), "closed policy:policy_outdated");
    Deno.removeSync(join(root, "pp.yaml"));
    commitAll(root);
    assert.equal(brief(await gateOn(fixture)), "closed policy:policy_outdated", "none by now");
    const mine = policyOf(POLICY);
    assert.equal(brief(await gateOn(fixture, { policy: mine })), "open", "the verifier's own policy");
  }));

Deno.test("gate: a command of one's own before the policy's targets is no proof of them", () =>
  onFixture({}, (fixture) => {
    const envelope = parseEnvelope(fixture.files.get(PROOF_ENVELOPE)!);
    const read = readProofStatement(envelope.ok ? envelope.envelope.payload : new Uint8Array());
    assert.ok(read.ok);
    const { predicate } = read.statement;
    const [tests] = predicate.targets;
    const own = { name: "prepare", command: "make green", argv: ["make", "green"], shell: false };
    const { config } = policyOf(`${POLICY}  allowed_argv: [[make, green], [python3, -m, pytest, -q]]\n`);
    const judged = (targets: typeof predicate.targets) =>
      targetsCheck(config, { ...predicate, targets }).findings.map(({ code }) => code);
    assert.deepEqual(judged([own, tests!]), ["targets_reordered"]);
    assert.deepEqual(judged([tests!, own]), []);
    return Promise.resolve();
  }));

Deno.test("gate: names that are no commits are the caller's mistake", () =>
  onFixture({}, async (fixture) => {
    for (
      const [asked, code] of [[{ head: "nowhere" }, "ref_unknown"], [
        { base: "--all" },
        "ref_malformed",
      ]] as const
    ) {
      await assert.rejects(
        gateOn(fixture, asked),
        (error: Failure) =>
          error.kind === "usage" && error.code === code && /--(head|base)/.test(error.message),
      );
    }
  }));

Deno.test("gate: a proved file that takes another's place in checkouts where case does not count", () =>
  onFixture({ project: { ...PROJECT, "new/NOTE.txt": "another\n" } }, async (fixture) => {
    assert.equal(brief(await gateOn(fixture)), "closed head:path_collides");
  }));

Deno.test("gate: a proved file where no workspace is looked at, so that later proofs would run without it", () =>
  onFixture({ project: { ...PROJECT, ".ppignore": "new/\n" } }, async (fixture) => {
    const told = await gateOn(fixture);
    assert.equal(brief(told), "closed head:path_ignored");
    const [finding] = told.checks.find(({ id }) => id === "head")!.findings;
    assert.equal(finding!.path, "new/note.txt");
  }));

Deno.test("gate: a patch that is empty or in another form than the canonical one", () =>
  onFixture({}, async (fixture) => {
    const foreign = PATCH.replace("@@ -1,2 +1,2 @@\n def", "@@ -1,2 +1,2 @@ somewhere\n def");
    git(fixture.root, "checkout", "-q", "main");
    const files = await proofOf(fixture.root, foreign);
    assert.equal(brief(await gateOn(fixture, { files })), "closed patch:patch_not_canonical head? tests?");
  }));

const CONFIRMED: ReplayResult = {
  verdict: "confirmed",
  reason: "confirmed",
  detail: "red without the patch, green with it",
  checks: {},
  environment: null,
  asRecorded: true,
  base: [],
  patched: [],
  control: [],
  findings: [],
  minimal: null,
  differences: [],
};

Deno.test("gate: a replay made here is made last, on the merge base, and must confirm", () =>
  onFixture({}, async (fixture) => {
    const replay = { kind: "here" } as const;
    const seen: string[] = [];
    const replayHere =
      (result: Partial<ReplayResult>): NonNullable<GateAsked["replayHere"]> => (tree, claim) => {
        seen.push(`${tree.commit} ${claim.targets[0]!.command}`);
        return Promise.resolve({ ...CONFIRMED, ...result });
      };
    assert.equal(brief(await gateOn(fixture, { replay, replayHere: replayHere({}) })), "open");
    assert.deepEqual(seen, [`${fixture.main} python3 -m pytest -q`]);
    for (const verdict of ["contradicted", "inconclusive"] as const) {
      const told = await gateOn(fixture, {
        replay,
        replayHere: replayHere({ verdict, reason: "patched_fails" }),
      });
      assert.equal(brief(told), "closed replay:patched_fails");
    }
    seen.length = 0;
    const policy = policyOf(`${POLICY}  verify: {repeat: 3}\n`);
    assert.equal(
      brief(await gateOn(fixture, { replay, policy, replayHere: replayHere({}) })),
      "closed conditions:too_few_runs replay?",
    );
    assert.deepEqual(seen, [], "nothing is run before everything else has passed");
  }));

Deno.test("gate: a signed summary must be a trusted replayer's, about exactly this proof, and confirm it", () =>
  onFixture({}, async (fixture) => {
    const envelope = parseEnvelope(fixture.files.get(PROOF_ENVELOPE)!);
    assert.ok(envelope.ok);
    const read = readProofStatement(envelope.envelope.payload);
    assert.ok(read.ok);
    const { subjects, predicate } = read.statement;
    const replayer = testKey(7);
    const facts: ReplayFacts = {
      format: "veripatch-replay-summary/v1",
      session: predicate.session,
      verdict: "confirmed",
      reason: "confirmed",
      targets: predicate.targets,
      repeat: 2,
      base_tree: predicate.base.tree,
      base: { runs: 2, passed: 0, failed: 2, timed_out: 0 },
      patched: { runs: 2, passed: 2, failed: 0, timed_out: 0 },
      control: null,
      findings: [],
      sandbox: {
        backend: "container",
        image: { name: "python:3.12", id: "sha256:1" },
        network: "deny",
        as_recorded: true,
      },
      signers: [testKey(1).publicKey.id],
      minimal: null,
      checks: [{ check: "patched_green", verdict: "passed" }],
    };
    const summary = (over: Partial<ReplayFacts> = {}, key = replayer, changes = {}) => {
      const payload = summaryStatement({
        subjects,
        verifiedAt: new Date(ISSUED_AT.getTime() + 30_000),
        toolVersion: "0.1.0",
        policy: { digest: sha256("policy"), source: null },
        attestation: sha256(fixture.files.get(PROOF_ENVELOPE)!),
        replay: { ...facts, ...over },
        ...changes,
      });
      return renderEnvelope(signEnvelope(PAYLOAD_TYPE, payload, [key]));
    };
    const judged = async (envelope: Uint8Array, asked: GateAsked = {}) => {
      const trust = { keys: [replayer.publicKey], threshold: 1, owners: new Map(), refused: [] };
      return brief(await gateOn(fixture, { replay: { kind: "summary", envelope, trust }, ...asked }));
    };
    assert.equal(await judged(summary()), "open");
    assert.equal(
      await judged(summary({}, testKey(1))),
      "closed replay:not_by_trusted_key",
      "the prover's own word",
    );
    assert.equal(
      await judged(summary({ verdict: "contradicted", reason: "patched_fails" })),
      "closed replay:replay_contradicted",
    );
    assert.equal(
      await judged(summary({}, replayer, { attestation: sha256("another") })),
      "closed replay:summary_attestation_differs",
    );
    assert.equal(
      await judged(summary({}, replayer, { subjects: { ...subjects, patch: sha256("x") } })),
      "closed replay:summary_subjects_differ",
    );
    assert.equal(
      await judged(summary({ targets: [{ name: "t", command: "true", argv: ["true"], shell: false }] })),
      "closed replay:target_not_replayed",
    );
    assert.equal(await judged(summary({ base_tree: sha256("x") })), "closed replay:replayed_other_base");
    assert.equal(
      await judged(summary({ sandbox: { ...facts.sandbox!, network: "allow" } })),
      "closed replay:network_allowed",
    );
    assert.equal(
      await judged(summary({ sandbox: { ...facts.sandbox!, backend: "fake" } })),
      "closed replay:sandbox_fake",
    );
    for (const image of [null, { name: "lenient:1", id: "sha256:1" }]) {
      const elsewhere = summary({ sandbox: { ...facts.sandbox!, image } });
      assert.equal(await judged(elsewhere), "closed replay:image_differs");
    }
    const first = { name: "first", command: "true", argv: ["true"], shell: false };
    assert.equal(
      await judged(summary({ targets: [first, ...facts.targets] })),
      "closed replay:replayed_other_targets",
    );
    assert.match(
      await judged(summary(), { policy: policyOf(`${POLICY}  verify: {repeat: 3}\n`) }),
      /replay:too_few_runs$/,
    );
    // The prover may be a replayer of others' proofs, not of their own, whatever key of theirs signs.
    const [alice, other] = [testKey(1), testKey(3)];
    const owners = new Map([[alice.publicKey.id, "alice"], [other.publicKey.id, "alice"]]);
    const keys = [alice.publicKey, other.publicKey, replayer.publicKey];
    const file = {
      keys,
      threshold: 1,
      owners: new Map([...owners, [replayer.publicKey.id, "bob"]]),
      refused: [],
    };
    const proved = { keys: [alice.publicKey], threshold: 1, owners, refused: [] };
    const told = async (signer: typeof alice, threshold = 1) => {
      const replay = {
        kind: "summary",
        envelope: summary({}, signer),
        trust: { ...file, threshold },
      } as const;
      return brief(await gateOn(fixture, { trust: proved, replay }));
    };
    assert.equal(await told(replayer), "open");
    assert.equal(await told(alice), "closed replay:replayer_is_prover");
    assert.equal(await told(other), "closed replay:replayer_is_prover");
    const byKeys = { keys: [alice.publicKey], threshold: 1, owners: new Map(), refused: [] };
    const own = { kind: "summary", envelope: summary({}, alice), trust: byKeys } as const;
    assert.equal(brief(await gateOn(fixture, { replay: own })), "closed replay:replayer_is_prover");
    const stranger = { keys: [testKey(2).publicKey], threshold: 1, owners: new Map(), refused: [] };
    assert.match(
      await judged(summary(), { trust: stranger }),
      /replay\?$/,
      "an unbelieved proof is not confirmed",
    );
  }));

Deno.test("gate: no byte of a bundle may change, and no file be missing or added", () =>
  onFixture({}, async (fixture) => {
    const names = [...fixture.files.keys()];
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...names),
        fc.nat(),
        fc.integer({ min: 1, max: 255 }),
        fc.constantFrom("flip", "cut", "remove", "add"),
        async (name, at, mask, what) => {
          const files = new Map(fixture.files);
          const bytes = files.get(name)!.slice();
          if (what === "remove") files.delete(name);
          else if (what === "add") files.set("run_9.txt", bytes);
          else if (what === "cut") {
            files.set(name, bytes.length === 0 ? Uint8Array.of(10) : bytes.slice(0, -1));
          } else {
            if (bytes.length > 0) bytes[at % bytes.length]! ^= mask;
            files.set(name, bytes.length === 0 ? Uint8Array.of(mask) : bytes);
          }
          // Blanks around an envelope say nothing and are not signed.
          const text = (of: Uint8Array) => new TextDecoder().decode(of).trim();
          fc.pre(
            name !== PROOF_ENVELOPE || what === "add" || what === "remove" ||
              text(files.get(name)!) !== text(fixture.files.get(name)!),
          );
          assert.equal((await gateOn(fixture, { files })).verdict, "closed", `${what} ${name}`);
        },
      ),
      { numRuns: 60 },
    );
  }));
