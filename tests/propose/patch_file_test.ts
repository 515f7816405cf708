import assert from "node:assert/strict";
import { patchFileProposer, requirePatchFiles } from "../../src/propose/patch_file.ts";
import { failureOf, NEVER, request } from "./requests.ts";

async function inTempDir(work: (dir: string) => Promise<void>): Promise<void> {
  const dir = await Deno.makeTempDir({ prefix: "pp-patch-" });
  try {
    await work(dir);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

Deno.test("patchFileProposer: files in order as exact bytes, then none", () =>
  inTempDir(async (dir) => {
    const latin1 = Uint8Array.of(0x2b, 0xe9, 0x0d, 0x0a);
    await Deno.writeFile(`${dir}/a.patch`, latin1);
    await Deno.writeTextFile(`${dir}/b.patch`, "");
    const proposer = patchFileProposer([`${dir}/a.patch`, `${dir}/b.patch`]);
    assert.equal(proposer.supply, 2);
    const first = await proposer.propose(request(), NEVER);
    assert.ok(first.kind === "proposal");
    assert.deepEqual(first.bytes, latin1);
    assert.equal(first.diff, "+\ufffd\r\n");
    assert.equal(first.source, `${dir}/a.patch`);
    const second = await proposer.propose(request({ attempt: 2 }), NEVER);
    assert.ok(second.kind === "proposal" && second.bytes?.length === 0);
    for (let i = 0; i < 2; i++) {
      const end = await proposer.propose(request({ attempt: 3 }), NEVER);
      assert.deepEqual(end, { kind: "none", reason: "all 2 patch files were tried" });
    }
  }));

Deno.test("patchFileProposer: a missing later file is told at the first attempt", () =>
  inTempDir(async (dir) => {
    await Deno.writeTextFile(`${dir}/a.patch`, "x");
    const proposer = patchFileProposer([`${dir}/a.patch`, `${dir}/none.patch`]);
    const failure = await failureOf(proposer.propose(request(), NEVER), "usage", "patch_missing");
    assert.match(failure.message, /none\.patch/);
  }));

Deno.test("patchFileProposer: directories and huge files are refused", () =>
  inTempDir(async (dir) => {
    await failureOf(patchFileProposer([dir]).propose(request(), NEVER), "usage", "patch_unreadable");
    await Deno.writeTextFile(`${dir}/big`, "");
    await Deno.truncate(`${dir}/big`, 16 * 1024 * 1024);
    const fits = await patchFileProposer([`${dir}/big`]).propose(request(), NEVER);
    assert.ok(fits.kind === "proposal" && fits.bytes?.length === 16 * 1024 * 1024);
    await Deno.truncate(`${dir}/big`, 16 * 1024 * 1024 + 1);
    await failureOf(requirePatchFiles([`${dir}/big`]), "malformed", "patch_too_large");
    await failureOf(
      patchFileProposer([`${dir}/big`]).propose(request(), NEVER),
      "malformed",
      "patch_too_large",
    );
  }));

Deno.test("patchFileProposer: standard input once, bounded, given up on abort", async () => {
  await failureOf(() => patchFileProposer(["-", "-"]), "usage", "patch_stdin_twice");
  const piped = new Blob(["--- a\n"]).stream();
  const answer = await patchFileProposer(["-"], () => piped).propose(request(), NEVER);
  assert.ok(answer.kind === "proposal" && answer.diff === "--- a\n");
  assert.equal(answer.source, "standard input");

  let cancelled = false;
  const endless = new ReadableStream<Uint8Array<ArrayBuffer>>({
    pull: (c) => c.enqueue(new Uint8Array(1 << 20)),
    cancel: () => void (cancelled = true),
  });
  await failureOf(
    patchFileProposer(["-"], () => endless).propose(request(), NEVER),
    "malformed",
    "patch_too_large",
  );
  assert.ok(cancelled);

  const abort = new AbortController();
  const waiting = patchFileProposer(["-"], () => new ReadableStream()).propose(request(), abort.signal);
  abort.abort();
  await failureOf(waiting, "interrupted", "interrupted");
});

Deno.test("patchFileProposer: a FIFO or device is refused without waiting, also one put in a file's place", () =>
  inTempDir(async (dir) => {
    const fifo = `${dir}/fifo`, file = `${dir}/a.patch`;
    const mkfifo = async (path: string) => {
      assert.ok((await new Deno.Command("mkfifo", { args: [path] }).output()).success);
    };
    await mkfifo(fifo);
    for (const path of [fifo, "/dev/null"]) {
      const refused = await failureOf(
        patchFileProposer([path]).propose(request(), NEVER),
        "usage",
        "patch_unreadable",
      );
      assert.match(refused.message, /is no regular file$/);
      assert.match(refused.hint ?? "", /standard input/);
    }
    await Deno.writeTextFile(file, "x");
    const proposer = patchFileProposer([file, file]);
    assert.equal((await proposer.propose(request(), NEVER)).kind, "proposal");
    await Deno.remove(file);
    await mkfifo(file);
    await failureOf(proposer.propose(request({ attempt: 2 }), NEVER), "usage", "patch_unreadable");
  }));
