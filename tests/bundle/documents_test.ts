import assert from "node:assert/strict";
import { bundleFiles } from "../../src/bundle/documents.ts";
import { atomRanges } from "../../src/bundle/minimization_document.ts";
import { bundleOf } from "../../src/bundle/read.ts";
import { bytesOf } from "../../src/patch/bytes.ts";
import { sha256 } from "../../src/vocabulary/digest.ts";
import { BOUNDS } from "../../src/bundle/layout.ts";
import { Failure } from "../../src/vocabulary/failure.ts";
import { FINAL_PATCH, PROPOSED_PATCH, record, redact, unminimized, unproved, verified } from "./fixture.ts";

// deno-lint-ignore no-explicit-any -- documents are looked into freely here
type Json = any;

const decode = (bytes: Uint8Array | undefined) => new TextDecoder().decode(bytes);
const json = (files: ReadonlyMap<string, Uint8Array>, name: string): Json =>
  JSON.parse(decode(files.get(name)));

Deno.test("bundleFiles: a proof has every file of the layout, in order", async () => {
  const files = await bundleFiles(record(), redact);
  assert.deepEqual([...files.keys()], [
    "attempts/0_baseline/01_tests.stdout.txt",
    "attempts/0_baseline/target_results.json",
    "attempts/0_baseline/verify.json",
    "attempts/1/proposed.json",
    "attempts/2/applied.patch",
    "attempts/2/patch_stats.json",
    "attempts/2/proposed.json",
    "attempts/2/verify/01_tests.stdout.txt",
    "attempts/2/verify/target_results.json",
    "attempts/2/verify/verify.json",
    "base_again/01_tests.stdout.txt",
    "base_again/target_results.json",
    "base_again/verify.json",
    "confirmation/01_tests.stdout.txt",
    "confirmation/target_results.json",
    "confirmation/verify.json",
    "environment.json",
    "events.jsonl",
    "final.patch",
    "final_summary.md",
    "minimization.json",
    "policy.json",
    "repro.json",
    "source_git.diff",
    "workspace_manifest.json",
  ]);
});

Deno.test("bundleFiles: what was written reads back as a bundle that holds together", async () => {
  for (const made of [record(), unminimized(), unproved(), unproved({ attempts: [], baseline: [] })]) {
    const read = bundleOf(await bundleFiles(made, redact));
    assert.ok(read.ok, JSON.stringify(read));
    assert.equal(read.bundle.repro.status, made.status);
    assert.equal(read.bundle.finalPatch, made.final?.patch ?? null);
    assert.equal(read.bundle.manifest.digest, made.manifest.digest);
    assert.deepEqual(read.bundle.targets, made.targets);
  }
});

Deno.test("bundleFiles: the same record gives the same bytes", async () => {
  const [a, b] = [await bundleFiles(record(), redact), await bundleFiles(record(), redact)];
  assert.deepEqual([...a], [...b]);
});

Deno.test("bundleFiles: patches are exact", async () => {
  const files = await bundleFiles(record(), redact);
  assert.deepEqual(files.get("final.patch"), bytesOf(FINAL_PATCH));
  assert.deepEqual(files.get("attempts/2/applied.patch"), bytesOf(PROPOSED_PATCH));
  assert.equal(json(files, "repro.json").final_patch_sha256, sha256(bytesOf(FINAL_PATCH)));
});

Deno.test("bundleFiles: secrets are struck from text everywhere and counted", async () => {
  const secret = record({
    baseline: [verified("failed", "Error: sk-output")],
    targets: [{ ...record().targets[0]!, command: "pytest --token sk-command" }],
    provider: "sk-provider",
    events: [{
      at: "2026-11-20T12:00:00.000Z",
      event: { kind: "phase", phase: "attempt", detail: "with sk-event" },
    }],
  });
  const files = await bundleFiles(secret, redact);
  for (const [name, bytes] of files) assert.ok(!decode(bytes).includes("sk-"), name);
  // The output, the command, the provider, the event, the proposal and the diff of the workspace.
  assert.deepEqual(json(files, "repro.json").redactions, [{ rule: "key", count: 6 }]);
});

Deno.test("bundleFiles: no absolute path of the machine is in it", async () => {
  const base = record();
  const { policy } = base.policy;
  const files = await bundleFiles(
    record({
      policySource: "/home/user/policies/strict.yaml",
      policy: {
        ...base.policy,
        policy: { ...policy, attestation: { ...policy.attestation, key_file: "/home/user/.keys/k.pem" } },
      },
    }),
    redact,
  );
  for (const [name, bytes] of files) assert.ok(!decode(bytes).includes("/home/user"), name);
  assert.equal(json(files, "policy.json").source, "strict.yaml");
  assert.equal(json(files, "policy.json").config.policy.attestation.key_file, "k.pem");
  assert.equal(json(files, "attempts/1/proposed.json").proposal.source, "bad.diff");
});

Deno.test("bundleFiles: documents have sorted keys, two spaces, a final line feed and a format", async () => {
  for (const [name, bytes] of await bundleFiles(record(), redact)) {
    if (!name.endsWith(".json")) continue;
    const text = decode(bytes);
    assert.ok(text.endsWith("}\n"), name);
    const value = JSON.parse(text);
    assert.match(value.format, /^veripatch-[a-z-]+\/v1$/);
    const sorted = (v: Json): Json =>
      Array.isArray(v)
        ? v.map(sorted)
        : v !== null && typeof v === "object"
        ? Object.fromEntries(Object.keys(v).sort().map((k) => [k, sorted(v[k])]))
        : v;
    assert.equal(text, JSON.stringify(sorted(value), null, 2) + "\n", name);
  }
});

Deno.test("bundleFiles: output names its gap, its full size and the digest of all of it", async () => {
  const run = verified("failed");
  const { result } = run.targets[0]!;
  const stdout = {
    head: Uint8Array.of(0x61, 0xff, 0x0a),
    tail: new TextEncoder().encode("end"),
    totalBytes: 1_000_006,
    sha256: sha256("all"),
  };
  const cut = { ...run, targets: [{ ...run.targets[0]!, result: { ...result!, stdout } }] };
  const files = await bundleFiles(unproved({ baseline: [cut, cut] }), redact);
  assert.equal(
    decode(files.get("attempts/0_baseline/run_2/01_tests.stdout.txt")),
    "a\ufffd\n\n[1000000 bytes left out here]\nend",
  );
  const results = json(files, "attempts/0_baseline/target_results.json");
  assert.deepEqual(results.runs[1].targets[0].result.stdout, {
    file: "run_2/01_tests.stdout.txt",
    kept_bytes: 6,
    redacted: false,
    sha256: sha256("all"),
    total_bytes: 1_000_006,
  });
  assert.equal(results.runs[0].targets[0].result.duration_ms, 312);
  assert.equal(results.runs[0].targets[0].result.stderr.file, null);
});

Deno.test("bundleFiles: minimization.json carries the trace and the certificate", async () => {
  const document = json(await bundleFiles(record(), redact), "minimization.json");
  assert.equal(document.kept, "1-2");
  assert.deepEqual(document.after, { files: 1, additions: 1, deletions: 1 });
  assert.deepEqual(document.waves[0].tried[1], {
    cached: false,
    probe: "timed_out",
    removed: "1-2",
    retried: true,
  });
  assert.deepEqual(document.certificate, {
    wave: 2,
    removals: [{ probe: "fails", removed: "1" }, { probe: "unparsable", removed: "2" }],
  });
});

Deno.test("bundleFiles: a minimization that ended early has no certificate", async () => {
  const base = record().minimization!;
  const early = { ...base, result: { ...base.result, end: "runs_exhausted" as const } };
  const document = json(await bundleFiles(record({ minimization: early }), redact), "minimization.json");
  assert.equal(document.certificate, null);
});

Deno.test("bundleFiles: final_exit_code is of the last verification", async () => {
  const exit = async (made: ReturnType<typeof record>) =>
    json(await bundleFiles(made, redact), "repro.json").final_exit_code;
  assert.equal(await exit(record()), 0);
  assert.equal(await exit(unproved()), 1);
  assert.equal(await exit(unproved({ baseline: [verified("timed_out")] })), null);
  assert.equal(await exit(unproved({ baseline: [] })), null);
});

Deno.test("bundleFiles: a record that contradicts itself is a bug, not a bundle", async () => {
  await assert.rejects(bundleFiles(record({ final: null }), redact), /against its final patch/);
  await assert.rejects(bundleFiles(unproved({ final: record().final }), redact), /against its final patch/);
  const contradictions = [
    record({ confirmation: [verified("failed")] }),
    record({ confirmation: [] }),
    record({ baseline: [verified("failed"), verified("failed")] }),
    record({ minimization: null }),
    unproved({ baseline: [verified("failed", "", "other")] }),
  ];
  for (const made of contradictions) {
    await assert.rejects(
      bundleFiles(made, redact),
      (e) => e instanceof Failure && e.kind === "bug" && e.code === "bundle_inconsistent",
    );
  }
});

Deno.test("bundleFiles: a minimized patch that no proof used is told as not used", async () => {
  const flaky = unproved({
    status: "flaky",
    attempts: record().attempts,
    minimization: record().minimization,
    confirmation: [verified("failed")],
  });
  const document = json(await bundleFiles(flaky, redact), "minimization.json");
  assert.deepEqual([document.used, document.after, document.reason], [false, null, "no patch was confirmed"]);
});

Deno.test("bundleFiles: the runs that rejected a minimized patch are kept with what they printed", async () => {
  const files = await bundleFiles(unminimized(), redact);
  assert.equal(json(files, "minimization_rejected/verify.json").outcome, "failed");
  assert.equal(decode(files.get("minimization_rejected/01_tests.stdout.txt")), "4 passed, 1 failed\n");
  assert.equal(json(files, "minimization.json").used, false);
  assert.ok(decode(files.get("final_summary.md")).includes("it passed 0 of 1 run;"));
});

Deno.test("bundleFiles: a session past the bounds of a bundle is a clear failure with a hint", async () => {
  const tooMuch = async (work: Promise<unknown>, code: string, said: RegExp, hint: RegExp) =>
    await assert.rejects(work, (e) => {
      assert.ok(e instanceof Failure, String(e));
      assert.deepEqual([e.kind, e.code], ["malformed", code], e.message);
      assert.match(e.message, said);
      assert.match(e.hint ?? "", hint);
      return true;
    });
  // 100 repeats of 50 targets that print on both streams, red and green.
  const names = Array.from({ length: 50 }, (_, i) => `t${i}`);
  const [target] = record().targets;
  const times = (outcome: "passed" | "failed") => {
    const one = verified(outcome, "out").targets[0]!;
    const result = { ...one.result!, stderr: one.result!.stdout };
    return Array.from({ length: 100 }, () => ({
      outcome,
      targets: names.map((name) => ({ ...one, target: name, result })),
    }));
  };
  const many = record({
    targets: names.map((name) => ({ ...target!, name })),
    baseline: times("failed"),
    attempts: [],
    confirmation: times("passed"),
  });
  await tooMuch(bundleFiles(many, redact), "bundle_too_many_files", /more than 10000 files/, /fewer repeats/);
  // A million entries, of which nobody looks at more than the number.
  const entries = new Array(1_000_000).fill([...record().manifest.entries][0]);
  const wide = record({ manifest: { entries, digest: sha256("wide") } });
  await tooMuch(bundleFiles(wide, redact), "bundle_too_large", /1000000 entries/, /\.ppignore/);
  const lowered: [Partial<typeof BOUNDS>, string][] = [
    [{ bytes: 2000 }, "bundle_too_large"],
    [{ totalBytes: 5000 }, "bundle_too_large"],
    [{ jsonValues: 40 }, "bundle_too_large"],
    [{ files: 10 }, "bundle_too_many_files"],
  ];
  for (const [bounds, code] of lowered) {
    await tooMuch(bundleFiles(record(), redact, { ...BOUNDS, ...bounds }), code, /cannot be written/, /./);
  }
});

Deno.test("atomRanges: runs of numbers are written as ranges", () => {
  assert.equal(atomRanges([]), "");
  assert.equal(atomRanges([4]), "4");
  assert.equal(atomRanges([0, 1, 2, 5, 7, 8]), "0-2,5,7-8");
});
