import assert from "node:assert/strict";
import fc from "fast-check";
import { pack } from "tar-stream";
import { readTar, type TarItem } from "../../src/sandbox/tar_reader.ts";
import { Failure } from "../../src/vocabulary/failure.ts";
import { directory, file, link, tarOf } from "../contract/tar_of.ts";

const OWNER = { uid: 1, gid: 1, prefix: "" };

Deno.test("readTar: hands over entries in order, content at the reader's pace", async () => {
  const seen: string[] = [];
  const source = tarOf([
    file("b.sh", "run\n", 0o755),
    link("l", "b.sh"),
    directory("empty"),
    file("skipped", "xyz"),
  ]);
  await readTar(source(OWNER), async (item, content) => {
    if (item.path === "skipped") return;
    seen.push(`${item.kind} ${item.path} ${item.kind === "link" ? item.target : item.mode.toString(8)}`);
    if (item.kind === "file") seen.push(await textOf(content));
  });
  assert.deepEqual(seen, ["file b.sh 755", "run\n", "link l b.sh", "directory empty 755"]);
});

Deno.test("readTar: nothing but files, directories and symbolic links passes", async () => {
  for (const type of ["link", "fifo", "character-device", "block-device"] as const) {
    const tar = pack();
    tar.entry({ name: "odd", type, linkname: "target" });
    tar.finalize();
    const failure = await failureOf(readTar(tar as unknown as AsyncIterable<Uint8Array>, () => {}));
    assert.deepEqual([failure.kind, failure.code], ["malformed", "tar_refused"], type);
  }
});

Deno.test("readTar: what visit throws comes out, and the source is closed by then", async () => {
  let closed = false;
  async function* source() {
    try {
      yield* tarOf([file("a", "a"), file("b", "b".repeat(1_000_000)), file("c", "c")])(OWNER);
    } finally {
      closed = true;
    }
  }
  const visit = (item: TarItem) => {
    if (item.path === "b") throw new Failure("unavailable", "disk_write", "full");
  };
  assert.equal((await failureOf(readTar(source(), visit))).code, "disk_write");
  assert.ok(closed);
});

Deno.test("readTar: any bytes end in order or in a refusal, any path stays inside", async () => {
  const name = fc.array(fc.constantFrom("..", ".", "", "a", "b", "/", "a\\b", "ü"), {
    minLength: 1,
    maxLength: 5,
  });
  await fc.assert(
    fc.asyncProperty(name, fc.option(fc.tuple(fc.nat(1500), fc.nat(255))), async (segments, damage) => {
      const tar = await bytesOf(
        tarOf([file("first", "1"), { path: segments.join("/"), kind: "file", text: "2" }])(OWNER),
      );
      if (damage !== null) tar[damage[0]] = damage[1];
      const paths: string[] = [];
      const chunks = (async function* () {
        yield await Promise.resolve(tar);
      })();
      const error = await readTar(chunks, (item) => void paths.push(item.path)).then(() => null, (e) => e);
      assert.ok(error === null || (error instanceof Failure && error.code === "tar_refused"), String(error));
      for (const path of paths) {
        assert.ok(
          !path.startsWith("/") && path.split("/").every((s) => s !== "" && s !== "." && s !== ".."),
          path,
        );
      }
    }),
    { numRuns: 300 },
  );
});

async function bytesOf(source: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of source) chunks.push(chunk);
  return new Uint8Array(await new Blob(chunks as Uint8Array<ArrayBuffer>[]).arrayBuffer());
}

async function textOf(source: AsyncIterable<Uint8Array>): Promise<string> {
  return new TextDecoder().decode(await bytesOf(source));
}

async function failureOf(promise: Promise<unknown>): Promise<Failure> {
  const error = await promise.then(() => new Error("it went through"), (reason) => reason);
  assert.ok(error instanceof Failure, String(error));
  return error;
}
