import assert from "node:assert/strict";
import fc from "fast-check";
import { knownSecrets, secretRedactor } from "../../src/prove/redact.ts";
import { fakeKey, noise } from "./fake_secrets.ts";

const lines = (text: string) => text.match(/.{1,64}/g)!.join("\n");
const frame = (kind: string, body: string) =>
  ["-----", "BEGIN ", kind, "PRIVATE KEY-----\n", body, "\n-----", "END ", kind, "PRIVATE KEY-----"].join("");
const upper = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
const digits = "0123456789";
const hex = "0123456789abcdef";

/** Rule, the text around the secret, the secret. */
const SECRETS: readonly (readonly [string, string, string, string])[] = [
  ["github", "token: ", ["gh", "p_"].join("") + noise(36), " end"],
  ["gitlab", "x ", ["gl", "pat-"].join("") + noise(20), " y"],
  ["npm", "x ", ["np", "m_"].join("") + noise(36), " y"],
  [
    "slack",
    "x ",
    ["xo", "xb-"].join("") + noise(12, 1, digits) + "-" + noise(12, 2, digits) + "-" + noise(24),
    " y",
  ],
  ["openai", "key ", ["sk", "-"].join("") + noise(20) + ["T3Blbk", "FJ"].join("") + noise(20, 2), "\n"],
  ["anthropic", "key ", ["sk", "-ant-", "api03-"].join("") + noise(93) + "AA", "\n"],
  [
    "huggingface",
    "",
    ["h", "f_"].join("") + noise(34, 3, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"),
    "\n",
  ],
  ["sendgrid", "a ", ["S", "G."].join("") + noise(22) + "." + noise(43), " b"],
  ["stripe", "a ", ["sk", "_live_"].join("") + noise(24), " b"],
  ["aws", "aws_secret_access_key = ", noise(40), "\n"],
  ["aws_key_id", "id=", ["AK", "IA"].join("") + noise(16, 1, upper), "\n"],
  ["private_key", "key:\n", frame("RSA ", "MII" + lines(noise(800))), "\n"],
  ["private_key", "key:\n", frame("", "MC4CAQAw" + noise(56)), "\n"],
  ["private_key", "key:\n", frame("ENCRYPTED ", lines(noise(300))), "\n"],
  ["private_key", '{"private_key": "', frame("", noise(64)).replaceAll("\n", "\\n"), '\\n"}'],
  ["authorization", "Authorization: Bearer ", noise(30), "\n"],
  ["authorization", '"authorization": "Basic ', btoa("me:" + noise(6)), '"'],
  ["authorization", "got Bearer ", noise(24) + "7", "."],
  ["url_password", "remote https://bob:", noise(12), "@git.example.org/a.git"],
  ["url_password", "redis://:", noise(12), "@localhost:6379/0"],
  ["npm_auth", "//registry.example.org/:_authToken=", noise(8, 4, hex) + "-" + noise(12, 1, hex) + "1", "\n"],
  [
    "jwt",
    "a ",
    ["ey", "J"].join("") + noise(20) + "." + ["ey", "J"].join("") + noise(40) + "." + noise(43),
    " b",
  ],
];

for (const [i, [rule, before, secret, after]] of SECRETS.entries()) {
  Deno.test(`secretRedactor: hides a secret of rule ${rule} (${i}) and nothing else`, async () => {
    const redact = await secretRedactor();
    const redacted = await redact(`one\n${before}${secret}${after}\nlast`, "a.txt");
    assert.ok(!redacted.text.includes(secret.slice(0, 12)), redacted.text);
    assert.ok(redacted.text.startsWith("one\n") && redacted.text.endsWith("\nlast"), redacted.text);
    assert.match(redacted.text, new RegExp(`\\[REDACTED:${rule}\\]`));
    assert.deepEqual(redacted.redactions, [{ rule, count: 1 }]);
    assert.deepEqual(await redact(redacted.text, "a.txt"), { text: redacted.text, redactions: [] });
    const inPatch = await redact(`+${before}${secret}${after}`, "a.patch");
    assert.deepEqual(inPatch.redactions, [{ rule, count: 1 }]);
  });
}

Deno.test("secretRedactor: keeps what only speaks of secrets", async () => {
  const redact = await secretRedactor();
  const texts = [
    "",
    "\ufeffplain",
    'if text.startswith("-----BEGIN " + "PRIVATE KEY-----"): raise ValueError("key")\n',
    ["if a == '-----", "BEGIN PRIVATE KEY-----' or b == '-----", "END PRIVATE KEY-----':\n    pass\n"].join(
      "",
    ),
    'headers = {"Authorization": f"Bearer {token}"}\n',
    'curl -H "Authorization: Bearer $TOKEN" http://localhost:8080/a@b\n',
    "url = f'postgres://{user}:{password}@{host}/db'\n",
    "https://user:${PASSWORD}@example.org/\n",
    "self._auth = authenticator_instance2\n",
    "npm config set //registry.example.org/:_authToken=${NPM_TOKEN}\n",
    "the bearer of this letter is authenticated_by_something\n",
    "sha256:" + noise(64, 1, hex) + "\n",
    "E       assert 'token' == 'tokens'\n",
    "account_id = 123456789012\n",
    "// secretlint-disable\n",
    ["begin = '-----", "BEGIN PRIVATE KEY-----'\nheader = begin + '\\n'\n\nparsePrivateKeyOf(certificate)\n"]
      .join(""),
    ["found '-----", "END PRIVATE KEY-----' at /usr/lib/python3/site/cryptography/x509/extensions\n"].join(
      "",
    ),
    ["result\n\nno -----", "END PRIVATE KEY-----\nleft\n"].join(""),
  ];
  for (const text of texts) assert.deepEqual(await redact(text, "a.py"), { text, redactions: [] });
});

Deno.test("secretRedactor: lines keep their numbers, and a key cut anywhere is hidden as far as it goes", async () => {
  const redact = await secretRedactor();
  const key = fakeKey(5).lines;
  for (let from = 0; from < key.length; from++) {
    for (let to = from + 1; to <= key.length; to++) {
      if ((from > 0 && to < key.length) || to - from < 2) continue; // no frame, or nothing but a frame
      const text = ["one", ...key.slice(from, to), "some more", ""].join("\n");
      const { text: clean, redactions } = await redact(text, "a");
      assert.equal(clean, `one\n[REDACTED:private_key]${"\n".repeat(to - from)}some more\n`, `${from}-${to}`);
      assert.deepEqual(redactions, [{ rule: "private_key", count: 1 }]);
      assert.equal((await redact(clean, "a")).text, clean);
    }
  }
});

Deno.test("secretRedactor: comments in the text do not switch it off", async () => {
  const redact = await secretRedactor();
  const secret = ["gh", "p_"].join("") + noise(36);
  for (
    const comment of [
      "// secretlint-disable",
      "<!-- secretlint-disable -->",
      "# secretlint-disable-next-line",
    ]
  ) {
    const { text } = await redact(`${comment}\nx = "${secret}"\n`, "a.js");
    assert.equal(text, `${comment}\nx = "[REDACTED:github]"\n`);
  }
});

Deno.test("secretRedactor: a mark of an unknown rule shelters nothing", async () => {
  const value = noise(20, 5, hex);
  const redact = await secretRedactor({ known: [value] });
  assert.equal((await redact(`[REDACTED:${value}]`, "a")).text, "[REDACTED:[REDACTED:known_secret]]");
  assert.equal((await redact("[REDACTED:github]", "a")).text, "[REDACTED:github]");
});

Deno.test("secretRedactor: a byte order mark does not shift what is hidden", async () => {
  const redact = await secretRedactor();
  const secret = ["gh", "p_"].join("") + noise(36);
  assert.equal((await redact(`\ufeffa ${secret} b`, "a")).text, "\ufeffa [REDACTED:github] b");
});

Deno.test("secretRedactor: known values in every written form", async () => {
  const value = 'p"ss wörd/' + noise(10);
  const pem = `${noise(20, 7)}\n${noise(20, 8)}`;
  const redact = await secretRedactor({ known: [value, pem, "short", ""] });
  for (const form of [value, JSON.stringify(value).slice(1, -1), encodeURIComponent(value)]) {
    assert.equal((await redact(`a ${form} b`, "a")).text, "a [REDACTED:known_secret] b");
  }
  const base64 = btoa(String.fromCharCode(...new TextEncoder().encode(value)));
  assert.match((await redact(`a ${base64} b`, "a")).text, /^a \[REDACTED:known_secret\]=* b$/);
  assert.equal((await redact(`a ${pem.split("\n")[1]} short`, "a")).text, "a [REDACTED:known_secret] short");
});

Deno.test("secretRedactor: overlapping occurrences leave no rest", async () => {
  const redact = await secretRedactor({ known: ["abababab"] });
  assert.equal((await redact("xababababababy", "a")).text, "x[REDACTED:known_secret]y");
});

Deno.test("secretRedactor: a secret anywhere near a window's edge is found, once", async () => {
  const redact = await secretRedactor();
  const secret = ["gh", "p_"].join("") + noise(36);
  const filler = ("lorem ipsum dolor sit amet " + "\n").repeat(6000);
  const step = (1 << 16) - (12 << 10);
  for (const edge of [step, 1 << 16, step + 256, 2 * step]) {
    for (const shift of [-41, -40, -20, -1, 0, 1]) {
      const at = edge + shift;
      const text = `${filler.slice(0, at - 1)} ${secret} ${filler.slice(0, 60_000)}`;
      const redacted = await redact(text, "a");
      assert.deepEqual(redacted.redactions, [{ rule: "github", count: 1 }], `at ${at}`);
      assert.equal(redacted.text.length, text.length - secret.length + "[REDACTED:github]".length);
    }
  }
});

Deno.test("secretRedactor: a mebibyte takes seconds at most, with many secrets and hostile text too", async () => {
  const redact = await secretRedactor();
  const size = 1 << 20;
  const token = ["gh", "p_"].join("") + noise(36) + " ";
  const fills = [
    "lorem ipsum dolor sit amet\n",
    token,
    "a",
    "://a:",
    ["ey", "J."].join(""),
    ["ey", "JAAAAAAAAAA."].join(""),
    "-----BEGIN PRIVATE KEY-----",
    ["-----", "END PRIVATE KEY-----"].join(""),
    ["\n", " ".repeat(200), "E ", "-----", "END PRIVATE KEY-----"].join(""),
    ["-----", "BEGIN PRIVATE KEY-----\n"].join("") + `${noise(64)}\n`.repeat(300),
    `${noise(64)}\n`.repeat(300) + ["-----", "END PRIVATE KEY-----\n"].join(""),
    "-----BEGIN ",
    "authorization: bearer ",
    "https://hooks.slack.com/services/",
    ["xo", "xb-a-"].join(""),
    "AWS_SECRET_ACCESS_KEY=",
    "secretlint-disable ",
    "\\n\"'",
  ];
  for (const fill of fills) {
    const text = fill.repeat(Math.ceil(size / fill.length));
    const started = performance.now();
    await redact(text, "a");
    const took = performance.now() - started;
    assert.ok(took < 20_000, `${JSON.stringify(fill)} took ${took} ms`);
  }
});

Deno.test("secretRedactor: text without secrets is untouched", async () => {
  const redact = await secretRedactor();
  await fc.assert(
    fc.asyncProperty(fc.string({ unit: "binary", maxLength: 300 }), async (text) => {
      assert.deepEqual(await redact(text, "a"), { text, redactions: [] });
    }),
    { numRuns: 200 },
  );
});

Deno.test("secretRedactor: twice is once, and no secret of the corpus survives among others", async () => {
  const known = noise(12, 9);
  const redact = await secretRedactor({ known: [known] });
  const piece = fc.oneof(
    fc.constantFrom(...SECRETS.map(([, before, secret, after]) => ` ${before}${secret}${after} `)),
    fc.constantFrom(
      known,
      "[REDACTED:github]",
      "[REDACTED:x]",
      "://",
      ":",
      "@",
      "=",
      "_authToken=",
      "Bearer ",
      "\n",
    ),
    fc.string({ maxLength: 10 }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(piece, { maxLength: 12 }), async (pieces) => {
      const once = await redact(pieces.join(""), "a");
      assert.equal((await redact(once.text, "a")).text, once.text);
      assert.ok(!once.text.includes(known));
    }),
    { numRuns: 200 },
  );
});

Deno.test("knownSecrets: chooses by name, ignores short values", () => {
  const env = {
    PP_OPENAI_API_KEY: "value-1-long",
    GITHUB_TOKEN: "value-2-long",
    DB_PASSWORD: "value-3-long",
    PP_ATTEST_HMAC: "value-4-long",
    CLIENT_SECRET: "value-5-long",
    AWS_SECRET_ACCESS_KEY: "value-6-long",
    NPM_TOKEN: "value-2-long",
    APIKEY: "value-7-long",
    SHORT_TOKEN: "1234567",
    EMPTY_TOKEN: undefined,
    PATH: "/usr/bin:/bin",
    TOKENIZER: "value-8-long",
    MAX_TOKENS: "value-9-long",
  };
  assert.deepEqual(knownSecrets(env), [1, 2, 3, 4, 5, 6, 7].map((i) => `value-${i}-long`));
});
