import { z } from "zod";

/** What one question to a chat model brought. */
export type ChatReply =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "invalid"; readonly reason: string; readonly detail: string };

const Completion = z.object({
  choices: z.array(z.object({
    finish_reason: z.string().nullish(),
    message: z.object({
      content: z.union([z.string(), z.array(z.object({ text: z.string().optional() }))]).nullish(),
      refusal: z.string().nullish(),
      tool_calls: z.array(z.unknown()).nullish(),
      function_call: z.unknown().optional(),
    }),
  })),
});
const ProviderError = z.object({ error: z.union([z.string(), z.object({ message: z.string() })]) });

/**
 * The text in the body of a chat completions response, or the reason there is none. Never throws.
 *
 * @param shown makes the provider's own words fit for a message
 */
export function readCompletion(
  contentType: string | null,
  body: string,
  shown: (text: string) => string,
): ChatReply {
  const mediaType = contentType?.split(";")[0]?.trim().toLowerCase() ?? "";
  if (mediaType !== "" && mediaType !== "application/json" && !mediaType.endsWith("+json")) {
    return malformed(`the provider answered with content type ${shown(mediaType)}, not JSON`);
  }
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    return malformed("the provider's answer is no complete JSON");
  }
  const error = ProviderError.safeParse(value);
  if (error.success) {
    const said = error.data.error;
    return invalid("provider_refused", shown(typeof said === "string" ? said : said.message));
  }
  const completion = Completion.safeParse(value);
  if (!completion.success) return malformed("the provider's answer has not the form of a chat completion");
  const choice = completion.data.choices[0];
  if (choice === undefined) return malformed("the provider's answer has no choice");
  const { finish_reason: finish, message } = choice;
  if (finish === "length") {
    return invalid("answer_truncated", "the model ran out of tokens; raise PP_…_MAX_TOKENS");
  }
  if (finish === "content_filter") return invalid("answer_filtered", "the provider filtered the answer");
  if (message.refusal) return invalid("provider_refused", `the model refused: ${shown(message.refusal)}`);
  const content = typeof message.content === "string"
    ? message.content
    : (message.content ?? []).map((part) => part.text ?? "").join("");
  if (content.trim() !== "") return { kind: "text", text: content };
  return (message.tool_calls ?? []).length > 0 || message.function_call != null
    ? invalid("answer_tool_call", "the model called a tool instead of answering")
    : invalid("answer_empty", "the model's answer is blank");
}

function malformed(detail: string): ChatReply {
  return invalid("provider_answer_malformed", detail);
}

function invalid(reason: string, detail: string): ChatReply {
  return { kind: "invalid", reason, detail };
}
