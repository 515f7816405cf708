import type { Command } from "commander";
import { repeatable } from "./repeatable.ts";

type Options = readonly (readonly [flags: string, about: string])[];

/** How every verb that verifies is told whom to believe and how fresh a statement has to be. */
const TRUST_OPTIONS: Options = [
  ["--key <file>", "public key you trust: a file, env:NAME or - for stdin; repeatable"],
  ["--hmac-key <file>", "shared secret: a file, env:NAME or - for stdin"],
  ["--key-env <name>", "environment variable with the shared secret (default PP_ATTEST_HMAC_KEY)"],
  ["--trust <file>", "trust file that says whose keys count"],
  ["--role <role>", "the role its signers need in the trust file: prover (default), replayer, approver"],
  ["--threshold <n>", "how many have to have signed (default 1, or as the trust file says)"],
  ["--max-age <time>", "how long ago it may have been issued: 90s, 30m, 12h, 30d, 2w"],
  ["--nonce <text>", "what must stand in the statement, exactly"],
];
const ALLOW_UNSIGNED = [
  "--allow-unsigned",
  "take an unsigned bundle that holds together; a bad signature stays invalid",
] as const;

/** The options of `pp verify-attestation`, in the words of commander. */
export const VERIFY_ATTESTATION_OPTIONS: Options = [
  ...TRUST_OPTIONS,
  ALLOW_UNSIGNED,
  ["--json", "print one JSON document on stdout"],
];

/** @param allowUnsigned whether the verb takes unsigned bundles when asked to */
export function trustOptions(command: Command, allowUnsigned: boolean): Command {
  return withOptions(command, allowUnsigned ? [...TRUST_OPTIONS, ALLOW_UNSIGNED] : TRUST_OPTIONS);
}

export function withOptions(command: Command, options: Options): Command {
  for (const [flags, about] of options) {
    if (flags.startsWith("--key ")) command.option(flags, about, repeatable);
    else command.option(flags, about);
  }
  return command;
}
