import assert from "node:assert/strict";
import fc from "fast-check";
import { showProblem } from "../../src/document/problem.ts";
import { privateKeyOf, type PublicKey } from "../../src/sign/key.ts";
import { opensshLine } from "../../src/sign/openssh.ts";
import { renderPrivatePem, renderPublicPem } from "../../src/sign/pem.ts";
import { addKey, EMPTY_TRUST, revokeKey } from "../../src/sign/trust_edit.ts";
import {
  keyState,
  parseTrust,
  principalsOf,
  readTime,
  trustedKeys,
  type TrustFile,
} from "../../src/sign/trust_file.ts";

function pair(n: number) {
  const made = privateKeyOf(new Uint8Array(32).fill(n));
  assert.ok(made.ok);
  return made.key;
}
const line = (n: number) => opensshLine(pair(n).publicKey);
const ids = (keys: readonly PublicKey[]) => keys.map((key) => key.id);
const of = (...numbers: number[]) => numbers.map((n) => pair(n).publicKey.id);

function trust(text: string, name = "trust.yaml"): TrustFile {
  const parsed = parseTrust(text, name);
  assert.ok(parsed.ok, parsed.ok ? "" : parsed.problems.map((p) => showProblem(name, p)).join("\n"));
  return parsed.trust;
}

function problems(text: string, name = "trust.yaml"): string[] {
  const parsed = parseTrust(text, name);
  assert.ok(!parsed.ok, `${text.slice(0, 200)} was taken`);
  return parsed.problems.map((p) => showProblem(name, p));
}

const PEM = renderPublicPem(pair(2).publicKey).trimEnd().replaceAll("\n", "\n          ");
const TEXT = `format: veripatch-trust/v1
principals:
  - name: ci
    roles: [prover, replayer]
    keys:
      - public_key: ${line(1)} ci@build
        valid_from: 2026-01-01T00:00:00Z
        valid_until: 2026-07-01T00:00:00Z
      - public_key: |
          ${PEM}
        valid_from: 2026-06-01T00:00:00Z
  - name: alice
    roles: [prover, approver]
    keys:
      - public_key: ${line(3)}
      - public_key: ${line(4)}
        revoked_at: 2026-06-15T12:00:00Z
        reason: laptop lost
thresholds: {prover: 2}
`;

Deno.test("trustedKeys: role, validity window and revocation decide", () => {
  const file = trust(TEXT);
  const at = (time: string, role: "prover" | "replayer" | "approver" = "prover") =>
    ids(trustedKeys(file, role, new Date(time)).keys);
  assert.deepEqual(at("2025-12-31T23:59:59.999Z"), of(3));
  assert.deepEqual(at("2026-01-01T00:00:00Z"), of(1, 3));
  assert.deepEqual(at("2026-06-30T23:59:59.999Z"), of(1, 2, 3));
  assert.deepEqual(at("2026-07-01T00:00:00Z"), of(2, 3), "valid_until is the first moment without it");
  assert.deepEqual(at("2026-06-10T00:00:00Z", "replayer"), of(1, 2));
  assert.deepEqual(at("2026-06-10T00:00:00Z", "approver"), of(3));
  assert.deepEqual(file.thresholds, { prover: 2, replayer: 1, approver: 1 });
});

Deno.test("trustedKeys: a revoked key counts for nothing, also before it was revoked", () => {
  const file = trust(TEXT);
  for (const time of ["2000-01-01T00:00:00Z", "2026-06-15T11:59:59Z", "2030-01-01T00:00:00Z"]) {
    const { keys, refused } = trustedKeys(file, "approver", new Date(time));
    assert.deepEqual(ids(keys), of(3));
    assert.deepEqual(refused.map(({ principal, key, state }) => [principal, key.id, state]), [
      ["alice", of(4)[0], "revoked"],
    ]);
  }
  assert.equal(keyState(file.principals[1]!.keys[1]!, new Date(0)), "revoked");
  const both = { ...file.principals[0]!.keys[0]!, revokedAt: new Date("2099-01-01T00:00:00Z") };
  assert.equal(
    keyState(both, new Date("2026-02-01T00:00:00Z")),
    "revoked",
    "revoked in the future is revoked",
  );
  assert.throws(() => trustedKeys(file, "prover", new Date(Number.NaN)), RangeError);
});

Deno.test("principalsOf: several keys of one principal are one voice, strangers are none", () => {
  const trusted = trustedKeys(trust(TEXT), "prover", new Date("2026-06-10T00:00:00Z"));
  const keys = (...numbers: number[]) => numbers.map((n) => pair(n).publicKey);
  assert.deepEqual(principalsOf(trusted, keys(1, 2)), ["ci"]);
  assert.deepEqual(principalsOf(trusted, keys(3, 1, 2)), ["alice", "ci"]);
  assert.deepEqual(principalsOf(trusted, keys(4, 9)), []);
});

Deno.test("parseTrust: every problem at once, each with its line", () => {
  const bad = `format: veripatch-trust/v2
principals:
  - name: "a "
    roles: [provr, prover, prover]
    keys:
      - public_key: ${line(1)}
        valid_from: 2026-02-30T00:00:00Z
        valid_untill: x
      - {public_key: ${line(2)}, valid_from: "2026-01-02T00:00:00Z", valid_until: "2026-01-01T00:00:00Z"}
      - {public_key: ${line(3)}, reason: lost}
  - {name: b, roles: [], keys: []}
threshold: {prover: 0}
thresholds: {prover: 0, aprover: 1}
`;
  assert.deepEqual(problems(bad), [
    'trust.yaml:1:9 format: must be one of veripatch-trust/v1, not the text "veripatch-trust/v2"; did you mean veripatch-trust/v1?',
    "trust.yaml:3:11 principals[0].name: cannot start or end with a blank",
    'trust.yaml:4:13 principals[0].roles[0]: must be one of prover, replayer, approver, not the text "provr"; did you mean prover?',
    "trust.yaml:7:21 principals[0].keys[0].valid_from: expected a time in UTC, such as 2026-11-20T12:00:00Z",
    "trust.yaml:8:9 principals[0].keys[0].valid_untill: unknown key; did you mean valid_until?",
    "trust.yaml:9:153 principals[0].keys[1].valid_until: must be later than valid_from",
    "trust.yaml:10:112 principals[0].keys[2].reason: a reason is for a key with revoked_at",
    "trust.yaml:11:22 principals[1].roles: must name at least one role, not an empty list",
    "trust.yaml:11:32 principals[1].keys: must have at least one key, not an empty list",
    "trust.yaml:12:1 threshold: unknown key; did you mean thresholds?",
    "trust.yaml:13:22 thresholds.prover: must be at least 1, not 0",
    "trust.yaml:13:25 thresholds.aprover: unknown key; did you mean prover?",
  ]);
});

Deno.test("parseTrust: a key or a name that is there twice is a problem, in whatever form it is written", () => {
  const twice = `format: veripatch-trust/v1
principals:
  - {name: ci, roles: [prover], keys: [{public_key: ${line(1)}}]}
  - name: CI
    roles: [approver]
    keys:
      - public_key: |
          ${renderPublicPem(pair(1).publicKey).trimEnd().replaceAll("\n", "\n          ")}
`;
  assert.deepEqual(problems(twice), [
    "trust.yaml:4:11 principals[1].name: there is a principal of that name, upper and lower case alike",
    "trust.yaml:7:21 principals[1].keys[0].public_key: this is already a key of ci",
  ]);
});

Deno.test("parseTrust: a private key put there by mistake is refused and never shown", () => {
  const secret = renderPrivatePem(pair(9)).trimEnd().replaceAll("\n", "\n          ");
  const shown = problems(`format: veripatch-trust/v1
principals:
  - {name: a, roles: [prover], keys: [{public_key: hunter2hunter2}]}
  - name: b
    roles: [prover]
    keys:
      - public_key: |
          ${secret}
`).join("\n");
  assert.match(shown, /a private key where a public key is expected/);
  assert.ok(!shown.includes("hunter2") && !shown.includes(pair(9).seed.toBase64().slice(0, 12)));
});

Deno.test("parseTrust: the starter file is sound and trusts nobody; an empty one is not", () => {
  const file = trust(EMPTY_TRUST);
  assert.deepEqual(file.principals, []);
  assert.deepEqual(trustedKeys(file, "prover", new Date()).keys, []);
  assert.match(problems("")[0]!, /the file is empty; `pp trust init` writes one/);
  assert.deepEqual(trust('{"format": "veripatch-trust/v1", "principals": []}', "trust.json").thresholds, {
    prover: 1,
    replayer: 1,
    approver: 1,
  });
});

Deno.test("parseTrust: takes the example of the format's page", async () => {
  const page = await Deno.readTextFile(new URL("../../docs/formats.md", import.meta.url));
  const example = /```yaml\n(format: veripatch-trust\/v1\n[^]*?)```/.exec(page);
  assert.ok(example !== null);
  const { principals, thresholds } = trust(example[1]!);
  assert.deepEqual(principals[0]!.keys.map((key) => key.publicKey.id), of(1, 2));
  assert.equal(principals[0]!.keys[1]!.reason, "laptop lost");
  assert.deepEqual(thresholds, { prover: 1, replayer: 1, approver: 1 });
});

Deno.test("readTime: UTC and times that exist", () => {
  assert.equal(readTime("2026-11-20T12:00:00Z")?.getTime(), Date.UTC(2026, 10, 20, 12));
  assert.equal(readTime("2026-11-20T12:00:00.250Z")?.getTime(), Date.UTC(2026, 10, 20, 12, 0, 0, 250));
  for (
    const text of [
      "2026-11-20",
      "2026-11-20T12:00:00",
      "2026-11-20T12:00:00+01:00",
      "2026-02-29T00:00:00Z",
      "2026-13-01T00:00:00Z",
      "2026-11-20T24:00:00Z",
      "2026-11-20T12:00:60Z",
      "now",
      "",
    ]
  ) assert.equal(readTime(text), null, text);
});

Deno.test("addKey, revokeKey: comments and all else stay", () => {
  let text = EMPTY_TRUST.replace("principals: []", "principals: []  # fill me in");
  const add = (
    name: string,
    n: number,
    roles: ("prover" | "approver")[] = [],
    validUntil: Date | null = null,
  ) => {
    const publicKey = pair(n).publicKey;
    text = addKey(text, "trust.yaml", { name, roles, publicKey, validFrom: null, validUntil });
  };
  add("ci", 1, ["prover"], new Date("2027-01-01T00:00:00Z"));
  text = text.replace("name: ci", "name: ci # the build host");
  add("ci", 2, ["approver", "prover"]);
  add("alice", 3, ["approver"]);
  text = revokeKey(
    text,
    "trust.yaml",
    of(1)[0]!,
    new Date("2026-05-05T05:05:05.123Z"),
    "lost: # in a train\u00fc",
  );
  for (
    const comment of [
      "# Which keys veripatch believes",
      "# the build host",
      "# How many different",
      "# fill me in",
    ]
  ) {
    assert.ok(text.includes(comment), comment);
  }
  const { principals } = trust(text);
  assert.deepEqual(
    principals.map(({ name, roles, keys }) => [name, roles, ids(keys.map((k) => k.publicKey))]),
    [
      ["ci", ["prover", "approver"], of(1, 2)],
      ["alice", ["approver"], of(3)],
    ],
  );
  const revoked = principals[0]!.keys[0]!;
  assert.equal(revoked.revokedAt?.toISOString(), "2026-05-05T05:05:05.000Z");
  assert.equal(revoked.reason, "lost: # in a train\u00fc");
  assert.equal(revoked.validUntil?.toISOString(), "2027-01-01T00:00:00.000Z");
});

Deno.test("addKey, revokeKey: JSON stays JSON", () => {
  const empty = '{"format": "veripatch-trust/v1", "principals": []}';
  const added = {
    name: "ci",
    roles: ["prover"] as const,
    publicKey: pair(1).publicKey,
    validFrom: null,
    validUntil: null,
  };
  const text = revokeKey(addKey(empty, "trust.json", added), "trust.json", of(1)[0]!, new Date(0), null);
  assert.equal(JSON.parse(text).principals[0].keys[0].revoked_at, "1970-01-01T00:00:00Z");
  trust(text, "trust.json");
});

Deno.test("addKey, revokeKey: a change that cannot be made well is a failure, not a broken file", () => {
  const key = (n: number) => ({ publicKey: pair(n).publicKey, validFrom: null, validUntil: null });
  const added = (name: string, n: number) => ({ name, roles: ["prover"] as const, ...key(n) });
  const text = addKey(EMPTY_TRUST, "trust.yaml", added("ci", 1));
  assert.throws(() => addKey(text, "trust.yaml", { ...added("new", 2), roles: [] }), { code: "no_role" });
  assert.throws(() => addKey(text, "trust.yaml", added("ci", 1)), { code: "trust_not_editable" });
  assert.throws(() => addKey(text, "trust.yaml", added("CI", 2)), { code: "trust_not_editable" });
  assert.throws(() => addKey(text, "trust.yaml", added("a\nb", 2)), { code: "trust_not_editable" });
  assert.throws(() => revokeKey(text, "trust.yaml", of(2)[0]!, new Date(), null), { code: "key_not_listed" });
  const revoked = revokeKey(text, "trust.yaml", of(1)[0]!, new Date(), null);
  assert.throws(() => revokeKey(revoked, "trust.yaml", of(1)[0]!, new Date(), null), {
    code: "already_revoked",
  });
  const aliased = `format: veripatch-trust/v1
principals:
  - {name: a, roles: &r [prover], keys: [&k {public_key: ${line(1)}}]}
  - {name: b, roles: *r, keys: [{<<: {public_key: ${line(2)}}}]}
`;
  assert.throws(() => addKey(aliased, "trust.yaml", { ...added("b", 3), roles: ["approver"] }), {
    code: "trust_not_editable",
  });
  trust(revokeKey(aliased, "trust.yaml", of(2)[0]!, new Date(), null));
});

Deno.test("parseTrust: whatever the text, a value in bounded time and no exception", () => {
  const noise = fc.string({ unit: fc.constantFrom(..."{}[]-:\"'&*|>#, \nab!<"), maxLength: 200 });
  const damaged = fc.tuple(fc.nat(TEXT.length), fc.nat(60), noise).map(([at, cut, put]) =>
    TEXT.slice(0, at) + put + TEXT.slice(at + cut)
  );
  fc.assert(
    fc.property(fc.oneof(noise, damaged), fc.constantFrom("trust.yaml", "trust.json"), (text, name) => {
      const parsed = parseTrust(text, name);
      if (!parsed.ok) assert.ok(parsed.problems.length > 0 && parsed.problems.length <= 101);
    }),
    { numRuns: 800 },
  );
  const started = performance.now();
  const laughs = ["a: &a [x,x,x,x,x,x,x,x,x]"];
  for (let i = 1; i < 12; i++) laughs.push(`b${i}: &b${i} [${`*${i === 1 ? "a" : `b${i - 1}`},`.repeat(9)}]`);
  const many = `format: veripatch-trust/v1\nprincipals:\n${
    "  - {name: a, roles: [prover], keys: [{public_key: x}]}\n".repeat(2_000)
  }`;
  for (
    const hostile of [
      "[".repeat(100_000),
      "- ".repeat(100_000),
      laughs.join("\n"),
      many,
      "x".repeat(2_000_000),
    ]
  ) {
    assert.equal(parseTrust(hostile, "trust.yaml").ok, false);
  }
  assert.ok(performance.now() - started < 30_000);
});
