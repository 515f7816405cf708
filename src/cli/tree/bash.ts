import { type CommandShape, everyCommand, type ValueShape } from "./shape.ts";

/**
 * A completion script for bash 3.2 and later; it needs nothing else, bash-completion neither.
 * Branches and files of a checkout are hostile: their names are compared as they are, never expanded, and quoted.
 */
export function bashCompletions(root: CommandShape): string {
  const commands = everyCommand(root);
  return `# Completions of ${root.name} for bash, made by: ${root.name} completions bash
__pp_command() {
  verbs= flags=
  case $1 in
${commands.map(commandCase).join("\n")}
  esac
}
__pp_kind() {
  kind= optional= choices=
  case $1 in
${kindCases(commands).join("\n")}
  esac
}
${MACHINERY}
complete -F __pp ${root.name}
`;
}

function commandCase({ path, commands, flags }: CommandShape): string {
  const verbs = commands.map(({ name }) => name).join(" ");
  const named = flags.flatMap(({ long, short }) => short === null ? [long] : [long, short]).join(" ");
  return `    '${path.join(" ")}') verbs='${verbs}' flags='${named}' ;;`;
}

/** One case for all places that take the same: \`pp run --policy\`, \`pp replay 1\` … */
function kindCases(commands: readonly CommandShape[]): readonly string[] {
  const places = new Map<string, string[]>();
  const add = (value: ValueShape, optional: boolean, place: string) => {
    const does = [
      `kind=${value.kind}`,
      ...(optional ? ["optional=1"] : []),
      ...(value.kind === "choice" ? [`choices='${value.choices.join(" ")}'`] : []),
    ].join(" ");
    places.set(does, [...places.get(does) ?? [], place]);
  };
  for (const { path, flags, arguments: words } of commands) {
    const at = path.join(" ");
    for (const { long, short, value, valueOptional } of flags) {
      if (value === null) continue;
      for (const name of short === null ? [long] : [long, short]) {
        add(value, valueOptional, `'${at} ${name}'`);
      }
    }
    words.forEach((word, i) => add(word, false, word.many ? `'${at} '[1-9]*` : `'${at} ${i + 1}'`));
  }
  return [...places].map(([does, names]) => `    ${names.join("|")}) ${does} ;;`);
}

const MACHINERY = `__pp_reply() {
  case $1 in "$part"*) COMPREPLY+=("$lead$1") ;; esac
}
__pp_values() {
  local item
  case $kind in
    file|directory|command)
      compopt -o filenames 2>/dev/null
      local how=-f
      [[ $kind == directory ]] && how=-d
      [[ $kind == command && $count == 0 && $part != */* ]] && how=-c
      while IFS= read -r item; do COMPREPLY+=("$lead$item"); done < <(compgen $how -- "$part")
      ;;
    reference)
      while IFS= read -r item; do
        printf -v item %q "$item"
        __pp_reply "$item"
      done < <(git for-each-ref --format='%(refname:short)' refs/heads refs/remotes refs/tags 2>/dev/null)
      ;;
    choice)
      for item in $choices; do
        [[ $item == *: ]] && compopt -o nospace 2>/dev/null
        __pp_reply "$item"
      done
      ;;
  esac
}
__pp() {
  local IFS=$' \\t\\n' i word gap line=\${COMP_LINE:0:COMP_POINT} last=0 item
  local -a words
  COMPREPLY=()
  # bash takes words apart at = and :, so they are put together again where nothing lies between.
  for ((i = 0; i <= COMP_CWORD; i++)); do
    word=\${COMP_WORDS[i]}
    gap=$line
    [[ -n $word ]] && gap=\${line%%"$word"*}
    line=\${line#*"$word"}
    if ((i > 0)) && [[ -z $gap && ( $word == [=:]* || \${words[last]} == *[=:] ) ]]; then
      words[last]=\${words[last]}$word
    else
      ((i > 0)) && last=$((last + 1))
      words[last]=$word
    fi
  done
  local part=\${words[last]} lead= at=pp flag= count=0 literal= verbs flags kind optional choices
  __pp_command "$at"
  for ((i = 1; i < last; i++)); do
    word=\${words[i]}
    if [[ -n $flag ]]; then
      flag=
      [[ -n $optional && $word == -* ]] || continue
    fi
    if [[ -z $literal && $word == -- ]]; then
      literal=1
    elif [[ -z $literal && $word == -?* ]]; then
      __pp_kind "$at $word"
      [[ -n $kind ]] && flag=$word
    elif [[ -z $literal && $count == 0 && " $verbs " == *" $word "* ]]; then
      at="$at $word"
      __pp_command "$at"
    else
      count=$((count + 1))
    fi
  done
  if [[ -n $flag && ( -z $optional || $part != -* ) ]]; then
    __pp_values
  elif [[ -z $literal && $part == --*=* ]]; then
    lead=\${part%%=*}=
    part=\${part#*=}
    __pp_kind "$at \${lead%=}"
    [[ $COMP_WORDBREAKS == *=* ]] && lead=
    __pp_values
  else
    __pp_kind "$at $((count + 1))"
    if [[ -z $literal && ( $part == -* || ( -z $kind && -z $verbs ) ) ]]; then
      for item in $flags; do __pp_reply "$item"; done
      return
    fi
    if [[ -z $literal && $count == 0 ]]; then
      for item in $verbs; do __pp_reply "$item"; done
    fi
    [[ -n $kind ]] && __pp_values
  fi
  # What stands before a : stays where it is, so it is no part of the answer.
  if [[ $part == *:* && $COMP_WORDBREAKS == *:* ]]; then
    lead=\${part%"\${part##*:}"}
    for ((i = 0; i < \${#COMPREPLY[@]}; i++)); do COMPREPLY[i]=\${COMPREPLY[i]#"$lead"}; done
  fi
}`;
