import type { CompletionNode } from "./tree.ts";

/** The completion for zsh, as a file named `_securewave` on `$fpath` or sourced after `compinit`. */
export function zshCompletion(nodes: readonly CompletionNode[]): string {
  return `#compdef securewave
# Completion of securewave for zsh: source <(securewave completion zsh)
_securewave_names() {
  local -a names=("\${(@f)$(securewave names $1 "$PREFIX" 2> /dev/null)}")
  compadd -a names
}
${nodes.map(functionOf).join("\n")}
if [[ $zsh_eval_context[-1] == loadautofunc ]]; then
  _securewave "$@"
else
  compdef _securewave securewave
fi
`;
}

function functionOf(node: CompletionNode): string {
  const specs = node.options.flatMap(optionSpecs);
  if (node.commands.length === 0) {
    const named = node.argumentNames.flatMap((kind, index) =>
      kind === undefined ? [] : [`${index + 1}::name:_securewave_names ${kind}`],
    );
    const rest = node.argumentWords.length > 0 ? `*: :(${node.argumentWords.join(" ")})` : "*: :";
    return `${nameOf(node.path)}() {\n  _arguments ${[...specs, ...named, rest].map(quote).join(" ")}\n}`;
  }
  const described = node.commands.map(({ name, about }) => quote(`${name}:${about}`)).join(" ");
  const branches = node.commands
    .map(({ name }) => `      ${name}) ${nameOf(join(node.path, name))} ;;`)
    .join("\n");
  return `${nameOf(node.path)}() {
  local context state state_descr line
  typeset -A opt_args
  _arguments -C ${[...specs, "1: :->command", "*:: :->rest"].map(quote).join(" ")}
  case $state in
    command)
      local -a commands=(${described})
      _describe command commands
      ;;
    rest)
      case $line[1] in
${branches}
      esac
      ;;
  esac
}`;
}

function optionSpecs({
  long,
  short,
  about,
  words,
  names,
  takesValue,
  takesFile,
}: CompletionNode["options"][number]): string[] {
  const text = about.replace(/[[\]\\:]/g, "\\$&");
  const values = takesFile
    ? ":file:_files"
    : words.length > 0
      ? `:value:(${words.join(" ")})`
      : names !== undefined
        ? `:name:_securewave_names ${names}`
        : takesValue
          ? ":value: "
          : "";
  return (short === undefined ? [long] : [long, short]).map((name) => `${name}[${text}]${values}`);
}

function nameOf(path: string): string {
  return path === "" ? "_securewave" : `_securewave_${path.replaceAll(/[ -]/g, "_")}`;
}

function join(path: string, name: string): string {
  return path === "" ? name : `${path} ${name}`;
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
