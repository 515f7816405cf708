import { PRESETS } from "../../policy/presets.ts";
import { PROVIDERS } from "../../propose/select.ts";
import { ROLES } from "../../sign/role.ts";
import { REVISION_STATES } from "../../vocabulary/proposal.ts";
import { ATTESTATION_MODES } from "../attestation_keys.ts";
import { TEMPLATE_NAMES } from "../template_names.ts";

const PRESET_NAMES = PRESETS.map(({ name }) => name);

const OF_FLAG: Readonly<Record<string, readonly string[]>> = {
  "--attestation-mode": ATTESTATION_MODES,
  "--merge-strategy": ["manual", "ours", "theirs", "union"],
  "--mode": ATTESTATION_MODES,
  "--preset": PRESET_NAMES,
  "--provider": PROVIDERS,
  "--report": ["junit:", "tap"],
  "--role": ROLES,
  "--state": REVISION_STATES,
  "--template": TEMPLATE_NAMES,
};

/** What a flag takes, when it takes one of a few; empty when it does not. */
export function flagChoices(long: string): readonly string[] {
  return OF_FLAG[long] ?? [];
}

const OF_ARGUMENT: Readonly<Record<string, readonly string[]>> = {
  "pp policy presets name": PRESET_NAMES,
  "pp template show name": TEMPLATE_NAMES,
};

/** The same for a word of a verb. */
export function argumentChoices(path: readonly string[], name: string): readonly string[] {
  return OF_ARGUMENT[[...path, name].join(" ")] ?? [];
}
