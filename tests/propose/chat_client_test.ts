import assert from "node:assert/strict";
import { chatClient, type ChatMessage } from "../../src/propose/chat_client.ts";
import { type ChatSettings, Secret } from "../../src/propose/chat_settings.ts";
import { completion, withRawServer, withServer } from "./chat_server.ts";
import { failureOf, NEVER } from "./requests.ts";

const KEY = "sk-top-secret-0123456789";
const HELLO: ChatMessage[] = [{ role: "system", content: "be good" }, { role: "user", content: "hello" }];

function settings(baseUrl: string, changes: Partial<ChatSettings> = {}): ChatSettings {
  return {
    name: "openai",
    baseUrl,
    model: "some-model",
    apiKey: new Secret(KEY),
    temperature: 0.25,
    maxTokens: 321,
    timeoutSec: 20,
    networkRetries: 2,
    ...changes,
  };
}

const ask = (url: string, changes: Partial<ChatSettings> = {}, signal = NEVER) =>
  chatClient(settings(url, changes)).ask(HELLO, signal);

async function invalid(work: ReturnType<typeof ask>, reason: string): Promise<string> {
  const reply = await work;
  assert.ok(reply.kind === "invalid", JSON.stringify(reply).slice(0, 200));
  assert.equal(reply.reason, reason, reply.detail);
  return reply.detail;
}

Deno.test("chatClient: sends what the settings say and nothing else", () =>
  withServer(() => completion("hi"), async (url, asked) => {
    Deno.env.set("OPENAI_CUSTOM_HEADERS", "X-Leak: yes");
    Deno.env.set("OPENAI_ORG_ID", "org-leak");
    try {
      assert.deepEqual(await ask(url), { kind: "text", text: "hi" });
      await ask(url, { apiKey: null });
    } finally {
      Deno.env.delete("OPENAI_CUSTOM_HEADERS");
      Deno.env.delete("OPENAI_ORG_ID");
    }
    assert.equal(asked[0]!.path, "/v1/chat/completions");
    assert.deepEqual(asked[0]!.body, {
      model: "some-model",
      messages: HELLO,
      max_tokens: 321,
      temperature: 0.25,
      response_format: { type: "json_object" },
    });
    assert.equal(asked[0]!.headers["authorization"], `Bearer ${KEY}`);
    assert.equal(asked[1]!.headers["authorization"], undefined);
    const names = Object.keys(asked[0]!.headers).filter((n) =>
      !/^(host|accept-encoding|accept-language|content-length)$/.test(n)
    );
    assert.deepEqual(names.sort(), ["accept", "authorization", "content-type", "user-agent"]);
  }));

Deno.test("chatClient: rate limited, then fine; Retry-After is kept", () =>
  withServer(
    (_, n) =>
      n < 3
        ? new Response("slow down", { status: 429, headers: { "retry-after": "0.4" } })
        : completion("done"),
    async (url, asked) => {
      const start = performance.now();
      assert.deepEqual(await ask(url), { kind: "text", text: "done" });
      assert.equal(asked.length, 3);
      assert.ok(performance.now() - start >= 780);
    },
  ));

Deno.test("chatClient: rate limited for good is a provider that cannot be used", () =>
  withServer(
    () => Response.json({ error: { message: "quota" } }, { status: 429, headers: { "retry-after-ms": "1" } }),
    async (url, asked) => {
      const failure = await failureOf(ask(url), "unavailable", "provider_rate_limited");
      assert.match(failure.message, / answered 429: quota$/);
      assert.equal(asked.length, 3);
    },
  ));

Deno.test("chatClient: server errors are tried again, then told", () =>
  withServer(
    () => new Response("boom", { status: 503, headers: { "retry-after-ms": "1" } }),
    async (url, asked) => {
      const failure = await failureOf(ask(url), "unavailable", "provider_broken");
      assert.match(failure.message, /503.*boom/);
      assert.equal(asked.length, 3);
    },
  ));

Deno.test("chatClient: 401, 403, 404 cannot be used, once, without the key or control characters", async () => {
  const codes = { 401: "provider_unauthorized", 403: "provider_forbidden", 404: "provider_not_found" };
  for (const [status, code] of Object.entries(codes)) {
    const body = { error: { message: `bad key ${KEY} \u001b[31m\u0007${"long ".repeat(10_000)}` } };
    await withServer(() => Response.json(body, { status: Number(status) }), async (url, asked) => {
      const failure = await failureOf(ask(url), "unavailable", code);
      assert.equal(asked.length, 1);
      assert.match(failure.message, /bad key \[secret\]/);
      assert.ok(failure.message.length < 1500);
      const everything = Deno.inspect(failure, { depth: 20, showHidden: true }) + failure.stack +
        failure.hint;
      assert.ok(!everything.includes(KEY) && !failure.message.includes("\u001b"));
    });
  }
});

Deno.test("chatClient: a huge error body is cut, not read whole", () => {
  let sent = 0;
  const endless = () =>
    new ReadableStream<Uint8Array<ArrayBuffer>>({
      pull: (c) => {
        sent += 1 << 16;
        c.enqueue(new Uint8Array(1 << 16).fill(0x78));
      },
    });
  return withServer(() => new Response(endless(), { status: 401 }), async (url) => {
    await failureOf(ask(url), "unavailable", "provider_unauthorized");
    assert.ok(sent < 32 << 20, String(sent));
  });
});

Deno.test("chatClient: another 4xx refuses this one request", () =>
  withServer(
    () => Response.json({ error: { message: "context too long" } }, { status: 400 }),
    async (url, asked) => {
      assert.match(await invalid(ask(url), "provider_refused"), /400.*context too long/);
      assert.equal(asked.length, 1);
    },
  ));

Deno.test("chatClient: parameters a server refuses are left out or renamed, and stay so", () =>
  withServer(({ body }) => {
    for (const name of ["response_format", "max_tokens", "temperature"]) {
      if (name in body) {
        const error = { message: `Unsupported parameter: '${name}'`, param: name };
        return Response.json({ error }, { status: 400 });
      }
    }
    return completion("ok");
  }, async (url, asked) => {
    const client = chatClient(settings(url));
    for (let i = 0; i < 2; i++) {
      assert.deepEqual(await client.ask(HELLO, NEVER), { kind: "text", text: "ok" });
    }
    assert.equal(asked.length, 5);
    assert.deepEqual(asked[4]!.body, { model: "some-model", messages: HELLO, max_completion_tokens: 321 });
  }));

Deno.test("chatClient: a redirect is not followed and the key goes nowhere else", () =>
  withServer(() => completion("stolen"), async (other, stolen) => {
    for (const status of [301, 302, 307, 308]) {
      await withServer(
        () => new Response(null, { status, headers: { location: `${other}/chat/completions` } }),
        async (url, asked) => {
          await failureOf(ask(url), "unavailable", "provider_redirected");
          assert.equal(asked.length, 1);
        },
      );
    }
    assert.equal(stolen.length, 0);
  }));

Deno.test("chatClient: no server is a provider that cannot be used", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  const failure = await failureOf(
    ask(`http://127.0.0.1:${port}/v1`, { name: "local", networkRetries: 1 }),
    "unavailable",
    "provider_unreachable",
  );
  assert.match(failure.message, new RegExp(`127\\.0\\.0\\.1:${port}`));
  assert.match(failure.hint!, /PP_LOCAL_BASE_URL/);
});

/** Runs work against a server that answers only when the work is over. */
async function withSilentServer(work: (url: string) => Promise<void>): Promise<void> {
  const over = Promise.withResolvers<void>();
  await withServer(() => over.promise.then(() => completion("late")), async (url) => {
    try {
      await work(url);
    } finally {
      over.resolve();
    }
  });
}

Deno.test("chatClient: no answer in time, before the headers or within the body", async () => {
  await withSilentServer(async (url) => {
    assert.match(await invalid(ask(url, { timeoutSec: 0.5 }), "provider_timeout"), /0\.5 s/);
  });
  const drip = () => {
    let timer: ReturnType<typeof setInterval>;
    return new ReadableStream<Uint8Array<ArrayBuffer>>({
      start: (c) => {
        timer = setInterval(() => c.enqueue(Uint8Array.of(0x20)), 50);
      },
      cancel: () => clearInterval(timer),
    });
  };
  await withServer(
    () => new Response(drip(), { headers: { "content-type": "application/json" } }),
    async (url) => {
      await invalid(ask(url, { timeoutSec: 0.5 }), "provider_timeout");
    },
  );
});

Deno.test("chatClient: waiting for a retry ends at the timeout", () =>
  withServer(
    () => new Response("", { status: 429, headers: { "retry-after": "30" } }),
    async (url, asked) => {
      const start = performance.now();
      await invalid(ask(url, { timeoutSec: 0.6 }), "provider_timeout");
      assert.ok(performance.now() - start < 20_000);
      assert.equal(asked.length, 1);
    },
  ));

Deno.test("chatClient: abort ends a question at once", () =>
  withSilentServer(async (url) => {
    const abort = new AbortController();
    setTimeout(() => abort.abort(), 200);
    await failureOf(ask(url, {}, abort.signal), "interrupted", "interrupted");
    await failureOf(ask(url, {}, abort.signal), "interrupted", "interrupted");
  }));

Deno.test("chatClient: an endless answer is given up at the limit", () => {
  let sent = 0;
  const endless = () =>
    new ReadableStream<Uint8Array<ArrayBuffer>>({
      pull: (c) => {
        sent += 1 << 20;
        c.enqueue(new Uint8Array(1 << 20).fill(0x20));
      },
    });
  return withServer(
    () => new Response(endless(), { headers: { "content-type": "application/json" } }),
    async (url) => {
      await invalid(ask(url), "answer_too_large");
      assert.ok(sent < 64 << 20, String(sent));
    },
  );
});

Deno.test("chatClient: a body that bursts when decompressed is given up too", async () => {
  const zeros = new Blob([new Uint8Array(32 << 20)]).stream().pipeThrough(new CompressionStream("gzip"));
  const bomb = await new Response(zeros).arrayBuffer();
  const headers = { "content-type": "application/json", "content-encoding": "gzip" };
  await withServer(() => new Response(bomb, { headers }), async (url) => {
    await invalid(ask(url), "answer_too_large");
  });
});

Deno.test("chatClient: broken and truncated bodies", async () => {
  const head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n";
  const body = '{"choices":[{"message":{"content":"x"';
  await withRawServer(`${head}content-length: 500\r\n\r\n${body}`, async (url) => {
    assert.match(await invalid(ask(url), "provider_answer_malformed"), /connection ended/);
  });
  await withRawServer(`${head}transfer-encoding: chunked\r\n\r\n25\r\n${body}`, async (url) => {
    await invalid(ask(url), "provider_answer_malformed");
  });
  await withRawServer(`${head}connection: close\r\n\r\n${body}`, async (url) => {
    await invalid(ask(url), "provider_answer_malformed");
  });
  await withRawServer("no http at all\r\n\r\n", async (url) => {
    await failureOf(ask(url, { networkRetries: 0 }), "unavailable", "provider_unreachable");
  });
});

const json = (value: unknown) => () => Response.json(value);

Deno.test("chatClient: answers without a usable text are invalid with a reason", async () => {
  const cases: [string, () => Response][] = [
    ["provider_answer_malformed", () => new Response("<html>", { headers: { "content-type": "text/html" } })],
    [
      "provider_answer_malformed",
      () =>
        new Response('data: {"choices":[]}\n\ndata: [DONE]\n\n', {
          headers: { "content-type": "text/event-stream" },
        }),
    ],
    [
      "provider_answer_malformed",
      () => new Response("{}}", { headers: { "content-type": "application/json" } }),
    ],
    ["provider_answer_malformed", () => new Response(null, { status: 204 })],
    ["provider_answer_malformed", json(null)],
    ["provider_answer_malformed", json([])],
    ["provider_answer_malformed", json({ choices: [] })],
    ["provider_answer_malformed", json({ choices: [{}] })],
    ["provider_answer_malformed", json({ choices: [{ message: { content: 7 } }] })],
    ["provider_refused", json({ error: { message: "no such model" } })],
    ["provider_refused", () => completion(null, { message: { content: null, refusal: "I will not" } })],
    ["answer_truncated", () => completion('{"diff', { finish_reason: "length" })],
    ["answer_filtered", () => completion("", { finish_reason: "content_filter" })],
    ["answer_tool_call", () => completion(null, { message: { content: null, tool_calls: [{ id: "x" }] } })],
    [
      "answer_tool_call",
      () => completion(null, { message: { content: null, function_call: { name: "x" } } }),
    ],
    ["answer_empty", () => completion(null)],
    ["answer_empty", () => completion(" \n")],
  ];
  await withServer((_, n) => cases[n - 1]![1](), async (url) => {
    for (const [reason] of cases) await invalid(ask(url), reason);
  });
});

Deno.test("chatClient: content in parts is joined", () =>
  withServer(() => completion([{ type: "text", text: "a" }, { type: "text", text: "b" }]), async (url) => {
    assert.deepEqual(await ask(url), { kind: "text", text: "ab" });
  }));
