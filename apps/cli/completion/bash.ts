import type { CompletionNode } from "./tree.ts";

/** The completion for bash 4 or newer, without the package bash-completion. */
export function bashCompletion(nodes: readonly CompletionNode[]): string {
  return `# Completion of securewave for bash: source <(securewave completion bash)
_securewave() {
  local current="\${COMP_WORDS[COMP_CWORD]}" previous="" path="" word index skip=""
  ((COMP_CWORD > 0)) && previous="\${COMP_WORDS[COMP_CWORD - 1]}"
  for ((index = 1; index < COMP_CWORD; index++)); do
    word="\${COMP_WORDS[index]}"
    if [[ -n $skip ]]; then skip=""; continue; fi
    case "$path:$word" in
${caseOf(
  nodes.flatMap((node) => valueOptions(node).map((name) => `${node.path}:${name}`)),
  "skip=1",
)}
${nodes.flatMap((node) => node.commands.map(({ name }) => `      ${quote(`${node.path}:${name}`)}) path=${quote(join(node.path, name))} ;;`)).join("\n")}
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
  return node.options.flatMap(({ long, short, words, takesFile }) => {
    if (words.length === 0 && !takesFile) return [];
    const patterns = (short === undefined ? [long] : [long, short]).map((name) =>
      quote(`${node.path}:${name}`),
    );
    const act = takesFile ? `compgen -f -- "$current"` : `compgen -W ${quote(words.join(" "))} -- "$current"`;
    return [`      ${patterns.join("|")}) mapfile -t COMPREPLY < <(${act}) ;;`];
  });
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
