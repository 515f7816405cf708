import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createHash, createPublicKey, verify as nodeVerify } from "node:crypto";
import { Point, verify as nobleVerify } from "@noble/ed25519";
import fc from "fast-check";
import {
  ed25519PublicKey,
  ed25519Sign,
  ed25519Verify,
  pointProblem,
  soundPoint,
} from "../../src/sign/ed25519.ts";
import { publicKeyOf } from "../../src/sign/key.ts";
import { spkiOf } from "../../src/sign/pem.ts";

const hex = (text: string) => Uint8Array.fromHex(text);
const L = 2n ** 252n + 27742317777372353535851937790883648493n;
const P = 2n ** 255n - 19n;

interface Rfc8032 {
  name: string;
  seed: string;
  publicKey: string;
  message: string;
  signature: string;
}

const vectors = JSON.parse(
  await Deno.readTextFile(new URL("../vectors/ed25519/rfc8032.json", import.meta.url)),
) as Rfc8032[];

/** The points of order 1, 2, 4 and 8 in their canonical encodings: all there are. */
const SMALL_ORDER = [
  "0100000000000000000000000000000000000000000000000000000000000000",
  "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  "0000000000000000000000000000000000000000000000000000000000000000",
  "0000000000000000000000000000000000000000000000000000000000000080",
  "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
  "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
  "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
  "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
];
const TORSION = Point.fromHex(SMALL_ORDER[6]!);

const message = new TextEncoder().encode("DSSEv1 1 a 1 b");
const seed = new Uint8Array(32).fill(7);
const own = ed25519PublicKey(seed);

function littleEndian(n: bigint): Uint8Array {
  return hex(n.toString(16).padStart(64, "0")).reverse();
}

function number(bytes: Uint8Array): bigint {
  return BigInt(`0x${Uint8Array.from(bytes).reverse().toHex()}`);
}

function sha512(...parts: Uint8Array[]): Uint8Array {
  const hash = createHash("sha512");
  for (const part of parts) hash.update(part);
  return new Uint8Array(hash.digest());
}

/** The secret scalar of the seed. */
function scalar(): bigint {
  const head = sha512(seed).slice(0, 32);
  head[0]! &= 248;
  head[31] = (head[31]! & 127) | 64;
  return number(head);
}

const challenge = (r: Uint8Array, a: Uint8Array) => number(sha512(r, a, message)) % L;
const signature = (r: Uint8Array, s: bigint) => Uint8Array.from([...r, ...littleEndian(s)]);

/** As a signature is judged: under a key that is sound, or not at all. */
function verifies(sig: Uint8Array, message: Uint8Array, publicKey: Uint8Array): boolean {
  const key = soundPoint(publicKey);
  return key !== null && ed25519Verify(sig, message, key);
}

/** Takes every point and encoding that ZIP 215 takes: shows that a forgery is one. */
const lenient = (sig: Uint8Array, key: Uint8Array) => nobleVerify(sig, message, key, { zip215: true });

for (const { name, seed, publicKey, message, signature } of vectors) {
  Deno.test(`ed25519: RFC 8032 section 7.1 ${name}`, () => {
    assert.equal(ed25519PublicKey(hex(seed)).toHex(), publicKey);
    assert.equal(ed25519Sign(hex(message), hex(seed)).toHex(), signature);
    assert.equal(verifies(hex(signature), hex(message), hex(publicKey)), true);
    assert.equal(verifies(hex(signature), hex(`${message}00`), hex(publicKey)), false);
    assert.equal(pointProblem(hex(publicKey)), null);
  });
}

Deno.test("ed25519Verify: says of every signature what the library's strict verification and OpenSSL say", () => {
  const bytes = (n: number) => fc.uint8Array({ minLength: n, maxLength: n });
  fc.assert(
    fc.property(bytes(32), fc.uint8Array({ maxLength: 200 }), fc.nat(1023), (seed, message, flip) => {
      const publicKey = ed25519PublicKey(seed);
      const good = ed25519Sign(message, seed);
      const spki = new Uint8Array([...Uint8Array.fromHex("302a300506032b6570032100"), ...publicKey]);
      const native = createPublicKey({ key: Buffer.from(spki), format: "der", type: "spki" });
      const bad = Uint8Array.from(good);
      bad[flip >> 4]! ^= 1 << (flip & 7);
      for (const sig of [good, bad]) {
        const ours = verifies(sig, message, publicKey);
        assert.equal(ours, sig === good);
        assert.equal(ours, nobleVerify(sig, message, publicKey, { zip215: false }));
        assert.equal(ours, nodeVerify(null, message, native, sig));
      }
    }),
    { numRuns: 60 },
  );
});

Deno.test("ed25519Verify: S has to be below the group's order", () => {
  const good = ed25519Sign(message, seed);
  const s = number(good.subarray(32));
  for (const more of [L, 2n * L, 8n * L]) {
    assert.equal(verifies(signature(good.subarray(0, 32), s + more), message, own), false);
  }
  assert.equal(verifies(signature(good.subarray(0, 32), s), message, own), true);
});

Deno.test("ed25519Verify: keys of small order, under which one signature fits many messages, are refused", () => {
  const multiples = Array.from({ length: 8 }, (_, i) => TORSION.multiply(BigInt(i), false).toHex());
  assert.deepEqual(multiples.sort(), [...SMALL_ORDER].sort(), "the table is complete");
  for (const key of SMALL_ORDER.map(hex)) {
    const r = Point.BASE.multiply(5n).toBytes();
    assert.equal(lenient(signature(r, 5n), key), true, "a forgery to those who do not look");
    assert.equal(verifies(signature(r, 5n), message, key), false);
    assert.equal(pointProblem(key), "small_order");
    assert.equal(publicKeyOf(key).ok, false);
  }
});

Deno.test("ed25519Verify: R of small order is refused", () => {
  for (const r of SMALL_ORDER.map(hex)) {
    const forged = signature(r, challenge(r, own) * scalar() % L);
    assert.equal(lenient(forged, own), true);
    assert.equal(verifies(forged, message, own), false);
  }
});

Deno.test("ed25519Verify: A or R with a small-order part, where verifiers disagree, is refused", () => {
  const a = Point.fromBytes(own);
  for (let i = 1n; i < 8n; i++) {
    const t = TORSION.multiply(i, false);
    const mixedKey = a.add(t).toBytes();
    const r = Point.BASE.multiply(11n).toBytes();
    const underMixed = signature(r, (11n + challenge(r, mixedKey) * scalar()) % L);
    assert.equal(lenient(underMixed, mixedKey), true);
    assert.equal(verifies(underMixed, message, mixedKey), false);
    assert.equal(pointProblem(mixedKey), "mixed_order");
    const mixedR = Point.BASE.multiply(11n).add(t).toBytes();
    const withMixed = signature(mixedR, (11n + challenge(mixedR, own) * scalar()) % L);
    assert.equal(lenient(withMixed, own), true);
    assert.equal(verifies(withMixed, message, own), false);
  }
});

Deno.test("pointProblem: encodings that are not canonical are refused", () => {
  let found = 0;
  for (let y = P; y < 2n ** 255n; y++) {
    for (const sign of [0n, 2n ** 255n]) {
      const encoded = littleEndian(y + sign);
      let isPoint = true;
      try {
        Point.fromBytes(encoded, true);
      } catch {
        isPoint = false;
      }
      assert.equal(pointProblem(encoded), isPoint ? "not_canonical" : "not_on_curve");
      if (!isPoint) continue;
      found++;
      const r = Point.BASE.multiply(5n).toBytes();
      assert.equal(verifies(signature(r, 5n), message, encoded), false);
    }
  }
  assert.ok(found > 10);
  // x = 0 with the sign of a negative number.
  for (const encoded of [SMALL_ORDER[0]!, SMALL_ORDER[1]!]) {
    const negative = hex(encoded);
    negative[31]! |= 0x80;
    assert.equal(pointProblem(negative), "not_canonical");
    assert.equal(lenient(signature(Point.BASE.multiply(5n).toBytes(), 5n), negative), true);
    assert.equal(verifies(signature(Point.BASE.multiply(5n).toBytes(), 5n), message, negative), false);
  }
});

Deno.test("ed25519Verify: wrong lengths are false, never an exception", () => {
  const good = ed25519Sign(message, seed);
  for (const sig of [new Uint8Array(), good.slice(1), Uint8Array.from([...good, 0])]) {
    assert.equal(verifies(sig, message, own), false);
  }
  for (const key of [new Uint8Array(), own.slice(1), Uint8Array.from([...own, 0])]) {
    assert.equal(verifies(good, message, key), false);
    assert.equal(pointProblem(key), "wrong_length");
  }
});

Deno.test("ed25519Verify: agrees with node:crypto on honest signatures and on flipped bits", () => {
  const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
  fc.assert(
    fc.property(bytes(32), fc.uint8Array({ maxLength: 200 }), fc.nat(96 * 8 - 1), (seed, text, flip) => {
      const key = ed25519PublicKey(seed);
      const sig = ed25519Sign(text, seed);
      assert.deepEqual(ed25519Sign(text, seed), sig);
      assert.equal(verifies(sig, text, key), true);
      assert.equal(byNode(sig, text, key), true);
      const all = Uint8Array.from([...sig, ...key]);
      all[flip >> 3]! ^= 1 << (flip & 7);
      assert.equal(verifies(all.slice(0, 64), text, all.slice(64)), false);
      assert.equal(byNode(all.slice(0, 64), text, all.slice(64)), false);
    }),
    { numRuns: 60 },
  );
});

function byNode(sig: Uint8Array, text: Uint8Array, key: Uint8Array): boolean {
  try {
    const spki = createPublicKey({ key: Buffer.from(spkiOf(key)), format: "der", type: "spki" });
    return nodeVerify(null, text, spki, sig);
  } catch {
    return false;
  }
}
