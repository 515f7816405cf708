import { Argument, type Command } from "commander";
import type { verbRunner } from "./verb.ts";

export const SHELLS = ["bash", "zsh", "fish"] as const;
export type Shell = typeof SHELLS[number];

/** `pp completions`: a script that makes a shell complete verbs, flags and values. */
export function registerCompletions(program: Command, verb: ReturnType<typeof verbRunner>): void {
  program.command("completions")
    .description("Print a script that makes your shell complete verbs, flags and their values")
    .addArgument(new Argument("<shell>", "whose script").choices(SHELLS))
    .option("--json", "print one JSON document on stdout")
    .addHelpText(
      "after",
      `
Examples:
  source <(pp completions bash)             in this bash, until it ends
  pp completions bash > ~/.local/share/bash-completion/completions/pp
  pp completions zsh > ~/.zsh/_pp           with fpath=(~/.zsh $fpath) before compinit in ~/.zshrc
  pp completions fish > ~/.config/fish/completions/pp.fish

The script is complete in itself and does not start pp. Make it anew after an update.`,
    ).action(verb(async (shell: Shell, _flags: { readonly json?: boolean }) => {
      const { completions } = await import("./completions.ts");
      return completions(program, shell);
    }));
}
