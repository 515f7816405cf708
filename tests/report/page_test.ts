import assert from "node:assert/strict";
import fc from "fast-check";
import { type DefaultTreeAdapterTypes, parse } from "parse5";
import { bundleFiles } from "../../src/bundle/documents.ts";
import { bundleOf, type ReadBundle } from "../../src/bundle/read.ts";
import type { SessionRecord } from "../../src/bundle/record.ts";
import { byteStringOfText } from "../../src/patch/bytes.ts";
import { reportPage } from "../../src/report/page.ts";
import { PAYLOAD_TYPE, renderEnvelope } from "../../src/sign/dsse.ts";
import { sha256 } from "../../src/vocabulary/digest.ts";
import {
  attemptRecord,
  judged,
  record,
  redact,
  reported,
  reporting,
  unminimized,
  unproved,
  verified,
} from "../bundle/fixture.ts";

type Element = DefaultTreeAdapterTypes.Element;

async function bundle(
  over: SessionRecord = record(),
  more: Record<string, Uint8Array> = {},
): Promise<ReadBundle> {
  const read = bundleOf(new Map([...await bundleFiles(over, redact), ...Object.entries(more)]));
  assert.ok(read.ok, JSON.stringify(read));
  return read.bundle;
}

/** Every element of a page, and the parser's complaints about it. */
function elements(page: string): { all: Element[]; errors: string[] } {
  const errors: string[] = [];
  const document = parse(page, { onParseError: ({ code }) => errors.push(code) });
  const all: Element[] = [];
  const walk = (node: DefaultTreeAdapterTypes.Node) => {
    if ("tagName" in node) all.push(node);
    if ("childNodes" in node) node.childNodes.forEach(walk);
  };
  walk(document);
  return { all, errors };
}

const attribute = (element: Element, name: string) =>
  element.attrs.find((a) => a.name === name)?.value ?? null;
const textOf = (node: DefaultTreeAdapterTypes.Node): string =>
  "value" in node ? node.value : "childNodes" in node ? node.childNodes.map(textOf).join("") : "";
/** How often each element is there, the shape of a page. */
const shape = (page: string) => elements(page).all.map((e) => `${e.tagName} ${e.attrs.map((a) => a.name)}`);

const PAGE = reportPage(await bundle());

Deno.test("reportPage: is well-formed, and the same for the same bundle", async () => {
  assert.deepEqual(elements(PAGE).errors, []);
  assert.equal(reportPage(await bundle()), PAGE);
});

Deno.test("reportPage: loads nothing, runs nothing, and its policy admits its own style only", async () => {
  const { all } = elements(PAGE);
  const policy = all.find((e) => attribute(e, "http-equiv") === "Content-Security-Policy")!;
  const style = all.filter((e) => e.tagName === "style");
  assert.equal(style.length, 1);
  const digest = new Uint8Array(
    await crypto.subtle.digest("SHA-256", new TextEncoder().encode(textOf(style[0]!))),
  );
  const hash = btoa(String.fromCharCode(...digest));
  assert.equal(
    attribute(policy, "content"),
    `default-src 'none'; style-src 'sha256-${hash}'; base-uri 'none'; form-action 'none'`,
  );
  const loading = [
    "script",
    "img",
    "link",
    "iframe",
    "object",
    "embed",
    "form",
    "base",
    "video",
    "audio",
    "image",
    "use",
  ];
  assert.deepEqual(all.filter((e) => loading.includes(e.tagName)).map((e) => e.tagName), []);
  for (const element of all) {
    for (const { name, value } of element.attrs) {
      assert.doesNotMatch(name, /^on|^style$|^src|^srcset$|^action$|^background$|^poster$|^data$/);
      if (name.endsWith("href")) assert.match(value, /^#[a-z]+$/);
    }
  }
  assert.doesNotMatch(textOf(style[0]!), /url\(|@import|https?:/);
});

Deno.test("reportPage: headings go down one step at a time, every table has a caption, every picture a text", () => {
  const { all } = elements(PAGE);
  const levels = all.flatMap((e) => /^h[1-6]$/.test(e.tagName) ? [Number(e.tagName[1])] : []);
  assert.equal(levels.filter((level) => level === 1).length, 1);
  levels.forEach((level, i) => assert.ok(i === 0 || level <= levels[i - 1]! + 1));
  for (const element of all) {
    if (element.tagName === "table") {
      assert.ok(
        element.childNodes.some((c) => "tagName" in c && c.tagName === "caption" && textOf(c).trim() !== ""),
      );
      assert.ok(elements(PAGE).all.some((e) => e.tagName === "th" && attribute(e, "scope") !== null));
    }
    if (element.tagName === "svg") assert.ok((attribute(element, "aria-label") ?? "") !== "");
    if (element.tagName === "html") assert.equal(attribute(element, "lang"), "en");
  }
  const ids = all.flatMap((e) => attribute(e, "id") ?? []);
  assert.equal(new Set(ids).size, ids.length);
  for (const element of all) {
    const target = attribute(element, "href")?.slice(1) ?? attribute(element, "aria-labelledby");
    if (target !== null && target !== undefined) assert.ok(ids.includes(target), target);
  }
});

Deno.test("reportPage: shows the fix, the runs, the attempts, what was minimized, the sandbox and every file", async () => {
  const text = elements(PAGE).all.filter((e) => e.tagName === "main").map(textOf).join();
  for (
    const expected of [
      ...[
        "return a - b",
        "lines 1–2",
        "return a + b",
        "assert -1 == 3",
        "leads out of the workspace",
        "minus is not plus",
      ],
      ...["1-minimal", "removed in wave 1", "network namespace", "2.0 GiB", "unsigned", sha256("final tree")],
    ]
  ) assert.ok(text.includes(expected), expected);
  for (const [name, hash] of (await bundle()).hashes) {
    assert.ok(text.includes(name), name);
    assert.ok(text.includes(hash), name);
  }
});

Deno.test("reportPage: every status has its page", async () => {
  for (
    const session of [unproved(), unminimized(), unproved({ status: "flaky", reason: "it went both ways" })]
  ) {
    const { all, errors } = elements(reportPage(await bundle(session)));
    assert.deepEqual(errors, []);
    assert.equal(all.some((e) => attribute(e, "id") === "fix"), session.final !== null);
  }
});

Deno.test("reportPage: an envelope is shown as claimed, a verification as what the caller says", async () => {
  const payload = new TextEncoder().encode(JSON.stringify({
    _type: "https://in-toto.io/Statement/v1",
    predicateType: "https://veripatch.dev/proof/v1",
    subject: [{ name: "<b>final.patch", digest: { sha256: "a".repeat(64) } }],
    predicate: { issued_at: "2026-11-20T12:00:10Z", files: [1, 2], nonce: null },
  }));
  const envelope = renderEnvelope({
    payloadType: PAYLOAD_TYPE,
    payload,
    signatures: [{ keyid: "<script>k", sig: new Uint8Array(64) }],
  });
  const signed = await bundle(record(), { "attestation.json": envelope });
  const claimed = reportPage(signed);
  assert.match(claimed, /Nothing here was verified by this page/);
  assert.match(claimed, /&lt;script&gt;k/);
  assert.match(claimed, /&lt;b&gt;final\.patch/);
  const verdicts = [{ name: "signature", verdict: "valid", detail: "by alice" }];
  const verified = reportPage(signed, { verdict: "valid", verdicts });
  assert.doesNotMatch(verified, /Nothing here was verified/);
  assert.match(verified, /by alice/);
  for (const odd of ["", "{}", "[1]", "\u{0}"]) {
    const page = reportPage(await bundle(record(), { "attestation.json": new TextEncoder().encode(odd) }));
    assert.match(page, /The envelope cannot be read/);
  }
});

Deno.test("reportPage: tests before and after, what a green hides first", async () => {
  const before = { "a <i>": "passed", b: "failed", c: "passed" } as const;
  const after = { "a <i>": "passed", b: "passed", c: "skipped" } as const;
  const { targets, baseline } = reported(before);
  const verification = reporting(verified("failed"), judged(after, before));
  const attempts = [attemptRecord({ verification })];
  const page = reportPage(await bundle(unproved({ targets, baseline, attempts })));
  const { all, errors } = elements(page);
  assert.deepEqual(errors, []);
  const section = textOf(all.find((e) => attribute(e, "id") === "tests")!);
  assert.match(section, /1 failing test now passes[^]*1 test lost/);
  assert.ok(section.indexOf("newly skipped") < section.indexOf("fixed"));
  assert.ok(section.indexOf("fixed") < section.indexOf("a <i>"));
  assert.ok(!elements(PAGE).all.some((e) => attribute(e, "id") === "tests"));
});

const hostile = fc.oneof(
  fc.constantFrom(
    "<script>alert(1)</script>",
    "</code></pre></td><img src=x onerror=alert(1)>",
    `" onmouseover="alert(1)`,
    "' autofocus onfocus='alert(1)",
    "<!--",
    "]]><svg onload=alert(1)>",
    "</title></style><script>",
    "&lt;script&gt; &amp;",
    "\u202e\u0000\u001b[31m\ufeff",
    "javascript:alert(1)",
    "{{7*7}} ${7*7} `x`",
  ),
  fc.string({ unit: fc.constantFrom(..."<>&\"'`=/ \n\t\u0000\u001b\u202eaé🙂"), maxLength: 30 }),
);

Deno.test("reportPage: whatever text a bundle holds, the page has the same elements as with plain text", async () => {
  const session = (text: string) => {
    const { attempts, targets, environment } = record();
    const runs = verified("failed", `${text}\n`, text);
    const passing = verified("passed", `${text}\n`, text);
    const argv = ["sh", text];
    const withArgv = (v: typeof runs) => ({
      ...v,
      targets: v.targets.map((t) => ({ ...t, result: { ...t.result!, argv } })),
    });
    const fix = `--- a/calc.py\n+++ b/calc.py\n@@ -1 +1 @@\n-old\n+${
      text.replaceAll(/[\r\n\u2028\u2029]/g, " ")
    }\n`;
    const patch = byteStringOfText(`diff --git a/calc.py b/calc.py\n${fix}`);
    const [first] = attempts;
    return unminimized({
      targets: [{ ...targets[0]!, name: text, command: text, argv }],
      reason: text,
      provider: text,
      policySource: text,
      environment: {
        ...environment,
        engine: text,
        runtime: text,
        image: { name: text, id: text, repoDigests: [text] },
        enforced: [{ limit: "network", value: text, by: text }],
      },
      git: { commit: text, tree: text, branch: text, remote: text, dirty: true, diff: new Uint8Array() },
      baseline: [withArgv(runs)],
      baseAgain: [withArgv(runs)],
      confirmation: [withArgv(passing)],
      attempts: [
        {
          ...first!,
          proposer: text,
          proposal: { source: text, diff: text, rationale: `.${text}`, riskNotes: `.${text}`, confidence: 1 },
          refusals: [{ reason: text, path: text, detail: text }],
        },
        attemptRecord({
          attempt: 2,
          verification: withArgv(passing),
          applied: { patch, resultTree: sha256("final tree"), notes: [text], git: "agrees" },
        }),
      ],
      minimization: null,
      final: { patch, resultTree: sha256("final tree"), attempt: 2, git: "agrees" },
      events: [
        { at: "2026-11-20T12:00:00.000Z", event: { kind: "phase", phase: "baseline", detail: text } },
        {
          at: "2026-11-20T12:00:01.000Z",
          event: {
            kind: "target_finished",
            side: "base",
            attempt: 0,
            target: text,
            outcome: text,
            end: "exited",
            exitCode: 1,
            durationMs: 5,
          },
        },
      ],
    });
  };
  const plain = shape(reportPage(await bundle(session("plain"))));
  await fc.assert(
    fc.asyncProperty(hostile, async (text) => {
      // What a bundle cannot hold is no matter here: an empty name, a diff line that is none.
      const page = reportPage(await bundle(session(`x${text}y`)));
      const { all, errors } = elements(page);
      assert.deepEqual(errors, []);
      assert.deepEqual(
        all.map((e) => e.tagName).filter((name) => name !== "mark"),
        plain.map((e) => e.split(" ")[0]).filter((name) => name !== "mark"),
      );
      assert.deepEqual(
        shape(page).filter((e) => !e.startsWith("mark")),
        plain.filter((e) => !e.startsWith("mark")),
      );
      // deno-lint-ignore no-control-regex -- what a page must not hold
      assert.doesNotMatch(page, /[\u0000-\u0008\u000b-\u001f\u202a-\u202e\ufeff]/);
    }),
    { numRuns: 60 },
  );
});

Deno.test("reportPage: findings stand before the runs", async () => {
  const finding = {
    code: "protected_touched",
    path: "tests/<x>.py",
    rule: "tests",
    detail: "a test file is changed",
  };
  const page = reportPage(await bundle(record({ findings: [finding] })));
  assert.deepEqual(elements(page).errors, []);
  assert.match(page, /1 finding to look at/);
  assert.match(page, /protected touched[^]*tests\/&lt;x&gt;\.py[^]*a test file is changed/);
  assert.doesNotMatch(PAGE, /to look at before/);
});
