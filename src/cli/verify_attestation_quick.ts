import { EXIT } from "./exit_code.ts";
import { type Outcome, verbRunner } from "./verb.ts";
import { runVerifyAttestation, type VerifyAttestationFlags } from "./verify_attestation.ts";
import { VERIFY_ATTESTATION_OPTIONS } from "./trust_options.ts";

/**
 * Plain calls of `pp verify-attestation`, without what the other verbs load: gates and hooks make it often, and it
 * takes less time than loading a command line library.
 * @param args the words after the verb
 * @returns the exit code; null for a call that is not plain (help, mistakes), which the command line library answers
 */
export async function quickVerifyAttestation(args: readonly string[]): Promise<number | null> {
  const call = plainCall(args);
  if (call === null) return null;
  const outcome: Outcome = { exit: EXIT.yes };
  await verbRunner(outcome)(runVerifyAttestation)(call.bundle, call.flags);
  return outcome.exit;
}

interface PlainCall {
  readonly bundle: string;
  readonly flags: VerifyAttestationFlags;
}

/** One bundle, known options with their values, none twice but `--key`; null for anything else. */
export function plainCall(args: readonly string[]): PlainCall | null {
  const takesValue = new Map(
    VERIFY_ATTESTATION_OPTIONS.map(([flags]) => [flags.split(" ")[0]!, flags.includes(" ")]),
  );
  const bundles: string[] = [];
  const flags: Record<string, unknown> = {};
  for (let i = 0; i < args.length; i++) {
    const word = args[i]!;
    if (!word.startsWith("-")) {
      bundles.push(word);
      continue;
    }
    const equals = word.indexOf("=");
    const name = equals === -1 ? word : word.slice(0, equals);
    const valued = takesValue.get(name);
    if (valued === undefined || (!valued && equals !== -1)) return null;
    const value = !valued ? true : equals === -1 ? args[++i] : word.slice(equals + 1);
    if (value === undefined || (equals === -1 && typeof value === "string" && /^-./.test(value))) return null;
    const key = name.slice(2).replaceAll(/-[a-z]/g, (dashed) => dashed[1]!.toUpperCase());
    if (key === "key") flags.key = [...(flags.key as string[] | undefined ?? []), value];
    else if (key in flags) return null;
    else flags[key] = value;
  }
  return bundles.length === 1 ? { bundle: bundles[0]!, flags } : null;
}
