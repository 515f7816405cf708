import { parse } from "shell-quote";
import type { Environment } from "../vocabulary/environment.ts";
import { Failure } from "../vocabulary/failure.ts";
import { malformedVariable, numberOf, textOf } from "./variables.ts";

export interface CommandOptions {
  /** All of the child's environment. */
  readonly env: Readonly<Record<string, string>>;
  /** Values that must not appear in messages. */
  readonly secrets?: readonly string[];
  readonly timeoutSec: number;
  /** Where the program runs; the current directory when left out. */
  readonly cwd?: string;
  /** Bytes of standard output that are taken; 4 MiB when left out. */
  readonly maxOutputBytes?: number;
  /** Between SIGTERM and SIGKILL; 2 s when left out. */
  readonly graceMs?: number;
}

/** What a program needs to run at all, and nothing that is likely to be a secret. */
const PASSED_ON =
  /^(PATH|HOME|USER|LOGNAME|SHELL|LANG|LANGUAGE|LC_[A-Z]+|TZ|TERM|COLORTERM|NO_COLOR|TMPDIR|XDG_[A-Z]+_(HOME|DIRS?)|SSL_CERT_(FILE|DIR)|NODE_EXTRA_CA_CERTS|REQUESTS_CA_BUNDLE|CURL_CA_BUNDLE)$/;

/**
 * The command provider's program and options from `PP_COMMAND` (a JSON array, or a string split as a POSIX shell
 * would without its operators, expansions and globs), `PP_COMMAND_TIMEOUT_SEC` (600) and `PP_COMMAND_ENV`.
 *
 * @throws Failure unavailable `command_not_set`; usage `variable_malformed` naming the variable
 */
export function commandSettings(
  env: Environment,
): { readonly argv: readonly string[]; readonly options: CommandOptions } {
  const command = textOf(env, "PP_COMMAND");
  if (command === undefined) {
    throw new Failure("unavailable", "command_not_set", "the provider command has no program", {
      hint: "set PP_COMMAND to a program that reads the request as JSON and prints a diff",
    });
  }
  const extra = extraNames(env);
  return {
    argv: splitCommand(command),
    options: {
      env: commandEnvironment(env, extra),
      secrets: extra.flatMap((name) => env[name] ?? []),
      timeoutSec: numberOf(env, "PP_COMMAND_TIMEOUT_SEC", 600, { min: 0.1, max: 86_400 }),
    },
  };
}

/**
 * The child's environment: an allowlist, because a key may stand in a variable of any name (`attestation.key_env`
 * decides it), and the names in `extra`.
 */
export function commandEnvironment(env: Environment, extra: readonly string[]): Record<string, string> {
  const passed = Object.entries(env).filter((entry): entry is [string, string] =>
    entry[1] !== undefined && (PASSED_ON.test(entry[0]) || extra.includes(entry[0]))
  );
  return Object.fromEntries(passed);
}

function extraNames(env: Environment): string[] {
  const names = (textOf(env, "PP_COMMAND_ENV") ?? "").split(",").map((n) => n.trim()).filter((n) => n !== "");
  if (names.some((n) => !/^[A-Za-z_][A-Za-z0-9_]*$/.test(n))) {
    throw malformedVariable("PP_COMMAND_ENV", "a list of variable names separated by commas");
  }
  return names;
}

function splitCommand(command: string): string[] {
  const argv = command.startsWith("[") ? jsonArray(command) : shellWords(command);
  if (argv === null || argv.length === 0 || argv[0] === "" || argv.some((a) => a.includes("\0"))) {
    throw malformedVariable(
      "PP_COMMAND",
      'a JSON array of strings or words without shell syntax (for that: ["sh","-c","…"])',
    );
  }
  return argv;
}

function jsonArray(text: string): string[] | null {
  try {
    const value: unknown = JSON.parse(text);
    return Array.isArray(value) && value.every((v) => typeof v === "string") ? value : null;
  } catch {
    return null;
  }
}

function shellWords(text: string): string[] | null {
  // Complete quotes only: the library would silently close an open one.
  const complete = /^([^'"\\]|\\[^]|'[^']*'|"([^"\\]|\\[^])*")*$/;
  if (text.length > 64 * 1024 || !complete.test(text)) return null;
  try {
    const words = parse<string | { op: "$" }>(text, () => ({ op: "$" }));
    return words.every((w) => typeof w === "string") ? words : null;
  } catch {
    return null;
  }
}
