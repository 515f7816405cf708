import { Failure } from "../vocabulary/failure.ts";
import type { ChatSettings } from "./chat_settings.ts";
import type { ChatReply } from "./completion.ts";

/**
 * What an HTTP status other than 2xx means, after all retries. The library's error is no cause of the Failure: it
 * holds headers and bodies nobody has looked through.
 *
 * @param message the provider's words, already fit for a message
 * @returns an invalid answer where the provider refused this one request
 * @throws Failure unavailable where it refuses every request or cannot answer any
 */
export function refusal(settings: ChatSettings, status: number, message: string): ChatReply {
  const prefix = settings.name === "openai" ? "PP_OPENAI" : "PP_LOCAL";
  const fail = (code: string, hint: string) =>
    new Failure(
      "unavailable",
      code,
      `${settings.name} (${settings.baseUrl}) answered ${status}: ${message}`,
      {
        hint,
      },
    );
  if (status === 401) throw fail("provider_unauthorized", `check ${prefix}_API_KEY`);
  if (status === 403) {
    throw fail("provider_forbidden", `check that ${prefix}_API_KEY may use the model ${settings.model}`);
  }
  if (status === 404) throw fail("provider_not_found", `check ${prefix}_BASE_URL and ${prefix}_MODEL`);
  if (status === 429) throw fail("provider_rate_limited", "wait, or check the account's quota");
  if (status >= 300 && status < 400) {
    throw fail(
      "provider_redirected",
      `redirects are not followed; set ${prefix}_BASE_URL to the final address`,
    );
  }
  if (status >= 500 || status === 408 || status === 409) {
    throw fail("provider_broken", "try again later, or choose another provider");
  }
  return {
    kind: "invalid",
    reason: "provider_refused",
    detail: `the provider answered ${status}: ${message}`,
  };
}

/** No connection, after all retries. */
export function unreachable(settings: ChatSettings, message: string): Failure {
  const variable = settings.name === "openai" ? "PP_OPENAI_BASE_URL" : "PP_LOCAL_BASE_URL";
  return new Failure(
    "unavailable",
    "provider_unreachable",
    `${settings.name} cannot be reached at ${settings.baseUrl}: ${message}`,
    { hint: `check that the server runs, and ${variable}` },
  );
}
