/** The options of `pp verify-attestation`, in the words of commander. */
export const VERIFY_ATTESTATION_OPTIONS: readonly (readonly [flags: string, about: string])[] = [
  ["--key <file>", "public key you trust: a file, env:NAME or - for stdin; repeatable"],
  ["--hmac-key <file>", "shared secret: a file, env:NAME or - for stdin"],
  ["--key-env <name>", "environment variable with the shared secret (default PP_ATTEST_HMAC_KEY)"],
  ["--trust <file>", "trust file that says whose keys count"],
  ["--role <role>", "the role its signers need in the trust file: prover, replayer, approver"],
  ["--threshold <n>", "how many have to have signed (default 1, or as the trust file says)"],
  ["--max-age <time>", "how long ago it may have been issued: 90s, 30m, 12h, 30d, 2w"],
  ["--nonce <text>", "what must stand in the statement, exactly"],
  ["--allow-unsigned", "take an unsigned bundle that holds together; a bad signature stays invalid"],
  ["--json", "print one JSON document on stdout"],
];
