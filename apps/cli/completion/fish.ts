import type { CompletionNode, NameKind } from "./tree.ts";

/** The completion for fish 3 or newer. */
export function fishCompletion(nodes: readonly CompletionNode[]): string {
  const paths = nodes.filter(({ path }) => path !== "").map(({ path }) => quote(path));
  return `# Completion of securewave for fish: securewave completion fish | source
function __securewave_at --description 'Whether the command so far is the given one'
    set -l known ${paths.join(" ")}
    set -l valued ${[...new Set(nodes.flatMap(valueOptions))].join(" ")}
    set -l here ''
    set -l skip no
    for word in (commandline -opc)[2..-1]
        set -l longer (string trim -- "$here $word")
        if test $skip = yes
            set skip no
        else if contains -- "$word" $valued
            set skip yes
        else if contains -- "$longer" $known
            set here "$longer"
        end
    end
    test "$here" = "$argv[1]"
end
complete -c securewave -f
${nodes.flatMap(linesOf).join("\n")}
`;
}

function valueOptions({ options }: CompletionNode): string[] {
  return options
    .filter(({ takesValue }) => takesValue)
    .flatMap(({ long, short }) => (short === undefined ? [long] : [long, short]));
}

function linesOf(node: CompletionNode): string[] {
  const at = `complete -c securewave -n ${quote(`__securewave_at ${quote(node.path)}`)}`;
  return [
    ...node.commands.map(({ name, about }) => `${at} -a ${name} -d ${quote(about)}`),
    ...(node.argumentWords.length > 0 ? [`${at} -a ${quote(node.argumentWords.join(" "))}`] : []),
    ...[...new Set(node.argumentNames)].flatMap((kind) =>
      kind === undefined ? [] : [`${at} -a ${quote(namesCall(kind))}`],
    ),
    ...node.options.map(({ long, short, about, words, names, takesValue, takesFile }) =>
      [
        `${at} -l ${long.slice(2)}`,
        short === undefined ? "" : `-s ${short.slice(1)}`,
        takesFile ? "-r -F" : takesValue ? "-x" : "",
        words.length > 0 ? `-a ${quote(words.join(" "))}` : "",
        names === undefined ? "" : `-a ${quote(namesCall(names))}`,
        `-d ${quote(about)}`,
      ]
        .filter((part) => part !== "")
        .join(" "),
    ),
  ];
}

/** Asked for while completing. */
function namesCall(kind: NameKind): string {
  return `(securewave names ${kind} (commandline -ct) 2>/dev/null)`;
}

function quote(text: string): string {
  return `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
}
