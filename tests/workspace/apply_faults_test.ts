import assert from "node:assert/strict";
import { chownSync, lstatSync } from "node:fs";
import type { FileChange } from "../../src/vocabulary/change.ts";
import { entriesByPath } from "../../src/vocabulary/entry_table.ts";
import { Failure } from "../../src/vocabulary/failure.ts";
import { applyChanges } from "../../src/workspace/apply.ts";
import { recoverExchange } from "../../src/workspace/apply_recovery.ts";
import { directoryWorkspace } from "../../src/workspace/directory.ts";
import type { Exchange, Step } from "../../src/workspace/target.ts";
import { targetFolder } from "../../src/workspace/target_folder.ts";
import { asNobody, inTempDir, remove, snapshot, write, writeFiles } from "./trees.ts";

const STAGING = "0123456789abcdef";
const FILES = { "a": "a\n", "d/b": "b\n", "gone/deep/c": "c\n", "swap": "s\n", "e/f": "f\n" };
const CHANGES: readonly FileChange[] = [
  ...[write("a", "A\n"), write("d/b", "b\n", "100755"), remove("gone/deep/c"), write("new/deep/n", "n\n")],
  ...[remove("swap"), write("swap/inside", "i\n"), remove("e/f"), write("e", "a file now\n")],
];

async function entriesOf(root: string) {
  const { entries } = await (await directoryWorkspace(root)).manifest();
  return entriesByPath(entries);
}

function full(): Error {
  return Object.assign(new Error("ENOSPC: no space left on device, write '/proc/self/fd/9/x'"), {
    code: "ENOSPC",
  });
}

Deno.test("applyChanges: refused by the system after any step, everything is as before and the path is named", async () => {
  const steps: string[] = [];
  await inTempDir(async (root) => {
    writeFiles(root, FILES);
    applyChanges(root, await entriesOf(root), CHANGES, { step: (what) => void steps.push(what) });
  });
  const exchanged = steps.indexOf("synced") + 1;
  assert.ok(exchanged > 20, String(exchanged));
  for (let failing = 1; failing <= exchanged; failing++) {
    await inTempDir(async (root) => {
      writeFiles(root, FILES);
      const before = snapshot(root);
      const entries = await entriesOf(root);
      let at = 0;
      const step: Step = () => {
        if (++at === failing) throw full();
      };
      assert.throws(() => applyChanges(root, entries, CHANGES, { step }), (error: unknown) => {
        assert.ok(error instanceof Failure && error.code === "apply_failed", String(error));
        assert.match(
          error.message,
          /^applying failed at \S+.*, everything was put back: ENOSPC: no space left on device$/,
        );
        assert.match(error.hint ?? "", /make room/);
        return true;
      });
      assert.deepEqual(snapshot(root), before, steps[failing - 1]);
    });
  }
});

Deno.test("applyChanges: what was put in the place of a file after it was checked is never replaced, nor lost", async () => {
  const swaps: Record<string, (at: string) => void> = {
    "another file": (at) => (Deno.removeSync(at), Deno.writeTextFileSync(at, "mine\n")),
    "other content": (at) => Deno.writeTextFileSync(at, "mine, too\n"),
    "a link": (at) => (Deno.removeSync(at), Deno.symlinkSync("elsewhere", at)),
    "a directory": (
      at,
    ) => (Deno.removeSync(at), Deno.mkdirSync(at), Deno.writeTextFileSync(`${at}/x`, "mine\n")),
    "a pipe": (at) => {
      Deno.removeSync(at);
      assert.ok(new Deno.Command("mkfifo", { args: [at] }).outputSync().success);
    },
    "nothing": (at) => Deno.removeSync(at),
  };
  for (const [what, swap] of Object.entries(swaps)) {
    for (const change of [write("d/b", "B\n"), remove("d/b")]) {
      await inTempDir(async (root) => {
        writeFiles(root, { ...FILES, elsewhere: "e\n" });
        const entries = await entriesOf(root);
        let expected: Record<string, string> | undefined;
        const step: Step = () => {
          if (expected !== undefined) return;
          swap(`${root}/d/b`);
          expected = withoutStaged(snapshot(root));
        };
        const changes = [write("a", "A\n"), change];
        const failing = () => applyChanges(root, entries, changes, { step });
        assert.throws(failing, (error: unknown) => error instanceof Failure, `${what} ${change.kind}`);
        assert.deepEqual(snapshot(root), expected, `${what} ${change.kind}`);
      });
    }
  }
});

function withoutStaged(found: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(found).filter(([path]) => !path.includes(".veripatch-apply-")));
}

/** An exchange of `a` and `d/b` that was cut off when `a` was exchanged. */
async function cutOff(root: string, entries: Awaited<ReturnType<typeof entriesOf>>): Promise<Exchange> {
  const changes = [write("a", "A\n"), write("d/b", "B\n")];
  const exchange = (await targetFolder(root)).prepare(entries, changes, STAGING);
  Deno.writeTextFileSync(`${root}/a`, "A\n");
  return exchange;
}

Deno.test("recoverExchange: what the system refuses is left for the next time, which ends it", async () => {
  await inTempDir(async (root) => {
    writeFiles(root, FILES);
    const before = snapshot(root);
    const exchange = await cutOff(root, await entriesOf(root));
    const refused = recoverExchange(root, exchange, () => {
      throw full();
    });
    assert.deepEqual(refused, {
      outcome: "unfinished",
      stuck: [{ path: "a", reason: "ENOSPC: no space left on device" }],
    });
    const bytes = new TextEncoder().encode("a\n");
    assert.deepEqual(recoverExchange(root, exchange, () => bytes), { outcome: "before", stuck: [] });
    assert.deepEqual(snapshot(root), before);
    // What somebody else changed stays theirs for ever.
    Deno.writeTextFileSync(`${root}/a`, "mine\n");
    assert.equal(recoverExchange(root, exchange, () => bytes).outcome, "stuck");
  });
});

Deno.test("recoverExchange: while a path cannot be looked at nothing is written", async () => {
  await inTempDir(async (root) => {
    writeFiles(root, FILES);
    const exchange = await cutOff(root, await entriesOf(root));
    Deno.writeTextFileSync(`${root}/d/b`, "B\n");
    chownSync(`${root}/d`, Deno.uid()!, Deno.gid()!);
    Deno.chmodSync(`${root}/d`, 0o000);
    Deno.chmodSync(root, 0o777);
    const { failure } = await asNobody(root, { recover: exchange });
    assert.deepEqual(failure?.details, ["d/b: EACCES: permission denied"]);
    Deno.chmodSync(`${root}/d`, 0o755);
    assert.equal(Deno.readTextFileSync(`${root}/a`), "A\n");
    // All of it is there, now that it can be seen.
    assert.equal(recoverExchange(root, exchange, () => new Uint8Array()).outcome, "after");
  });
});

Deno.test({
  name:
    "applyChanges: a file of somebody else keeps owner and group as far as we may, and nobody gains by it",
  ignore: Deno.uid() !== 0,
  fn: async () => {
    const OTHER = 4321, GROUP = 4322;
    await inTempDir(async (root) => {
      writeFiles(root, FILES);
      chownSync(`${root}/a`, OTHER, GROUP);
      Deno.chmodSync(`${root}/a`, 0o4751);
      applyChanges(root, await entriesOf(root), [write("a", "A\n", "100755")]);
      // As root, all of it; a program that ran as its owner is another one now.
      const own = lstatSync(`${root}/a`);
      assert.deepEqual([own.uid, own.gid, own.mode & 0o7777], [OTHER, GROUP, 0o751]);
      Deno.chmodSync(`${root}/a`, 0o664);
      Deno.chmodSync(root, 0o777);
      const { uid, failure } = await asNobody(root, [write("a", "B\n")]);
      assert.equal(failure, null);
      const lost = lstatSync(`${root}/a`);
      assert.deepEqual([lost.uid, lost.mode & 0o7777], [uid, 0o644]);
    });
  },
});
