import type { CommandUnknownOpts } from "@commander-js/extra-typings";

/** What `securewave names` can list. */
export const NAME_KINDS = {
  node: "nodes",
  server: "servers",
  region: "regions",
  device: "devices",
  plan: "plans",
  job: "jobs",
  alert: "alerts",
  backup: "backups",
  incident: "incidents",
  maintenance: "maintenance",
} as const;
export type NameKind = (typeof NAME_KINDS)[keyof typeof NAME_KINDS];

/** What can follow a command on the line. */
export interface CompletionNode {
  /** Words after the program's name: `nodes list`; empty for the program itself. */
  readonly path: string;
  readonly commands: readonly { readonly name: string; readonly about: string }[];
  readonly options: readonly CompletionOption[];
  /** Words that the arguments allow, where they are listed. */
  readonly argumentWords: readonly string[];
  /** What each of the arguments names; undefined for those that name nothing of the service. */
  readonly argumentNames: readonly (NameKind | undefined)[];
}

export interface CompletionOption {
  readonly long: string;
  readonly short: string | undefined;
  readonly about: string;
  /** Empty when any text is taken. */
  readonly words: readonly string[];
  /** What its value names. */
  readonly names: NameKind | undefined;
  readonly takesValue: boolean;
  readonly takesFile: boolean;
}

/** Lists the program and all its commands, each with what can follow. */
export function listNodes(program: CommandUnknownOpts): CompletionNode[] {
  const shared = optionsOf(program);
  const help: CompletionOption = {
    long: "--help",
    short: "-h",
    about: "show help",
    words: [],
    names: undefined,
    takesValue: false,
    takesFile: false,
  };
  const visit = (command: CommandUnknownOpts, path: string): CompletionNode[] => [
    {
      path,
      commands: command.commands.map((child) => ({ name: child.name(), about: child.description() })),
      options: [...(path === "" ? [] : optionsOf(command)), ...shared, help],
      argumentWords: command.registeredArguments.flatMap((argument) => argument.argChoices ?? []),
      argumentNames: command.registeredArguments.map((argument) => kindOf(argument.name())),
    },
    ...command.commands.flatMap((child) =>
      visit(child, path === "" ? child.name() : `${path} ${child.name()}`),
    ),
  ];
  return visit(program, "");
}

/** By the word that stands for it in the usage: `<node>`. */
function kindOf(word = ""): NameKind | undefined {
  return isNamed(word) ? NAME_KINDS[word] : undefined;
}

function isNamed(word: string): word is keyof typeof NAME_KINDS {
  return Object.hasOwn(NAME_KINDS, word);
}

function optionsOf(command: CommandUnknownOpts): CompletionOption[] {
  return command.options.flatMap((option) =>
    option.long == null
      ? []
      : [
          {
            long: option.long,
            short: option.short ?? undefined,
            about: option.description,
            words: option.argChoices ?? [],
            names: kindOf(/<(.+)>/.exec(option.flags)?.[1]),
            takesValue: option.required || option.optional,
            takesFile: option.flags.includes("<file>"),
          },
        ],
  );
}
