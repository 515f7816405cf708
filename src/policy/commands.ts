import type { Refusal } from "../vocabulary/patch.ts";
import { quoted } from "../vocabulary/printable.ts";
import type { ProofTarget } from "../vocabulary/session.ts";
import type { PolicyConfig, TargetConfig } from "./policy.ts";
import { MAX_COMMAND_LENGTH, quoteWords, splitWords } from "./shell_words.ts";

/** Most words of one argv. */
export const MAX_ARGV_WORDS = 1_024;

export type TargetResolution =
  | { readonly ok: true; readonly target: ProofTarget }
  /** `command_empty` or `command_malformed`. */
  | { readonly ok: false; readonly refusal: Refusal };

/**
 * The target a command line stands for. Blanks around it do not count. Without shell syntax it is split as a
 * POSIX shell would and run directly; else it is run as `sh -c LINE`.
 * @param name of the target, not judged here
 * @returns a refusal when it is empty, has an open quote, is over MAX_COMMAND_LENGTH or starts with - or +
 */
export function targetFromCommand(name: string, cmd: string): TargetResolution {
  const command = trimBlanks(cmd);
  const split = splitWords(command);
  if (split.kind === "malformed") return malformed(`${show(command)}: ${split.detail}`);
  if (split.kind === "words" && split.words.length === 0) {
    return empty("the command is empty: give the one that fails, such as pytest -q");
  }
  // `sh -c` would read such a line as more options.
  if (/^[-+]/.test(command)) return malformed(`${show(command)}: a command cannot start with ${command[0]}`);
  if (split.kind === "shell") {
    return { ok: true, target: { name, command, argv: ["sh", "-c", command], shell: true } };
  }
  const refusal = checkArgv(split.words);
  if (refusal !== null) return { ok: false, refusal };
  return { ok: true, target: { name, command, argv: split.words, shell: false } };
}

/**
 * The target of an argv, run as it is, with no shell.
 * @returns a refusal for an empty argv or program, NUL, invalid Unicode, words over MAX_COMMAND_LENGTH or more
 * than MAX_ARGV_WORDS of them
 */
export function targetFromArgv(name: string, argv: readonly string[]): TargetResolution {
  const refusal = checkArgv(argv);
  if (refusal !== null) return { ok: false, refusal };
  return { ok: true, target: { name, command: quoteWords(argv), argv: [...argv], shell: false } };
}

/** What is wrong with an argv as such, or null. */
export function checkArgv(argv: readonly string[]): Refusal | null {
  const no = (reason: string, detail: string): Refusal => ({ reason, detail });
  if (argv.length === 0 || argv[0] === "") return no("command_empty", "the program to run has no name");
  if (argv.length > MAX_ARGV_WORDS) return no("command_malformed", `more than ${MAX_ARGV_WORDS} words`);
  for (const word of argv) {
    if (word.length > MAX_COMMAND_LENGTH) {
      return no("command_malformed", `a word is longer than ${MAX_COMMAND_LENGTH} characters`);
    }
    if (word.includes("\0")) return no("command_malformed", "a word contains a NUL character");
    if (!word.isWellFormed()) return no("command_malformed", "a word is not valid Unicode");
  }
  if (argv[0]!.startsWith("-")) {
    return no("command_malformed", `a program's name cannot start with -: ${show(argv[0]!)}`);
  }
  return null;
}

/** The policy's own proof targets, in order; the first refusal if one cannot be resolved. */
export function configuredTargets(
  config: PolicyConfig,
): { readonly ok: true; readonly targets: ProofTarget[] } | {
  readonly ok: false;
  readonly refusal: Refusal;
} {
  const targets: ProofTarget[] = [];
  for (const configured of config.proof_targets) {
    const resolved = resolve(configured);
    if (!resolved.ok) {
      const { reason, detail } = resolved.refusal;
      return { ok: false, refusal: { reason, detail: `proof target ${configured.name}: ${detail}` } };
    }
    const { report } = configured;
    targets.push(report === undefined ? resolved.target : { ...resolved.target, report });
  }
  return { ok: true, targets };
}

/**
 * Whether the policy lets a target run: its argv must equal, word by word, an argv of `allowed_argv` or the
 * argv an `allowed_commands` line stands for. With both lists empty the policy's own targets are what is
 * allowed, and if it has none either, the command the user gave is.
 * @returns null when it may run, else `command_not_allowed` (or why the argv can never run)
 */
export function checkTarget(config: PolicyConfig, target: ProofTarget): Refusal | null {
  const unusable = checkArgv(target.argv);
  if (unusable !== null) return unusable;
  const allowed = allowedArgvs(config);
  if (allowed === null || allowed.some((argv) => sameArgv(argv, target.argv))) return null;
  const shown = allowed.slice(0, 10).map((argv) => show(quoteWords(argv)));
  if (allowed.length > shown.length) shown.push(`and ${allowed.length - shown.length} more`);
  return {
    reason: "command_not_allowed",
    detail: `the policy does not allow ${show(quoteWords(target.argv))}; it allows ${shown.join(", ")}`,
  };
}

/** Null when the policy names neither commands nor targets. */
function allowedArgvs(config: PolicyConfig): (readonly string[])[] | null {
  const { allowed_commands: commands, allowed_argv: argvs } = config.policy;
  const lines = commands.map((cmd) => targetFromCommand("", cmd));
  if (commands.length > 0 || argvs.length > 0) return [...argvs, ...resolvedArgvs(lines)];
  if (config.proof_targets.length > 0) return resolvedArgvs(config.proof_targets.map(resolve));
  return null;
}

function resolvedArgvs(resolutions: readonly TargetResolution[]): (readonly string[])[] {
  return resolutions.flatMap((r) => r.ok ? [r.target.argv] : []);
}

function resolve(target: TargetConfig): TargetResolution {
  if (target.argv !== undefined) return targetFromArgv(target.name, target.argv);
  return targetFromCommand(target.name, target.cmd ?? "");
}

/** Whether two commands are one, word by word. */
export function sameArgv(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((word, i) => word === b[i]);
}

/** Drops blanks and line breaks at both ends, but not one that a backslash has made part of the command. */
function trimBlanks(text: string): string {
  const start = text.search(/[^ \t\r\n]/);
  if (start < 0) return "";
  let end = text.length;
  while (" \t\r\n".includes(text[end - 1]!)) end--;
  let backslashes = 0;
  while (text[end - 1 - backslashes] === "\\") backslashes++;
  return backslashes % 2 === 1 ? text.slice(start) : text.slice(start, end);
}

function show(text: string): string {
  return quoted(text, 120);
}

function malformed(detail: string): TargetResolution {
  return { ok: false, refusal: { reason: "command_malformed", detail } };
}

function empty(detail: string): TargetResolution {
  return { ok: false, refusal: { reason: "command_empty", detail } };
}
