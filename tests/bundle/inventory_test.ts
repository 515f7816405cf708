import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import fc from "fast-check";
import { inventoryOf, takeInventory } from "../../src/bundle/inventory.ts";
import { BOUNDS } from "../../src/bundle/layout.ts";
import { sha256 } from "../../src/vocabulary/digest.ts";
import { withFolder } from "../cli/process.ts";
import { attested } from "./attested.ts";

const FILES = await attested();
const CONTENT = Object.fromEntries(FILES);

async function findings(dir: string, bounds = BOUNDS): Promise<string[]> {
  const taken = await takeInventory(dir, bounds);
  assert.ok(taken.ok, JSON.stringify(taken));
  return taken.inventory.findings.map(({ code, name }) => `${code} ${name}`);
}

Deno.test("takeInventory: digests, sizes and documents are those of the files", async () => {
  await withFolder(CONTENT, async (dir) => {
    const taken = await takeInventory(dir);
    assert.ok(taken.ok);
    const { files, documents, findings } = taken.inventory;
    assert.deepEqual(findings, []);
    const inMemory = await inventoryOf(FILES);
    assert.deepEqual(new Map([...files].sort()), new Map([...inMemory.files].sort()));
    assert.deepEqual(new Map([...documents].sort()), new Map([...inMemory.documents].sort()));
    assert.ok(documents.has("attestation.json") && !documents.has("final.patch"));
  });
});

Deno.test("takeInventory: a large file streams to the same digest, also at the edges of a chunk", async () => {
  const chunk = 1 << 18;
  for (const size of [1 << 20, (1 << 20) + 1, 5 * chunk - 1, 5 * chunk, 5 * chunk + 1]) {
    const bytes = new Uint8Array(size).map((_, i) => i * 7);
    await withFolder({ "source_git.diff": bytes }, async (dir) => {
      const taken = await takeInventory(dir);
      assert.ok(taken.ok);
      assert.deepEqual(taken.inventory.files.get("source_git.diff"), { size, sha256: sha256(bytes) });
    });
  }
});

Deno.test("takeInventory: links, special files, odd names and empty folders are findings, each named", async () => {
  await withFolder(CONTENT, async (dir) => {
    await Deno.remove(`${dir}/final.patch`);
    await Deno.symlink("/etc/hostname", `${dir}/final.patch`);
    await Deno.symlink("/etc", `${dir}/confirmation2`);
    execFileSync("mkfifo", [`${dir}/source.fifo`]);
    await Deno.remove(`${dir}/policy.json`);
    execFileSync("mkfifo", [`${dir}/policy.json`]);
    await Deno.mkdir(`${dir}/attempts/3`);
    await Deno.mkdir(`${dir}/Attempts`);
    for (const name of ["a\nb", "back\\slash", "é.txt", "REPRO.JSON", ".hidden", "final.patch "]) {
      await Deno.writeTextFile(`${dir}/${name}`, "");
    }
    execFileSync("python3", ["-c", "import sys,os; open(os.fsencode(sys.argv[1])+b'/\\xff', 'w')", dir]);
    assert.deepEqual(
      await findings(dir),
      [
        "unknown_file .hidden",
        "unknown_file Attempts",
        "unknown_file REPRO.JSON",
        "unknown_file a\\nb",
        "name_collision attempts",
        "unknown_file back\\\\slash",
        "link confirmation2",
        "link final.patch",
        "unknown_file final.patch ",
        "special_file policy.json",
        "name_collision repro.json",
        "special_file source.fifo",
        "unknown_file é.txt",
        "unknown_file \ufffd",
      ],
    );
  });
});

Deno.test("takeInventory: a folder that is linked, too deep or odd inside is not entered", async () => {
  await withFolder(CONTENT, async (dir) => {
    await Deno.rename(`${dir}/confirmation`, `${dir}/../${dir.split("/").pop()}-outside`);
    const outside = `${dir}-outside`;
    try {
      await Deno.symlink(outside, `${dir}/confirmation`);
      await Deno.mkdir(`${dir}/attempts/1/verify/run_2`, { recursive: true });

      await Deno.mkdir(`${dir}/attempts/9`);
      await Deno.mkdir(`${dir}/attempts/b.c`);
      assert.deepEqual(await findings(dir), [
        "too_deep attempts/1/verify/run_2",
        "empty_directory attempts/9",
        "unknown_file attempts/b.c",
        "link confirmation",
      ]);
    } finally {
      await Deno.remove(outside, { recursive: true });
    }
  });
});

Deno.test("takeInventory: bounds end it", async () => {
  await withFolder(CONTENT, async (dir) => {
    assert.deepEqual(await findings(dir, { ...BOUNDS, files: 5 }), ["too_many_files "]);
    assert.ok((await findings(dir, { ...BOUNDS, bytes: 1000 })).includes("too_large repro.json"));
    assert.ok((await findings(dir, { ...BOUNDS, totalBytes: 1000 })).some((f) => f.startsWith("too_large")));
    assert.ok((await findings(dir, { ...BOUNDS, depth: 1 })).includes("too_deep attempts"));
  });
});

Deno.test("takeInventory: a sparse giant is not read", async () => {
  await withFolder(CONTENT, async (dir) => {
    await Deno.truncate(`${dir}/source_git.diff`, 2 ** 40);
    assert.deepEqual(await findings(dir), ["too_large source_git.diff"]);
  });
});

Deno.test("takeInventory: what is no folder is a refusal", async () => {
  await withFolder({ file: "" }, async (dir) => {
    for (const path of [`${dir}/nowhere`, `${dir}/file`]) {
      const taken = await takeInventory(path);
      assert.ok(!taken.ok && taken.refusal.reason === "bundle_missing", path);
    }
  });
});

Deno.test("takeInventory: a folder of any names ends in findings, never in a crash", async () => {
  const name = fc.string({ minLength: 1, maxLength: 12, unit: "binary" }).map((text) =>
    text.toWellFormed().replaceAll(/[\0/]/g, "_")
  ).filter((text) => text !== "." && text !== ".." && new TextEncoder().encode(text).length < 200);
  await fc.assert(
    fc.asyncProperty(fc.uniqueArray(fc.tuple(name, fc.boolean()), { maxLength: 6 }), async (names) => {
      const dir = await Deno.makeTempDir();
      try {
        for (const [text, folder] of names) {
          const path = `${dir}/${text}`;
          await (folder ? Deno.mkdir(path) : Deno.writeTextFile(path, text)).catch(() => {});
        }
        const found = await findings(dir);
        const entries = [...Deno.readDirSync(dir)].length;
        assert.equal(found.length, entries, "no such name is a bundle's");
      } finally {
        await Deno.remove(dir, { recursive: true });
      }
    }),
    { numRuns: 60 },
  );
});

Deno.test("takeInventory: names collide when their folded forms are the same, plain ones or not", async () => {
  const alike = [
    "k",
    "K",
    "\u212a",
    "s",
    "S",
    "\u017f",
    "fi",
    "FI",
    "\ufb01",
    "1",
    "\u00b9",
    "\uff11",
    "~",
    "\x7f",
  ];
  const accented = ["\u00e9", "e\u0301", "\u00c9", "E\u0301", "\u00df", "ss", "\u0130", "i\u0307", "i"];
  const name = fc.string({ minLength: 1, maxLength: 3, unit: fc.constantFrom(...alike, ...accented) });
  await fc.assert(
    fc.asyncProperty(fc.uniqueArray(name, { minLength: 2, maxLength: 12 }), async (names) => {
      await withFolder(Object.fromEntries(names.map((text) => [text, ""])), async (dir) => {
        const folded = names.map((text) => text.normalize("NFKC").toLowerCase().normalize("NFKC"));
        const collisions = (await findings(dir)).filter((line) => line.startsWith("name_collision "));
        assert.equal(collisions.length, names.length - new Set(folded).size, JSON.stringify(names));
      });
    }),
    { numRuns: 60 },
  );
  await withFolder({ "\u212a": "", "k": "", "\ufb01": "", "FI": "" }, async (dir) => {
    const collisions = (await findings(dir)).filter((line) => line.startsWith("name_collision "));
    assert.deepEqual(collisions, ["name_collision \u212a", "name_collision \ufb01"]);
  });
});
