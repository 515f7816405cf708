import { Failure } from "../vocabulary/failure.ts";
import { parsePolicy } from "./parse.ts";
import type { PolicyConfig } from "./policy.ts";
import { spellingHint } from "../document/spelling.ts";

/** The shipped policies, each a commented file in policies/. */
export const PRESETS = [
  { name: "python", about: "Python projects tested with pytest" },
  { name: "node", about: "JavaScript and TypeScript projects with an npm test script" },
  { name: "deno", about: "Deno projects" },
  { name: "go", about: "Go modules" },
  { name: "strict", about: "only src/ may change, small fixes, five fresh confirmations" },
  { name: "ci", about: "a pre-merge job: bounded session, two confirmations, attestation" },
] as const;

export interface Preset {
  readonly name: string;
  readonly about: string;
  /** The file as shipped, comments included. */
  readonly text: string;
  readonly config: PolicyConfig;
}

/**
 * Reads a shipped policy from beside the program's modules.
 * @throws Failure `preset_unknown` (usage) for any other name
 */
export async function loadPreset(name: string): Promise<Preset> {
  const known = PRESETS.find((preset) => preset.name === name);
  if (known === undefined) {
    const names = PRESETS.map((preset) => preset.name);
    throw new Failure("usage", "preset_unknown", `there is no preset ${JSON.stringify(name)}`, {
      hint: `presets are ${names.join(", ")}${spellingHint(name, names)}`,
    });
  }
  // No path is made from the name given: it is one of the names above.
  const text = await Deno.readTextFile(new URL(`../../policies/${known.name}.yaml`, import.meta.url));
  const parsed = parsePolicy(text, `${known.name}.yaml`);
  if (!parsed.ok) throw new Failure("bug", "preset_broken", `the shipped preset ${known.name} does not load`);
  return { name: known.name, about: known.about, text, config: parsed.config };
}
