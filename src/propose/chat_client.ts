import { Failure, interrupted } from "../vocabulary/failure.ts";
import { AnswerTooLarge, boundedFetch } from "./bounded_fetch.ts";
import type { ChatSettings } from "./chat_settings.ts";
import { type ChatReply, readCompletion } from "./completion.ts";
import { foreignText, withoutSecrets } from "./foreign_text.ts";
import { refusal, unreachable } from "./provider_errors.ts";

export interface ChatMessage {
  readonly role: "system" | "user" | "assistant";
  readonly content: string;
}

export interface ChatClient {
  /**
   * Asks one question, repeating it after connection errors, 408, 409, 429 (after `Retry-After`) and 5xx until the
   * settings' timeout.
   *
   * @returns the text, or why there is none: `provider_timeout`, `provider_refused`, `provider_answer_malformed`,
   *   `answer_too_large`, `answer_truncated`, `answer_filtered`, `answer_tool_call`, `answer_empty`
   * @throws Failure unavailable when the provider cannot be used, interrupted on abort
   */
  ask(messages: readonly ChatMessage[], signal: AbortSignal): Promise<ChatReply>;
}

const MAX_BODY_BYTES = 8 * 1024 * 1024;
const SHOWN_MESSAGE = 1000;

/** Parameters some servers and models refuse; each is left out or renamed once it was refused. */
type Optional = "temperature" | "response_format" | "max_tokens";
const OPTIONAL: readonly Optional[] = ["response_format", "temperature", "max_tokens"];

class BrokenBody extends Error {}

/** The library begins its messages with the status, which is said anyway. */
function withoutStatus(message: string, status: number): string {
  const rest = message.startsWith(`${status} `) ? message.slice(`${status} `.length) : message;
  return rest === "status code (no body)" ? "no body" : rest;
}

/** A client of one OpenAI-compatible chat completions endpoint; loads the library at the first question. */
export function chatClient(settings: ChatSettings): ChatClient {
  const refused = new Set<Optional>();
  const key = settings.apiKey?.reveal() ?? null;
  const shown = (text: string) => foreignText(withoutSecrets(text, key === null ? [] : [key]), SHOWN_MESSAGE);

  const send = async (messages: readonly ChatMessage[], deadline: AbortSignal): Promise<ChatReply> => {
    const { default: OpenAI, APIError } = await import("openai");
    const client = new OpenAI({
      // The library insists on a key; boundedFetch decides what is sent.
      apiKey: key ?? "none",
      adminAPIKey: null,
      organization: null,
      project: null,
      webhookSecret: null,
      baseURL: settings.baseUrl,
      maxRetries: settings.networkRetries,
      timeout: settings.timeoutSec * 1000 + 1000,
      logLevel: "off",
      fetch: boundedFetch({ key, maxBytes: MAX_BODY_BYTES, deadline }),
    });
    for (;;) {
      try {
        const response = await client.chat.completions
          .create({ ...parameters(settings, refused), messages: [...messages] }, { signal: deadline })
          .asResponse();
        const body = await response.text().catch((error) => {
          throw new BrokenBody("the body broke off", { cause: error });
        });
        return readCompletion(response.headers.get("content-type"), body, shown);
      } catch (error) {
        if (!(error instanceof APIError) || error.status === undefined) throw error;
        const message = shown(withoutStatus(error.message, error.status));
        const culprit = error.status === 400 || error.status === 422
          ? OPTIONAL.find((p) => !refused.has(p) && (error.param === p || message.includes(p)))
          : undefined;
        if (culprit === undefined) return refusal(settings, error.status, message);
        refused.add(culprit);
      }
    }
  };

  return {
    async ask(messages, signal) {
      if (signal.aborted) throw interrupted(signal.reason);
      const timeout = new AbortController();
      const timer = setTimeout(() => timeout.abort(), settings.timeoutSec * 1000);
      try {
        return await send(messages, AbortSignal.any([signal, timeout.signal]));
      } catch (error) {
        if (error instanceof Failure) throw error;
        if (signal.aborted) throw interrupted(signal.reason);
        if (timeout.signal.aborted) {
          return invalid("provider_timeout", `no complete answer within ${settings.timeoutSec} s`);
        }
        if (chain(error).some((e) => e instanceof AnswerTooLarge)) {
          return invalid("answer_too_large", `the provider sent more than ${MAX_BODY_BYTES} bytes`);
        }
        if (error instanceof BrokenBody) {
          return invalid("provider_answer_malformed", "the connection ended before the answer did");
        }
        throw unreachable(settings, shown(chain(error).map((e) => e.message).join(": ")));
      } finally {
        clearTimeout(timer);
      }
    },
  };
}

function parameters(settings: ChatSettings, refused: ReadonlySet<Optional>) {
  return {
    model: settings.model,
    ...(refused.has("max_tokens")
      ? { max_completion_tokens: settings.maxTokens }
      : { max_tokens: settings.maxTokens }),
    ...(refused.has("temperature") ? {} : { temperature: settings.temperature }),
    ...(refused.has("response_format") ? {} : { response_format: { type: "json_object" as const } }),
  };
}

function invalid(reason: string, detail: string): ChatReply {
  return { kind: "invalid", reason, detail };
}

/** An error and its causes, at most ten. */
function chain(error: unknown): Error[] {
  const errors: Error[] = [];
  for (let e = error; e instanceof Error && errors.length < 10; e = e.cause) errors.push(e);
  return errors;
}
