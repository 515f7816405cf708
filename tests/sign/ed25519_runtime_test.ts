import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { Point, verify as nobleVerify } from "@noble/ed25519";
import fc from "fast-check";
import {
  ed25519PublicKey,
  ed25519Sign,
  ed25519Verify,
  pointProblem,
  type SoundPoint,
  soundPoint,
} from "../../src/sign/ed25519.ts";
import { ed25519VerifyByRuntime, soundPointByRuntime } from "../../src/sign/ed25519_runtime.ts";

const L = 2n ** 252n + 27742317777372353535851937790883648493n;
const P = 2n ** 255n - 19n;
const GENERATOR_OF_EIGHT = Point.fromHex("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a");
/** Of order 1, 8, 4, 8, 2, 8, 4, 8. */
const SMALL = Array.from({ length: 8 }, (_, i) => GENERATOR_OF_EIGHT.multiply(BigInt(i), false));

const message = new TextEncoder().encode("DSSEv1 1 a 1 b");
const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
const scalar = fc.bigInt(1n, L - 1n);
/** Arbitrary bytes, and those near both ends of what encodes a y. */
const encodings = fc.oneof(
  bytes(32),
  fc.tuple(fc.bigInt(-40n, 40n), fc.constantFrom(0n, P, 2n ** 255n), fc.boolean()).map(([near, at, sign]) =>
    littleEndian(((at + near) % 2n ** 255n + 2n ** 255n) % 2n ** 255n + (sign ? 2n ** 255n : 0n))
  ),
);

function littleEndian(n: bigint): Uint8Array<ArrayBuffer> {
  return Uint8Array.fromHex(n.toString(16).padStart(64, "0")).reverse();
}

function number(of: Uint8Array): bigint {
  return BigInt(`0x${Uint8Array.from(of).reverse().toHex()}`);
}

function challenge(r: Uint8Array, a: Uint8Array): bigint {
  return number(createHash("sha512").update(r).update(a).update(message).digest()) % L;
}

function joined(r: Uint8Array, s: bigint): Uint8Array {
  return Uint8Array.from([...r, ...littleEndian(s)]);
}

async function sameSoundness(encoded: Uint8Array): Promise<string | null> {
  const problem = pointProblem(encoded);
  const sound = await soundPointByRuntime(encoded);
  assert.equal(sound?.toHex() ?? null, problem === null ? encoded.toHex() : null, encoded.toHex());
  return problem;
}

async function sameVerdict(
  sig: Uint8Array,
  text: Uint8Array<ArrayBuffer>,
  key: SoundPoint,
): Promise<boolean> {
  const byRuntime = await ed25519VerifyByRuntime(sig, text, key);
  assert.equal(byRuntime, ed25519Verify(sig, text, key), `${sig.toHex()} by ${key.toHex()}`);
  return byRuntime;
}

Deno.test("soundPointByRuntime: says of any 32 bytes what the library's arithmetic says", async () => {
  const problems = new Map<string | null, number>();
  await fc.assert(
    fc.asyncProperty(encodings, async (encoded) => {
      const problem = await sameSoundness(encoded);
      problems.set(problem, (problems.get(problem) ?? 0) + 1);
    }),
    { numRuns: 400 },
  );
  for (const problem of ["not_on_curve", "not_canonical", "mixed_order"]) {
    assert.ok((problems.get(problem) ?? 0) > 0, `${problem} came up`);
  }
});

Deno.test("soundPointByRuntime: of a point plus each point of small order only the first is sound", async () => {
  await fc.assert(
    fc.asyncProperty(scalar, async (n) => {
      const point = Point.BASE.multiply(n);
      for (const [i, small] of SMALL.entries()) {
        for (const each of [point.add(small), point.negate().add(small)]) {
          assert.equal(await sameSoundness(each.toBytes()), i === 0 ? null : "mixed_order");
        }
      }
    }),
    { numRuns: 25 },
  );
  for (const small of SMALL) assert.equal(await sameSoundness(small.toBytes()), "small_order");
});

Deno.test("soundPointByRuntime: every encoding that is not canonical, and wrong lengths", async () => {
  for (let y = P; y < 2n ** 255n; y++) {
    for (const sign of [0n, 2n ** 255n]) assert.notEqual(await sameSoundness(littleEndian(y + sign)), null);
  }
  // x = 0 with the sign of a negative number.
  for (const y of [1n, P - 1n]) {
    assert.equal(await sameSoundness(littleEndian(y + 2n ** 255n)), "not_canonical");
  }
  const sound = ed25519PublicKey(new Uint8Array(32));
  for (const length of [0, 31, 33, 64]) {
    assert.equal(await sameSoundness(Uint8Array.from({ length }, (_, i) => sound[i] ?? 0)), "wrong_length");
  }
});

Deno.test("ed25519VerifyByRuntime: agrees on honest signatures, on flipped bits and on wrong lengths", async () => {
  await fc.assert(
    fc.asyncProperty(bytes(32), fc.uint8Array({ maxLength: 200 }), fc.nat(511), async (seed, text, flip) => {
      const key = soundPoint(ed25519PublicKey(seed))!;
      const own = Uint8Array.from(text);
      const good = ed25519Sign(own, seed);
      assert.equal(await sameVerdict(good, own, key), true);
      const flipped = Uint8Array.from(good);
      flipped[flip >> 3]! ^= 1 << (flip & 7);
      assert.equal(await sameVerdict(flipped, own, key), false);
      for (const length of [0, 63, 65]) {
        const other = Uint8Array.from({ length }, (_, i) => good[i] ?? 0);
        assert.equal(await sameVerdict(other, own, key), false);
      }
    }),
    { numRuns: 60 },
  );
});

Deno.test("ed25519VerifyByRuntime: agrees on signatures made to fit one equation and not another", async () => {
  let taken = 0;
  await fc.assert(
    fc.asyncProperty(
      scalar,
      scalar,
      fc.nat(7),
      fc.constantFrom(0n, L, 2n * L, 8n * L),
      async (a, n, i, more) => {
        const key = soundPoint(Point.BASE.multiply(a).toBytes())!;
        // R with a part of small order fits the equation with cofactor.
        const r = Point.BASE.multiply(n).add(SMALL[i]!).toBytes();
        const made = joined(r, (n + challenge(r, key) * a) % L + more);
        if (more === 0n) {
          assert.equal(
            nobleVerify(made, message, key, { zip215: true }),
            true,
            "a forgery to some",
          );
        }
        const verdict = await sameVerdict(made, message, key);
        assert.equal(verdict, i === 0 && more === 0n);
        if (verdict) taken++;
      },
    ),
    { numRuns: 120 },
  );
  assert.ok(taken > 0);
});

Deno.test("ed25519VerifyByRuntime: R of small order in any encoding, and R that is no point, are refused", async () => {
  const a = 77n;
  const key = soundPoint(Point.BASE.multiply(a).toBytes())!;
  const encoded = [...SMALL.map((point) => point.toBytes())];
  for (let y = P; y < 2n ** 255n; y++) encoded.push(littleEndian(y), littleEndian(y + 2n ** 255n));
  for (const y of [1n, P - 1n]) encoded.push(littleEndian(y + 2n ** 255n));
  for (const r of encoded) {
    // S for R = nothing: fits with cofactor where R is of small order.
    assert.equal(await sameVerdict(joined(r, challenge(r, key) * a % L), message, key), false, r.toHex());
  }
  await fc.assert(
    fc.asyncProperty(encodings, scalar, async (r, s) => {
      assert.equal(await sameVerdict(joined(r, s), message, key), false);
    }),
    { numRuns: 100 },
  );
});
