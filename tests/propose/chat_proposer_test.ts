import assert from "node:assert/strict";
import { Secret } from "../../src/propose/chat_settings.ts";
import { chatProposer } from "../../src/propose/openai.ts";
import { type Asked, completion, withServer } from "./chat_server.ts";
import { DIFF, failureOf, invalidDetail, NEVER, request } from "./requests.ts";

function proposer(baseUrl: string) {
  return chatProposer({
    name: "local",
    baseUrl,
    model: "m",
    apiKey: new Secret("sk-0123456789"),
    temperature: 0,
    maxTokens: 100,
    timeoutSec: 20,
    networkRetries: 0,
  });
}

const diffAnswer = (diff: string) => completion(JSON.stringify({ diff, rationale: "r", confidence: 0.5 }));
const last = (asked: Asked): string => asked.body.messages.at(-1).content;
const NO_CHANGE = "--- a/calc.py\n+++ b/calc.py\n@@ -1 +1 @@\n-x\n+x\n";

Deno.test("chatProposer: a good answer at once", () =>
  withServer(() => diffAnswer(DIFF), async (url, asked) => {
    const answer = await proposer(url).propose(request(), NEVER);
    assert.deepEqual(answer, {
      kind: "proposal",
      diff: DIFF,
      rationale: "r",
      riskNotes: "",
      confidence: 0.5,
      source: "local:m",
    });
    assert.equal(asked.length, 1);
    assert.deepEqual(asked[0]!.body.messages.map((m: { role: string }) => m.role), ["system", "user"]);
    assert.match(last(asked[0]!), /pytest -q/);
  }));

Deno.test("chatProposer: the fence is new for every call", () =>
  withServer((_, n) => diffAnswer(`${DIFF}${n}`), async (url, asked) => {
    await proposer(url).propose(request(), NEVER);
    await proposer(url).propose(request(), NEVER);
    const fences = asked.map((a) => /<<<BEGIN ([0-9a-f]{32}) /.exec(a.body.messages[1].content)?.[1]);
    assert.ok(fences[0] !== undefined && fences[1] !== undefined && fences[0] !== fences[1]);
  }));

Deno.test("chatProposer: empty and no-op diffs are asked again with feedback", () =>
  withServer((_, n) => diffAnswer(n === 1 ? "" : n === 2 ? NO_CHANGE : DIFF), async (url, asked) => {
    const answer = await proposer(url).propose(request(), NEVER);
    assert.ok(answer.kind === "proposal" && answer.diff === DIFF);
    assert.match(last(asked[1]!), /was empty/);
    assert.match(last(asked[2]!), /changes nothing/);
    assert.equal(asked[2]!.body.messages.length, 6);
    assert.equal(asked[2]!.body.messages[2].role, "assistant");
  }));

Deno.test("chatProposer: a repetition of an earlier attempt is asked again, its own words too", () =>
  withServer((_, n) => diffAnswer(n === 4 ? DIFF.replace("+ b", "- -b") : DIFF), async (url, asked) => {
    const previous = [{
      attempt: 1,
      diff: `diff --git a/calc.py b/calc.py\n${DIFF}`,
      outcome: "failed",
      detail: "",
    }];
    const own = proposer(url);
    const first = await own.propose(request({ snippets: [] }), NEVER);
    assert.equal(first.kind, "proposal");
    const again = own.propose(request({ snippets: [], attempt: 2 }), NEVER);
    const answer = await again;
    assert.ok(answer.kind === "proposal" && answer.diff !== DIFF);
    assert.match(last(asked[2]!), /same as an earlier/);
    assert.match(last(asked[3]!), /same as an earlier/);
    const other = await proposer(url).propose(request({ snippets: [], previous }), NEVER);
    assert.match(invalidDetail(other, "no_usable_diff"), /a repetition; no single file/);
    const fresh = await own.propose(request({ session: "s2" }), NEVER);
    assert.equal(fresh.kind, "proposal");
  }));

Deno.test("chatProposer: as last resort the whole file is asked for", () =>
  withServer(
    (_, n) =>
      n < 4
        ? diffAnswer("")
        : completion(JSON.stringify({ path: "calc.py", content: "def add(a, b):\n    return a + b" })),
    async (url, asked) => {
      const answer = await proposer(url).propose(request(), NEVER);
      assert.ok(answer.kind === "proposal");
      assert.equal(answer.diff, "File: calc.py\n```\ndef add(a, b):\n    return a + b\n```\n");
      assert.equal(asked.length, 4);
      assert.equal(asked[3]!.body.messages.length, 3);
      assert.match(last(asked[3]!), /whole corrected content of the file "calc\.py"/);
    },
  ));

Deno.test("chatProposer: a rewrite of another path, empty or garbage is no proposal", async () => {
  const cases: [unknown, string][] = [
    [{ path: "evil.py", content: "x" }, "no_usable_diff"],
    [{ path: "calc.py", content: "" }, "no_usable_diff"],
    [{ path: "calc.py", content: `x = """\n${DIFF}"""\n` }, "no_usable_diff"],
    [{ path: "calc.py", content: 7 }, "answer_malformed"],
    ["sorry", "answer_malformed"],
  ];
  for (const [rewrite, reason] of cases) {
    await withServer(
      (_, n) => n < 4 ? diffAnswer("") : completion(JSON.stringify(rewrite)),
      async (url, asked) => {
        invalidDetail(await proposer(url).propose(request(), NEVER), reason);
        assert.equal(asked.length, 4);
      },
    );
  }
});

Deno.test("chatProposer: garbage spends the attempt, a model may decline", async () => {
  await withServer(() => completion("I think the code is fine."), async (url, asked) => {
    invalidDetail(await proposer(url).propose(request(), NEVER), "answer_malformed");
    assert.equal(asked.length, 1);
  });
  await withServer(() => completion('{"none": "not possible"}'), async (url) => {
    assert.deepEqual(await proposer(url).propose(request(), NEVER), { kind: "none", reason: "not possible" });
  });
});

Deno.test("chatProposer: an abort between questions ends it", () => {
  const abort = new AbortController();
  return withServer(() => {
    abort.abort();
    return diffAnswer("");
  }, async (url) => {
    await failureOf(proposer(url).propose(request(), abort.signal), "interrupted", "interrupted");
  });
});
