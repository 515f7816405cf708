import assert from "node:assert/strict";
import { loadPolicy } from "../../src/policy/load.ts";
import type { FolderStore } from "../../src/store/folder/open.ts";
import type { Version } from "../../src/store/store.ts";
import type { FileChange } from "../../src/vocabulary/change.ts";
import { addKey, EMPTY_TRUST } from "../../src/sign/trust_edit.ts";
import { ANN, trusted } from "../approve/fixture.ts";
import { proposeChanges } from "../apply/fixture.ts";
import { openAt } from "../store/fixture.ts";
import { decideAs } from "../store/proposals.ts";
import { remove, write } from "../workspace/trees.ts";
import { PP, pp, type PpResult, withFolder } from "./process.ts";
import { withTerminal } from "./terminal.ts";

interface Given {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  pp(...args: readonly string[]): Promise<PpResult>;
  json(...args: readonly string[]): Promise<Readonly<Record<string, never>>>;
  /** Proposes changes to the newest version, under the policy of the folder. */
  propose(...changes: readonly FileChange[]): Promise<string>;
  /** Signed by ann, whom the trust file `trust.yaml` names. */
  approve(name: string): Promise<void>;
}

/** A folder `w` that is api@1, under a policy, and a store `s`. */
async function given(policy: string, use: (given: Given) => Promise<void>, trust = true): Promise<void> {
  const files = { "w/a.txt": "one\ntwo\nthree\n", "w/d/b.txt": "b\n", "w/pp.yaml": policy };
  await withFolder(files, async (cwd) => {
    const env = { PP_STORE: `${cwd}/s`, PP_ACTOR: "tester", HOME: cwd, XDG_CONFIG_HOME: "" };
    const run = (...args: readonly string[]) => pp(args, { cwd, env });
    const made = await run("artifact", "create", "api", "--workspace", "w");
    assert.equal(made.code, 0, made.stderr);
    if (trust) await trustAnn(cwd);
    const { digest, config } = await loadPolicy(`${cwd}/w`);
    const terms = {
      ...{
        trusted: trusted(),
        proposers: trusted(),
        threshold: 1,
        policy: config.policy,
        policyDigest: digest,
        proofAsked: false,
        inUse: [],
      },
      now: new Date(),
    };
    const opened = async <T>(work: (store: FolderStore) => Promise<T>) => {
      const store = openAt(`${cwd}/s`, false);
      try {
        return await work(store);
      } finally {
        store.close();
      }
    };
    await use({
      ...{ cwd, env },
      pp: run,
      json: async (...args) => JSON.parse((await run(...args, "--json")).stdout),
      propose: (...changes) =>
        opened(async (store) => {
          const base = store.records.read((rows) => rows.latest("api")) as Version;
          return `P${await proposeChanges(store, base, changes, "proposed", digest)}`;
        }),
      approve: (name) =>
        opened((store) => {
          const proposal = Number(name.slice(1));
          const { evidence } = store.records.read((rows) => rows.revision(proposal, 1))!;
          const by = { storeId: store.records.storeId, actor: "ann", now: new Date() };
          const decided = decideAs(store, by, { proposal, revision: 1, evidence }, ANN, {
            ...terms,
            now: by.now,
          });
          assert.ok(decided.ok, JSON.stringify(decided));
          return Promise.resolve();
        }),
    });
  });
}

async function trustAnn(cwd: string): Promise<void> {
  const asked = { name: "ann", roles: ["approver" as const], publicKey: ANN.publicKey };
  const text = addKey(EMPTY_TRUST, "trust.yaml", { ...asked, validFrom: null, validUntil: null });
  await Deno.mkdir(`${cwd}/.config/veripatch`, { recursive: true });
  await Deno.writeTextFile(`${cwd}/.config/veripatch/trust.yaml`, text);
}

const FREE = "policy:\n  approval:\n    required: never\n";
const STRICT = "policy:\n  approval:\n    required: always\n";
const args = ["--workspace", "w"];

Deno.test("pp apply, rollback, redo, history: what was approved goes in, comes out, and is told", async () => {
  await given(STRICT, async ({ cwd, pp, json, propose, approve }) => {
    const name = await propose(write("a.txt", "one\n2\nthree\n"), remove("d/b.txt"));
    const denied = await pp("apply", name, ...args);
    assert.equal(denied.code, 77, denied.stdout + denied.stderr);
    assert.match(denied.stdout, /P1\.1 is not approved: 1 more of 1 approver/);
    await approve(name);
    const tried = await pp("apply", name, "--dry-run", ...args);
    assert.equal(tried.code, 0, tried.stdout + tried.stderr);
    assert.match(tried.stdout, /^-two\n\+2$/m);
    assert.equal(await Deno.readTextFile(`${cwd}/w/a.txt`), "one\ntwo\nthree\n");
    const applied = await pp("apply", name, ...args);
    assert.equal(applied.code, 0, applied.stdout + applied.stderr);
    assert.match(applied.stdout, /^O1 {2}applied P1\.1 to .*\n {2}M a\.txt.*\n {2}D d\/b\.txt/);
    assert.match(applied.stdout, /api@2/);
    assert.equal(await Deno.readTextFile(`${cwd}/w/a.txt`), "one\n2\nthree\n");
    assert.equal((await pp("apply", name, ...args)).code, 2);
    const dry = await pp("rollback", "--dry-run", ...args);
    assert.match(
      dry.stdout,
      /^dry run {2}O1 would be taken back\n[^]*\nnext {5}the same without --dry-run\n$/,
    );
    const untested = await pp("apply", name, "--run-tests", ...args);
    assert.equal(untested.code, 64);
    assert.match(
      untested.stderr,
      /names no proof targets\nhint: --run-tests runs the proof_targets of the policy: add/,
    );
    assert.doesNotMatch(untested.stderr, /pp run/);
    const back = await json("rollback", ...args);
    assert.deepEqual([back.done, back.operation, back.targets], [true, "O2", ["O1"]]);
    assert.equal(await Deno.readTextFile(`${cwd}/w/a.txt`), "one\ntwo\nthree\n");
    assert.equal((await pp("rollback", ...args)).code, 64);
    assert.match((await pp("redo", ...args)).stdout, /^O3 {2}done again: what O2 took back\n/);
    const history = await json("history", ...args) as unknown as { operations: Record<string, unknown>[] };
    assert.deepEqual(history.operations.map(({ operation, kind, stands }) => [operation, kind, stands]), [
      ...[["O3", "redo", null], ["O2", "rollback", null], ["O1", "apply", true]],
    ]);
    assert.match((await pp("history", "show", "O1")).stdout, /D d\/b\.txt/);
    const cut = await pp("history", "--limit", "1", ...args);
    assert.match(cut.stdout, /^O3 [^]*$/);
    assert.doesNotMatch(cut.stdout, /O1 {2}|more than/);
    assert.equal(cut.stderr, "there are more than 1: --limit shows more\n");
    assert.equal(
      (await json("history", "--limit", "3", ...args) as unknown as { more: boolean }).more,
      false,
    );
    await Deno.writeTextFile(`${cwd}/w/a.txt`, "mine\n");
    const refused = await pp("rollback", "--id", name, ...args);
    assert.equal(refused.code, 2);
    assert.match(refused.stdout, /a\.txt {2}path_changed/);
    assert.match((await pp("history", "prune", "--older-than", "0s")).stdout, /O1, O2, O3/);
    await Deno.writeTextFile(`${cwd}/w/a.txt`, "one\n2\nthree\n");
    assert.match((await pp("rollback", ...args)).stdout, /backup_expired/);
    assert.equal((await pp("events", "--verify")).code, 0);
  });
});

Deno.test("pp apply: drift of the folder makes what was approved stale", async () => {
  await given(STRICT, async ({ cwd, pp, propose, approve }) => {
    const name = await propose(write("a.txt", "one\n2\nthree\n"));
    await approve(name);
    await Deno.writeTextFile(`${cwd}/w/d/b.txt`, "mine\n");
    const stale = await pp("apply", name, ...args);
    assert.equal(stale.code, 2, stale.stderr);
    assert.match(stale.stdout, /differs d\/b\.txt/);
    assert.match(stale.stdout, /pp proposal rebase P1/);
    const again = await pp("apply", name, ...args);
    assert.match(again.stdout, /P1\.1 is stale/);
  });
});

Deno.test("pp apply: an approval counts only while its key is trusted", async () => {
  await given(STRICT, async ({ cwd, pp, propose, approve }) => {
    const name = await propose(write("a.txt", "one\n2\nthree\n"));
    await approve(name);
    await Deno.remove(`${cwd}/.config/veripatch/trust.yaml`);
    const denied = await pp("apply", name, ...args);
    assert.equal(denied.code, 77, denied.stdout);
    assert.match(denied.stdout, /does not count/);
    assert.equal(await Deno.readTextFile(`${cwd}/w/a.txt`), "one\ntwo\nthree\n");
  });
});

Deno.test("pp redo: what would not be applied any more is not done again", async () => {
  await given(STRICT, async ({ cwd, pp, propose, approve }) => {
    const name = await propose(write("a.txt", "one\n2\nthree\n"));
    await approve(name);
    assert.equal((await pp("apply", name, ...args)).code, 0);
    assert.equal((await pp("rollback", ...args)).code, 0);
    const trust = `${cwd}/.config/veripatch/trust.yaml`;
    await Deno.rename(trust, `${cwd}/trust.yaml`);
    const denied = await pp("redo", ...args);
    assert.equal(denied.code, 77, denied.stdout + denied.stderr);
    assert.match(denied.stderr, /may not be applied any more: P1\.1 is not approved/);
    assert.equal(await Deno.readTextFile(`${cwd}/w/a.txt`), "one\ntwo\nthree\n");
    assert.equal((await pp("redo", ...args, "--trust", "trust.yaml")).code, 0);
    assert.equal(await Deno.readTextFile(`${cwd}/w/a.txt`), "one\n2\nthree\n");
  });
});

Deno.test("pp resolve: conflicts are listed, shown with markers, resolved and applied", async () => {
  await given(FREE, async ({ cwd, pp, json, propose }) => {
    const name = await propose(write("a.txt", "one\n2\nthree\n"));
    await Deno.writeTextFile(`${cwd}/w/a.txt`, "one\nTWO\nthree\n");
    const clash = await pp("apply", name, ...args);
    assert.equal(clash.code, 2, clash.stderr);
    assert.match(clash.stdout, /C a\.txt:2 {2}both_changed/);
    const listed = await pp("resolve", name, ...args);
    assert.deepEqual([listed.code, listed.stdout.includes(" with ")], [2, false], listed.stdout);
    const conflicts: readonly { readonly onto: unknown }[] = (await json("resolve", name, ...args))
      .conflicts!;
    assert.deepEqual(conflicts.map(({ onto }) => onto), [null]);
    const shown = await pp("resolve", name, "--file", "a.txt", "--show", ...args);
    assert.match(shown.stdout, /^<<<<<<<.*\nTWO\n=======\n2\n>>>>>>>/m);
    assert.equal((await pp("resolve", name, "--edited", "x", ...args)).code, 64);
    assert.equal((await pp("resolve", name, "--keep", "both", ...args)).code, 0);
    const applied = await json("apply", name, ...args);
    assert.equal(applied.applied, true);
    assert.equal(await Deno.readTextFile(`${cwd}/w/a.txt`), "one\nTWO\n2\nthree\n");
    const union = await propose(write("a.txt", "one\nTWO\nnew\nthree\n"));
    await Deno.writeTextFile(`${cwd}/w/a.txt`, "one\nTWO\nmine\nthree\n");
    assert.equal((await pp("apply", union, "--merge-strategy", "theirs", ...args)).code, 0);
    assert.equal(await Deno.readTextFile(`${cwd}/w/a.txt`), "one\nTWO\nnew\nthree\n");
  });
});

Deno.test("pp apply: a batch lands together; wrong calls are told with what to do", async () => {
  await given(FREE, async ({ cwd, pp, json, propose }) => {
    const [one, two] = [await propose(write("a.txt", "1\ntwo\nthree\n")), await propose(write("new", "n\n"))];
    const batch = await json("apply", one, two, "--atomic", ...args);
    assert.deepEqual([batch.operation, batch.revisions], ["O1", ["P1.1", "P2.1"]]);
    assert.equal(await Deno.readTextFile(`${cwd}/w/new`), "n\n");
    const cases: [string[], number, RegExp][] = [
      [["apply", "X1", ...args], 64, /is no proposal/],
      [["apply", "P9", ...args], 64, /there is no proposal P9/],
      [["apply", "P1", "P1", ...args], 64, /named twice/],
      [["apply", "P1", "--merge-strategy", "mine", ...args], 64, /--merge-strategy takes/],
      [["apply", "P1", "--keep-backups", "soon", ...args], 64, /--keep-backups takes/],
      [["apply", "P1", "--workspace", "nowhere"], 64, /not a directory/],
      [["apply", "P1", "--run-tests", ...args], 64, /names no proof targets/],
      [["rollback", "--id", "P9", ...args], 64, /P9 was not applied/],
      [["rollback", "--id", "O9", ...args], 64, /there is no O9/],
      [["rollback", "--last", "--count", "2", ...args], 64, /give one/],
      [["rollback", "--file", "../x", ...args], 64, /no path inside/],
      [["redo", ...args], 64, /nothing was taken back/],
      [["history", "show", "9"], 64, /is no operation/],
      [["resolve", "P1", "--keep", "mine", ...args], 64, /--keep takes/],
    ];
    for (const [call, code, message] of cases) {
      const result = await pp(...call);
      assert.equal(result.code, code, `${call.join(" ")}: ${result.stderr}`);
      assert.match(result.stderr, message);
    }
  });
});

/** What the editor does each time it is called, in turn. */
const EDITOR = `#!/bin/sh
turn=$(cat turn 2>/dev/null || echo 0)
echo $((turn + 1)) > turn
echo drawn
case $turn in
  0) exit 3 ;;
  1) : > "$1" ;;
  2) rm "$1" ;;
  3) sed -i 's/^-two/-other/' "$1" ;;
  4) sed -i -e 's/^-/ /' -e '/^+/d' "$1" ;;
  5) kill -TERM $$ ;;
  *) test -t 0 && sed -i 's/^+2/+zwei/' "$1" ;;
esac
`;

Deno.test("pp apply --interactive in a terminal: an edit that came to nothing leaves the hunk; one that holds is applied", async () => {
  await given(FREE, async ({ cwd, env, json, propose }) => {
    const name = await propose(write("a.txt", "one\n2\nthree\n"));
    await Deno.writeTextFile(`${cwd}/edit`, EDITOR);
    await Deno.chmod(`${cwd}/edit`, 0o755);
    const call = {
      ...{ args: ["apply", name, "--interactive", "--json", ...args], cwd, columns: 150 },
      env: { ...env, EDITOR: "./edit", VISUAL: "" },
      // What the editor prints must not get into the document.
      program: ["sh", "-c", '"$@" > out.json', "sh", ...PP],
    };
    await withTerminal(call, async (terminal) => {
      await terminal.until(/\(1\/1\) take this hunk \[y,n,a,d,e,q,\?\]$/m);
      for (
        const why of [
          'the editor "./edit" ended with exit 3',
          "the edit is empty",
          "there is no edited hunk /.*hunk\\.diff",
          "the edit does not apply: lines with a space or - are those of the file, and stay",
          "the edit changes nothing",
          'the editor "./edit" ended with exit 143',
        ]
      ) {
        await terminal.keys("e", "Enter");
        await terminal.until(new RegExp(`${why}; the hunk is as it was\n.*take this hunk .*\\]$`, "m"));
      }
      await terminal.keys("e", "Enter");
      await terminal.until(/EXIT:0/);
    });
    const done = JSON.parse(await Deno.readTextFile(`${cwd}/out.json`));
    assert.deepEqual([done.applied, done.revisions], [true, ["P1.2"]]);
    assert.equal(await Deno.readTextFile(`${cwd}/w/a.txt`), "one\nzwei\nthree\n");
    assert.equal((await json("proposal", "show", name)).state, "applied");
  });
});

/** Lives on after Ctrl-C the first time, as editors do; the second time it is ended by it. */
const INTERRUPTED = `#!/bin/sh
if [ ! -e once ]; then
  echo editing once
  exec sleep 600
fi
trap 'rm once' INT
echo editing again
while [ -e once ]; do sleep 0.05; done
trap : INT
sleep 0.3
sed -i 's/^+2/+zwei/' "$1"
`;

Deno.test("pp apply --interactive in a terminal: Ctrl-C in the editor is the editor's, and pp goes on when that ends", async () => {
  await given(FREE, async ({ cwd, env, propose }) => {
    const name = await propose(write("a.txt", "one\n2\nthree\n"));
    await Deno.writeTextFile(`${cwd}/edit`, INTERRUPTED);
    await Deno.chmod(`${cwd}/edit`, 0o755);
    const call = {
      ...{ args: ["apply", name, "--interactive", ...args], cwd, columns: 150 },
      env: { ...env, EDITOR: "./edit", VISUAL: "" },
    };
    await withTerminal(call, async (terminal) => {
      await terminal.until(/take this hunk/);
      await terminal.keys("e", "Enter");
      await terminal.until(/^editing once$/m);
      await terminal.keys("C-c");
      await terminal.until(
        /the editor "\.\/edit" ended with exit 130; the hunk is as it was\n.*take this hunk .*\]$/m,
      );
      await Deno.writeTextFile(`${cwd}/once`, "");
      await terminal.keys("e", "Enter");
      await terminal.until(/^editing again$/m);
      await terminal.keys("C-c");
      const screen = await terminal.until(/EXIT:/);
      assert.match(screen, /EXIT:0/);
      assert.doesNotMatch(screen, /stopping and cleaning up/);
    });
    assert.equal(await Deno.readTextFile(`${cwd}/w/a.txt`), "one\nzwei\nthree\n");
  });
});

Deno.test("pp apply --interactive in a terminal: without its editor it asks again, and Ctrl-C stops it", async () => {
  await given(FREE, async ({ cwd, env, propose }) => {
    const name = await propose(write("a.txt", "one\n2\nthree\n"));
    const call = {
      ...{ args: ["apply", name, "--interactive", ...args], cwd, columns: 150 },
      env: { ...env, EDITOR: "/nowhere/editor", VISUAL: "" },
    };
    await withTerminal(call, async (terminal) => {
      await terminal.until(/take this hunk/);
      await terminal.keys("e", "Enter");
      await terminal.until(
        /there is no editor "\/nowhere\/editor": set VISUAL or EDITOR to one that is there; the hunk is as it was/,
      );
      await terminal.keys("C-c");
      await terminal.until(/EXIT:130/);
    });
    assert.equal(await Deno.readTextFile(`${cwd}/w/a.txt`), "one\ntwo\nthree\n");
  });
});
