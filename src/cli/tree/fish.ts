import { type CommandShape, everyCommand, type ValueShape } from "./shape.ts";

/** A completion script for fish 3 and later. */
export function fishCompletions(root: CommandShape): string {
  const commands = everyCommand(root);
  const name = root.name;
  return `# Completions of ${name} for fish, made by: ${name} completions fish
# Says where the cursor is: the words that name the verb, then how many others stand before it.
function __pp_place
    set -l at ${name}
    set -l count 0
    set -l flag 0
    set -l literal 0
    for word in (commandline -opc)[2..-1]
        if test $flag = 1
            set flag 0
            continue
        end
        if test $literal = 0; and test "$word" = --
            set literal 1
            continue
        end
        if test $literal = 0; and string match -q -- '-?*' "$word"
            switch "$at $word"
                case ${valuedFlags(commands).map(quoted).join(" ")}
                    set flag 1
            end
            continue
        end
        if test $literal = 0; and test $count = 0
            switch "$at $word"
                case ${commands.slice(1).map(({ path }) => quoted(path.join(" "))).join(" ")}
                    set at "$at $word"
                    continue
            end
        end
        set count (math $count + 1)
    end
    echo $at
    echo $count
end
function __pp_at
    test (__pp_place)[1] = "$argv[1]"
end
function __pp_word
    set -l place (__pp_place)
    test "$place[1]" = "$argv[1]"; and test "$place[2]" -ge $argv[2]; and test "$place[2]" -le $argv[3]
end
function __pp_references
    git for-each-ref --format='%(refname:short)' refs/heads refs/remotes refs/tags 2>/dev/null
end
complete -c ${name} -e
complete -c ${name} -f
${commands.flatMap(commandLines).map((line) => `complete -c ${name} ${line}`).join("\n")}
`;
}

/** Of those whose value may be left out none: the next word is then not theirs. */
function valuedFlags(commands: readonly CommandShape[]): readonly string[] {
  return commands.flatMap(({ path, flags }) =>
    flags.filter(({ value, valueOptional }) => value !== null && !valueOptional)
      .flatMap(({ long, short }) => short === null ? [long] : [long, short])
      .map((flag) => `${path.join(" ")} ${flag}`)
  );
}

const MANY = 999;

function commandLines({ path, flags, arguments: words, commands }: CommandShape): readonly string[] {
  const at = path.join(" ");
  const inWord = (from: number, to: number) => `-n ${quoted(`__pp_word "${at}" ${from} ${to}`)}`;
  return [
    ...commands.map((sub) => `${inWord(0, 0)} -a ${sub.name} -d ${quoted(sub.about)}`),
    ...words.flatMap((word, i) =>
      word.kind === "text"
        ? []
        : [`${inWord(i, word.many ? MANY : i)} ${offered(word)} -d ${quoted(word.name)}`]
    ),
    ...flags.map(({ long, short, about, value, valueOptional }) =>
      [
        `-n ${quoted(`__pp_at "${at}"`)}`,
        ...(short === null ? [] : [`-s ${short.slice(1)}`]),
        `-l ${long.slice(2)}`,
        ...(value === null || valueOptional ? [] : ["-r", offered(value)]),
        `-d ${quoted(about)}`,
      ].join(" ")
    ),
  ];
}

function offered({ kind, choices }: ValueShape): string {
  switch (kind) {
    case "file":
      return "-F";
    case "directory":
      return "-f -a '(__fish_complete_directories)'";
    case "reference":
      return "-f -a '(__pp_references)'";
    case "command":
      return "-F -a '(__fish_complete_command)'";
    case "choice":
      return `-f -a ${quoted(choices.join(" "))}`;
    case "text":
      return "-f";
  }
}

const quoted = (text: string) => `'${text.replaceAll(/[\\']/g, "\\$&")}'`;
