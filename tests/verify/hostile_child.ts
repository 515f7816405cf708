/**
 * Feeds one reader with hostile bytes and prints the most memory this process ever had, in bytes. Run by
 * bounded_memory_test.ts, a process for each reader, so that none hides behind what another has left.
 */
import fc from "fast-check";
import { readBundle } from "../../src/bundle/read.ts";
import { claimsOf } from "../../src/bundle/claims_of.ts";
import { KEPT_DOCUMENTS } from "../../src/bundle/claims.ts";
import { takeInventory } from "../../src/bundle/inventory.ts";
import { readProofStatement } from "../../src/bundle/statement.ts";
import { unpackInto } from "../../src/bundle/unpack.ts";
import { MAX_ENVELOPE_BYTES, MAX_PAYLOAD_BYTES, parseEnvelope } from "../../src/sign/dsse.ts";
import { parseTrust } from "../../src/sign/trust_file.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

/** Text of about `length` characters that costs a reader as much as that many can. */
const WORST: readonly ((length: number) => string)[] = [
  (length) => "[".repeat(length),
  (length) => `[${"0,".repeat(length / 2)}0]`,
  (length) => `[${"{},".repeat(length / 3)}0]`,
  (length) => `{${Array.from({ length: length / 9 }, (_, i) => `"${i.toString(36)}":0,`).join("")}"":0}`,
  (length) => `{"payload":"${"A".repeat(length - 16)}"`,
  (length) => `{"payload":"","payloadType":"","signatures":[${'{"sig":"AAAA"},'.repeat(length / 15)}{}]}`,
  (length) => `"${"\\u0000".repeat(length / 6)}"`,
  (length) => "- ".repeat(length / 2),
  (length) => "a: &a [b]\n" + "c: *a\n".repeat(length / 6),
];
const worst = (length: number) => WORST.map((make) => make(length));

const noise = fc.oneof(
  fc.uint8Array({ maxLength: 400 }),
  fc.json({ maxDepth: 6 }).map(bytes),
  fc.string({ unit: fc.constantFrom(...'{}[]":,\\0aé\n&*- '), maxLength: 400 }).map(bytes),
);

/** Hands every hostile input to `read`, which must come back with a value. */
function feed(length: number, read: (input: Uint8Array) => unknown): void {
  for (const text of worst(length)) read(bytes(text));
  fc.assert(fc.property(noise, (input) => read(input) !== undefined), { numRuns: 500, seed: 7 });
}

const READERS: Readonly<Record<string, () => unknown>> = {
  envelope: () => feed(MAX_ENVELOPE_BYTES, parseEnvelope),
  statement: () => feed(MAX_PAYLOAD_BYTES, readProofStatement),
  trust: () =>
    feed(1_000_000, (input) => {
      const text = new TextDecoder().decode(input);
      return [parseTrust(text, "trust.yaml"), parseTrust(text, "trust.json")];
    }),
  documents: () =>
    feed(KEPT_DOCUMENTS.get("repro.json")! / 4, (input) =>
      claimsOf({
        files: new Map([["repro.json", { size: input.length, sha256: "0".repeat(64) }]]),
        documents: new Map([["repro.json", input]]),
      })),
  bundle: async () => {
    const home = await Deno.makeTempDir({ prefix: "veripatch-test-" });
    try {
      for (const [i, text] of worst(24_000_000).entries()) {
        const dir = `${home}/${i}`;
        await Deno.mkdir(dir);
        for (const name of ["repro.json", "attestation.json", "events.jsonl"]) {
          await Deno.writeTextFile(`${dir}/${name}`, text);
        }
        // Sparse: as large as a file may be, and larger than any may be.
        for (const [name, size] of [["final.patch", 2 ** 27], ["workspace.tar", 2 ** 41]] as const) {
          await Deno.writeFile(`${dir}/${name}`, new Uint8Array());
          await Deno.truncate(`${dir}/${name}`, size);
        }
        await takeInventory(dir);
        await readBundle(dir);
        await Deno.remove(dir, { recursive: true });
      }
    } finally {
      await Deno.remove(home, { recursive: true });
    }
  },
  tar: async () => {
    const home = await Deno.makeTempDir({ prefix: "veripatch-test-" });
    try {
      const path = `${home}/x.ppb`;
      for (let round = 0; round < 30; round++) {
        const into = `${home}/${round}`;
        await Deno.mkdir(into);
        const part = fc.sample(noise, { numRuns: 40, seed: round });
        await Deno.writeFile(path, new Uint8Array(await new Blob(part as BlobPart[]).arrayBuffer()));
        await Deno.truncate(path, round % 3 === 0 ? 2 ** 40 : 1024 * round);
        await unpackInto(path, into).catch((error) => {
          if (error.kind !== "malformed") throw error;
        });
        await Deno.remove(into, { recursive: true });
      }
    } finally {
      await Deno.remove(home, { recursive: true });
    }
  },
};

if (import.meta.main) {
  await READERS[Deno.args[0]!]!();
  const peak = /^VmHWM:\s+(\d+) kB$/m.exec(await Deno.readTextFile("/proc/self/status"))![1];
  console.log(Number(peak) * 1024);
}
