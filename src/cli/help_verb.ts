import type { Command } from "commander";
import type { verbRunner } from "./verb.ts";

export interface HelpFlags {
  readonly json?: boolean;
  readonly man?: boolean;
  readonly pager: boolean;
}

/** `pp help`: verbs and topics, a verb's help, a topic's page. */
export function registerHelp(program: Command, verb: ReturnType<typeof verbRunner>): void {
  program.command("help")
    .description("List verbs and topics, or show one of them")
    .argument("[topic...]", "a topic or a verb")
    .option("--man", "print the manual page of pp, for man -l")
    .option("--no-pager", "print it all at once, also on a terminal")
    .option("--json", "print one JSON document on stdout")
    .addHelpText(
      "after",
      `
Examples:
  pp help                       all verbs and topics
  pp help policy                the verb and the page about policies
  pp help exit-codes            a page
  pp help trust add             a verb
  pp help --man > pp.1 && man -l pp.1

On a terminal a long page goes through PAGER, else less.`,
    ).action(verb(async (words: string[], flags: HelpFlags) => {
      const { help } = await import("./help.ts");
      return await help(program, words, flags);
    }));
}
