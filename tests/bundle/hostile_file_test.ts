import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { type HostileFile, isOnlyOurs, openHostile } from "../../src/bundle/hostile_file.ts";
import { withFolder } from "../cli/process.ts";

async function all(file: HostileFile): Promise<string> {
  const buffer = new Uint8Array(100);
  let filled = file.readSync(buffer.subarray(0, 2));
  for (let read = 1; read > 0; filled += read) read = await file.read(buffer.subarray(filled));
  return new TextDecoder().decode(buffer.subarray(0, filled));
}

Deno.test("isOnlyOurs: whoever else may write to a folder or to one above it could put something else there", async () => {
  await withFolder({ "a/b/file": "" }, async (dir) => {
    const mode = async (a: number, b: number) => {
      await Deno.chmod(`${dir}/a`, a);
      await Deno.chmod(`${dir}/a/b`, b);
      return isOnlyOurs(`${dir}/a/b`);
    };
    assert.equal(await mode(0o755, 0o700), true);
    assert.equal(await mode(0o755, 0o720), false, "its group may write");
    assert.equal(await mode(0o755, 0o702), false, "everybody may write");
    assert.equal(await mode(0o777, 0o700), false, "everybody may put another folder there");
    assert.equal(await mode(0o1777, 0o700), true, "as in /tmp, nobody may take its name");
    assert.equal(await mode(0o755, 0o1777), false, "sticky, but everybody may add");
    await Deno.symlink(`${dir}/a/b`, `${dir}/to`);
    assert.equal(isOnlyOurs(`${dir}/to`), false, "what counts is where it really is");
    assert.equal(await mode(0o755, 0o700), true);
    assert.equal(isOnlyOurs(`${dir}/to`), true);
    assert.equal(isOnlyOurs(`${dir}/a/b/file`), false, "no folder");
    if (Deno.uid() === 0) {
      await Deno.chown(`${dir}/a`, 65534, 65534);
      assert.equal(isOnlyOurs(`${dir}/a/b`), false, "one above it is somebody else's");
    }
  });
});

Deno.test("openHostile: what it opens is the same file, whether others could change its place or not", async () => {
  await withFolder({ "in/file": "some bytes", "empty": "" }, async (dir) => {
    await Deno.symlink(`${dir}/in/file`, `${dir}/link`);
    execFileSync("mkfifo", [`${dir}/in/pipe`]);
    for (const mode of [0o700, 0o777]) {
      await Deno.chmod(`${dir}/in`, mode);
      for (const [path, follow] of [["in/file", false], ["in/file", true], ["link", true]] as const) {
        using file = await openHostile(`${dir}/${path}`, follow);
        const { size, dev, ino } = await Deno.stat(`${dir}/in/file`);
        assert.deepEqual([file.isFile, file.size, file.dev, file.ino], [true, size, dev, ino]);
        assert.equal((file.mode ?? 0) & 0o600, 0o600);
        assert.equal(await all(file), "some bytes");
      }
      using pipe = await openHostile(`${dir}/in/pipe`, true);
      assert.equal(pipe.isFile, false);
      await assert.rejects(openHostile(`${dir}/link`, false), { code: "ELOOP" });
      await assert.rejects(openHostile(`${dir}/in/none`, true), { code: "ENOENT" });
    }
  });
});
