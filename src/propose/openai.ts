import { interrupted } from "../vocabulary/failure.ts";
import { parseAnswer, type ParsedProposal, parseRewrite } from "./answer.ts";
import { type ChatClient, chatClient, type ChatMessage } from "./chat_client.ts";
import type { ChatSettings } from "./chat_settings.ts";
import { type Fault, faultOf, looksLikeChange } from "./diff_text.ts";
import { buildMessages, feedbackMessage, rewriteMessage } from "./prompt.ts";
import type { ProposalRequest, Proposer, ProposerAnswer } from "./proposer.ts";
import { rewriteCandidate, wholeFileRewrite } from "./rewrite.ts";

export { type ChatSettings, localSettings, openaiSettings } from "./chat_settings.ts";

/** How often a model is asked again within one attempt when its diff is empty, changes nothing or is a repetition. */
const MAX_RETRIES = 2;
/** Characters of a useless answer that are shown to the model again. */
const MAX_REPEATED_ANSWER = 8000;

/**
 * Proposes what a chat model answers. One call asks at most four questions: the request, twice again with feedback
 * when the diff is empty, changes nothing or repeats an earlier one, and as last resort for the whole content of
 * the one file in question (see `rewriteCandidate`). Any other useless answer is returned as invalid at once.
 *
 * @throws Failure unavailable when the provider cannot be used, interrupted on abort
 */
export function chatProposer(settings: ChatSettings, client: ChatClient = chatClient(settings)): Proposer {
  const source = `${settings.name}:${settings.model}`;
  const proposal = ({ diff, rationale, riskNotes, confidence }: Omit<ParsedProposal, "kind" | "plain">) =>
    ({ kind: "proposal", diff, rationale, riskNotes, confidence, source }) as const;
  // What the request tells of earlier attempts is canonical; a model repeats itself in its own words.
  let own: { session: string; diffs: string[] } = { session: "", diffs: [] };
  return {
    name: settings.name,
    supply: null,
    async propose(request, signal): Promise<ProposerAnswer> {
      if (signal.aborted) throw interrupted(signal.reason);
      const opening = buildMessages(request, crypto.randomUUID().replaceAll("-", ""));
      if (own.session !== request.session) own = { session: request.session, diffs: [] };
      const tried = [...request.previous.map((p) => p.diff), ...own.diffs];
      const messages = [...opening];
      const said: string[] = [];
      let fault: Fault = "empty";
      for (let question = 0; question <= MAX_RETRIES; question++) {
        const reply = await client.ask(messages, signal);
        if (reply.kind === "invalid") return reply;
        const answer = parseAnswer(reply.text);
        if (answer.kind !== "parsed") return answer;
        const found = faultOf(answer.diff, tried);
        if (found === null) {
          own.diffs.push(answer.diff);
          return proposal(answer);
        }
        fault = found;
        said.push(reply.text);
        const repeated: ChatMessage = {
          role: "assistant",
          content: reply.text.slice(0, MAX_REPEATED_ANSWER).toWellFormed(),
        };
        messages.push(repeated, feedbackMessage(found));
      }
      return await askForWholeFile(request, opening, said, fault, tried, signal);
    },
  };

  async function askForWholeFile(
    request: ProposalRequest,
    opening: readonly ChatMessage[],
    said: readonly string[],
    fault: Fault,
    tried: readonly string[],
    signal: AbortSignal,
  ): Promise<ProposerAnswer> {
    const useless = (what: string): ProposerAnswer => ({
      kind: "invalid",
      reason: "no_usable_diff",
      detail: `${said.length} answers without a usable diff, the last one ${FAULTS[fault]}; ${what}`,
    });
    const path = rewriteCandidate(request, said);
    if (path === null) return useless("no single file to ask for as a whole");
    const reply = await client.ask([...opening, rewriteMessage(path)], signal);
    if (reply.kind === "invalid") return reply;
    const rewrite = parseRewrite(reply.text);
    if (rewrite.kind === "invalid") return rewrite;
    if (rewrite.path !== path) return useless("the file asked for as a whole came under another path");
    if (rewrite.content.trim() === "") return useless("the file asked for as a whole came empty");
    // The patch reader would read a file that holds a diff as that diff.
    if (looksLikeChange(rewrite.content)) return useless("the file asked for as a whole holds a diff itself");
    const diff = wholeFileRewrite(path, rewrite.content);
    if (faultOf(diff, tried) !== null) return useless("its rewrite is a repetition");
    own.diffs.push(diff);
    return proposal({ diff, rationale: rewrite.rationale, riskNotes: "", confidence: null });
  }
}

const FAULTS: Readonly<Record<Fault, string>> = {
  empty: "empty",
  no_change: "without any change",
  repeated: "a repetition",
};
