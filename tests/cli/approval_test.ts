import assert from "node:assert/strict";
import { checkDocument } from "../../src/approve/check.ts";
import { openDatabase } from "../../src/store/sqlite/driver.ts";
import { transition } from "../../src/store/proposal/transition.ts";
import { checkOf, CHECKS } from "../approve/fixture.ts";
import { addFiles, authorOf } from "../contract/store_contract.ts";
import { type Proposed, withProposed } from "./proposed.ts";
import { spawnPp } from "./process.ts";
import { withTerminal } from "./terminal.ts";

const APPROVE = ["approval", "approve", "P1", "--trust", "trust.yaml", "--key"];
const by = (key: string, evidence: string) => [...APPROVE, key, "--evidence", evidence];

Deno.test("pp approval: listed, shown, approved with the hash that was shown, and no more in the list", async () => {
  await withProposed(null, async ({ pp, json, propose }) => {
    assert.match((await pp(["approval", "list"])).stderr, /there is no store/);
    const { evidence } = await propose({ title: "say two" });
    const list = await pp(["approval", "list"]);
    assert.match(list.stdout, /^P1\.1 {4}proposed {2}a@1 {2}\+1 -1 {2}maker {2}say two\n$/);
    const shown = await pp(["approval", "show", "P1", "--trust", "trust.yaml"]);
    assert.equal(shown.code, 0, shown.stderr);
    assert.match(shown.stdout, new RegExp(`^evidence {2}${evidence}$`, "m"));
    assert.match(shown.stdout, /^safety {3}passed {2}safety passed$/m);
    assert.match(shown.stdout, /^modified {2}src\/a\.py {2}\+1 -1$/m);
    assert.match(shown.stdout, /^missing {3}1 more of 1 approver$/m);
    assert.match(shown.stdout, /^-one\n\+two$/m);
    assert.match(
      shown.stdout,
      /^next {6}pp approval approve P1\.1 --key KEY, or reject it with --reason TEXT$/m,
    );
    assert.equal((await json("approval", "show", "P1.1", "--trust", "trust.yaml")).evidence_sha256, evidence);
    const done = await pp([...by("ann.pem", evidence), "--reason", "fine"]);
    assert.equal(done.code, 0, done.stderr);
    assert.match(
      done.stdout,
      new RegExp(`^approved {2}P1\\.1 as ann\nevidence {2}${evidence}\nenough {4}1 approval of 1\n$`),
    );
    assert.equal((await pp(["approval", "list"])).stdout, "no proposal is proposed\n");
    assert.match((await pp(["approval", "list", "--state", "approved"])).stdout, /^P1\.1 {4}approved /);
    const again = await pp(by("bob.pem", evidence));
    assert.deepEqual([again.code, again.stdout], [
      2,
      "P1.1 was not changed: it is approved\nnext      pp approval show P1.1\n",
    ]);
    assert.equal((await pp(["events", "--verify"])).code, 0);
    const kinds = (await json("events")).events as { kind: string; actor: string }[];
    assert.deepEqual(kinds.slice(-2).map(({ kind, actor }) => `${kind} ${actor}`), [
      "decision_given reviewer",
      "proposal_approved reviewer",
    ]);
  });
});

const FAILS = (...failing: readonly string[]) =>
  CHECKS.map((check) => failing.includes(check.kind) ? checkOf(check.kind, "failed") : check);

Deno.test("pp approval list, proposal list: what nobody can approve and what failed is marked, as deciding goes", async () => {
  await withProposed(null, async ({ cwd, env, pp, json, propose }) => {
    const title = "a title that goes on and on, far beyond what a terminal has room for in a row of a list";
    const denied = await propose({ title, checks: FAILS("patch", "syntax", "git") });
    const failing = await propose({ title, checks: FAILS("proof") });
    await propose({ title });
    const { stdout } = await pp(["approval", "list"]);
    assert.match(stdout, /^P3\.1 {4}proposed {2}a@1 /m);
    assert.match(stdout, /^P2\.1 {4}proposed FAILED \(proof\) {2}a@1 /m);
    assert.match(stdout, /^P1\.1 {4}proposed DENIED \(patch, git\) {2}a@1 /m);
    const proposals = (await pp(["proposal", "list"])).stdout;
    assert.match(proposals, /^P3\.1 {3} proposed {3}a@1 /m);
    assert.match(proposals, /^P1\.1 {3} proposed {3}DENIED \(patch, git\) a@1 /m);
    const marks = [[false, []], [false, ["proof"]], [true, ["patch", "syntax", "git"]]];
    for (const list of ["approval", "proposal"]) {
      const listed = (await json(list, "list")).proposals as { denied: boolean; failed_checks: string[] }[];
      assert.deepEqual(listed.map(({ denied, failed_checks }) => [denied, failed_checks]), marks, list);
      await withTerminal({ args: [list, "list"], cwd, env, columns: 80 }, async (terminal) => {
        const screen = await terminal.until(/EXIT:0/);
        const rows = screen.split("\n").filter((row) => row !== "");
        assert.equal(rows.length, 4, "each in one row of the terminal");
        assert.match(screen, /^P1\.1 .*DENIED \(patch, git\).*a title that .*…/m);
      });
    }
    const no = await pp(["approval", "approve", "P1", ...by("ann.pem", denied.evidence).slice(3)]);
    assert.deepEqual([no.code, /the policy lets no patch write that/.test(no.stdout)], [77, true], no.stdout);
    const yes = await pp(["approval", "approve", "P2", ...by("ann.pem", failing.evidence).slice(3)]);
    assert.equal(yes.code, 0, yes.stdout + yes.stderr);
    const shown = await json("approval", "show", "P1", "--trust", "trust.yaml");
    assert.deepEqual([shown.denied, shown.failed_checks], [true, ["patch", "syntax", "git"]]);
  });
});

Deno.test("pp approval: what has run out by the newest event is expired, also where the clock was set back since", async () => {
  await withProposed(null, async ({ pp, json, propose, inStore }) => {
    const ahead = (hours: number) => new Date(Date.now() + hours * 3_600_000);
    const { evidence } = await propose({ over: { expires_at: ahead(1).toISOString() } });
    await propose({ over: { expires_at: ahead(3).toISOString() } });
    await inStore((store) => addFiles(store, "other", { f: "1" }, authorOf(store, "tester", ahead(2))));
    assert.match((await pp(["approval", "list"])).stdout, /^P2\.1 [^\n]*\n$/);
    assert.match(
      (await pp(["approval", "list", "--state", "expired"])).stdout,
      /^P1\.1 {4}expired [^\n]*\n$/,
    );
    assert.match((await pp(["proposal", "list"])).stdout, /^P1\.1 {4}expired /m);
    assert.equal((await json("proposal", "show", "P1")).state, "expired");
    const refused = await pp([...by("ann.pem", evidence)]);
    assert.deepEqual([refused.code, /it has expired/.test(refused.stdout)], [3, true], refused.stdout);
    assert.equal((await pp(["events", "--verify"])).code, 0);
  });
});

Deno.test("pp approval approve: without a terminal the hash is needed, and must be of what is there now", async () => {
  await withProposed(null, async ({ pp, json, propose }) => {
    const { evidence } = await propose();
    const without = await pp([...APPROVE, "ann.pem"]);
    assert.equal(without.code, 64);
    assert.match(
      without.stderr,
      /no terminal to show the proposal on\nhint: look at it with pp approval show/,
    );
    const other = await pp(by("ann.pem", "0".repeat(64)));
    assert.deepEqual([other.code, /is not what was shown/.test(other.stdout)], [2, true]);
    const answer = await json(...by("ann.pem", "0".repeat(64)));
    assert.deepEqual([answer.ok, answer.code, answer.exit], [false, "evidence_differs", 2]);
    assert.equal((await pp([...APPROVE, "ann.pem", "--evidence", evidence.slice(0, 20)])).code, 64);
    // A newer revision: what was seen is not what P1 is now.
    await propose({ proposal: 1, word: "three" });
    assert.equal((await pp(by("ann.pem", evidence))).code, 2);
    const old = await pp(["approval", "approve", "P1.1", ...by("ann.pem", evidence).slice(3)]);
    assert.deepEqual([old.code, /a newer revision took its place/.test(old.stdout)], [2, true]);
  });
});

Deno.test("pp approval: a proposal whose patch shows another change than its result holds is decided by nobody", async () => {
  await withProposed(null, async ({ pp, propose, inStore }) => {
    const { evidence } = await propose({ word: "evil", shown: "harmless" });
    const shown = await pp(["approval", "show", "P1", "--trust", "trust.yaml"]);
    assert.equal(shown.code, 65, shown.stderr);
    assert.match(shown.stdout, /damaged .*its patch makes another tree than its result/);
    const refused = await pp(by("ann.pem", evidence));
    assert.deepEqual([refused.code, /P1\.1 in the store is not sound/.test(refused.stderr)], [65, true]);
    assert.equal(await inStore((store) => store.records.read((rows) => rows.lastApproval())), 0);
  });
});

Deno.test("pp approval approve: who may not is told why, and nothing is kept of it", async () => {
  await withProposed("policy: {approval: {threshold: 2}}", async ({ cwd, pp, propose, inStore, terms }) => {
    const { evidence } = await propose();
    const told = async (args: readonly string[], code: number, words: RegExp, env = {}) => {
      const { code: exit, stdout, stderr } = await pp(args, { env });
      assert.deepEqual([exit, words.test(stdout + stderr)], [code, true], stdout + stderr);
    };
    await told(
      by("eve.pem", evidence),
      77,
      /this key is no approver's in the trust file: trust\.yaml, as --trust says\nhint: pp trust add/,
    );
    await told(
      ["approval", "approve", "P1", "--key", "ann.pem", "--evidence", evidence],
      77,
      /no trust file/,
    );
    await told([...APPROVE, "nobody.pem", "--evidence", evidence], 64, /nobody\.pem/);
    await told(APPROVE.slice(0, 5), 64, /no key to sign/);
    await told(
      ["approval", "approve", "P7", ...by("ann.pem", evidence).slice(3)],
      64,
      /there is no proposal P7/,
    );
    await told(["approval", "approve", "seven", ...by("ann.pem", evidence).slice(3)], 64, /is no proposal/);
    await told(by("ann.pem", evidence), 0, /1 more of 2 approvers/);
    await told(by("ann.pem", evidence), 77, /ann has decided so already/);
    // Another policy than the one it was judged by.
    Deno.writeTextFileSync(`${cwd}/pp.yaml`, "policy: {approval: {threshold: 1}}");
    const other = /judged by another policy, [0-9a-f]{12}: name that one with --policy FILE/;
    await told(by("bob.pem", evidence), 77, other);
    const { stdout: shown } = await pp(["approval", "show", "P1", "--trust", "trust.yaml", "--no-diff"]);
    assert.match(shown, /^next {6}the same with --policy FILE, the policy that judged it$/m);
    Deno.writeTextFileSync(`${cwd}/pp.yaml`, "policy: {approval: {threshold: 2}}");
    // The user's own trust file is where it is looked for when none is named.
    Deno.mkdirSync(`${cwd}/.config/veripatch`, { recursive: true });
    Deno.copyFileSync(`${cwd}/trust.yaml`, `${cwd}/.config/veripatch/trust.yaml`);
    const own = ["approval", "approve", "P1", "--key", "bob.pem", "--evidence", evidence];
    await told(own, 0, /enough {4}2 approvals of 2/, { XDG_CONFIG_HOME: "" });
    const count = await inStore((store) => store.records.read((rows) => rows.lastApproval()));
    assert.equal(count, 2);
    assert.equal(terms.policy.approval.threshold, 2);
  });
});

Deno.test("pp approval reject: needs a reason, and takes an approval back", async () => {
  await withProposed(null, async ({ pp, propose }) => {
    const { evidence } = await propose();
    const reject = ["approval", "reject", ...by("bob.pem", evidence).slice(2)];
    assert.match((await pp(reject)).stderr, /a rejection has a reason\nhint: say it with --reason/);
    assert.equal((await pp(by("ann.pem", evidence))).code, 0);
    const no = await pp([...reject, "--reason", "loses \u202edata"]);
    assert.equal(no.code, 0, no.stderr);
    assert.match(no.stdout, /^rejected {2}P1\.1 as bob\n/);
    const shown = await pp(["approval", "show", "P1", "--trust", "trust.yaml", "--no-diff"]);
    assert.match(shown.stdout, /^P1\.1 {2}rejected: loses \\u\{202e\}data$/m);
    assert.match(shown.stdout, /^rejected {2}by bob, .*: loses \\u\{202e\}data$/m);
    assert.ok(!shown.stdout.includes("\u202e"));
  });
});

Deno.test("pp approval bypass: only where the policy allows it, with a reason; FORCED everywhere, until somebody looks", async () => {
  const policy = "policy: {approval: {bypass: true, threshold: 2, review_within: 1d}}";
  const bypass = (evidence: string) => ["approval", "bypass", ...by("ann.pem", evidence).slice(2)];
  await withProposed(null, async ({ pp, propose }) => {
    const { evidence } = await propose();
    const no = await pp([...bypass(evidence), "--reason", "fire"]);
    assert.deepEqual([no.code, /the policy allows no bypass/.test(no.stdout)], [77, true], no.stdout);
  });
  await withProposed(policy, async ({ pp, json, propose }) => {
    const { evidence } = await propose();
    assert.match((await pp(bypass(evidence))).stderr, /a bypass has a reason/);
    const done = await pp([...bypass(evidence), "--reason", "the site is down"]);
    assert.equal(done.code, 0, done.stderr);
    assert.match(done.stdout, /^FORCED {2}P1\.1 as ann\n[^]*review {4}due \d{4}-/);
    assert.match((await pp(["approval", "list", "--all"])).stdout, /^P1\.1 {4}approved FORCED {2}/);
    const show = ["approval", "show", "P1", "--trust", "trust.yaml"];
    const shown = (await pp(show)).stdout;
    assert.match(shown, /^P1\.1 {2}approved {2}FORCED: the site is down$/m);
    assert.match(shown, /^FORCED {2}by ann, .*: the site is down {2}review due /m);
    assert.equal((await json(...show)).forced, true);
    const forced = ["approval", "list", "--forced"];
    assert.match(
      (await pp(forced)).stdout,
      /^P1\.1 {4}approved FORCED {2}review due \d{4}-.* by ann: the site is down/,
    );
    const review = await pp(by("bob.pem", evidence));
    assert.equal(review.code, 0, review.stdout + review.stderr);
    assert.match((await pp(forced)).stdout, /FORCED {2}approved by bob {2}by ann/);
    assert.match((await pp(show)).stdout, /^FORCED {2}by ann, .* reviewed by bob: approve$/m);
    assert.equal((await pp(["events", "--verify"])).code, 0);
  });
});

Deno.test("pp approval request: a rule decides at once; else the log says what is missing", async () => {
  const policy = "policy: {approval: {automatic: [{name: small, paths: [src/**]}]}}";
  await withProposed(policy, async ({ pp, json, propose }) => {
    await propose();
    const request = ["approval", "request", "P1", "--trust", "trust.yaml"];
    const done = await pp(request);
    assert.equal(done.code, 0, done.stderr);
    assert.match(done.stdout, /^P1\.1 {2}approved: rule small$/m);
    const actors = (await json("events")).events as { actor: string }[];
    assert.match(actors.at(-1)!.actor, /^rule:[0-9a-f]{64}$/);
    await propose({ over: { proof: null }, title: "unproved" });
    const waits = await pp(["approval", "request", "P2", "--trust", "trust.yaml"]);
    assert.match(waits.stdout, /^missing {3}1 more of 1 approver\nnext/m);
    const { events } = await json("events") as { events: { kind: string; payload: { missing: string[] } }[] };
    assert.deepEqual([events.at(-1)!.kind, events.at(-1)!.payload.missing], ["approval_requested", [
      "1 more of 1 approver",
    ]]);
  });
});

Deno.test("pp approval wait: ends with the decision, with its exit code, or when nobody decides in time", async () => {
  await withProposed(null, async (proposed) => {
    const { cwd, env, pp, propose } = proposed;
    const { evidence } = await propose();
    const wait = (
      name: string,
      ...more: string[]
    ) => ["approval", "wait", name, "--trust", "trust.yaml", ...more];
    const late = await pp(wait("P1", "--timeout", "1s"));
    assert.deepEqual([late.code, /nobody decided in time/.test(late.stdout)], [3, true], late.stdout);
    assert.equal(late.stderr, "waiting for a decision on P1.1 …\n", "said once, however long it takes");
    const child = spawnPp(wait("P1", "--timeout", "5m", "--json"), { cwd, env });
    assert.equal((await pp(by("ann.pem", evidence))).code, 0);
    const { code, stdout } = await child.output();
    assert.equal(code, 0);
    assert.deepEqual(JSON.parse(new TextDecoder().decode(stdout)).state, "approved");
    const second = await propose({ title: "no" });
    const reject = ["approval", "reject", "P2", ...by("bob.pem", second.evidence).slice(3), "--reason", "no"];
    const rejected = spawnPp(wait("P2"), { cwd, env });
    await pp(reject);
    assert.equal((await rejected.output()).code, 2);
    const soon = new Date(Date.now() + 300).toISOString();
    await propose({ title: "soon", over: { expires_at: soon } });
    const expired = await pp(wait("P3"));
    assert.deepEqual([expired.code, /^P3\.1 {2}expired/.test(expired.stdout)], [3, true], expired.stdout);
    assert.match((await pp(["approval", "list", "--state", "expired"])).stdout, /^P3\.1 {4}expired/);
    assert.equal((await pp(wait("P1.1", "--timeout", "soon"))).code, 64);
    await signedNowhere(proposed);
  });
});

/** A state that somebody wrote into the table by hand is no approval. */
async function signedNowhere({ inStore, propose, pp }: Proposed): Promise<void> {
  const { evidence, proposal } = await propose({ title: "by hand" });
  await inStore((store) =>
    store.records.write((rows) =>
      transition(
        rows,
        authorOf(store, "eve", new Date()),
        { proposal, revision: 1, evidence },
        "approved",
        "",
      )
    )
  );
  const waited = await pp(["approval", "wait", `P${proposal}`, "--trust", "trust.yaml"]);
  assert.deepEqual([waited.code, /missing/.test(waited.stdout)], [77, true], waited.stdout);
}

Deno.test("pp approval show: hostile titles, findings and patches are escaped; an edited database is told of", async () => {
  await withProposed(null, async ({ cwd, pp, propose }) => {
    const document = checkDocument({
      ...{ kind: "safety", outcome: "needs_approval", summary: "\x1b[2Jone", details: { x: 1 } },
      findings: [{
        level: "warning",
        code: "exec",
        path: "src/\x1b]0;a\x07.py",
        line: 3,
        detail: "runs \u202e sh",
      }],
    });
    const checks = CHECKS.map((check) =>
      check.kind === "safety" ? { ...check, outcome: "needs_approval" as const, document } : check
    );
    const { evidence } = await propose({ title: "\x1b[31mred\u2066", word: "\x1b[2J", checks });
    const { stdout } = await pp(["approval", "show", "P1", "--trust", "trust.yaml"]);
    for (const hostile of ["\x1b", "\u202e", "\u2066"]) assert.ok(!stdout.includes(hostile));
    assert.match(
      stdout,
      /^safety {3}needs approval {2}\\u\{1b\}\[2Jone\n {2}warning {2}src\/\\u\{1b\}\]0;a\\u\{7\}\.py:3 {2}runs /m,
    );
    assert.match(stdout, /^\+\\u\{1b\}\[2J$/m);
    const db = openDatabase(`${cwd}/store/store.sqlite`, {
      ...{ enableForeignKeyConstraints: true, enableDoubleQuotedStringLiterals: false, timeout: 1_000 },
    });
    db.exec("DROP TRIGGER checks_as_they_are; UPDATE checks SET outcome = 'passed' WHERE kind = 'safety'");
    db.close();
    const damaged = await pp(["approval", "show", "P1", "--trust", "trust.yaml"]);
    assert.deepEqual([damaged.code, /^damaged {3}the evidence of P1\.1 is not what/m.test(damaged.stdout)], [
      65,
      true,
    ]);
    const approve = await pp(by("ann.pem", evidence));
    assert.deepEqual(
      [approve.code, /is not what was proposed/.test(approve.stderr)],
      [65, true],
      approve.stderr,
    );
    const verified = await pp(["events", "--verify"]);
    assert.deepEqual([verified.code, /proposal_edited/.test(verified.stdout)], [2, true]);
  });
});

Deno.test("pp approval: says whose trust file counts and why", async () => {
  await withProposed(null, async ({ cwd, pp, json, propose }) => {
    await propose();
    const own = `${await Deno.realPath(cwd)}/.config/veripatch/trust.yaml`;
    const env = { HOME: await Deno.realPath(cwd), XDG_CONFIG_HOME: "" };
    const shown = async (...args: string[]) =>
      (await pp(["approval", "show", "P1", ...args], { env })).stdout;
    assert.ok((await shown()).includes(`trust     none: there is no ${own}, and no --trust was given\n`));
    assert.match(await shown("--trust", "trust.yaml"), /^trust {5}trust\.yaml, as --trust says$/m);
    const denied = await pp(["approval", "approve", "P1", "--key", "ann.pem", "--evidence", "0".repeat(64)], {
      env,
    });
    assert.equal(denied.code, 77);
    assert.ok(
      denied.stderr.includes(`no trust file says who may approve; none: there is no ${own}`),
      denied.stderr,
    );
    await Deno.mkdir(own.replace(/\/[^/]*$/, ""), { recursive: true });
    await Deno.copyFile(`${cwd}/trust.yaml`, own);
    assert.ok((await shown()).includes(`trust     ${own}, yours, as no --trust was given\n`));
    const told = await json("approval", "show", "P1", "--trust", "trust.yaml");
    assert.deepEqual([told.trust_file, told.trust_named], ["trust.yaml", true]);
  });
});

Deno.test("pp approval: no rule decides on the trust file or the policy that judge it, by whatever name", async () => {
  const policy = "policy: {approval: {automatic: [{name: small, paths: [src/**]}]}}";
  await withProposed(policy, async ({ cwd, pp, json, propose }) => {
    await Deno.mkdir(`${cwd}/src`);
    await Deno.copyFile(`${cwd}/trust.yaml`, `${cwd}/src/a.py`);
    await Deno.symlink("src/a.py", `${cwd}/linked.yaml`);
    await Deno.symlink(cwd, `${cwd}-too`);
    try {
      await propose();
      for (const trust of ["src/a.py", "linked.yaml", `${cwd}/src/a.py`, `${cwd}-too/src/a.py`]) {
        const { stdout } = await pp(["approval", "request", "P1", "--trust", trust]);
        assert.match(stdout, /^careful {3}touches the trust file in use: src\/a\.py$/m, trust);
        assert.match(stdout, /^missing {3}1 more of 1 approver$/m, trust);
      }
      // What a rule decided elsewhere does not count here.
      assert.match(
        (await pp(["approval", "request", "P1", "--trust", "trust.yaml"])).stdout,
        /approved: rule small/,
      );
      const shown = await json("approval", "show", "P1", "--trust", "src/a.py");
      assert.deepEqual(shown.files_in_use, [{ path: "src/a.py", what: "trust file" }]);
      assert.equal((shown.standing as { outcome: string }).outcome, "missing");
      assert.match((await pp(["approval", "show", "P1", "--trust", "src/a.py"])).stdout, /does not count/);
      await Deno.copyFile(`${cwd}/pp.yaml`, `${cwd}/src/a.py`);
      await propose({ title: "more" });
      const asked = ["approval", "request", "P2", "--trust", "trust.yaml", "--policy"];
      assert.match(
        (await pp([...asked, "linked.yaml"])).stdout,
        /^careful {3}touches the policy in use: src\/a\.py$/m,
      );
      assert.match((await pp([...asked, "pp.yaml"])).stdout, /approved: rule small/);
    } finally {
      await Deno.remove(`${cwd}-too`);
    }
  });
});
