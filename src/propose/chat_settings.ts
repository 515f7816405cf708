import type { Environment } from "../vocabulary/environment.ts";
import { Failure } from "../vocabulary/failure.ts";
import { malformedVariable, numberOf, textOf } from "./variables.ts";

/** A secret that prints as `[secret]` in strings, JSON and the inspector; `reveal` alone gives it out. */
export class Secret {
  readonly #value: string;
  constructor(value: string) {
    this.#value = value;
  }
  reveal(): string {
    return this.#value;
  }
  toString(): string {
    return "[secret]";
  }
  toJSON(): string {
    return "[secret]";
  }
  [Symbol.for("Deno.customInspect")](): string {
    return "[secret]";
  }
  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return "[secret]";
  }
}

/** How to reach a chat completions endpoint. Safe to print: the key hides itself. */
export interface ChatSettings {
  readonly name: "openai" | "local";
  /** http or https, without credentials, query and trailing slash. */
  readonly baseUrl: string;
  readonly model: string;
  readonly apiKey: Secret | null;
  readonly temperature: number;
  readonly maxTokens: number;
  /** For one question, with all of its retries. */
  readonly timeoutSec: number;
  /** How often a request is repeated after a connection error, 408, 409, 429 or 5xx. */
  readonly networkRetries: number;
}

/**
 * Settings of the `openai` provider from `PP_OPENAI_*` (`OPENAI_API_KEY` when there is no `PP_OPENAI_API_KEY`).
 *
 * @throws Failure unavailable `provider_key_missing`; usage `variable_malformed` naming the variable
 */
export function openaiSettings(env: Environment): ChatSettings {
  const apiKey = keyOf(env, ["PP_OPENAI_API_KEY", "OPENAI_API_KEY"]);
  if (apiKey === null) {
    throw new Failure("unavailable", "provider_key_missing", "the provider openai has no API key", {
      hint: "set PP_OPENAI_API_KEY, or choose --provider local for a server without one",
    });
  }
  return settingsOf(env, "PP_OPENAI", apiKey, {
    name: "openai",
    baseUrl: "https://api.openai.com/v1",
    model: "gpt-4.1-mini",
    timeoutSec: 120,
  });
}

/**
 * Settings of the `local` provider from `PP_LOCAL_*`; the key (`PP_LOCAL_API_KEY`, else `PP_OPENAI_API_KEY`) may be
 * missing.
 *
 * @throws Failure usage `variable_malformed` naming the variable
 */
export function localSettings(env: Environment): ChatSettings {
  return settingsOf(env, "PP_LOCAL", keyOf(env, ["PP_LOCAL_API_KEY", "PP_OPENAI_API_KEY"]), {
    name: "local",
    baseUrl: "http://127.0.0.1:8000/v1",
    model: "Qwen/Qwen2.5-Coder-7B-Instruct",
    timeoutSec: 240,
  });
}

function settingsOf(
  env: Environment,
  prefix: string,
  apiKey: Secret | null,
  defaults: Pick<ChatSettings, "name" | "baseUrl" | "model" | "timeoutSec">,
): ChatSettings {
  return {
    name: defaults.name,
    apiKey,
    baseUrl: baseUrlOf(env, `${prefix}_BASE_URL`, defaults.baseUrl),
    model: modelOf(env, `${prefix}_MODEL`, defaults.model),
    temperature: numberOf(env, `${prefix}_TEMPERATURE`, 0, { min: 0, max: 2 }),
    maxTokens: numberOf(env, `${prefix}_MAX_TOKENS`, 2000, { min: 1, max: 1_000_000, whole: true }),
    timeoutSec: numberOf(env, `${prefix}_TIMEOUT_SEC`, defaults.timeoutSec, { min: 0.1, max: 86_400 }),
    networkRetries: 3,
  };
}

function keyOf(env: Environment, names: readonly string[]): Secret | null {
  const name = names.find((n) => textOf(env, n) !== undefined);
  if (name === undefined) return null;
  const key = textOf(env, name)!;
  if (!/^[\x21-\x7e]{1,4096}$/.test(key)) throw malformedVariable(name, "one word of printable ASCII");
  return new Secret(key);
}

function modelOf(env: Environment, name: string, otherwise: string): string {
  const model = textOf(env, name) ?? otherwise;
  if (!/^[\x21-\x7e]{1,256}$/.test(model)) {
    throw malformedVariable(name, "one word of printable ASCII, at most 256 characters");
  }
  return model;
}

function baseUrlOf(env: Environment, name: string, otherwise: string): string {
  const url = URL.parse(textOf(env, name) ?? otherwise);
  if (
    url === null || !/^https?:$/.test(url.protocol) || url.username !== "" || url.password !== "" ||
    url.search !== "" || url.hash !== ""
  ) {
    throw malformedVariable(name, "an http(s) URL without credentials, query and fragment");
  }
  return url.href.replace(/\/+$/, "");
}
