import { parseEnvelope } from "../sign/dsse.ts";
import { parseStrictJson } from "../vocabulary/strict_json.ts";
import { badge, code, digest, facts, type Markup, markup, type Piece, table } from "./html.ts";

/** What a verifier found out, for a page that says so. */
export interface ReportVerification {
  readonly verdict: "valid" | "invalid";
  /** Names of the single verdicts, in order: signature, integrity, subject, freshness. */
  readonly verdicts: readonly { readonly name: string; readonly verdict: string; readonly detail: string }[];
}

const MAX_JSON_DEPTH = 16;
const MAX_JSON_VALUES = 400_000;

/**
 * The envelope as it claims to be. Nothing in it is verified here, and the page says so, unless the caller verified the
 * bundle and hands over what came of it.
 */
export function attestationView(
  envelope: Uint8Array | null,
  verification: ReportVerification | null,
): Markup {
  const verified = verification === null
    ? markup`
      <p
        class="callout doubt">Nothing here was verified by this page: what follows is the envelope’s own word. Check it with <code>pp verify-attestation</code>.</p>
    `
    : markup`<p class="callout ${
      verification.verdict === "valid" ? "good" : "bad"
    }">Verified when this page was made: ${badge(verification.verdict)}</p>
${
      table(
        "Verdicts",
        ["Question", "Answer", "Detail"],
        verification.verdicts.map((v) => [v.name, badge(v.verdict), v.detail]),
      )
    }`;
  if (envelope === null) {
    return markup`<p class="callout doubt">This bundle is unsigned: whoever can write it can change it.</p>${
      verification === null ? null : verified
    }`;
  }
  const parsed = parseEnvelope(envelope);
  if (!parsed.ok) {
    return markup`${verified}<p class="callout bad">The envelope cannot be read: ${parsed.refusal.detail}</p>`;
  }
  const { payloadType, payload, signatures } = parsed.envelope;
  const keys = signatures.map(({ keyid, sig }) => [
    keyid === null ? markup`<span class="muted">not named</span>` : digest(keyid),
    `${sig.length} bytes`,
  ]);
  return markup`${verified}
${facts([["Payload type", code(payloadType)], ...statementFacts(payload)])}
${table("Signatures, as the envelope names their keys", ["Key", "Signature"], keys)}`;
}

function statementFacts(payload: Uint8Array): [string, Piece][] {
  const json = parseStrictJson(payload, MAX_JSON_DEPTH, MAX_JSON_VALUES);
  if (!json.ok) return [["Statement", `it cannot be read: ${json.detail}`]];
  const statement = record(json.value);
  const predicate = record(statement.predicate);
  const subjects = Array.isArray(statement.subject) ? statement.subject.slice(0, 10).map(record) : [];
  const text = (value: unknown) =>
    typeof value === "string" ? code(value.slice(0, 500).toWellFormed()) : null;
  return [
    ["Statement", text(statement.predicateType)],
    ...subjects.map((subject): [string, Piece] => [
      `Subject ${
        typeof subject.name === "string" ? subject.name.slice(0, 100).toWellFormed() : "without a name"
      }`,
      Object.entries(record(subject.digest)).slice(0, 4).map(([kind, value]) =>
        markup`${kind} ${digest(String(value).slice(0, 200).toWellFormed())}<br>`
      ),
    ]),
    ["Issued at", text(predicate.issued_at)],
    ["Nonce", text(predicate.nonce)],
    ["Status", text(predicate.status)],
    ["Files it lists", Array.isArray(predicate.files) ? predicate.files.length : null],
  ];
}

function record(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? value as Record<string, unknown>
    : {};
}
