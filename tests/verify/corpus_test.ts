import assert from "node:assert/strict";
import { takeInventory } from "../../src/bundle/inventory.ts";
import { type Verification, verifyAttestation } from "../../src/verify/verify.ts";
import { type Case, corpus, lay, NOW, trustOf } from "./corpus.ts";

const PARTS = ["signature", "integrity", "subject", "freshness"] as const;

/** The first verdict that is not valid and its code, or `valid`. */
function worst(result: Verification): string {
  const part = PARTS.find((part) => ["invalid", "unsigned"].includes(result[part].verdict));
  return part === undefined ? "valid" : `${part} ${result[part].code}`;
}

async function judge(each: Case): Promise<Verification> {
  const home = await Deno.makeTempDir({ prefix: "veripatch-test-" });
  try {
    const dir = `${home}/proof_bundle`;
    await Deno.mkdir(dir);
    await lay(each, dir);
    const taken = await takeInventory(dir);
    assert.ok(taken.ok);
    return verifyAttestation({
      inventory: taken.inventory,
      trust: trustOf(each),
      now: NOW,
      maxAgeMs: each.max_age_s === undefined ? null : each.max_age_s * 1000,
      nonce: each.nonce ?? null,
      unsigned: null,
    });
  } finally {
    await Deno.remove(home, { recursive: true });
  }
}

Deno.test("verifyAttestation: every case of the corpus gets the verdict it names", async (t) => {
  const cases = corpus();
  assert.ok(cases.length > 200, `${cases.length} cases`);
  assert.equal(new Set(cases.map((each) => each.name)).size, cases.length, "names tell cases apart");
  const failed: string[] = [];
  for (const each of cases) {
    const result = await judge(each);
    const got = worst(result);
    const [part, code] = each.expect.split(" ");
    const fits = got.split(" ")[0] === part &&
      (code === undefined || got === each.expect || result.findings.some((finding) => finding.code === code));
    if (!fits || (result.verdict === "valid") !== (each.expect === "valid")) {
      failed.push(`${each.name}: ${got}, not ${each.expect}`);
    }
  }
  await t.step(`${cases.length} cases`, () => assert.deepEqual(failed, []));
});
