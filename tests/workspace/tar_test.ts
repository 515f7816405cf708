import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { join } from "node:path";
import fc from "fast-check";
import { sha256 } from "../../src/vocabulary/digest.ts";
import { comparePaths } from "../../src/vocabulary/path.ts";
import { directoryWorkspace } from "../../src/workspace/directory.ts";
import { inTempDir, listTar, PLACEMENT, snapshot, tarOf, untar, writeFiles } from "./trees.ts";

type Node =
  | { kind: "file"; bytes: Uint8Array; executable: boolean }
  | { kind: "link"; target: string }
  | { kind: "directory"; children: [string, Node][] };

const names = fc.oneof(
  fc.string({ minLength: 1, maxLength: 12, unit: fc.constantFrom(..."ab-.0_ \n\t\\\"'é漢🙂\ufffd") }),
  fc.constantFrom("a", "a-b", "a0", "a.b", "x".repeat(101), "n".repeat(255), "ü".repeat(60)),
).filter((name) => name !== "." && name !== ".." && name !== ".git" && name !== ".pp-artifacts");

const { node } = fc.letrec<{ node: Node; directory: Node }>((tie) => ({
  node: fc.oneof(
    { depthSize: "small", maxDepth: 4 },
    fc.record({
      kind: fc.constant("file" as const),
      bytes: fc.oneof(
        fc.uint8Array({ maxLength: 40 }),
        fc.integer({ min: 0, max: 700_000 }).map((n) => new Uint8Array(n).fill(n % 251)),
      ),
      executable: fc.boolean(),
    }),
    fc.record({
      kind: fc.constant("link" as const),
      target: fc.oneof(names, fc.constant("../../etc/passwd")),
    }),
    tie("directory"),
  ),
  directory: fc.record({
    kind: fc.constant("directory" as const),
    children: fc.uniqueArray(fc.tuple(names, tie("node")), { maxLength: 6, selector: ([name]) => name }),
  }),
}));

function build(at: string, node: Node): void {
  if (node.kind === "link") return Deno.symlinkSync(node.target, at);
  if (node.kind === "file") {
    Deno.writeFileSync(at, node.bytes);
    return Deno.chmodSync(at, node.executable ? 0o755 : 0o644);
  }
  Deno.mkdirSync(at, { recursive: true });
  Deno.chmodSync(at, 0o755);
  for (const [name, child] of node.children) build(join(at, name), child);
}

Deno.test("tar: unpacks to the same bytes, modes and links; twice the same; the manifest is what was sent", async () => {
  const trees = fc.uniqueArray(fc.tuple(names, node), { maxLength: 6, selector: ([name]) => name });
  await fc.assert(
    fc.asyncProperty(trees, (children) =>
      inTempDir(async (root) => {
        build(join(root, "in"), { kind: "directory", children });
        const workspace = await directoryWorkspace(join(root, "in"));
        const chunks = await Array.fromAsync(workspace.tar(PLACEMENT));
        assert.ok(chunks.slice(0, -1).every((chunk) => chunk.length >= 64 * 1024));
        const tar = Buffer.concat(chunks);
        untar(tar, join(root, "out"));
        const before = snapshot(join(root, "in"));
        assert.deepEqual(snapshot(join(root, "out")), before);
        assert.equal(sha256(await tarOf(join(root, "in"))), sha256(tar));

        const manifest = await workspace.manifest();
        const entries = [...manifest.entries], { digest } = manifest;
        assert.deepEqual(entries.map((e) => e.path), Object.keys(before).sort(comparePaths));
        for (const entry of entries.filter((e) => e.mode.startsWith("100"))) {
          const bytes = await Deno.readFile(join(root, "in", entry.path));
          assert.equal(entry.sha256, sha256(bytes));
          assert.equal(entry.size, bytes.length);
          assert.deepEqual(workspace.entry(entry.path), entry);
        }
        assert.equal((await (await directoryWorkspace(join(root, "out"))).manifest()).digest, digest);
      })),
    { numRuns: 30 },
  );
});

Deno.test("tar: owner, prefix, fixed time and normalized modes", () =>
  inTempDir(async (root) => {
    writeFiles(root, { "bin/run": "x", "odd": "y" });
    Deno.chmodSync(join(root, "bin/run"), 0o4710);
    Deno.chmodSync(join(root, "bin"), 0o2700);
    Deno.chmodSync(join(root, "odd"), 0o666);
    const listed = listTar(await tarOf(root, { uid: 3_000_000_000, gid: 12, prefix: "work/space/" }));
    assert.deepEqual(listed.map((line) => line.replace(/ +/g, " ")), [
      "drwxr-xr-x 3000000000/12 0 1980-01-01 00:00:00 work/space/",
      "drwxr-xr-x 3000000000/12 0 1980-01-01 00:00:00 work/space/bin/",
      "-rwxr-xr-x 3000000000/12 1 1980-01-01 00:00:00 work/space/bin/run",
      "-rw-r--r-- 3000000000/12 1 1980-01-01 00:00:00 work/space/odd",
    ]);
  }));

Deno.test("tar: names of 255 bytes, paths past 3,000 bytes and long link targets survive", () =>
  inTempDir(async (root) => {
    const deep = Array.from({ length: 12 }, (_, i) => `${i}`.padEnd(255, "d")).join("/");
    Deno.mkdirSync(join(root, "in", deep), { recursive: true });
    Deno.writeTextFileSync(join(root, "in", deep, "é".repeat(127)), "deep");
    Deno.symlinkSync("t/".repeat(1_500), join(root, "in", "link"));
    untar(await tarOf(join(root, "in")), join(root, "out"));
    assert.deepEqual(snapshot(join(root, "out")), snapshot(join(root, "in")));
  }));

Deno.test("tar: a file past 8 GiB has its size in a pax header, and leaving the stream early closes the file", () =>
  inTempDir(async (root) => {
    const size = 9 * 2 ** 30 + 7;
    (await Deno.create(join(root, "huge"))).close();
    Deno.truncateSync(join(root, "huge"), size);
    const stream = (await directoryWorkspace(root)).tar(PLACEMENT)[Symbol.asyncIterator]();
    const first = (await stream.next()).value as Uint8Array;
    assert.match(new TextDecoder().decode(first.subarray(512, 1024)), new RegExp(`^\\d+ size=${size}\n`));
    await stream.return!();
    const open = [...Deno.readDirSync("/proc/self/fd")].map(({ name }) => {
      try {
        return Deno.readLinkSync(`/proc/self/fd/${name}`);
      } catch {
        return "";
      }
    });
    assert.ok(!open.includes(join(root, "huge")));
  }));

Deno.test("tar: a workspace large enough for the hashing thread has the right digests", () =>
  inTempDir(async (root) => {
    writeFiles(root, { "small": "s", "z/empty": "" });
    const big = new Uint8Array(30 << 20);
    for (let i = 0; i < big.length; i += 997) big[i] = i;
    Deno.writeFileSync(join(root, "big"), big);
    for (let i = 0; i < 50; i++) {
      Deno.writeFileSync(join(root, `part${i}`), big.subarray(i * 997, i * 14_000));
    }
    const { entries } = await (await directoryWorkspace(root)).manifest();
    assert.equal(entries.length, 54);
    for (const { path, mode, sha256: digest } of entries) {
      assert.equal(digest, sha256(mode === "040000" ? "" : Deno.readFileSync(join(root, path))), path);
    }
  }));

Deno.test("tar: an empty directory is an empty archive with an empty manifest", () =>
  inTempDir(async (root) => {
    const workspace = await directoryWorkspace(root);
    const chunks = await Array.fromAsync(workspace.tar(PLACEMENT));
    assert.deepEqual(Buffer.concat(chunks), Buffer.alloc(1024));
    assert.equal((await workspace.manifest()).entries.length, 0);
  }));
