import { z } from "zod";
import { parseRelativePath } from "../vocabulary/path.ts";
import { looksLikeChange, startsAsChange } from "./diff_text.ts";
import { fencedBlocks, firstObject, parseObject } from "./json_in_text.ts";
import { foreignText } from "./foreign_text.ts";
import { wholeFileRewrite } from "./rewrite.ts";

/** Characters of an answer that are read at all. */
export const MAX_ANSWER_CHARACTERS = 4 * 1024 * 1024;
const MAX_REMARK_CHARACTERS = 8 * 1024;

export interface ParsedProposal {
  readonly kind: "parsed";
  /** May be empty. */
  readonly diff: string;
  readonly rationale: string;
  readonly riskNotes: string;
  readonly confidence: number | null;
  /** Whether the whole text was taken as the diff. */
  readonly plain: boolean;
}

export type ParsedAnswer =
  | ParsedProposal
  | { readonly kind: "none"; readonly reason: string }
  | { readonly kind: "invalid"; readonly reason: string; readonly detail: string };

export type ParsedRewrite =
  | { readonly kind: "rewrite"; readonly path: string; readonly content: string; readonly rationale: string }
  | { readonly kind: "invalid"; readonly reason: string; readonly detail: string };

const Proposal = z.object({
  diff: z.string().nullish(),
  none: z.string().nullish(),
  path: z.string().optional().catch(undefined),
  content: z.string().optional().catch(undefined),
  rationale: z.unknown().optional(),
  risk_notes: z.unknown().optional(),
  confidence: z.unknown().optional(),
});

const Rewrite = z.object({ path: z.string(), content: z.string(), rationale: z.unknown().optional() });

/**
 * Reads what a model or a program answered. Tried in order: a text that begins with a diff; the whole text as JSON;
 * JSON in a fenced block; the first balanced object in prose; a diff anywhere in the text.
 *
 * @param options.plain also take any other text as a diff (for programs, whose plain output is one)
 * @returns the proposal (its diff may be empty), a declined one, or why it is invalid: `answer_empty`,
 *   `answer_too_large`, `answer_malformed`. Never throws; linear in the text.
 */
export function parseAnswer(text: string, options: { readonly plain?: boolean } = {}): ParsedAnswer {
  const unusable = bounds(text);
  if (unusable !== null) return unusable;
  const answer = withoutThinking(text);
  if (startsAsChange(answer)) return plainDiff(answer);
  const object = objectIn(answer, (o) => "diff" in o || "none" in o || ("path" in o && "content" in o));
  if (object !== null) return proposalOf(object);
  if (looksLikeChange(answer) || (options.plain === true && parseObject(answer) === null)) {
    return plainDiff(answer);
  }
  return malformed("the answer holds neither a JSON object with a diff nor a diff");
}

/** Reads the answer to a request for one whole file. Same search for JSON, same bounds as `parseAnswer`. */
export function parseRewrite(text: string): ParsedRewrite {
  const unusable = bounds(text);
  if (unusable !== null) return unusable;
  const object = objectIn(withoutThinking(text), (o) => "path" in o && "content" in o);
  const parsed = Rewrite.safeParse(object);
  if (!parsed.success) return malformed("the answer holds no JSON object with path and content");
  const { path, content, rationale } = parsed.data;
  return { kind: "rewrite", path, content, rationale: remarkOf(rationale) };
}

function bounds(text: string): { kind: "invalid"; reason: string; detail: string } | null {
  if (text.length > MAX_ANSWER_CHARACTERS) {
    return {
      kind: "invalid",
      reason: "answer_too_large",
      detail: `the answer has ${text.length} characters`,
    };
  }
  return text.trim() === ""
    ? { kind: "invalid", reason: "answer_empty", detail: "the answer is blank" }
    : null;
}

function malformed(detail: string): { kind: "invalid"; reason: string; detail: string } {
  return { kind: "invalid", reason: "answer_malformed", detail };
}

/** Drops the thinking some models put before their answer. */
function withoutThinking(text: string): string {
  const start = text.trimStart();
  if (!start.startsWith("<think>")) return text;
  const end = start.indexOf("</think>");
  return end === -1 ? text : start.slice(end + "</think>".length);
}

function objectIn(
  text: string,
  wanted: (object: Record<string, unknown>) => boolean,
): Record<string, unknown> | null {
  const whole = parseObject(text);
  if (whole !== null) return wanted(whole) ? whole : null;
  for (const block of fencedBlocks(text)) {
    if (!/^(json[c5]?)?$/i.test(block.info)) continue;
    const object = parseObject(block.body);
    if (object !== null && wanted(object)) return object;
  }
  return firstObject(text, wanted);
}

function proposalOf(object: Record<string, unknown>): ParsedAnswer {
  const parsed = Proposal.safeParse(object);
  if (!parsed.success) {
    const fields = [...new Set(parsed.error.issues.map((i) => foreignText(i.path.join("."), 40)))];
    return malformed(`wrong type in the answer: ${fields.join(", ")}`);
  }
  const { diff, none, path, content } = parsed.data;
  if (typeof none === "string" && !diff?.trim()) {
    return { kind: "none", reason: foreignText(none, 1000) || "the proposer declined without a reason" };
  }
  const common = {
    kind: "parsed",
    rationale: remarkOf(parsed.data.rationale),
    riskNotes: remarkOf(parsed.data.risk_notes),
    confidence: confidenceOf(parsed.data.confidence),
    plain: false,
  } as const;
  if (!diff?.trim() && path !== undefined && content !== undefined) {
    if (!parseRelativePath(path).ok) return malformed("the answer rewrites a path that is not acceptable");
    return { ...common, diff: wholeFileRewrite(path, content) };
  }
  return { ...common, diff: diff ?? "" };
}

function plainDiff(diff: string): ParsedProposal {
  return { kind: "parsed", diff, rationale: "", riskNotes: "", confidence: null, plain: true };
}

/** A string or a list of strings, fit for a message; everything else counts as no remark. */
function remarkOf(value: unknown): string {
  const text = Array.isArray(value) ? value.filter((v) => typeof v === "string").join("\n") : value;
  return typeof text === "string" ? foreignText(text, MAX_REMARK_CHARACTERS) : "";
}

/** 0..1 from a number, a numeric string or a percentage; null for everything else. */
function confidenceOf(value: unknown): number | null {
  const text = typeof value === "string" ? value.trim().slice(0, 40) : "";
  const percent = text.endsWith("%");
  const number = typeof value === "number" ? value : /^\d*\.?\d+ ?%?$/.test(text) ? parseFloat(text) : NaN;
  const share = percent || number > 1 ? number / 100 : number;
  return share >= 0 && share <= 1 ? share : null;
}
