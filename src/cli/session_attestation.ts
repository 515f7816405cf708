import { relative, resolve } from "node:path";
import type { PolicyConfig } from "../policy/policy.ts";
import type { SigningKey } from "../sign/key.ts";
import { Failure } from "../vocabulary/failure.ts";
import { type AttestationMode, attestationMode, nonceOf, signingKeys } from "./attestation_keys.ts";
import type { PassphraseFlags } from "./passphrase.ts";

export interface AttestationFlags extends PassphraseFlags {
  readonly attest?: boolean;
  /** Private keys: `--sign` stands for mode ed25519 with these. */
  readonly sign?: readonly string[];
  readonly attestationMode?: string;
  readonly attestationKey?: readonly string[];
  readonly attestationKeyEnv?: string;
  readonly nonce?: string;
}

/** By whom a session's bundle will be signed. */
export interface SessionAttestation {
  readonly enabled: boolean;
  readonly mode: AttestationMode;
  /** Empty when nothing will be signed. */
  readonly keys: readonly SigningKey[];
  readonly nonce: string | null;
  /** Key files inside the workspace: no part of the base. */
  readonly keyFiles: readonly string[];
}

/**
 * What flags, then policy, say about attestation, with the keys read: one that is missing or cannot be read ends the
 * call before anything runs.
 * @param stdinTaken whether a patch comes from stdin
 * @param root the workspace; `key_file` of a policy is relative to it
 */
export async function sessionAttestation(
  config: PolicyConfig,
  flags: AttestationFlags,
  root: string,
  stdinTaken: boolean,
): Promise<SessionAttestation> {
  const { attestation } = config.policy;
  const { attestationMode: word, sign } = flags;
  if (sign !== undefined && (word ?? "ed25519") !== "ed25519") {
    throw new Failure("usage", "sign_mode", `--sign signs by ed25519, not ${word}`, {
      hint: "name the key of another mode with --attestation-key or --attestation-key-env",
    });
  }
  const named = sign === undefined ? flags.attestationKey : [...sign, ...flags.attestationKey ?? []];
  // A key that is named without a mode is taken as `pp attest` takes it.
  const unsaid = sign !== undefined || (named !== undefined && attestation.mode === "none");
  const mode = attestationMode("--attestation-mode", word ?? (unsaid ? "ed25519" : attestation.mode));
  const nonce = nonceOf(flags.nonce);
  const asked = flags.attest === true || word !== undefined || named !== undefined ||
    flags.attestationKeyEnv !== undefined || nonce !== null;
  const enabled = asked || attestation.enabled;
  if (mode === "none" || !enabled) {
    if (asked && word === undefined) {
      throw new Failure(
        "usage",
        "attestation_mode_missing",
        "the policy's attestation mode is none: nothing would be signed",
        {
          hint: "name a private key with --sign (pp keygen makes one), or say how with --attestation-mode " +
            "or policy.attestation.mode",
        },
      );
    }
    return { enabled, mode, keys: [], nonce, keyFiles: [] };
  }
  const fromPolicy = attestation.key_file === null || flags.attestationKeyEnv !== undefined
    ? []
    : [resolve(root, attestation.key_file)];
  const specs = named ?? fromPolicy;
  if (specs.includes("-") && stdinTaken) {
    throw new Failure(
      "usage",
      "stdin_twice",
      "only one thing can be read from stdin (-): the patch or the key",
    );
  }
  const keys = await signingKeys({
    ...flags,
    mode,
    keys: specs,
    variable: flags.attestationKeyEnv ?? attestation.key_env,
  });
  return { enabled, mode, keys, nonce, keyFiles: specs.filter((spec) => isInside(spec, root)) };
}

function isInside(spec: string, root: string): boolean {
  if (spec === "-" || spec.startsWith("env:")) return false;
  const path = relative(root, resolve(root, spec));
  return path !== "" && path !== ".." && !path.startsWith("../");
}
