import assert from "node:assert/strict";
import { pp, type PpResult, withFolder } from "./process.ts";

interface Place {
  readonly cwd: string;
  run(args: readonly string[], stdin?: string, env?: Record<string, string>): Promise<PpResult>;
  // deno-lint-ignore no-explicit-any
  json(...args: readonly string[]): Promise<any>;
}

const APP = "import os\n\n\ndef run():\n    return 1\n";

/** A workspace `w` that is stored as api@1, in a store `s`. */
async function withProject(use: (place: Place) => Promise<void>, policy?: string): Promise<void> {
  const files = {
    "w/src/app.py": APP,
    "w/b.txt": "one\ntwo\nthree\n",
    ...(policy ? { "pp.yaml": policy } : {}),
  };
  await withFolder(files, async (cwd) => {
    const own = { PP_STORE: `${cwd}/s`, PP_ACTOR: "ann", HOME: cwd, XDG_CONFIG_HOME: "", PP_PROVIDER: "" };
    const run: Place["run"] = (args, stdin, env) =>
      pp(args, { cwd, env: { ...own, ...env }, ...(stdin === undefined ? {} : { stdin }) });
    const made = await run(["artifact", "create", "api", "--workspace", "w"]);
    assert.equal(made.code, 0, made.stderr);
    await use({
      cwd,
      run,
      json: async (...args) => {
        const { stdout, stderr } = await run([...args, "--json"]);
        assert.notEqual(stdout, "", stderr);
        return JSON.parse(stdout);
      },
    });
  });
}

const DIFF = "--- a/b.txt\n+++ b/b.txt\n@@ -1,3 +1,3 @@\n one\n-two\n+2\n three\n";

Deno.test("pp propose: each kind of source becomes a proposal with one canonical patch", async () => {
  await withProject(async ({ cwd, run, json }) => {
    await Deno.writeTextFile(`${cwd}/fix.diff`, "Sure!\n```diff\n" + DIFF + "```\n");
    await Deno.writeTextFile(
      `${cwd}/edits.yaml`,
      "title: two at once\nedits:\n  - { file: b.txt, old: one, new: uno }\n  - { file: new/c.txt, code: c }\n",
    );
    await Deno.writeTextFile(`${cwd}/agent.sh`, `#!/bin/sh\ncat > "$PWD/request.json"\ncat fix.diff\n`);
    await Deno.chmod(`${cwd}/agent.sh`, 0o755);
    const app = ["--file", "src/app.py"];
    for (
      const [args, stdin, title] of [
        [["--patch", "fix.diff"], undefined, "change b.txt"],
        [["--patch", "-", "--title", "from stdin"], DIFF, "from stdin"],
        [["--file", "b.txt", "--old", "two", "--new", "2"], undefined, "change b.txt"],
        [[...app, "--code-file", "-", "--at", "end"], "\n\ndef more():\n    return 2\n", "change src/app.py"],
        [[...app, "--code", "x = 1\n", "--at", "after:import os"], undefined, "change src/app.py"],
        [["--file", "fresh.txt", "--code", "hi\n"], undefined, "change fresh.txt"],
        [["--template", "add-import", ...app, "--param", "module=json"], undefined, "change src/app.py"],
        [["--instruction", "make two 2\nplease", "--patch", "fix.diff"], undefined, "make two 2"],
        [["--edits", "edits.yaml"], undefined, "two at once"],
      ] as const
    ) {
      const done = await run(["propose", "api", ...args, "--json"], stdin);
      assert.equal(done.code, 0, `${args}: ${done.stderr}`);
      const made = JSON.parse(done.stdout);
      assert.deepEqual([made.status, made.title, made.base_version], ["proposed", title, 1]);
      const { stdout } = await run(["proposal", "diff", made.name]);
      assert.match(stdout, /^diff --git a\//);
    }
    const instruction = ["--instruction", "see b.txt", ...app, "--provider", "command"];
    const asked = await run(["propose", "api", ...instruction, "--json"], undefined, {
      PP_COMMAND: `${cwd}/agent.sh`,
    });
    assert.equal(asked.code, 0, asked.stderr);
    const request = JSON.parse(await Deno.readTextFile(`${cwd}/request.json`));
    assert.equal(request.instruction, "see b.txt");
    assert.deepEqual(request.snippets.map(({ path }: { path: string }) => path), ["src/app.py", "b.txt"]);
    const list = await json("proposal", "list", "--mine", "--state", "proposed");
    assert.equal(list.proposals.length, 10);
    assert.equal((await json("proposal", "list", "--limit", "3")).more, true);
    for (const list of ["proposal", "approval"]) {
      const cut = await run([list, "list", "--limit", "3"]);
      assert.deepEqual([cut.code, cut.stdout.split("\n").length - 1], [0, 3], "only rows are on stdout");
      assert.equal(cut.stderr, "there are more than 3: --limit shows more\n");
    }
    assert.equal((await run(["proposal", "list", "--limit", "10"])).stderr, "");
    const { code } = await run(["events", "--verify"]);
    assert.equal(code, 0);
  });
});

Deno.test("pp propose: --workspace stores what differs first; the patch applies to exactly that", async () => {
  await withProject(async ({ cwd, run, json }) => {
    const change = ["--workspace", "w", "--file", "b.txt", "--old", "two", "--new", "2"];
    const same = await json("propose", "api", ...change);
    assert.equal(same.base_version, 1);
    await Deno.writeTextFile(`${cwd}/w/b.txt`, "zero\none\ntwo\nthree\n");
    const next = await json("propose", "api", ...change);
    assert.equal(next.base_version, 2);
    assert.equal((await run(["propose", "api@1", ...change])).code, 64);
    const shown = await json("proposal", "show", "P2");
    assert.equal(shown.files[0].hunks[0].new.end, 4);
    await Deno.writeTextFile(`${cwd}/p2.diff`, shown.patch.diff);
    const git = await new Deno.Command("git", { args: ["apply", "--check", "../p2.diff"], cwd: `${cwd}/w` })
      .output();
    assert.equal(git.code, 0);
  });
});

Deno.test("pp propose: wrong calls say what to do, and store nothing", async () => {
  await withProject(async ({ run }) => {
    for (
      const [args, code, said] of [
        [[], 64, /nothing to propose.*\nhint: give --patch/],
        [["--patch", "x", "--edits", "y"], 64, /two ways/],
        [["--patch", "x", "--at", "end"], 64, /--at says nothing beside --patch/],
        [["--old", "a", "--new", "b"], 64, /--old needs --file/],
        [["--file", "b.txt", "--old", "a"], 64, /--new or --new-file is missing/],
        [["--file", "b.txt", "--code", "a", "--at", "middle"], 64, /--at takes start/],
        [["--file", "b.txt", "--old", "nowhere", "--new", "b"], 65, /the change cannot be made/],
        [["--file", "b.txt", "--code", "x"], 65, /made: b\.txt exists already\nhint: .*--at PLACE/],
        [["--file", "../b.txt", "--code", "x"], 65, /no path of the workspace/],
        [["--patch", "gone.diff"], 64, /there is no patch gone.diff/],
        [
          ["--instruction", "x"],
          69,
          /there is no provider to answer the instruction\nhint: name one with --provider/,
        ],
        [["--instruction", "x", "--provider", "stub"], 2, /^$/],
        [["--instruction", "x", "--file", "gone.py", "--provider", "stub"], 64, /there is no file gone.py/],
        [
          ["--template", "nope", "--file", "src/app.py"],
          65,
          /there is no template.*\nhint: .*pp template list/,
        ],
        [
          ["--template", "add-import", "--file", "src/app.py", "--param", "nope=1"],
          65,
          /no parameter "nope".*\nhint: .*pp template show/,
        ],
        [["--template", "add-import", "--file", "src/app.py", "--param", "module"], 64, /name=value/],
        [["--file", "b.txt", "--old", "two", "--new", "two"], 65, /changes? nothing/],
      ] as const
    ) {
      const done = await run(["propose", "api", ...args]);
      assert.equal(done.code, code, `${args}: ${done.stderr}`);
      assert.match(done.stderr, said);
    }
    assert.equal((await run(["propose", "other", "--patch", "-"], DIFF)).code, 64);
    assert.match((await run(["proposal", "list"])).stdout, /no proposals/);
    assert.equal((await run(["proposal", "show", "P1"])).code, 64);
  });
});

Deno.test("pp propose: a bad file of edits names every problem with its line", async () => {
  await withProject(async ({ run }) => {
    const done = await run(
      ["propose", "api", "--edits", "-"],
      "edits:\n  - file: b.txt\n    olt: x\n  - patch: 3\n",
    );
    assert.equal(done.code, 65);
    assert.match(done.stderr, /standard input:3:5 edits\[0\]\.olt/);
    assert.match(done.stderr, /standard input:4/);
  });
});

Deno.test("pp propose: what the policy lets no patch write is stored, cannot be approved, and can be revised", async () => {
  await withProject(async ({ run, json }) => {
    const done = await run(["propose", "api", "--patch", "-"], DIFF);
    assert.equal(done.code, 2);
    assert.match(done.stdout, /patch {4}failed.*\n {2}error {2}b\.txt {2}deny_write/);
    assert.match(done.stdout, /denied {3}the policy lets no patch write that\n/);
    const revised = await run(
      ["propose", "api", "--revise", "P1", "--file", "src/app.py", "--old", "return 1", "--new", "return 2"],
    );
    assert.equal(revised.code, 0, revised.stderr);
    assert.match(revised.stdout, /^P1\.2 {2}proposed/);
    const shown = await json("proposal", "show", "P1.1");
    assert.equal(shown.state, "superseded");
    const between = await run(["proposal", "diff", "P1.1", "P1.2"]);
    assert.match(between.stdout, /-2\n\+two\n/);
    assert.match(between.stdout, /\+ {4}return 2\n/);
  }, "policy:\n  deny_write: [b.txt]\n");
});

Deno.test("pp proposal: a draft is checked later; withdrawn is withdrawn", async () => {
  await withProject(async ({ run, json }) => {
    const draft = await run(["propose", "api", "--patch", "-", "--draft"], DIFF);
    assert.equal(draft.code, 0, draft.stderr);
    assert.match(draft.stdout, /^P1\.1 {2}draft/);
    assert.equal((await json("proposal", "show", "P1")).evidence, null);
    const checked = await json("proposal", "check", "P1");
    assert.equal(checked.status, "proposed");
    assert.equal(checked.checks.length, 6);
    assert.equal((await run(["proposal", "check", "P1"])).code, 2);
    const gone = await run(["proposal", "withdraw", "P1", "--reason", "not\u202e now"]);
    assert.equal(gone.code, 0);
    assert.match(gone.stdout, /withdrawn: not\\u\{202e\} now/);
    assert.equal((await run(["proposal", "withdraw", "P1", "--reason", "again"])).code, 2);
    assert.equal((await json("proposal", "show", "P1")).state, "rejected");
  });
});

Deno.test("pp proposal rebase: onto the newest version, or the conflicts by file, line and reason", async () => {
  await withProject(async ({ cwd, run, json }) => {
    await run(["propose", "api", "--patch", "-"], DIFF);
    assert.match((await run(["proposal", "rebase", "P1"])).stdout, /is based on api@1 already/);
    await Deno.writeTextFile(`${cwd}/w/b.txt`, "one\ntwo\nthree\nfour\n");
    await run(["artifact", "create", "api", "--workspace", "w"]);
    assert.match((await run(["proposal", "show", "P1"])).stdout, /the newest is @2: pp proposal rebase P1/);
    const rebased = await run(["proposal", "rebase", "P1"]);
    assert.equal(rebased.code, 0, rebased.stderr);
    const shown = await json("proposal", "show", "P1");
    assert.deepEqual([shown.name, shown.base.version], ["P1.2", 2]);
    assert.deepEqual(shown.evidence.document.rebased_from.clean, true);
    assert.deepEqual(shown.evidence.document.rebased_from.findings_grew, false);
    await Deno.writeTextFile(`${cwd}/w/b.txt`, "one\nII\nthree\nfour\n");
    await run(["artifact", "create", "api", "--workspace", "w"]);
    const conflict = await run(["proposal", "rebase", "P1"]);
    assert.equal(conflict.code, 2);
    assert.match(conflict.stdout, /b\.txt:2 {2}both_changed/);
    assert.match(conflict.stdout, /^next {5}pp resolve P1 --rebase says/m);
    assert.match((await run(["resolve", "P1"])).stdout, /^next {5}pp resolve P1 --rebase --file FILE/m);
    const told = await json("proposal", "rebase", "P1");
    assert.deepEqual(
      told.conflicts.map(({ path, line, reason }: Record<string, unknown>) => [path, line, reason]),
      [
        ["b.txt", 2, "both_changed"],
      ],
    );
    const listed = await run(["resolve", "P1"]);
    assert.deepEqual([listed.code, /b\.txt:2 {2}both_changed/.test(listed.stdout)], [2, true], listed.stdout);
    assert.match(listed.stdout, /b\.txt:2 .* with api@3$/m);
    assert.equal((await json("resolve", "P1")).conflicts[0].onto, "api@3");
    const marked = await run(["resolve", "P1", "--file", "b.txt", "--show"]);
    assert.match(marked.stdout, /^<{7}.*\nII\n(.*\n)*={7}\n2\n>{7}/m);
    await Deno.writeTextFile(`${cwd}/edited`, "one\nII, which is 2\nthree\nfour\n");
    const resolved = await run(["resolve", "P1", "--file", "b.txt", "--edited", "edited"]);
    assert.equal(resolved.code, 0, resolved.stderr);
    assert.match(resolved.stdout, /pp proposal rebase P1 makes a revision of what they were resolved to/);
    assert.match((await run(["resolve", "P1"])).stdout, /R b\.txt {2}resolved: edited with api@3$/m);
    const third = await json("proposal", "rebase", "P1");
    assert.deepEqual([third.name, third.status, third.base_version], ["P1.3", "proposed", 3]);
    const rebuilt = await json("proposal", "show", "P1");
    assert.match(rebuilt.patch.diff, /-II\n\+II, which is 2\n/);
    assert.deepEqual(rebuilt.source.steps[0].resolved, ["b.txt"]);
    assert.equal(rebuilt.evidence.document.rebased_from.clean, false);
    assert.ok(rebuilt.checks.some(({ kind }: { kind: string }) => kind === "patch"));
    await Deno.writeTextFile(`${cwd}/w/b.txt`, "one\nIII\nthree\nfour\n");
    await run(["artifact", "create", "api", "--workspace", "w"]);
    assert.equal((await run(["proposal", "rebase", "P1"])).code, 2);
    const theirs = await json("proposal", "rebase", "P1", "--merge-strategy", "theirs");
    assert.deepEqual([theirs.name, theirs.base_version], ["P1.4", 4]);
    const verified = await run(["events", "--verify"]);
    assert.equal(verified.code, 0, verified.stdout);
    // P1.4 replaces a line that api@2 does not have.
    assert.equal((await run(["proposal", "rebase", "P1", "--onto", "2"])).code, 2);
    assert.equal((await run(["proposal", "rebase", "P1", "--onto", "9"])).code, 64);
  });
});

Deno.test("pp propose --sign: the proposal's facts are signed, and a policy can ask for it", async () => {
  await withProject(async ({ run, json }) => {
    const unsigned = await run(["propose", "api", "--patch", "-"], DIFF);
    assert.equal(unsigned.code, 77);
    assert.match(unsigned.stderr, /wants proposals to be signed/);
    assert.equal((await run(["keygen", "-o", "me"])).code, 0);
    const signed = await run(["propose", "api", "--patch", "-", "--sign", "me.key.pem"], DIFF);
    assert.equal(signed.code, 0, signed.stderr);
    const { signature, evidence } = await json("proposal", "show", "P1");
    assert.equal(signature.key_id, evidence.document.proposer.key_id);
    assert.match(signature.envelope, /vnd\.veripatch\.proposal\+json/);
  }, "policy:\n  approval:\n    signed_proposals: true\n");
});

Deno.test("pp proposal: hostile names and code reach the terminal escaped", async () => {
  await withProject(async ({ run }) => {
    const diff = "--- /dev/null\n+++ b/\u202egpj.exe\n@@ -0,0 +1 @@\n+\u001b[31mred\u0007\n";
    const done = await run(["propose", "api", "--patch", "-", "--title", "a\u001b[2Jb"], diff);
    const shown = await run(["proposal", "show", "P1"]);
    const list = await run(["proposal", "list"]);
    for (const { stdout } of [done, shown, list]) {
      // deno-lint-ignore no-control-regex
      assert.doesNotMatch(stdout, /[\u0000-\u0009\u000b-\u001f\u202e]/);
    }
    assert.match(shown.stdout, /\\u\{202e\}gpj\.exe/);
  });
});

Deno.test("pp propose: a change of the trust file or the policy in use is flagged, wherever in the folder it lies", async () => {
  await withProject(async ({ cwd, run, json }) => {
    await Deno.mkdir(`${cwd}/w/conf`);
    await run(["trust", "init", "w/conf/who.txt"]);
    await Deno.writeTextFile(`${cwd}/w/conf/strict.txt`, "policy: {approval: {required: never}}\n");
    await Deno.symlink("w/conf/strict.txt", `${cwd}/rules`);
    await Deno.symlink("w/conf/who.txt", `${cwd}/who`);
    const more = ["--at", "end", "--code", "# more\n"];
    const change = (path: string) => ["--workspace", "w", "--file", path, ...more];
    for (const [i, trust] of ["w/conf/who.txt", "who"].entries()) {
      const terms = ["--trust", trust, "--policy", "rules"];
      const made = await json("propose", "api", ...change("conf/who.txt"), ...terms);
      const [patch] = made.checks.filter(({ kind }: { kind: string }) => kind === "patch");
      assert.deepEqual([made.status, patch.outcome, patch.summary], [
        ...["proposed", "needs_approval", "the trust file in use is touched"],
      ]);
      assert.deepEqual([patch.findings[0].code, patch.findings[0].path], [
        "file_in_use_touched",
        "conf/who.txt",
      ]);
      const shown = await run(["proposal", "show", `P${i + 1}`]);
      assert.match(
        shown.stdout,
        /^ {2}warning {2}conf\/who\.txt {2}the trust file in use: .* {2}file_in_use_touched$/m,
      );
      const approval = await run(["approval", "show", `P${i + 1}`, "--workspace", "w", "--trust", trust]);
      assert.match(approval.stdout, /^careful {3}touches the trust file in use: conf\/who\.txt$/m);
      // Not even where nobody has to approve.
      const applied = await run(["apply", `P${i + 1}`, "--workspace", "w", ...terms]);
      assert.equal(applied.code, 77, applied.stdout + applied.stderr);
    }
    const elsewhere = await json("propose", "api", ...change("conf/who.txt"), "--policy", "rules");
    assert.equal(elsewhere.checks.find(({ kind }: { kind: string }) => kind === "patch").outcome, "passed");
    const refused = await run(["propose", "api", ...change("conf/strict.txt"), "--policy", "rules"]);
    assert.equal(refused.code, 2, refused.stdout + refused.stderr);
    assert.match(refused.stdout, /^patch {4}failed {2,}the policy lets no patch do this/m);
  });
});
