import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createPublicKey, verify } from "node:crypto";
import fc from "fast-check";
import { decodeBase64, encodeBase64 } from "../../src/sign/base64.ts";
import {
  MAX_ENVELOPE_BYTES,
  MAX_PAYLOAD_BYTES,
  parseEnvelope,
  preAuthEncoding,
  renderEnvelope,
} from "../../src/sign/dsse.ts";
import { hmacSecretOf } from "../../src/sign/hmac_secret.ts";
import { publicKeyOf } from "../../src/sign/key.ts";
import { signaturesBy } from "../../src/sign/sign.ts";

const text = (s: string) => new TextEncoder().encode(s);
const CORPUS = new URL("../vectors/envelopes/", import.meta.url);

/** The public key of RFC 8032 TEST 2 and a secret: whoever else signs is a stranger to the corpus. */
const ed25519 = publicKeyOf(
  Uint8Array.fromHex("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c"),
);
const hmac = hmacSecretOf(text("a secret of the envelope corpus!"));
assert.ok(ed25519.ok && hmac.ok);
const keys = [ed25519.key, hmac.key];

Deno.test("preAuthEncoding: the example of DSSE's protocol", () => {
  const encoded = preAuthEncoding("http://example.com/HelloWorld", text("hello world"));
  assert.equal(
    new TextDecoder().decode(encoded),
    "DSSEv1 29 http://example.com/HelloWorld 11 hello world",
  );
});

/** The vector of DSSE's protocol: its key (ECDSA on P-256, decimal as printed there) and its envelope. */
const PROTOCOL = {
  x: 46950820868899156662930047687818585632848591499744589407958293238635476079160n,
  y: 5640078356564379163099075877009565129882514886557779369047442380624545832820n,
  envelope: `{"payload": "aGVsbG8gd29ybGQ=",
 "payloadType": "http://example.com/HelloWorld",
 "signatures": [{"sig": "A3JqsQGtVsJ2O2xqrI5IcnXip5GToJ3F+FnZ+O88SjtR6rDAajabZKciJTfUiHqJPcIAriEGAHTVeCUjW2JIZA=="}]}`,
};

Deno.test("parseEnvelope: the envelope of DSSE's protocol is read, and its signature is one of our encoding", () => {
  const parsed = parseEnvelope(text(PROTOCOL.envelope));
  assert.ok(parsed.ok);
  const { payload, payloadType, signatures } = parsed.envelope;
  assert.equal(new TextDecoder().decode(payload), "hello world");
  assert.deepEqual(signatures.map(({ keyid }) => keyid), [null]);
  const coordinate = (n: bigint) =>
    Buffer.from(n.toString(16).padStart(64, "0"), "hex").toString("base64url");
  const key = createPublicKey({
    key: { kty: "EC", crv: "P-256", x: coordinate(PROTOCOL.x), y: coordinate(PROTOCOL.y) },
    format: "jwk",
  });
  const fits = (type: string, body: Uint8Array) =>
    verify("sha256", preAuthEncoding(type, body), { key, dsaEncoding: "ieee-p1363" }, signatures[0]!.sig);
  assert.ok(fits(payloadType, payload));
  assert.ok(!fits(payloadType, text("hello world!")));
  assert.ok(!fits("http://example.com/HelloWorl", payload));
  // It is by no algorithm of ours, so by nobody we could trust.
  assert.deepEqual(signaturesBy(parsed.envelope, keys), []);
});

Deno.test("preAuthEncoding: lengths are bytes, and no two inputs share an encoding", () => {
  assert.deepEqual(preAuthEncoding("é", text("ü")), text("DSSEv1 2 é 2 ü"));
  assert.deepEqual(preAuthEncoding("", new Uint8Array()), text("DSSEv1 0  0 "));
  const type = fc.string({ unit: "grapheme", maxLength: 6 });
  const body = fc.string({ unit: fc.constantFrom(..."1 0a"), maxLength: 8 }).map(text);
  fc.assert(fc.property(type, body, type, body, (t1, p1, t2, p2) => {
    const same = t1 === t2 && Buffer.from(p1).equals(p2);
    assert.equal(Buffer.from(preAuthEncoding(t1, p1)).equals(preAuthEncoding(t2, p2)), same);
  }));
});

/** Header lines `about:` and `verdict:`, then the envelope's bytes after `envelope:`. */
function vector(bytes: Uint8Array): { verdict: string; envelope: Uint8Array } {
  const mark = "envelope:\n";
  const cut = Buffer.from(bytes).indexOf(mark) + mark.length;
  const verdict = /^verdict: (.*)$/m.exec(new TextDecoder().decode(bytes.subarray(0, cut)))![1]!;
  return { verdict, envelope: bytes.subarray(cut) };
}

for (const { name } of [...Deno.readDirSync(CORPUS)].sort((a, b) => a.name < b.name ? -1 : 1)) {
  const { verdict, envelope } = vector(Deno.readFileSync(new URL(name, CORPUS)));
  Deno.test(`parseEnvelope: ${name.replace(".txt", "")}: ${verdict}`, () => {
    const parsed = parseEnvelope(envelope);
    if (!parsed.ok) return assert.equal(parsed.refusal.reason, verdict);
    const by = signaturesBy(parsed.envelope, keys).map((key) => key.kind);
    assert.equal(["signed", ...by].join(" "), verdict);
    // What is written again is read as the same, and written the same.
    const again = parseEnvelope(renderEnvelope(parsed.envelope));
    assert.ok(again.ok);
    assert.deepEqual(again.envelope, parsed.envelope);
  });
}

Deno.test("renderEnvelope: the bytes, to the letter", () => {
  const { envelope } = vector(Deno.readFileSync(new URL("ed25519.txt", CORPUS)));
  const parsed = parseEnvelope(envelope);
  assert.ok(parsed.ok);
  assert.deepEqual(renderEnvelope(parsed.envelope), Uint8Array.from(envelope));
  const bare = {
    payloadType: "t",
    payload: text("{}"),
    signatures: [{ keyid: null, sig: Uint8Array.of(0) }],
  };
  const expected =
    '{\n  "payload": "e30=",\n  "payloadType": "t",\n  "signatures": [\n    {\n      "sig": "AA=="\n' +
    "    }\n  ]\n}\n";
  assert.equal(new TextDecoder().decode(renderEnvelope(bare)), expected);
});

Deno.test("parseEnvelope: a payload of 16 MiB is read in bounded time, one byte more is refused", () => {
  const of = (size: number) =>
    renderEnvelope({
      payloadType: "t",
      payload: new Uint8Array(size).fill(0x20),
      signatures: [{ keyid: null, sig: Uint8Array.of(1) }],
    });
  const started = performance.now();
  assert.equal(parseEnvelope(of(MAX_PAYLOAD_BYTES)).ok, true);
  assert.ok(performance.now() - started < 10_000);
  const more = parseEnvelope(of(MAX_PAYLOAD_BYTES + 1));
  assert.ok(!more.ok && more.refusal.reason === "envelope_too_large");
  const huge = parseEnvelope(new Uint8Array(MAX_ENVELOPE_BYTES + 1).fill(0x5b));
  assert.ok(!huge.ok && huge.refusal.reason === "envelope_too_large");
});

Deno.test("parseEnvelope: whatever the bytes, a value and no exception", () => {
  const seeds = ["ed25519.txt", "both.txt"].map((name) =>
    vector(Deno.readFileSync(new URL(name, CORPUS))).envelope
  );
  const noise = fc.uint8Array({ maxLength: 300 });
  const brackets = fc.string({ unit: fc.constantFrom(...'{}[]",:\\ue1\n'), maxLength: 400 }).map(text);
  const damaged = fc.tuple(
    fc.constantFrom(...seeds),
    fc.nat(400),
    fc.nat(40),
    fc.uint8Array({ maxLength: 12 }),
  ).map(([seed, at, cut, put]) =>
    Uint8Array.from([...seed.subarray(0, at), ...put, ...seed.subarray(at + cut)])
  );
  fc.assert(
    fc.property(fc.oneof(noise, brackets, damaged), (bytes) => {
      const parsed = parseEnvelope(bytes);
      if (parsed.ok) assert.ok(parsed.envelope.signatures.length > 0);
      else assert.match(parsed.refusal.reason, /^envelope_[a-z0-9_]+$/);
    }),
    { numRuns: 3_000 },
  );
  for (const deep of ["[".repeat(1_000_000), '{"a":'.repeat(500_000), '{"signatures":['.repeat(300_000)]) {
    assert.equal(parseEnvelope(text(deep)).ok, false);
  }
});

Deno.test("decodeBase64: one spelling for every run of bytes", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
    const encoded = encodeBase64(bytes);
    assert.deepEqual(decodeBase64(encoded), bytes);
    const url = encoded.replaceAll("+", "-").replaceAll("/", "_");
    assert.deepEqual(decodeBase64(url), bytes);
    if (/[+]/.test(encoded) && /[/]/.test(encoded)) {
      assert.equal(decodeBase64(encoded.replaceAll("+", "-")), null);
    }
  }));
  const short = fc.string({ unit: fc.constantFrom(..."AB+/-_=9 \n"), maxLength: 8 });
  fc.assert(
    fc.property(short, (encoded) => {
      const bytes = decodeBase64(encoded);
      if (bytes === null) return;
      const canonical = encodeBase64(bytes);
      assert.ok([canonical, canonical.replaceAll("+", "-").replaceAll("/", "_")].includes(encoded), encoded);
    }),
    { numRuns: 3_000 },
  );
});
