import assert from "node:assert/strict";
import { sha256 } from "../../src/vocabulary/digest.ts";
import type { FileMode, ManifestEntry } from "../../src/vocabulary/manifest.ts";
import { applyPatch } from "../../src/patch/apply.ts";
import { bytesOf, byteString, byteStringOfText } from "../../src/patch/bytes.ts";
import { parsePatch } from "../../src/patch/parse.ts";
import { pathsNeeded, readProposal, resolveProposal } from "../../src/patch/read.ts";
import { renderPatch } from "../../src/patch/render.ts";
import type { ByteString } from "../../src/vocabulary/patch.ts";
import { gitApply } from "./git.ts";
import { changed, lookup, plain, type Tree } from "./trees.ts";

interface Vector {
  /** `ok`, or the reason of the refusal. */
  verdict: string;
  notes: string[] | null;
  base: Tree;
  links: string[];
  result: Tree;
  proposal: ByteString;
}

const HERE = new URL("../vectors/patch/", import.meta.url);

/** Header lines `about: verdict: notes: link: base: result:` with JSON strings, then the proposal's bytes after `proposal:`. */
function readVector(bytes: Uint8Array): Vector {
  const all = byteString(bytes), cut = all.indexOf("proposal:\n");
  const vector: Vector = {
    verdict: "",
    notes: null,
    base: new Map(),
    links: [],
    result: new Map(),
    proposal: all.slice(cut + "proposal:\n".length) as ByteString,
  };
  for (
    const line of new TextDecoder().decode(bytesOf(all.slice(0, cut) as ByteString)).trimEnd().split("\n")
  ) {
    const [, key, value] = /^(\w+): (.*)$/.exec(line)!;
    if (key === "verdict") vector.verdict = value!;
    else if (key === "notes") vector.notes = value!.split(" ");
    else if (key === "link") vector.links.push(JSON.parse(value!));
    else if (key === "base" || key === "result") {
      const [, mode, name, content] = /^(\d{6}) ("(?:[^"\\]|\\.)*") (".*")$/.exec(value!)!;
      const state = { mode: mode as FileMode, bytes: bytesOf(byteStringOfText(JSON.parse(content!))) };
      vector[key].set(JSON.parse(name!), state);
    } else if (key !== "about") throw new Error(`unknown line ${line}`);
  }
  return vector;
}

function entriesOf(vector: Vector): Map<string, ManifestEntry> {
  const entries = new Map<string, ManifestEntry>();
  for (const [path, file] of vector.base) {
    entries.set(path, { path, mode: file.mode, size: file.bytes.length, sha256: sha256(file.bytes) });
  }
  for (const path of vector.links) {
    entries.set(path, { path, mode: "120000", size: 4, sha256: sha256("real"), target: "real" });
  }
  return entries;
}

function verdictOf(vector: Vector) {
  const read = readProposal(vector.proposal);
  if (!read.ok) return read;
  const entries = entriesOf(vector), needed = pathsNeeded(read.proposal, entries);
  if (!needed.ok) return needed;
  const allowed = new Set<string>(needed.paths);
  return resolveProposal(
    read.proposal,
    entries,
    (path) => allowed.has(path) ? vector.base.get(path)?.bytes : undefined,
  );
}

const files = [...Deno.readDirSync(HERE)].map((e) => e.name).sort();

Deno.test("readVector: the vectors are there", () => assert.ok(files.length > 90));

for (const file of files) {
  const vector = readVector(Deno.readFileSync(new URL(file, HERE)));
  Deno.test(`resolveProposal: ${file} is ${vector.verdict}`, () => {
    const verdict = verdictOf(vector);
    if (vector.verdict !== "ok") {
      assert.ok(!verdict.ok, "taken");
      assert.equal(verdict.refusal.reason, vector.verdict, verdict.refusal.detail);
      return;
    }
    assert.ok(verdict.ok, JSON.stringify(verdict));
    const applied = applyPatch(verdict.patch, lookup(vector.base));
    assert.ok(applied.ok, JSON.stringify(applied));
    assert.deepEqual(plain(changed(vector.base, applied.changes)), plain(vector.result));
    assert.deepEqual(parsePatch(renderPatch(verdict.patch)), { ok: true, patch: verdict.patch });
    const git = gitApply(vector.base, renderPatch(verdict.patch));
    assert.ok(git.ok, git.stderr);
    assert.deepEqual(plain(git.tree), plain(vector.result));
    if (vector.notes) assert.deepEqual(verdict.notes, vector.notes);
  });
}
