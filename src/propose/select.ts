import { Failure } from "../vocabulary/failure.ts";
import { quoted } from "../vocabulary/printable.ts";

export const PROVIDERS = ["stub", "patch", "command", "openai", "local"] as const;
export type ProviderName = typeof PROVIDERS[number];

/**
 * Which proposer a session uses: the flag, else `patch` when patch files were given, else `PP_PROVIDER`, else
 * `stub`. A blank `PP_PROVIDER` counts as unset.
 *
 * @throws Failure usage `provider_unknown`; `provider_conflict` when patch files meet a flag that ignores them;
 *   `patch_missing` when `patch` is chosen without a file
 */
export function providerName(
  flag: string | undefined,
  hasPatches: boolean,
  env: Readonly<Record<string, string | undefined>>,
): ProviderName {
  const chosen = flag !== undefined
    ? known(flag, "--provider")
    : hasPatches
    ? "patch"
    : known(env["PP_PROVIDER"]?.trim() || "stub", "PP_PROVIDER");
  if (hasPatches && chosen !== "patch") {
    throw new Failure("usage", "provider_conflict", `--patch and --provider ${chosen} exclude each other`, {
      hint: "leave out one of the two",
    });
  }
  if (!hasPatches && chosen === "patch") {
    throw new Failure("usage", "patch_missing", "the provider patch needs at least one file", {
      hint: "name it with --patch FILE",
    });
  }
  return chosen;
}

function known(name: string, where: string): ProviderName {
  const found = PROVIDERS.find((p) => p === name);
  if (found !== undefined) return found;
  const shown = quoted(name, 40);
  throw new Failure("usage", "provider_unknown", `${where} names no provider veripatch knows: ${shown}`, {
    hint: `choose one of ${PROVIDERS.join(", ")}`,
  });
}
