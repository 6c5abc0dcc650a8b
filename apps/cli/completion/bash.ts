import type { CompletionNode } from "./tree.ts";

/** The completion for bash 4 or newer, without the package bash-completion. */
export function bashCompletion(nodes: readonly CompletionNode[]): string {
  return `# Completion of securewave for bash: source <(securewave completion bash)
_securewave_names() {
  local name
  while IFS= read -r name; do printf '%q\\n' "$name"; done < <(securewave names "$1" "$2" 2> /dev/null)
}
_securewave() {
  local current="\${COMP_WORDS[COMP_CWORD]}" previous="" path="" word index skip="" given=0 names=""
  ((COMP_CWORD > 0)) && previous="\${COMP_WORDS[COMP_CWORD - 1]}"
  for ((index = 1; index < COMP_CWORD; index++)); do
    word="\${COMP_WORDS[index]}"
    if [[ -n $skip ]]; then skip=""; continue; fi
    case "$path:$word" in
${caseOf(
  nodes.flatMap((node) => valueOptions(node).map((name) => `${node.path}:${name}`)),
  "skip=1",
)}
${nodes.flatMap((node) => node.commands.map(({ name }) => `      ${quote(`${node.path}:${name}`)}) path=${quote(join(node.path, name))}; given=0 ;;`)).join("\n")}
      *) if [[ $word != -* ]]; then ((++given)); fi ;;
    esac
  done
  COMPREPLY=()
  if [[ -n $skip ]]; then
    case "$path:$previous" in
${nodes.flatMap(valueLines).join("\n")}
    esac
    return
  fi
  local words=""
  case "$path" in
${nodes.map((node) => `    ${quote(node.path)}) words=${quote(wordsOf(node))} ;;`).join("\n")}
  esac
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
  case "$path:$given" in
${nodes.flatMap(nameLines).join("\n")}
  esac
  if [[ -n $names && $current != -* ]]; then
    mapfile -t -O "\${#COMPREPLY[@]}" COMPREPLY < <(_securewave_names "$names" "$current")
  fi
}
complete -F _securewave securewave
`;
}

function caseOf(patterns: readonly string[], act: string): string {
  return patterns.length === 0 ? "" : `      ${patterns.map(quote).join("|")}) ${act} ;;`;
}

function valueOptions(node: CompletionNode): string[] {
  return node.options
    .filter((option) => option.takesValue)
    .flatMap(({ long, short }) => (short === undefined ? [long] : [long, short]));
}

function valueLines(node: CompletionNode): string[] {
  return node.options.flatMap(({ long, short, words, names, takesFile }) => {
    if (words.length === 0 && names === undefined && !takesFile) return [];
    const patterns = (short === undefined ? [long] : [long, short]).map((name) =>
      quote(`${node.path}:${name}`),
    );
    const act = takesFile
      ? `compgen -f -- "$current"`
      : names === undefined
        ? `compgen -W ${quote(words.join(" "))} -- "$current"`
        : `_securewave_names ${names} "$current"`;
    return [`      ${patterns.join("|")}) mapfile -t COMPREPLY < <(${act}) ;;`];
  });
}

function nameLines({ path, argumentNames }: CompletionNode): string[] {
  return argumentNames.flatMap((kind, index) =>
    kind === undefined ? [] : [`    ${quote(`${path}:${index}`)}) names=${kind} ;;`],
  );
}

function wordsOf(node: CompletionNode): string {
  return [
    ...node.commands.map(({ name }) => name),
    ...node.argumentWords,
    ...node.options.map(({ long }) => long),
  ].join(" ");
}

function join(path: string, name: string): string {
  return path === "" ? name : `${path} ${name}`;
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
