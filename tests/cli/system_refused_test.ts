import assert from "node:assert/strict";
import { canMount, withSmallDisk } from "../store/small_disk.ts";
import { pp, type PpResult, withFolder } from "./process.ts";

const ignore = !canMount();
const DIFF = "--- a/a.txt\n+++ b/a.txt\n@@ -1 +1 @@\n-one\n+two\n";

interface Given {
  readonly cwd: string;
  /** A workspace `w`, a store `s` with it, and a disk `d` with another of both, `d/w` and `d/s`. */
  run(...args: readonly string[]): Promise<PpResult>;
}

async function withDisk(use: (given: Given, disk: { fill(pages: number): void }) => Promise<void>) {
  const files = {
    "w/a.txt": "one\n",
    "d/none": "",
    "fix.diff": DIFF,
    "pp.yaml": "policy: {approval: {required: never}}",
  };
  await withFolder(files, async (cwd) => {
    await withSmallDisk(`${cwd}/d`, 16 << 20, async (disk) => {
      const run = (...args: readonly string[]) =>
        pp(args, { cwd, env: { PP_STORE: `${cwd}/s`, PP_ACTOR: "t" } });
      const made = async (...args: readonly string[]) => {
        const { code, stderr } = await run(...args);
        assert.equal(code, 0, stderr);
      };
      await Deno.mkdir(`${cwd}/d/w`);
      await Deno.writeTextFile(`${cwd}/d/w/a.txt`, "one\n");
      await made("artifact", "create", "api", "--workspace", "w");
      await made("artifact", "create", "api", "--workspace", "d/w", "--store", "d/s");
      await made("propose", "api", "--patch", "fix.diff");
      await made("keygen", "-o", "ann");
      await use({ cwd, run }, disk);
    });
  });
}

/** Calls that write to the disk, each into another part of the program. */
const WRITING: readonly (readonly string[])[] = [
  ["keygen", "-o", "d/key"],
  ["trust", "init", "--trust", "d/trust.yaml"],
  ["-C", "d/w", "init"],
  ["artifact", "create", "api", "--workspace", "w", "--store", "d/new"],
  ["artifact", "create", "other", "--workspace", "w", "--store", "d/s"],
  ["artifact", "export", "api", "d/out"],
  ["artifact", "export", "api", "--tar", "d/out.tar"],
  ["proposal", "diff", "P1", "-o", "d/out.diff"],
  ["events", "--checkpoint", "ann.key.pem", "-o", "d/checkpoint"],
  ["apply", "P1", "--workspace", "d/w", "--policy", "pp.yaml"],
];

Deno.test({
  name: "pp: a read-only file system is exit 77 wherever it is met, and says what to do",
  ignore,
  fn: async () => {
    await withDisk(async ({ cwd, run }) => {
      const remount = new Deno.Command("mount", { args: ["-o", "remount,ro", `${cwd}/d`] });
      assert.ok((await remount.output()).success);
      for (const call of WRITING) {
        const { code, stderr } = await run(...call);
        assert.equal(code, 77, `${call.join(" ")}: ${stderr}`);
        assert.match(stderr, /read-only|readonly/i, call.join(" "));
        assert.match(stderr, /^hint: /m, call.join(" "));
      }
    });
  },
});

Deno.test({
  name: "pp: a full file system is exit 69 wherever it is met, and says what to do",
  ignore,
  fn: async () => {
    await withDisk(async ({ run }, disk) => {
      let refused = 0;
      for (const call of WRITING) {
        disk.fill(0);
        const { code, stderr } = await run(...call);
        // What is small enough may still find room.
        if (code === 0) continue;
        refused++;
        assert.equal(code, 69, `${call.join(" ")}: ${stderr}`);
        assert.match(stderr, /^hint: /m, call.join(" "));
      }
      assert.ok(refused > WRITING.length / 2, `${refused}`);
    });
  },
});

Deno.test("pp policy check: a folder in the place of a policy is a malformed one", async () => {
  await withFolder({ "pp.yaml/x": "" }, async (cwd) => {
    assert.equal((await pp(["policy", "check"], { cwd })).code, 65);
  });
});
