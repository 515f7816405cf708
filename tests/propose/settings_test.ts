import assert from "node:assert/strict";
import { localSettings, openaiSettings, Secret } from "../../src/propose/chat_settings.ts";
import { failureOf } from "./requests.ts";

const KEY = "sk-very-secret-key";

Deno.test("openaiSettings: defaults and names of the variables", () => {
  const { apiKey, ...rest } = openaiSettings({ OPENAI_API_KEY: KEY });
  assert.equal(apiKey?.reveal(), KEY);
  assert.deepEqual(rest, {
    name: "openai",
    baseUrl: "https://api.openai.com/v1",
    model: "gpt-4.1-mini",
    temperature: 0,
    maxTokens: 2000,
    timeoutSec: 120,
    networkRetries: 3,
  });
  const set = openaiSettings({
    OPENAI_API_KEY: "other",
    PP_OPENAI_API_KEY: ` ${KEY}\n`,
    PP_OPENAI_BASE_URL: "http://gpu:9/v1//",
    PP_OPENAI_MODEL: "m",
    PP_OPENAI_TEMPERATURE: ".5",
    PP_OPENAI_MAX_TOKENS: "7",
    PP_OPENAI_TIMEOUT_SEC: "0.5",
  });
  assert.deepEqual(
    [set.apiKey?.reveal(), set.baseUrl, set.model, set.temperature, set.maxTokens, set.timeoutSec],
    [KEY, "http://gpu:9/v1", "m", 0.5, 7, 0.5],
  );
});

Deno.test("localSettings: no key needed, its own names", () => {
  const settings = localSettings({ OPENAI_API_KEY: KEY, PP_OPENAI_MODEL: "not this one" });
  assert.deepEqual(settings, {
    name: "local",
    apiKey: null,
    baseUrl: "http://127.0.0.1:8000/v1",
    model: "Qwen/Qwen2.5-Coder-7B-Instruct",
    temperature: 0,
    maxTokens: 2000,
    timeoutSec: 240,
    networkRetries: 3,
  });
  assert.equal(localSettings({ PP_OPENAI_API_KEY: KEY }).apiKey?.reveal(), KEY);
  assert.equal(localSettings({ PP_OPENAI_API_KEY: KEY, PP_LOCAL_API_KEY: "l" }).apiKey?.reveal(), "l");
});

Deno.test("openaiSettings: no key is a provider that cannot be used", async () => {
  const failure = await failureOf(
    () => openaiSettings({ PP_OPENAI_API_KEY: " " }),
    "unavailable",
    "provider_key_missing",
  );
  assert.match(failure.hint!, /PP_OPENAI_API_KEY/);
});

Deno.test("openaiSettings: a malformed variable is named, its value is not repeated", async () => {
  const cases: [string, string][] = [
    ["PP_OPENAI_BASE_URL", "api.openai.com"],
    ["PP_OPENAI_BASE_URL", "ftp://hidden/v1"],
    ["PP_OPENAI_BASE_URL", "https://user:hidden@host/v1"],
    ["PP_OPENAI_BASE_URL", "https://host/v1?key=hidden"],
    ["PP_OPENAI_MODEL", "two hidden words"],
    ["PP_OPENAI_TEMPERATURE", "hidden"],
    ["PP_OPENAI_TEMPERATURE", "2.1"],
    ["PP_OPENAI_TEMPERATURE", "-0.1"],
    ["PP_OPENAI_MAX_TOKENS", "1.5"],
    ["PP_OPENAI_MAX_TOKENS", "0"],
    ["PP_OPENAI_MAX_TOKENS", "0x10"],
    ["PP_OPENAI_TIMEOUT_SEC", "Infinity"],
    ["PP_OPENAI_API_KEY", "hidden\nX-Evil: 1"],
    ["PP_OPENAI_API_KEY", "hidd\u00e9n"],
  ];
  for (const [name, value] of cases) {
    const failure = await failureOf(
      () => openaiSettings({ PP_OPENAI_API_KEY: KEY, [name]: value }),
      "usage",
      "variable_malformed",
    );
    assert.ok(failure.message.startsWith(`${name} is not `), failure.message);
    assert.ok(!/hidd|Evil/.test(failure.message + failure.hint));
  }
});

Deno.test("Secret: printing settings never shows the key", () => {
  const settings = openaiSettings({ PP_OPENAI_API_KEY: KEY });
  const printed = [
    JSON.stringify(settings),
    Deno.inspect(settings, { showHidden: true, depth: 10 }),
    `${settings.apiKey}`,
    Deno.inspect(new Secret(KEY)),
    JSON.stringify({ ...settings.apiKey }),
  ].join("\n");
  assert.ok(!printed.includes(KEY));
  assert.match(printed, /\[secret\]/);
});
