import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import fc from "fast-check";
import { bundleFiles } from "../../src/bundle/documents.ts";
import { BOUNDS } from "../../src/bundle/layout.ts";
import { bundleOf, type BundleRead, readBundle } from "../../src/bundle/read.ts";
import { sha256 } from "../../src/vocabulary/digest.ts";
import { record, redact, unminimized, unproved, verified } from "./fixture.ts";

const FILES = await bundleFiles(record(), redact);
const UNPROVED = await bundleFiles(unproved(), redact);
const NAMES = [...FILES.keys()];
const encode = (text: string) => new TextEncoder().encode(text);
const decode = (bytes: Uint8Array | undefined) => new TextDecoder().decode(bytes);

/** The bundle with one file changed, added, or (null) left out. */
function changed(name: string, bytes: Uint8Array | string | null, files = FILES): Map<string, Uint8Array> {
  const copy = new Map(files);
  if (bytes === null) copy.delete(name);
  else copy.set(name, typeof bytes === "string" ? encode(bytes) : bytes);
  return copy;
}

/** The bundle with a text in one file replaced; the text must be there. */
function edited(name: string, from: string | RegExp, to: string, files = FILES): Map<string, Uint8Array> {
  const text = decode(files.get(name));
  const after = text.replace(from, to);
  assert.notEqual(after, text, `${from} is in ${name}`);
  return changed(name, after, files);
}

function reasonOf(read: BundleRead): string {
  assert.ok(!read.ok, "refused");
  return read.refusal.reason;
}

async function onDisk(
  files: ReadonlyMap<string, Uint8Array>,
  work: (dir: string) => Promise<void>,
): Promise<void> {
  const dir = await mkdtemp(join(tmpdir(), "bundle-"));
  try {
    for (const [name, bytes] of files) {
      await mkdir(join(dir, dirname(name)), { recursive: true });
      await writeFile(join(dir, name), bytes);
    }
    await work(dir);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

Deno.test("readBundle: hashes are of the bytes it hands out", async () => {
  await onDisk(FILES, async (dir) => {
    const read = await readBundle(dir);
    assert.ok(read.ok, JSON.stringify(read));
    assert.deepEqual([...read.bundle.hashes.keys()].sort(), [...NAMES].sort());
    for (const [name, bytes] of read.bundle.files) assert.equal(read.bundle.hashes.get(name), sha256(bytes));
  });
});

Deno.test("readBundle: attestation.json may be there and is hashed", async () => {
  await onDisk(changed("attestation.json", "{}"), async (dir) => {
    const read = await readBundle(dir);
    assert.ok(read.ok && read.bundle.hashes.get("attestation.json") === sha256("{}"));
  });
});

Deno.test("readBundle: a directory that is no bundle is refused", async () => {
  await onDisk(new Map(), async (dir) => {
    assert.equal(reasonOf(await readBundle(dir)), "bundle_missing_file");
    assert.equal(reasonOf(await readBundle(join(dir, "nowhere"))), "bundle_missing");
    await writeFile(join(dir, "file"), "");
    assert.equal(reasonOf(await readBundle(join(dir, "file"))), "bundle_missing");
    assert.equal(reasonOf(await readBundle(dir)), "bundle_unknown_file");
  });
});

Deno.test("readBundle: extra files and directories, links and special files are refused", async () => {
  const spoils: [string, (dir: string) => unknown][] = [
    ["bundle_unknown_file", (dir) => writeFile(join(dir, "extra.json"), "{}")],
    ["bundle_unknown_file", (dir) => writeFile(join(dir, "attempts/2/verify/run.sh"), "")],
    ["bundle_unknown_file", (dir) => writeFile(join(dir, "Repro.json"), "{}")],
    ["bundle_unknown_file", (dir) => writeFile(join(dir, "a\\b\n"), "")],
    ["bundle_unknown_file", (dir) => mkdir(join(dir, "empty"))],
    ["bundle_unknown_file", (dir) => mkdir(join(dir, "confirmation", "Run 1"))],
    ["bundle_too_deep", (dir) => mkdir(join(dir, "a/b/c/d/e/f/g"), { recursive: true })],
    ["bundle_special_file", (dir) => execFileSync("mkfifo", [join(dir, "attestation.json")])],
    ["bundle_link", (dir) => symlink("/etc/passwd", join(dir, "attestation.json"))],
    ["bundle_link", (dir) => symlink(".", join(dir, "loop"))],
    ["bundle_link", async (dir) => {
      await rm(join(dir, "repro.json"));
      await writeFile(`${dir}.repro`, FILES.get("repro.json")!);
      await symlink(`${dir}.repro`, join(dir, "repro.json"));
    }],
  ];
  for (const [reason, spoil] of spoils) {
    await onDisk(FILES, async (dir) => {
      await spoil(dir);
      assert.equal(reasonOf(await readBundle(dir)), reason);
      await rm(`${dir}.repro`, { force: true });
    });
  }
});

Deno.test("readBundle: a file over the bounds is refused before it is read", async () => {
  await onDisk(FILES, async (dir) => {
    const file = await Deno.create(join(dir, "source_git.diff"));
    await file.truncate(BOUNDS.bytes + 1);
    file.close();
    assert.equal(reasonOf(await readBundle(dir)), "bundle_too_large");
  });
});

Deno.test("readBundle: a file that cannot be read is refused", async () => {
  await onDisk(FILES, async (dir) => {
    await chmod(join(dir, "repro.json"), 0o000);
    const read = await readBundle(dir);
    // Root reads everything.
    if (Deno.uid() === 0) assert.ok(read.ok);
    else assert.equal(reasonOf(read), "bundle_unreadable");
  });
});

Deno.test("bundleOf: every file that is left out makes it no bundle, but for what may be absent", () => {
  // Without minimization.json, final.patch would have to be the proposal.
  const free = ["source_git.diff"];
  for (const name of NAMES) {
    const read = bundleOf(changed(name, null));
    assert.equal(read.ok, free.includes(name), name);
    if (!read.ok) assert.match(read.refusal.reason, /^bundle_(missing_file|inconsistent)$/);
  }
});

Deno.test("bundleOf: documents must be strict JSON of the exact format", () => {
  const repro = decode(FILES.get("repro.json"));
  const malformed: [string, string | Uint8Array][] = [
    ["repro.json", ""],
    ["repro.json", "null"],
    ["repro.json", repro.slice(0, -10)],
    ["repro.json", "\ufeff" + repro],
    ["repro.json", repro.replace("repro/v1", "repro/v2")],
    ["repro.json", repro.replace("{", '{"extra": 1,')],
    ["repro.json", repro.replace("{", '{"status": "proved",')],
    ["repro.json", repro.replace("{", '{"st\\u0061tus": "proved",')],
    ["repro.json", repro.replace("{", '{"__proto__": {"success": true},')],
    ["repro.json", repro.replace('"attempts_used": 2', '"attempts_used": 1e999')],
    ["repro.json", repro.replace('"attempts_used": 2', '"attempts_used": 2.5')],
    ["repro.json", repro.replace('"attempts_used": 2', '"attempts_used": 9007199254740993')],
    ["repro.json", repro.replace('"attempts_used": 2', '"attempts_used": -2')],
    ["repro.json", Uint8Array.of(...encode(repro.slice(0, 40)), 0xff, ...encode(repro.slice(40)))],
    ["policy.json", "[".repeat(100_000) + "]".repeat(100_000)],
    ["policy.json", '{"a":'.repeat(100_000)],
    ["minimization.json", decode(FILES.get("minimization.json")).replace('"1-2"', '"1-x"')],
    ["workspace_manifest.json", `{"entries": [${"{},".repeat(100_000)}{}]}`],
    ["events.jsonl", ""],
    ["events.jsonl", "\n"],
    ["events.jsonl", decode(FILES.get("events.jsonl")).trimEnd()],
    ["events.jsonl", decode(FILES.get("events.jsonl")) + '{"at": "now"}\n'],
  ];
  for (const [name, bytes] of malformed) {
    const read = bundleOf(changed(name, bytes));
    assert.equal(reasonOf(read), "bundle_malformed", decode(encode(String(bytes))).slice(0, 60));
    assert.equal(!read.ok && read.refusal.path, name);
  }
});

Deno.test("bundleOf: a document of too many values is too large, not malformed", () => {
  const read = bundleOf(changed("workspace_manifest.json", `{"entries": [${"0,".repeat(4_000_001)}0]}`));
  assert.equal(reasonOf(read), "bundle_too_large");
});

Deno.test("bundleOf: files that contradict each other are refused", () => {
  const other = sha256("other");
  const contradictions = [
    edited("repro.json", '"success": true', '"success": false'),
    edited("repro.json", /"base_tree": "\w+"/, `"base_tree": "${other}"`),
    edited("repro.json", /"workspace_manifest_sha256": "\w+"/, `"workspace_manifest_sha256": "${other}"`),
    edited("repro.json", /"policy_hash": "\w+"/, `"policy_hash": "${other}"`),
    edited("repro.json", /"session": "[^"]+"/, '"session": "../../x"'),
    edited("repro.json", '"final_attempt": 2', '"final_attempt": 1'),
    edited("repro.json", '"final_attempt": 2', '"final_attempt": 3'),
    edited("repro.json", '"attempts_used": 2', '"attempts_used": 3'),
    edited("repro.json", '"attempts_used": 2', '"attempts_used": 9007199254740991'),
    edited("repro.json", '"sandbox_backend": "container"', '"sandbox_backend": "copy"'),
    edited("repro.json", '"container_image": "python:3.12"', '"container_image": null'),
    edited("repro.json", '"name": "tests"', '"name": "other"'),
    edited("final.patch", "a + b", "a * b"),
    changed("final.patch", null),
    changed("final.patch", "x", UNPROVED),
    edited("attempts/2/applied.patch", "Nice", "Evil"),
    edited("attempts/2/proposed.json", '"attempt": 2', '"attempt": 1'),
    edited("attempts/2/proposed.json", '"outcome": "passed"', '"outcome": "failed"'),
    edited("attempts/0_baseline/verify.json", '"passed": 0', '"passed": 1'),
    edited("attempts/0_baseline/target_results.json", '"target": "tests"', '"target": "other"'),
    edited("confirmation/target_results.json", '"exit_code": 0', '"exit_code": 1'),
    changed("confirmation/02_stray.stdout.txt", "hello"),
    changed("attempts/3/proposed.json", FILES.get("attempts/2/proposed.json")!),
    edited("workspace_manifest.json", "README.md", "README.mb"),
    edited("workspace_manifest.json", "README.md", "../README.md"),
  ];
  for (const [i, files] of contradictions.entries()) {
    const read = bundleOf(files);
    // The manifest is also hashed in repro.json, so which contradiction is met first does not matter.
    assert.equal(reasonOf(read), "bundle_inconsistent", `contradiction ${i}`);
  }
});

Deno.test("bundleOf: every fact that stands in two places must be the same in both", async () => {
  const twice = await bundleFiles(
    record({
      baseline: [verified("failed", "red"), verified("failed", "red")],
      baseAgain: [verified("failed", "red"), verified("failed", "red")],
      confirmation: [verified("passed", "green"), verified("passed", "green")],
    }),
    redact,
  );
  const asProposed = await bundleFiles(unminimized(), redact);
  const two = await bundleFiles(
    unproved({
      targets: ["a", "b"].map((name) => ({ ...record().targets[0]!, name })),
      baseline: [{
        outcome: "timed_out",
        targets: [verified("timed_out", "", "a").targets[0]!, {
          target: "b",
          outcome: "not_run",
          result: null,
        }],
      }],
      attempts: [],
    }),
    redact,
  );
  const clean = await bundleFiles(
    record({
      attempts: [{ ...record().attempts[1]!, attempt: 1 }],
      final: { ...record().final!, attempt: 1 },
      git: { ...record().git, diff: new Uint8Array() },
    }),
    redact,
  );
  for (const files of [twice, asProposed, two, clean]) assert.ok(bundleOf(files).ok);
  const base = "attempts/0_baseline";
  const onceConfirmed = edited(
    "confirmation/verify.json",
    /"passed": 2,\n {2}"runs": \[[^\]]*\]/,
    '"passed": 1,\n  "runs": [{"run": 1, "outcome": "passed"}]',
    new Map([...twice].filter(([name]) => !name.startsWith("confirmation/run_2/"))),
  );
  const confirmed = JSON.parse(decode(twice.get("confirmation/target_results.json")));
  onceConfirmed.set(
    "confirmation/target_results.json",
    encode(JSON.stringify({ ...confirmed, runs: confirmed.runs.slice(0, 1) })),
  );
  const contradictions: [string, Map<string, Uint8Array>][] = [
    ["argv", edited(`${base}/target_results.json`, '"-q"', '"-x"')],
    ["argv", edited("confirmation/target_results.json", /,\s*"-q"/, "")],
    ["argv", edited("attempts/2/verify/target_results.json", '"python3"', '"true"')],
    ["argv", edited("minimization_rejected/target_results.json", '"-q"', '"-x"', asProposed)],
    ["not the proof targets", edited(`${base}/target_results.json`, '"target": "b"', '"target": "c"', two)],
    [
      "not the proof targets",
      edited(`${base}/target_results.json`, /"targets": \[[^]*\]/, '"targets": []}]', two),
    ],
    ["not the proof targets", edited("repro.json", '"name": "b"', '"name": "c"', two)],
    ["final.patch", changed("final.patch", decode(FILES.get("attempts/2/applied.patch")))],
    [
      "neither minimized",
      edited(
        "repro.json",
        /"final_patch_sha256": "\w+"/,
        `"final_patch_sha256": "${sha256(FILES.get("final.patch")!)}"`,
        changed("final.patch", FILES.get("final.patch")!, asProposed),
      ),
    ],
    ["not confirmed as often", onceConfirmed],
    ["contradict verify.json", edited(`${base}/verify.json`, /timed_out/g, "failed", two)],
    [
      "outcome of a target",
      edited(`${base}/target_results.json`, '"outcome": "failed"', '"outcome": "timed_out"'),
    ],
    [
      "outcome of a target",
      edited(`${base}/target_results.json`, '"outcome": "failed"', '"outcome": "passed"'),
    ],
    [
      "outcome of a target",
      edited("confirmation/target_results.json", '"end": "exited"', '"end": "out_of_memory"'),
    ],
    [
      "outcome of a target",
      edited(`${base}/target_results.json`, '"outcome": "not_run"', '"outcome": "failed"', two),
    ],
    ["outcome of a target", edited(`${base}/target_results.json`, '"exit_code": 1', '"exit_code": 0')],
    ["exit code", edited(`${base}/target_results.json`, '"exit_code": 1', '"exit_code": null')],
    ["exit code", edited(`${base}/target_results.json`, '"end": "exited"', '"end": "out_of_memory"')],
    ["used without a proof", changed("minimization.json", FILES.get("minimization.json")!, UNPROVED)],
    ["no minimized patch", changed("minimization.json", null, asProposed)],
    ["after is there", edited("minimization.json", /"after": \{[^}]*\}/, '"after": null')],
    ["a reason is there", edited("minimization.json", /"reason": "[^"]*"/, '"reason": null', asProposed)],
    [
      "result_tree",
      edited("repro.json", /"result_tree": "\w+"/, `"result_tree": "${sha256("x")}"`, asProposed),
    ],
    ["git said", edited("repro.json", '"final_git": "agrees"', '"final_git": null')],
    ["final_exit_code", edited("repro.json", '"final_exit_code": 0', '"final_exit_code": 1')],
    ["not the stream", edited("confirmation/01_tests.stdout.txt", "5 passed", "6 passed")],
    ["size that was kept", edited("confirmation/01_tests.stdout.txt", "5 passed", "50 passed")],
    [
      "size that was kept",
      edited("confirmation/target_results.json", '"kept_bytes": 9', '"kept_bytes": 8')
        .set("confirmation/01_tests.stdout.txt", encode("\n[1 bytes left out here]\n5 passed\n")),
    ],
    ["left out", edited("confirmation/target_results.json", '"kept_bytes": 9', '"kept_bytes": 8')],
    ["more was kept", edited("confirmation/target_results.json", '"total_bytes": 9', '"total_bytes": 8')],
    ["output was kept", edited("confirmation/target_results.json", '"kept_bytes": 9', '"kept_bytes": 0')],
    [
      "not the stream",
      edited("confirmation/target_results.json", sha256("5 passed\n"), sha256("6 passed\n")),
    ],
    ["digest is not", edited("confirmation/target_results.json", sha256(""), sha256("x"))],
    [
      "redacted where",
      edited("confirmation/target_results.json", '"redacted": false', '"redacted": true', clean),
    ],
    ["not valid UTF-8", changed("confirmation/01_tests.stdout.txt", Uint8Array.of(0x35, 0xff))],
  ];
  for (const [said, files] of contradictions) {
    const read = bundleOf(files);
    assert.ok(!read.ok, said);
    assert.equal(read.refusal.reason, "bundle_inconsistent", JSON.stringify(read.refusal));
    assert.ok(
      `${read.refusal.path}: ${read.refusal.detail}`.includes(said),
      `${said}: ${JSON.stringify(read.refusal)}`,
    );
  }
});

Deno.test("bundleOf: output that was redacted or is no UTF-8 is taken as it is", async () => {
  const made = record({ confirmation: [verified("passed", "key sk-abc")] });
  const files = await bundleFiles(made, redact);
  assert.ok(bundleOf(files).ok);
  const results = decode(files.get("confirmation/target_results.json"));
  assert.ok(results.includes('"redacted": true'));
  const told = bundleOf(
    edited("confirmation/target_results.json", '"redacted": true', '"redacted": false', files),
  );
  assert.equal(reasonOf(told), "bundle_inconsistent");

  const run = verified("passed");
  const bytes = Uint8Array.of(0xff, 0x61, 0xe2, 0x82, 0xc3, 0xa9, 0xef, 0xbf, 0xbd);
  const stdout = { head: bytes, tail: new Uint8Array(), totalBytes: bytes.length, sha256: sha256(bytes) };
  const target = run.targets[0]!;
  const binary = { ...run, targets: [{ ...target, result: { ...target.result!, stdout } }] };
  assert.ok(bundleOf(await bundleFiles(record({ confirmation: [binary] }), redact)).ok);
});

Deno.test("bundleOf: a proof needs a red baseline and a green confirmation", () => {
  const green = new Map(
    ["verify.json", "target_results.json", "01_tests.stdout.txt"]
      .map((name) => [`attempts/0_baseline/${name}`, FILES.get(`confirmation/${name}`)!]),
  );
  const read = bundleOf(new Map([...FILES, ...green]));
  assert.ok(!read.ok && read.refusal.detail === "the base is not red", JSON.stringify(read));
  const unconfirmed = new Map([...FILES].filter(([name]) => !name.startsWith("confirmation/")));
  const second = bundleOf(unconfirmed);
  assert.ok(!second.ok && second.refusal.path === "confirmation/verify.json", JSON.stringify(second));
});

const someName = fc.constantFrom(...NAMES);

Deno.test("bundleOf: whatever bytes are flipped, cut or repeated, it answers and never throws", () => {
  fc.assert(
    fc.property(
      someName,
      fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 4 }),
      fc.option(fc.nat()),
      fc.option(fc.tuple(fc.nat(), fc.nat(400))),
      (name, flips, cut, repeat) => {
        let bytes = new Uint8Array(FILES.get(name)!);
        for (const [at, value] of flips) if (bytes.length > 0) bytes[at % bytes.length] = value;
        if (cut !== null) bytes = bytes.slice(0, cut % (bytes.length + 1));
        if (repeat !== null) {
          const at = repeat[0] % (bytes.length + 1);
          bytes = Uint8Array.of(...bytes.slice(0, at + repeat[1]), ...bytes.slice(at));
        }
        const read = bundleOf(changed(name, bytes));
        if (!read.ok) assert.match(read.refusal.reason, /^bundle_[a-z_]+$/);
        // What a proof stands on cannot have changed unnoticed.
        else {
          const pinned = ["final.patch", "workspace_manifest.json", "attempts/2/applied.patch"];
          if (pinned.includes(name) || /std(out|err)\.txt$/.test(name)) {
            assert.equal(sha256(bytes), sha256(FILES.get(name)!));
          }
        }
      },
    ),
    { numRuns: 1500 },
  );
});

Deno.test("bundleOf: whatever JSON stands in a document's place, it answers and never throws", () => {
  const documents = NAMES.filter((name) => name.endsWith(".json"));
  fc.assert(
    fc.property(fc.constantFrom(...documents), fc.json({ maxDepth: 20 }), (name, text) => {
      assert.ok(!bundleOf(changed(name, text)).ok);
    }),
    { numRuns: 300 },
  );
});

Deno.test("bundleOf: whatever value takes the place of another in a document, it answers and never throws", () => {
  const documents = NAMES.filter((name) => name.endsWith(".json"));
  const odd = fc.oneof(
    fc.constantFrom(null, -1, 0, 1e308, 2 ** 53, true, "", "\u202e", "__proto__", [], {}),
    fc.jsonValue(),
  );
  fc.assert(
    fc.property(
      fc.constantFrom(...documents),
      fc.array(fc.nat(), { maxLength: 6 }),
      odd,
      (name, path, value) => {
        const document = JSON.parse(decode(FILES.get(name)));
        let at = document;
        for (const [i, step] of path.entries()) {
          const keys = Object.keys(at);
          if (keys.length === 0) break;
          const key = keys[step % keys.length]!;
          const next = at[key];
          if (i === path.length - 1 || typeof next !== "object" || next === null) {
            at[key] = value;
            break;
          }
          at = next;
        }
        const read = bundleOf(changed(name, JSON.stringify(document)));
        if (!read.ok) assert.match(read.refusal.reason, /^bundle_(malformed|inconsistent)$/);
      },
    ),
    { numRuns: 600 },
  );
});

Deno.test("readBundle: whatever files lie in a directory, it answers and never throws", async () => {
  const name = fc.oneof(
    someName,
    fc.string({ unit: "binary", minLength: 1, maxLength: 8 }).filter((s) =>
      !/[\0/]|^\.{1,2}$/.test(s) && s.isWellFormed()
    ),
  );
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(name, fc.uint8Array({ maxLength: 20 })), { maxLength: 3 }),
      async (extra) => {
        await onDisk(FILES, async (dir) => {
          for (const [file, bytes] of extra) await writeFile(join(dir, file), bytes);
          const read = await readBundle(dir);
          if (!read.ok) assert.match(read.refusal.reason, /^bundle_[a-z_]+$/);
          assert.equal(
            read.ok,
            extra.every(([file]) => ["final_summary.md", "source_git.diff"].includes(file)),
          );
        });
      },
    ),
    { numRuns: 40 },
  );
});

const CONTROL = {
  files: [{ path: "tests/test_control.py", sha256: sha256("assert False") }],
  targets: ["tests"],
  outcome: "failed" as const,
  runs: [verified("failed", "1 failed\n")],
};
const FINDING = {
  code: "protected_touched",
  path: "tests/test_calc.py",
  rule: "test_files",
  detail: "the patch touches a protected file",
};

Deno.test("bundleOf: findings and a negative control are read as they were written", async () => {
  const files = await bundleFiles(record({ negativeControl: CONTROL, findings: [FINDING] }), redact);
  const read = bundleOf(files);
  assert.ok(read.ok, JSON.stringify(read));
  assert.deepEqual(read.bundle.repro.findings, [FINDING]);
  const { runs: _runs, ...told } = CONTROL;
  assert.deepEqual(read.bundle.repro.negative_control, told);
  assert.ok(files.has("negative_control/01_tests.stdout.txt"));
});

Deno.test("bundleOf: a negative control that contradicts its runs, or a proof without its failure, is refused", async () => {
  const files = await bundleFiles(record({ negativeControl: CONTROL }), redact);
  const cases: [string, ReadonlyMap<string, Uint8Array>][] = [
    ["another outcome", edited("repro.json", '"outcome": "failed"', '"outcome": "passed"', files)],
    ["not run", edited("repro.json", '"outcome": "failed"', '"outcome": "not_run"', files)],
    ["another target", edited("repro.json", /"targets": \[\s*"tests"/, '"targets": ["lint"', files)],
    [
      "a target twice",
      edited("repro.json", /"targets": \[\s*"tests"/, '"targets": ["tests", "tests"', files),
    ],
    ["no target", edited("repro.json", /"targets": \[\s*"tests"\s*\]/, '"targets": []', files)],
    [
      "runs of none",
      edited("repro.json", /"negative_control": \{[^]*?\n {2}\}/, '"negative_control": null', files),
    ],
    [
      "none of its runs",
      new Map([...files].filter(([name]) => !name.startsWith("negative_control/"))),
    ],
  ];
  for (const [what, changed] of cases) {
    assert.equal(bundleOf(changed).ok, false, what);
  }
  for (const outcome of ["passed", "timed_out"] as const) {
    const green = { ...CONTROL, outcome, runs: [verified(outcome)] };
    await assert.rejects(bundleFiles(record({ negativeControl: green }), redact), { kind: "bug" }, outcome);
  }
  const twice = { ...CONTROL, runs: [verified("failed"), verified("failed")] };
  await assert.rejects(bundleFiles(record({ negativeControl: twice }), redact), { kind: "bug" });
});

Deno.test("bundleOf: protected files are touched by proofs only", async () => {
  await assert.rejects(bundleFiles(unproved({ findings: [FINDING] }), redact), { kind: "bug" });
});
