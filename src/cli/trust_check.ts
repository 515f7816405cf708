import { type DocumentProblem, showProblem } from "../document/problem.ts";
import { opensshFingerprint } from "../sign/openssh_fingerprint.ts";
import { ROLES } from "../sign/role.ts";
import { showTime } from "../sign/trust_edit.ts";
import {
  keyState,
  parseTrust,
  principalsOf,
  type TrustedKey,
  trustedKeys,
  type TrustFile,
} from "../sign/trust_file.ts";
import { printableLine, printablePath } from "../vocabulary/printable.ts";
import { EXIT } from "./exit_code.ts";
import { count } from "./output.ts";
import { readTrustText } from "./trust_input.ts";
import type { VerbResult } from "./verb.ts";

/**
 * Says who may say what.
 * @param now decides which keys are valid
 * @returns exit 0; 2 when a role that somebody has cannot meet its threshold, or nobody may say anything; 65 when the
 * file is malformed
 */
export async function trustCheck(file: string, now: Date): Promise<VerbResult> {
  const shown = printablePath(file);
  const { text, mode } = await readTrustText(file);
  const parsed = parseTrust(text, file);
  if (!parsed.ok) {
    const lines = parsed.problems.map((problem) => printableLine(showProblem(shown, problem)));
    return {
      exit: EXIT.malformed,
      text: [...lines, `${shown}: ${count(lines.length, "problem")}`].join("\n"),
      json: document(file, now, null, parsed.problems, []),
    };
  }
  const problems = shortcomings(parsed.trust, now);
  const warnings = mode !== null && (mode & 0o022) !== 0
    ? [`others can write this file (mode 0${mode.toString(8)}): chmod go-w it`]
    : [];
  return {
    exit: problems.length === 0 ? EXIT.yes : EXIT.no,
    text: [
      ...parsed.trust.principals.flatMap((principal) => [
        printableLine(`${principal.name} (${principal.roles.join(", ")})`),
        ...principal.keys.map((key) => `  ${keyLine(key, now)}`),
      ]),
      ...rolesNow(parsed.trust, now).map(({ role, principals, threshold }) =>
        `${role.padEnd(9)} ${principals.length} of ${threshold} needed${
          principals.length === 0 ? "" : printableLine(`: ${principals.join(", ")}`)
        }`
      ),
      ...warnings.map((warning) => `warning: ${warning}`),
      ...problems.map((problem) => `problem: ${problem}`),
      `${shown}: ${problems.length === 0 ? "ok" : count(problems.length, "problem")}`,
    ].join("\n"),
    json: document(
      file,
      now,
      parsed.trust,
      problems.map((message) => ({ path: "", line: null, column: null, message })),
      warnings,
    ),
  };
}

function keyLine(key: TrustedKey, now: Date): string {
  const state = keyState(key, now);
  const said = {
    valid: key.validUntil === null ? "valid" : `valid until ${showTime(key.validUntil)}`,
    not_yet_valid: `valid from ${key.validFrom === null ? "" : showTime(key.validFrom)}, not yet`,
    expired: `expired ${key.validUntil === null ? "" : showTime(key.validUntil)}`,
    revoked: `revoked ${key.revokedAt === null ? "" : showTime(key.revokedAt)}`,
  }[state];
  const reason = key.reason === null ? "" : `: ${key.reason}`;
  return printableLine(
    `${key.publicKey.id.slice(0, 16)}  ${opensshFingerprint(key.publicKey)}  ${said}${reason}`,
  );
}

function rolesNow(trust: TrustFile, now: Date) {
  return ROLES.map((role) => {
    const trusted = trustedKeys(trust, role, now);
    return {
      role,
      principals: principalsOf(trusted, trusted.keys),
      keys: trusted.keys.length,
      threshold: trust.thresholds[role],
    };
  });
}

/** A role that nobody has is none of the file's business, unless more than one has to sign. */
function shortcomings(trust: TrustFile, now: Date): string[] {
  if (trust.principals.length === 0) return ["nobody is trusted yet: pp trust add NAME KEY --role prover"];
  return rolesNow(trust, now).flatMap(({ role, principals, threshold }) => {
    const meant = threshold > 1 || trust.principals.some(({ roles }) => roles.includes(role));
    if (!meant || principals.length >= threshold) return [];
    return [`${role}: ${threshold} must sign and ${count(principals.length, "principal")} can now`];
  });
}

function document(
  file: string,
  now: Date,
  trust: TrustFile | null,
  problems: readonly DocumentProblem[],
  warnings: readonly string[],
) {
  return {
    format: "veripatch-trust-check/v1",
    file,
    ok: problems.length === 0,
    at: now.toISOString(),
    principals: (trust?.principals ?? []).map(({ name, roles, keys }) => ({
      name,
      roles,
      keys: keys.map((key) => ({
        id: key.publicKey.id,
        openssh_fingerprint: opensshFingerprint(key.publicKey),
        state: keyState(key, now),
        valid_from: key.validFrom?.toISOString() ?? null,
        valid_until: key.validUntil?.toISOString() ?? null,
        revoked_at: key.revokedAt?.toISOString() ?? null,
        reason: key.reason,
      })),
    })),
    roles: trust === null ? [] : rolesNow(trust, now),
    problems,
    warnings,
  };
}
