import assert from "node:assert/strict";
import fc from "fast-check";
import { firstFile } from "../../../src/sandbox/docker/read_file.ts";
import { Failure } from "../../../src/vocabulary/failure.ts";
import { directory, file, link, type TarEntry, tarOf } from "../../contract/tar_of.ts";

const tar = (...entries: TarEntry[]) => tarOf(entries)({ uid: 1, gid: 1, prefix: "" });
const isRefused = (error: unknown) => error instanceof Failure && error.code === "tar_refused";

Deno.test("firstFile: gives the file and nothing of what stands behind it", async () => {
  const text = async (max: number) =>
    new TextDecoder().decode((await firstFile(tar(file("a", "abc"), file("b", "x")), max))!);
  assert.equal(await text(10), "abc");
  assert.equal(await text(3), "abc");
  assert.equal(await text(1), "ab");
  assert.deepEqual(await firstFile(tar(file("a", "")), 10), new Uint8Array());
});

Deno.test("firstFile: a link, a directory or nothing is none", async () => {
  assert.equal(await firstFile(tar(link("a", "/etc/passwd"), file("b", "x")), 10), null);
  assert.equal(await firstFile(tar(directory("a"), file("b", "x")), 10), null);
  assert.equal(await firstFile(tar(), 10), null);
});

Deno.test("firstFile: of an archive that never ends, no more is taken than was asked for", async () => {
  let given = 0;
  const chunk = (offset: number, length: number) => {
    given = Math.max(given, offset + length);
    return new Uint8Array(length);
  };
  const bytes = await firstFile(tar({ path: "a", kind: "pattern", size: 2 ** 33, chunk }), 100_000);
  assert.equal(bytes!.length, 100_001);
  assert.ok(given < 1_000_000, `${given} bytes were asked for`);
});

Deno.test("firstFile: a tar that ends within its file is refused", async () => {
  const whole = Buffer.concat(await Array.fromAsync(tar(file("a", "abc"))));
  const cut = async function* () {
    yield await Promise.resolve(new Uint8Array(whole.subarray(0, 514)));
  };
  await assert.rejects(firstFile(cut(), 100), isRefused);
});

Deno.test("firstFile: whatever the bytes, it ends with a file, none or a refusal", async () => {
  const mangled = fc.tuple(fc.nat(1535), fc.nat(255), fc.nat(1536));
  await fc.assert(fc.asyncProperty(fc.array(mangled, { maxLength: 8 }), async (changes) => {
    const whole = Buffer.concat(await Array.fromAsync(tar(file("a", "abc"))));
    for (const [at, byte] of changes) whole[at % whole.length] = byte;
    const cut = whole.subarray(0, whole.length - (changes[0]?.[2] ?? 0));
    await firstFile(
      (async function* () {
        yield await Promise.resolve(new Uint8Array(cut));
      })(),
      100,
    ).catch((error) => assert.ok(isRefused(error), String(error)));
  }));
});
