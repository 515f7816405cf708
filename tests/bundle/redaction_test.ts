import assert from "node:assert/strict";
import { bundleFiles } from "../../src/bundle/documents.ts";
import type { SessionRecord } from "../../src/bundle/record.ts";
import { secretRedactor } from "../../src/prove/redact.ts";
import { captureBytes } from "../../src/sandbox/output_capture.ts";
import type { VerificationResult } from "../../src/vocabulary/verification.ts";
import { assertNothingOf, fakeKey, fakeToken } from "../prove/fake_secrets.ts";
import { attemptRecord, unproved, verified } from "./fixture.ts";

const KEY = fakeKey();
const TOKEN = fakeToken();
const FILLER = "collected one more item of no interest\n";

function printed(stdout: string, limit = 1 << 20): VerificationResult {
  const run = verified("failed");
  const target = run.targets[0]!;
  const capture = captureBytes(new TextEncoder().encode(stdout), limit);
  return {
    ...run,
    targets: [{ ...target, result: { ...target.result!, stdout: capture, stderr: capture } }],
  };
}

async function assertClean(record: SessionRecord, what: string) {
  const redact = await secretRedactor();
  const files = await bundleFiles(record, redact);
  assert.ok(files.has("attempts/0_baseline/01_tests.stdout.txt"));
  for (const [name, bytes] of files) {
    assertNothingOf([...KEY.body, TOKEN], new TextDecoder().decode(bytes), `${name}, ${what}`);
  }
}

Deno.test("bundleFiles: a private key and a token that a target printed are in no file", async () => {
  for (const prefix of ["", "E         ", "\x1b[31mE         "]) {
    for (const lines of [KEY.lines, KEY.lines.slice(4), KEY.lines.slice(0, -4)]) {
      const text = `E   assert 1 == '${TOKEN}'\n${lines.map((l) => `${prefix}${l}\n`).join("")}1 failed\n`;
      const run = printed(text);
      const refused = attemptRecord({
        proposal: { source: TOKEN, diff: text, rationale: text, riskNotes: text, confidence: null },
        refusals: [{ reason: "x", path: TOKEN, detail: text }],
        applied: null,
        verification: null,
      });
      await assertClean(unproved({ baseline: [run, run], attempts: [refused], reason: text }), "whole");
    }
  }
});

Deno.test("bundleFiles: nor where the capture was cut inside of them", async () => {
  const limit = 4000;
  const block = [...KEY.lines, `token ${TOKEN}`].map((line) => `E         ${line}\n`).join("");
  for (let inside = 1; inside < block.length; inside += 97) {
    const head = `${FILLER.repeat(100).slice(0, limit / 2 - inside - 1)}\n${block}`;
    const rest = Math.max(0, limit / 2 - (block.length - inside));
    const tail = `${block}${rest === 0 ? "" : FILLER.repeat(100).slice(-rest)}`;
    const run = printed(head + FILLER.repeat(300) + tail, limit);
    await assertClean(unproved({ baseline: [run] }), `cut ${inside} in`);
  }
  for (let inside = 0; inside <= TOKEN.length; inside += 4) {
    const head = `${FILLER.repeat(100).slice(0, limit / 2 - inside - 1)} ${TOKEN}`;
    const tail = `${TOKEN} ${FILLER.repeat(100).slice(-(limit / 2 - inside - 1))}`;
    const run = printed(`${head} ${FILLER.repeat(300)}${tail}`, limit);
    await assertClean(unproved({ baseline: [run] }), `token cut ${inside} in`);
  }
});
