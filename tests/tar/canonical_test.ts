import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import fc from "fast-check";
import { pack } from "tar-stream";
import { type CanonicalMember, padding, readCanonicalTar } from "../../src/tar/canonical.ts";
import { tarHeader } from "../../src/tar/header.ts";
import { comparePaths } from "../../src/vocabulary/path.ts";

type Made = CanonicalMember & { readonly content?: Uint8Array };

function member(name: string, content: string | Uint8Array = "", over: Partial<Made> = {}): Made {
  const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
  return { kind: "file", name, mode: 0o644, size: bytes.length, content: bytes, ...over };
}

/** What pp writes for these members, in the order given. */
function tar(members: readonly Made[]): Uint8Array {
  const parts = members.flatMap((m) => [
    tarHeader({ ...m, uid: 0, gid: 0 }),
    m.content ?? new Uint8Array(),
    new Uint8Array(padding(m.size)),
  ]);
  return new Uint8Array(Buffer.concat([...parts, new Uint8Array(1024)]));
}

async function* inPieces(bytes: Uint8Array, piece: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += piece) yield bytes.subarray(at, at + piece);
}

async function read(bytes: Uint8Array, piece = 700): Promise<Made[]> {
  const found: Made[] = [];
  await readCanonicalTar(inPieces(bytes, piece), async (m, content) => {
    const parts: Uint8Array[] = [];
    for await (const part of content) parts.push(part.slice());
    found.push(m.kind === "file" ? { ...m, content: new Uint8Array(Buffer.concat(parts)) } : m);
  });
  return found;
}

const refused = { code: "tar_not_canonical", kind: "malformed" };

Deno.test("readCanonicalTar: gives back what was written, however it arrives", async () => {
  const names = fc.oneof(
    fc.string({ minLength: 1, maxLength: 8, unit: fc.constantFrom(..."ab-.0_ \né漢🙂\\") }),
    fc.constantFrom("x".repeat(101), "ü".repeat(60), "d/e", "a/b/c"),
  ).filter((name) => name.split("/").every((part) => part !== "" && part !== "." && part !== ".."));
  const members = fc.uniqueArray(
    fc.oneof(
      fc.tuple(names, fc.uint8Array({ maxLength: 1500 }), fc.boolean()).map(([name, bytes, run]) =>
        member(name, bytes, { mode: run ? 0o755 : 0o644 })
      ),
      names.map((name): Made => ({ kind: "directory", name, mode: 0o755, size: 0 })),
      fc.tuple(names, names).map(([name, target]): Made => ({
        kind: "link",
        name,
        mode: 0o777,
        size: 0,
        target,
      })),
    ),
    { maxLength: 8, selector: (m) => m.name },
  ).map((list) => list.sort((a, b) => comparePaths(a.name, b.name)));
  await fc.assert(
    fc.asyncProperty(members, fc.integer({ min: 1, max: 3000 }), async (list, piece) => {
      assert.deepEqual(await read(tar(list), piece), list);
    }),
  );
});

Deno.test("readCanonicalTar: content that is not looked at is skipped, however much of it was", async () => {
  const seen: string[] = [];
  const bytes = tar([member("a", "x".repeat(3000)), member("b", "y".repeat(3000)), member("c")]);
  await readCanonicalTar(inPieces(bytes, 500), async (m, content) => {
    seen.push(m.name);
    if (m.name === "b") { for await (const _ of content) break; }
  });
  assert.deepEqual(seen, ["a", "b", "c"]);
});

const block = (change: (header: Uint8Array) => void, checksum = true): Uint8Array => {
  const bytes = tar([member("plain.txt", "hello")]);
  change(bytes);
  if (checksum) {
    bytes.fill(0x20, 148, 156);
    const sum = bytes.subarray(0, 512).reduce((n, byte) => n + byte, 0);
    bytes.set(new TextEncoder().encode(`${sum.toString(8).padStart(6, "0")}\0 `), 148);
  }
  return bytes;
};
const put = (at: number, text: string) => (bytes: Uint8Array) =>
  bytes.set(new TextEncoder().encode(text), at);
const whole = tar([member("a", "one"), member("b", "two")]);

const HOSTILE: Readonly<Record<string, Uint8Array>> = {
  "nothing at all": new Uint8Array(),
  "a leading slash": tar([member("/etc/passwd")]),
  "a way out": tar([member("a/../../b")]),
  "a dot": tar([member("./a")]),
  "an empty segment": tar([member("a//b")]),
  "a NUL in a long name": tar([member(`${"x".repeat(120)}\0`)]),
  "the same name twice": tar([member("a"), member("a")]),
  "names out of order": tar([member("b"), member("a")]),
  "a hard link": block(put(156, "1")),
  "a character device": block(put(156, "3")),
  "a block device": block(put(156, "4")),
  "a FIFO": block(put(156, "6")),
  "a contiguous file": block(put(156, "7")),
  "a sparse file": block(put(156, "S")),
  "a GNU long name": block(put(156, "L")),
  "a GNU long link": block(put(156, "K")),
  "a global pax header": block(put(156, "g")),
  "a volume label": block(put(156, "V")),
  "an old regular file": block((bytes) => bytes[156] = 0),
  "an owner": block(put(108, "0001750")),
  "a group": block(put(116, "0001750")),
  "another time": block(put(136, "02264174001")),
  "a setuid mode": block(put(100, "0004755")),
  "an odd mode": block(put(100, "0000600")),
  "a user name": block(put(265, "root")),
  "a prefix": block(put(345, "somewhere")),
  "bytes after the name": block(put(40, "hidden")),
  "a size in base 256": block((bytes) => bytes.set([0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 5], 124)),
  "a size with a sign": block(put(124, "-0000000005")),
  "GNU's magic": block(put(257, "ustar  \0")),
  "a wrong checksum": block(put(148, "0000001"), false),
  "a directory with content": tar([member("d", "x", { kind: "directory", mode: 0o755 })]),
  "a link to nothing": tar([{ kind: "link", name: "l", mode: 0o777, size: 0, target: "" }]),
  "padding that is not zero": (() => {
    const bytes = whole.slice();
    bytes[512 + 100] = 1;
    return bytes;
  })(),
  "one zero block only": whole.subarray(0, whole.length - 512),
  "no end": whole.subarray(0, whole.length - 1024),
  "an end that is not zero": (() => {
    const bytes = whole.slice();
    bytes[bytes.length - 1] = 1;
    return bytes;
  })(),
  "more zeros than the end": new Uint8Array([...whole, ...new Uint8Array(512)]),
  "something after the end": new Uint8Array([...whole, 1]),
  "half a header": whole.subarray(0, 300),
  "half a content": whole.subarray(0, 514),
};

for (const [what, bytes] of Object.entries(HOSTILE)) {
  Deno.test(`readCanonicalTar: refuses ${what}`, async () => {
    await assert.rejects(read(bytes), refused);
  });
}

const pax = (body: string, type = "x") => {
  const content = new TextEncoder().encode(body);
  const header = tarHeader({ ...member("pax_header", content), uid: 0, gid: 0 });
  header.set(new TextEncoder().encode(type), 156);
  header.fill(0x20, 148, 156);
  const sum = header.reduce((n, byte) => n + byte, 0);
  header.set(new TextEncoder().encode(`${sum.toString(8).padStart(6, "0")}\0 `), 148);
  return new Uint8Array([
    ...header,
    ...content,
    ...new Uint8Array(padding(content.length)),
    ...tar([member("a")]),
  ]);
};

for (
  const [what, body] of [
    ["that is not needed", "10 path=a\n"],
    ["with sparse records", "22 GNU.sparse.major=1\n"],
    ["with a time", "20 mtime=1234567890\n"],
    ["that lies about its length", "9999 path=b\n"],
    ["without a length", "path=b\n"],
    ["with a negative length", "-5 path=b\n"],
    ["with a length of zero", "0 path=b\n"],
    ["with a name twice", "10 path=a\n10 path=b\n"],
    ["with an owner", "8 uid=0\n"],
    ["that empties the name", "8 path=\n"],
    ["that is empty", ""],
    ["of more than it may be", `20000 path=${"x".repeat(19988)}\n`],
  ] as const
) {
  Deno.test(`readCanonicalTar: refuses a pax header ${what}`, async () => {
    await assert.rejects(read(pax(body)), refused);
  });
}

Deno.test("readCanonicalTar: refuses what other writers make of the same files", async () => {
  const other = pack();
  other.entry({ name: "a" }, "one");
  other.finalize();
  const chunks: Uint8Array[] = [];
  for await (const chunk of other as unknown as AsyncIterable<Uint8Array>) chunks.push(chunk);
  await assert.rejects(read(new Uint8Array(Buffer.concat(chunks))), refused);
});

Deno.test("readCanonicalTar: no changed, missing or added byte goes unnoticed, and nothing else is ever thrown", async () => {
  const long = member(`${"n".repeat(130)}`, "long");
  const bytes = tar([
    member("a", "one"),
    { kind: "link", name: "l", mode: 0o777, size: 0, target: "a" },
    long,
  ]);
  const original = JSON.stringify(await read(bytes));
  const change = fc.oneof(
    fc.tuple(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 })).map(([at, by]) => {
      const copy = bytes.slice();
      copy[at]! ^= by;
      return copy;
    }),
    fc.nat(bytes.length - 1).map((at) =>
      new Uint8Array([...bytes.subarray(0, at), ...bytes.subarray(at + 1)])
    ),
    fc.tuple(fc.nat(bytes.length), fc.integer({ min: 0, max: 255 })).map(([at, byte]) =>
      new Uint8Array([...bytes.subarray(0, at), byte, ...bytes.subarray(at)])
    ),
    fc.uint8Array({ maxLength: 2048 }),
  );
  await fc.assert(
    fc.asyncProperty(change, async (changed) => {
      try {
        const found = await read(changed);
        // A canonical tar still: then it says something else, in the same form.
        assert.notEqual(JSON.stringify(found), original);
        assert.deepEqual(tar(found), changed);
      } catch (error) {
        if ((error as { code?: string }).code !== "tar_not_canonical") throw error;
      }
    }),
    { numRuns: 3000 },
  );
});

Deno.test("readCanonicalTar: an endless source is not read beyond what the tar says", async () => {
  let given = 0;
  const endless = async function* () {
    yield whole;
    for (;; given++) yield new Uint8Array(1 << 16);
  };
  await assert.rejects(readCanonicalTar(endless(), () => {}), refused);
  assert.ok(given <= 1, `${given} chunks were taken`);
});

Deno.test("readCanonicalTar: memory does not grow with what is read", async () => {
  const size = 2 ** 30;
  const large = async function* () {
    yield tarHeader({ kind: "file", name: "large", mode: 0o644, uid: 0, gid: 0, size });
    const chunk = new Uint8Array(1 << 18);
    for (let sent = 0; sent < size; sent += chunk.length) yield chunk;
    yield new Uint8Array(1024);
  };
  const before = Deno.memoryUsage().rss;
  let most = 0, seen = 0;
  await readCanonicalTar(large(), async (_, content) => {
    for await (const piece of content) {
      seen += piece.length;
      most = Math.max(most, Deno.memoryUsage().rss - before);
    }
  });
  assert.equal(seen, size);
  assert.ok(most < 64 * 2 ** 20, `${most} bytes more`);
});
