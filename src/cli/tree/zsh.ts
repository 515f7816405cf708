import {
  type ArgumentShape,
  type CommandShape,
  everyCommand,
  type FlagShape,
  type ValueShape,
} from "./shape.ts";

/** A completion script for zsh: one function a command, descriptions included; a file `_pp` of `fpath`. */
export function zshCompletions(root: CommandShape): string {
  return `#compdef ${root.name}
# Completions of ${root.name} for zsh, made by: ${root.name} completions zsh
_pp_references() {
  local -a references
  references=(\${(f)"$(git for-each-ref --format='%(refname:short)' refs/heads refs/remotes refs/tags 2>/dev/null)"})
  compadd -a references
}
_pp_programs() {
  _command_names -e
  _files
}
${everyCommand(root).map(commandFunction).join("\n")}
if [[ $funcstack[1] == _${root.name} ]]; then
  _${root.name} "$@"
else
  compdef _${root.name} ${root.name}
fi
`;
}

const functionOf = (path: readonly string[]) => `_${path.join("_").replaceAll("-", "_")}`;

function commandFunction({ path, flags, arguments: words, commands }: CommandShape): string {
  const specs = flags.map(flagSpec);
  const call = (more: readonly string[]) => [...specs, ...more].map((spec) => ` \\\n    ${spec}`).join("");
  if (commands.length === 0) {
    return `${functionOf(path)}() {\n  _arguments -s -S :${call(words.map(argumentSpec))}\n}`;
  }
  const verbs = commands.map(({ name, about }) => `      ${quoted(`${name}:${about}`)}`).join("\n");
  const cases = commands.map(({ name, path }) => `        ${name}) ${functionOf(path)} && ret=0 ;;`).join(
    "\n",
  );
  return `${functionOf(path)}() {
  local curcontext=$curcontext state line ret=1
  local -a verbs
  typeset -A opt_args
  _arguments -C -s -S :${call(["'1: :->verb'", "'*:: :->words'"])} && ret=0
  case $state in
    verb)
      verbs=(
${verbs}
      )
      _describe -t commands ${quoted(path.join(" "))} verbs && ret=0
      ;;
    words)
      case $words[1] in
${cases}
      esac
      ;;
  esac
  return ret
}`;
}

function flagSpec({ long, short, about, value, valueOptional }: FlagShape): string {
  const text = `[${about.replaceAll(/[[\]\\]/g, "\\$&")}]`;
  if (value === null) {
    return short === null
      ? quoted(`${long}${text}`)
      : `'(${short} ${long})'{${short},${long}}${quoted(text)}`;
  }
  const takes = quoted(`${text}${valueOptional ? "::" : ":"}${label(value)}:${action(value)}`);
  return short === null ? `'*${long}='${takes}` : `'*'{${short}+,${long}=}${takes}`;
}

function argumentSpec(word: ArgumentShape, at: number): string {
  return quoted(`${word.many ? "*" : at + 1}${word.required ? ":" : "::"}${label(word)}:${action(word)}`);
}

const label = ({ name }: ValueShape) => name.replaceAll(":", "\\:");

function action({ kind, choices }: ValueShape): string {
  switch (kind) {
    case "file":
      return "_files";
    case "directory":
      return "_files -/";
    case "reference":
      return "_pp_references";
    case "command":
      return "_pp_programs";
    case "choice":
      return `(${choices.map((choice) => choice.replaceAll(":", "\\:")).join(" ")})`;
    case "text":
      return " ";
  }
}

const quoted = (text: string) => `'${text.replaceAll("'", "'\\''")}'`;
