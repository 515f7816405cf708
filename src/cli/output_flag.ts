import { type Command, Option } from "commander";

/** How a verb takes the place it writes to. */
export interface OutputAsked {
  /** What the value is called in the help: `file`, `dir` or `prefix`. */
  readonly value: string;
  readonly description: string;
  readonly fallback?: string;
  /** Whether it has to be given. */
  readonly required?: boolean;
  /** Whether it may be given more than once; the option's value is a list then. */
  readonly many?: boolean;
}

/** Adds `-o, --output`, the same at every verb that writes where it is told; `--out` is understood, too. */
export function outputFlag(command: Command, asked: OutputAsked): Command {
  const { value, description, fallback, required = false, many } = asked;
  const taken = (text: string, earlier?: unknown) =>
    many === true ? [...(Array.isArray(earlier) ? earlier : []), text] : text;
  return command
    .addOption(
      new Option(`-o, --output <${value}>`, description)
        .default(fallback).argParser(taken).makeOptionMandatory(required),
    )
    .addOption(new Option(`--out <${value}>`).hideHelp())
    .on("option:out", (text: string) => {
      command.setOptionValue("output", taken(text, command.getOptionValue("output")));
    });
}
