import { Failure } from "../vocabulary/failure.ts";
import { quoted } from "../vocabulary/printable.ts";

const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/;
const MAX_NUMBER = 1_000_000_000;

/** A version as a call names it; null is the newest. */
export interface VersionName {
  readonly artifact: string;
  readonly number: number | null;
}

/**
 * @returns the name: 1 to 100 letters, digits, `.`, `_`, `-`, the first a letter or digit
 * @throws Failure `artifact_name_malformed` (usage)
 */
export function artifactName(text: string): string {
  if (NAME.test(text)) return text;
  throw new Failure("usage", "artifact_name_malformed", `${quoted(text, 60)} is no name for an artifact`, {
    hint: text.includes("@")
      ? "name the artifact alone here, without @ and a version"
      : "a name has 1 to 100 letters, digits, dots, dashes and underscores, and begins with a letter or digit",
  });
}

/**
 * Reads `NAME` or `NAME@3`.
 * @throws Failure `version_malformed`, `artifact_name_malformed` (usage)
 */
export function versionName(text: string): VersionName {
  const at = text.indexOf("@");
  if (at < 0) return { artifact: artifactName(text), number: null };
  const artifact = artifactName(text.slice(0, at));
  const digits = text.slice(at + 1);
  const number = Number(digits);
  if (/^[1-9]\d{0,9}$/.test(digits) && number <= MAX_NUMBER) return { artifact, number };
  throw new Failure("usage", "version_malformed", `${quoted(digits, 30)} is no version`, {
    hint: `versions are numbered from 1: ${artifact}@1`,
  });
}

/** A proposal as a call names it; a revision of null is the newest. */
export interface ProposalName {
  readonly proposal: number;
  readonly revision: number | null;
}

/**
 * Reads `P12` or `P12.2`.
 * @throws Failure `proposal_malformed` (usage)
 */
export function proposalName(text: string): ProposalName {
  const [, proposal, revision] = /^[Pp]([1-9]\d{0,9})(?:\.([1-9]\d{0,9}))?$/.exec(text) ?? [];
  const name = { proposal: Number(proposal), revision: revision === undefined ? null : Number(revision) };
  if (name.proposal <= MAX_NUMBER && (name.revision ?? 0) <= MAX_NUMBER) return name;
  throw new Failure("usage", "proposal_malformed", `${quoted(text, 30)} is no proposal`, {
    hint: "proposals are named P1, P2 …, and a revision of one P1.2; pp proposal list shows those there are",
  });
}

/**
 * Reads `O12`.
 * @returns the operation's number
 * @throws Failure `operation_malformed` (usage)
 */
export function operationName(text: string): number {
  const number = Number(/^[Oo]([1-9]\d{0,9})$/.exec(text)?.[1]);
  if (number <= MAX_NUMBER) return number;
  throw new Failure("usage", "operation_malformed", `${quoted(text, 30)} is no operation`, {
    hint: "operations are named O1, O2 …; pp history shows those there are",
  });
}
