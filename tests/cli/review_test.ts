import assert from "node:assert/strict";
import { checkDocument } from "../../src/approve/check.ts";
import { checkOf, CHECKS } from "../approve/fixture.ts";
import { withProposed } from "./proposed.ts";
import { withTerminal } from "./terminal.ts";

const REVIEW = ["review", "--trust", "trust.yaml", "--key", "ann.pem"];
const ENDED = /EXIT:(\d+)/;

const FINDS = CHECKS.map((check) => {
  const { kind } = check;
  if (kind !== "safety" && kind !== "proof") return check;
  const outcome = kind === "safety" ? "needs_approval" as const : "passed" as const;
  const finding = kind === "safety"
    ? {
      level: "warning" as const,
      code: "exec",
      path: "src/a.py",
      line: 3,
      detail: "exec is added: os.system",
    }
    : {
      level: "info" as const,
      code: "target",
      path: null,
      line: null,
      detail: "unit: red before, green after",
    };
  const document = checkDocument({
    kind,
    outcome,
    summary: `about ${kind}`,
    findings: [finding],
    details: null,
  });
  return { kind, outcome, document };
});

Deno.test("pp review: without a terminal it says what does the same", async () => {
  await withProposed(null, async ({ pp }) => {
    const { code, stderr } = await pp(["review"]);
    assert.equal(code, 64);
    assert.match(stderr, /no terminal to review on\nhint: pp approval list, show, approve and reject/);
  });
});

Deno.test("pp review in a terminal of 80x24: queue, diff, findings, tests; approve, reject with a reason, resize", async () => {
  await withProposed(null, async ({ cwd, env, propose, json }) => {
    const word = `two ${"wide-".repeat(30)}end`;
    const failed = CHECKS.map((check) => check.kind === "git" ? checkOf("git", "failed") : check);
    const first = await propose({ title: "first", word, checks: FINDS });
    await propose({ title: `second ${"and on ".repeat(30)}`, checks: failed });
    await propose({ title: "third" });
    await withTerminal({ args: REVIEW, cwd, env, columns: 80, rows: 24 }, async (terminal) => {
      const queue = await terminal.until(/q quit/);
      assert.match(queue, /^pp review {2}3 proposals wait for a decision {2}as ann$/m);
      assert.match(queue, /^> P3\.1 .*third$/m);
      assert.match(queue, /^ {2}P1\.1 .*first$/m);
      assert.match(queue, /^ {2}P2\.1 {4} DENIED \(git\) a@1 .*second and on .*…$/m);
      await terminal.keys("j", "Down");
      await terminal.until(/^> P1\.1/m);
      await terminal.keys("Enter");
      const diff = await terminal.until(/a approve/);
      assert.match(diff, new RegExp(`^evidence {2}${first.evidence}$`, "m"));
      assert.match(diff, /\[1 diff\]/);
      assert.match(diff, /^-one$/m);
      // A long line goes on in the next row: nothing of it is out of sight.
      assert.match(diff.replaceAll("\n", ""), /\+two (wide-){30}end/);
      assert.match((await terminal.screen(true)).replaceAll("\x1b", "<"), /<\[31m-one/);
      await terminal.keys("2");
      assert.match(
        await terminal.until(/\[2 findings\]/),
        /warning {2}src\/a\.py:3 {2}exec is added: os\.system/,
      );
      await terminal.keys("Tab");
      assert.match(await terminal.until(/\[3 tests\]/), /unit: red before, green after/);
      await terminal.keys("4");
      assert.match(await terminal.until(/\[4 facts\]/), /^by {8}maker/m);
      await terminal.resize(50, 12);
      const small = await terminal.until(/rows 1 to \d of/);
      for (const line of small.split("\n")) assert.ok(line.length <= 50, line);
      await terminal.resize(80, 24);
      await terminal.until(/^evidence {2}[0-9a-f]{64}$/m);
      await terminal.keys("a");
      await terminal.until(/approve P1\.1 as ann\? y\/n/);
      await terminal.keys("y");
      await terminal.until(/^approved P1\.1 as ann$/m);
      await terminal.keys("Enter");
      await terminal.until(/^P2\.1 /m);
      await terminal.keys("r");
      await terminal.until(/why reject P2\.1\?/);
      await terminal.keys("Enter");
      await terminal.until(/a rejection has a reason/);
      await terminal.keys("l", "o", "s", "e", "s", "BSpace", "Enter");
      await terminal.until(/^rejected P2\.1 as ann$/m);
      await terminal.keys("q");
      const last = await terminal.until(ENDED);
      assert.match(last, /^approved P1\.1 as ann\nrejected P2\.1 as ann\n2 decisions\nEXIT:0$/m);
      assert.ok(!last.includes("q quit"), "the screen before is back");
    });
    const { proposals } = await json("approval", "list", "--all") as {
      proposals: { state: string; reason: string }[];
    };
    assert.deepEqual(proposals.map(({ state, reason }) => `${state} ${reason}`.trim()), [
      "proposed",
      "rejected lose",
      "approved",
    ]);
  });
});

Deno.test("pp review in a terminal: what changed since it was shown is not decided; Ctrl-C leaves the terminal sane", async () => {
  await withProposed(null, async ({ cwd, env, propose, pp, json }) => {
    await propose({ title: "seen" });
    await withTerminal({ args: REVIEW, cwd, env, columns: 80, rows: 24 }, async (terminal) => {
      await terminal.until(/^> P1\.1/m);
      await terminal.keys("Enter");
      await terminal.until(/a approve/);
      await propose({ proposal: 1, word: "unseen" });
      await terminal.keys("a", "y");
      await terminal.until(/a newer revision took its place/);
      await terminal.keys("C-c");
      const last = await terminal.until(ENDED);
      assert.match(last, /EXIT:130/);
      assert.equal(await terminal.mode(), "0 1", "no other screen, and a cursor");
      assert.equal((await json("approval", "list")).proposals instanceof Array, true);
    });
    const shown = await pp(["approval", "show", "P1", "--trust", "trust.yaml", "--no-diff"]);
    assert.match(shown.stdout, /^P1\.2 {2}proposed$/m);
  });
});

Deno.test("pp review in a terminal: a change of the trust file in use is marked as one", async () => {
  await withProposed(null, async ({ cwd, env, propose }) => {
    await Deno.mkdir(`${cwd}/src`);
    await Deno.copyFile(`${cwd}/trust.yaml`, `${cwd}/src/a.py`);
    await propose();
    const args = ["review", "--trust", "src/a.py", "--key", "ann.pem"];
    await withTerminal({ args, cwd, env, columns: 100, rows: 24 }, async (terminal) => {
      await terminal.until(/q quit/);
      await terminal.keys("Enter");
      await terminal.until(/^P1\.1 {2}proposed {2}touches the trust file in use/m);
      await terminal.keys("4");
      await terminal.until(/^careful {3}touches the trust file in use: src\/a\.py/m);
      await terminal.keys("q", "q");
      await terminal.until(ENDED);
    });
  });
});
