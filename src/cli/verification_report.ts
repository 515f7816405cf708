import type { VerificationKey } from "../sign/key.ts";
import type { Verdict } from "../verify/verdicts/verdict.ts";
import type { Verification } from "../verify/verify.ts";
import { printableLine } from "../vocabulary/printable.ts";
import { type Colour, colour, count, shownPath } from "./output.ts";

/** Whose a key is, by its id. */
export type Owners = ReadonlyMap<string, string>;

/** What a verification judges, in its order. */
export const PARTS = ["signature", "integrity", "subject", "freshness"] as const;
/** Findings listed for people; the rest are counted. */
const SHOWN_FINDINGS = 20;

/** The four verdicts as a small table, what was found, and what to do next. */
export function verificationText(verification: Verification, bundle: string, owners: Owners): string {
  const c = colour(Deno.stdout);
  const { verdict, findings, signature } = verification;
  const word = verdict !== "valid"
    ? c.red("invalid")
    : signature.verdict === "unsigned"
    ? c.yellow("UNSIGNED, allowed: nobody vouches for this bundle")
    : c.green("valid");
  const lines = [
    `${c.bold("bundle")}     ${shownPath(bundle, Deno.cwd())}`,
    ...PARTS.map((part) => `${c.bold(part.padEnd(10))} ${marked(verification[part], c)}`),
    ...(findings.length < 2 ? [] : findingLines(verification, c)),
    ...verification.signers.map((key) => `${c.bold("signer")}     ${signerText(key, owners)}`),
    `${c.bold("verdict")}    ${c.bold(word)}`,
    ...nextLines(verification, bundle).map((line) => `${c.dim("next")}       ${line}`),
  ];
  return lines.join("\n");
}

function marked({ verdict, detail }: Verdict, c: Colour): string {
  switch (verdict) {
    case "valid":
      return `${c.green("✓")} ${detail}`;
    case "invalid":
      return `${c.red("✗")} ${detail}`;
    case "unsigned":
      return `${c.yellow("!")} unsigned: ${detail}`;
    case "not_checked":
      return c.dim(`- not checked: ${detail}`);
  }
}

function findingLines({ findings }: Verification, c: Colour): string[] {
  const shown = findings.slice(0, SHOWN_FINDINGS).map(({ code, name, detail }) =>
    c.dim(`             ${code}${name === "" ? "" : ` ${name}`}: ${printableLine(detail)}`)
  );
  const more = findings.length - shown.length;
  return more === 0 ? shown : [...shown, c.dim(`             and ${count(more, "more")}`)];
}

/** Whose signature counted. */
export function signerText(key: VerificationKey, owners: Owners): string {
  const owner = owners.get(key.id);
  const shown = key.kind === "ed25519" ? `ed25519 ${key.id}` : "whoever has the shared secret (HMAC)";
  return owner === undefined ? shown : `${printableLine(owner)}, ${shown}`;
}

const NEXT: Readonly<Record<string, string>> = {
  unsigned: "whoever made it can sign it with pp attest; --allow-unsigned takes it as it is",
  not_by_trusted_key: "compare the signer's key with yours: pp key show PUBLIC.pem",
  threshold_not_met: "more of the trusted keys have to sign it: pp attest BUNDLE --add --key KEY",
  key_revoked: "do not use this bundle; have the proof made and signed again",
  key_expired: "have it signed again with a key that is valid: pp attest BUNDLE --key KEY",
  key_not_yet_valid: "compare the clocks, or wait until the key is valid",
  too_old: "have the proof made or signed again",
  issued_in_future: "compare the clocks of the signer and of this machine",
  nonce_differs: "ask for a bundle that was attested with your --nonce",
};
const TAMPERED = "this is not what was signed: get the bundle again from whoever made it";

function nextLines(
  verification: Verification,
  bundle: string,
): string[] {
  if (verification.verdict === "valid") return [`pp replay ${shownPath(bundle, Deno.cwd())}`];
  const bad = PARTS.map((part) => verification[part]).find(({ verdict }) =>
    verdict === "invalid" || verdict === "unsigned"
  );
  return [NEXT[bad?.code ?? ""] ?? TAMPERED];
}

/** The same of all of them for programs. */
export function signersJson(signers: readonly VerificationKey[], owners: Owners): unknown {
  return signers.map((key) => ({
    algorithm: key.kind,
    key_id: key.id,
    principal: owners.get(key.id) ?? null,
  }));
}

/** `verificationText` for programs. */
export function verificationJson(
  verification: Verification,
  bundle: string,
  owners: Owners,
  exit: number,
): unknown {
  const { verdict, signature, integrity, subject, freshness, findings, signers, statement } = verification;
  const predicate = statement?.predicate;
  return {
    format: "veripatch-attestation-verification/v1",
    verdict,
    success: verdict === "valid",
    exit,
    bundle,
    signature: { ...signature, signers: signersJson(signers, owners) },
    integrity: { ...integrity, findings },
    subject,
    freshness,
    statement: statement === null || predicate === undefined ? null : {
      session: predicate.session,
      issued_at: predicate.issued_at,
      nonce: predicate.nonce,
      final_patch: statement.subjects.patch,
      base_tree: predicate.base.tree,
      result_tree: statement.subjects.tree,
      targets: predicate.targets,
      policy_digest: predicate.policy_digest,
      findings: predicate.findings,
      files: predicate.files.length,
    },
  };
}
