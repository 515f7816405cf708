import { type CommandShape, everyCommand, type FlagShape } from "./shape.ts";

/**
 * The manual page of all verbs, for man(1).
 * @param root the program
 * @param topics pages to name as further reading
 */
export function manualPage(
  root: CommandShape,
  version: string,
  topics: readonly { readonly name: string; readonly about: string }[],
): string {
  const verbs = everyCommand(root).filter(({ path, commands, arguments: words }) =>
    path.length > 1 && (commands.length === 0 || words.length > 0 || path[1] === "events")
  );
  return [
    `.TH PP 1 "" "veripatch ${text(version)}" "User Commands"`,
    ".SH NAME",
    `${root.name} \\- proves that a patch fixes what it claims`,
    ".SH SYNOPSIS",
    `.B ${root.name}`,
    "[\\fIflags\\fR] \\fIverb\\fR [\\fIflags\\fR] [\\fIwords\\fR]",
    ".SH DESCRIPTION",
    text(root.about),
    ...root.flags.filter(({ long }) => long !== "--help").flatMap(flagLines),
    ".SH VERBS",
    ...verbs.flatMap(verbLines),
    ...notes(root.notes),
    ".SH SEE ALSO",
    ...topics.flatMap(({ name, about }) => [".TP", `.B ${root.name} help ${text(name)}`, text(about)]),
    "",
  ].join("\n");
}

function verbLines({ path, about, arguments: words, flags, notes }: CommandShape): readonly string[] {
  const synopsis = words.map(({ name, required, many }) => {
    const word = `\\fI${text(name)}\\fR${many ? "..." : ""}`;
    return required ? word : `[${word}]`;
  });
  return [
    `.SS "${text(path.slice(1).join(" "))}"`,
    `.B ${text(path.join(" "))}`,
    ["[\\fIflags\\fR]", ...synopsis].join(" "),
    ".PP",
    `${text(about)}.`,
    ...words.flatMap((word) => [".TP", `\\fI${text(word.name)}\\fR`, text(word.about)]),
    ...flags.filter(({ long }) => long !== "--help").flatMap(flagLines),
    ...notes.split("\n\n").flatMap(partLines),
  ];
}

function flagLines({ long, short, value, valueOptional, about }: FlagShape): readonly string[] {
  const names = [...(short === null ? [] : [short]), long].map((name) => `\\fB${text(name)}\\fR`).join(", ");
  const takes = value === null ? "" : ` \\fI${text(value.name)}\\fR`;
  const choices = value === null || value.choices.every((choice) => about.includes(choice))
    ? ""
    : ` (${value.choices.join(", ")})`;
  return [".TP", names + (valueOptional ? ` [${takes.trim()}]` : takes), text(about + choices)];
}

/** Examples as they are, prose to be filled. */
function partLines(part: string): readonly string[] {
  const lines = part.split("\n");
  return /^ /m.test(part) ? [".PP", ".nf", ...lines.map(text), ".fi"] : [".PP", ...lines.map(text)];
}

/** What stands below the program's own help: titles ending in a colon, lines below them as they are. */
function notes(lines: string): readonly string[] {
  return lines.split("\n\n").flatMap((part) => {
    const [title = "", ...rest] = part.split("\n");
    return [`.SH ${text(title.replace(/:$/, "").toUpperCase())}`, ".nf", ...rest.map(text), ".fi"];
  });
}

/** Text that roff takes as it is: no escapes, no requests, hyphens that can be copied. */
function text(plain: string): string {
  const escaped = plain.replaceAll("\\", "\\e").replaceAll("-", "\\-").replaceAll('"', "\\(dq")
    .replaceAll("…", "...");
  return /^[.']/.test(escaped) ? `\\&${escaped}` : escaped;
}
