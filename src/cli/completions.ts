import type { Command } from "commander";
import type { Shell } from "./completions_verb.ts";
import { EXIT } from "./exit_code.ts";
import { bashCompletions } from "./tree/bash.ts";
import { fishCompletions } from "./tree/fish.ts";
import { shapeOf } from "./tree/shape.ts";
import { zshCompletions } from "./tree/zsh.ts";
import type { VerbResult } from "./verb.ts";

const MAKERS = { bash: bashCompletions, zsh: zshCompletions, fish: fishCompletions };

/** The completion script of a shell, from the verbs and flags as they are registered. */
export function completions(program: Command, shell: Shell): VerbResult {
  const script = MAKERS[shell](shapeOf(program));
  return { exit: EXIT.yes, text: script, json: { format: "veripatch-completions/v1", shell, script } };
}
