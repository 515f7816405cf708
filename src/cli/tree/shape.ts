import type { Argument, Command, Option } from "commander";
import { TOPICS } from "../topics.ts";
import { argumentChoices, flagChoices } from "./choices.ts";

/** What a value is, for a shell that completes it. */
export type ValueKind = "file" | "directory" | "reference" | "command" | "choice" | "text";

/** A word or the value of a flag. */
export interface ValueShape {
  /** As the help calls it: `file`, `bundle`, `ref` … */
  readonly name: string;
  readonly kind: ValueKind;
  /** Of a choice: all of them. */
  readonly choices: readonly string[];
}

export interface ArgumentShape extends ValueShape {
  readonly about: string;
  readonly required: boolean;
  /** Whether it takes all words that are left. */
  readonly many: boolean;
}

export interface FlagShape {
  /** `--policy` */
  readonly long: string;
  /** `-o`, or null */
  readonly short: string | null;
  readonly about: string;
  /** Null for a flag without a value. */
  readonly value: ValueShape | null;
  /** Whether the value may be left out. */
  readonly valueOptional: boolean;
  readonly required: boolean;
}

/** A verb, or a group of verbs, with everything its help says. */
export interface CommandShape {
  readonly name: string;
  /** All words that name it: `pp`, `trust`, `add`. */
  readonly path: readonly string[];
  readonly about: string;
  readonly arguments: readonly ArgumentShape[];
  readonly flags: readonly FlagShape[];
  readonly commands: readonly CommandShape[];
  /** Examples and whatever stands below them. */
  readonly notes: string;
}

/** Names of values that a shell cannot know, or that are choices where they are used. */
const TEXTS = [
  ...[
    "format",
    "format:file",
    "from",
    "glob",
    "hash",
    "how",
    "k",
    "mode",
    "n",
    "name",
    "operation",
    "proposal",
  ],
  ...["proposals", "role", "shell", "side", "state", "text", "time", "to", "topic", "version"],
  ...["artifact", "code", "name=value", "other", "place"],
];

/** By the name of a value: what lies behind it. Every name that is used is here; a test sees to it. */
export const KIND_OF_VALUE: Readonly<Record<string, ValueKind>> = {
  a: "file",
  b: "file",
  bundle: "file",
  command: "command",
  dir: "directory",
  directory: "directory",
  file: "file",
  key: "file",
  path: "file",
  paths: "file",
  prefix: "file",
  ref: "reference",
  summary: "file",
  ...Object.fromEntries(TEXTS.map((name) => [name, "text" as const])),
};

/** What commander knows of a command and all below it, as plain values. */
export function shapeOf(command: Command, above: readonly string[] = []): CommandShape {
  const path = [...above, command.name()];
  const help = command.createHelp();
  return {
    name: command.name(),
    path,
    about: command.description(),
    arguments: command.registeredArguments.map((argument) =>
      argumentShape(argument, path, topicsOf(command))
    ),
    flags: help.visibleOptions(command).map(flagShape),
    // What commander adds to each group as `help` says what `--help` says.
    commands: help.visibleCommands(command).filter((sub) => sub.name() !== "help" || above.length === 0).map((
      sub,
    ) => shapeOf(sub, path)),
    notes: notesOf(command),
  };
}

/** What `help` beside a command can show: pages, and every verb. */
function topicsOf(command: Command): readonly string[] {
  if (command.name() !== "help" || command.parent === null) return [];
  const verbs = command.parent.commands.map((verb) => verb.name());
  return [...new Set([...TOPICS.map(({ name }) => name), ...verbs])];
}

function argumentShape(
  argument: Argument,
  path: readonly string[],
  topics: readonly string[],
): ArgumentShape {
  const choices = argument.argChoices ??
    (argument.name() === "topic" ? topics : argumentChoices(path, argument.name()));
  return {
    ...valueShape(argument.name(), choices),
    about: argument.description,
    required: argument.required,
    many: argument.variadic,
  };
}

function flagShape(option: Option): FlagShape {
  const long = option.long!;
  const name = /[<[](.+)[>\]]/.exec(option.flags)?.[1];
  return {
    long,
    short: option.short ?? null,
    about: option.defaultValue === undefined
      ? option.description
      : `${option.description} (default: ${option.defaultValue})`,
    value: name === undefined ? null : valueShape(name, option.argChoices ?? flagChoices(long)),
    valueOptional: option.optional,
    required: option.mandatory,
  };
}

function valueShape(name: string, choices: readonly string[]): ValueShape {
  return { name, choices, kind: choices.length > 0 ? "choice" : KIND_OF_VALUE[name] ?? "text" };
}

/** A command and all below it, itself first. */
export function everyCommand(shape: CommandShape): readonly CommandShape[] {
  return [shape, ...shape.commands.flatMap(everyCommand)];
}

/** The text that was added after the help; commander keeps it as a listener. */
function notesOf(command: Command): string {
  let notes = "";
  // Its class is an EventEmitter; its types do not say so.
  const emitter = command as unknown as { emit(event: string, context: unknown): void };
  emitter.emit("afterHelp", { error: false, command, write: (text: string) => void (notes += text) });
  return notes.replace(/^\n+|\n+$/g, "");
}
