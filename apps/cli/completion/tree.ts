import type { CommandUnknownOpts } from "@commander-js/extra-typings";

/** What can follow a command on the line. */
export interface CompletionNode {
  /** Words after the program's name: `nodes list`; empty for the program itself. */
  readonly path: string;
  readonly commands: readonly { readonly name: string; readonly about: string }[];
  readonly options: readonly CompletionOption[];
  /** Words that the arguments allow, where they are listed. */
  readonly argumentWords: readonly string[];
}

export interface CompletionOption {
  readonly long: string;
  readonly short: string | undefined;
  readonly about: string;
  /** Empty when any text is taken. */
  readonly words: readonly string[];
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
    takesValue: false,
    takesFile: false,
  };
  const visit = (command: CommandUnknownOpts, path: string): CompletionNode[] => [
    {
      path,
      commands: command.commands.map((child) => ({ name: child.name(), about: child.description() })),
      options: [...(path === "" ? [] : optionsOf(command)), ...shared, help],
      argumentWords: command.registeredArguments.flatMap((argument) => argument.argChoices ?? []),
    },
    ...command.commands.flatMap((child) =>
      visit(child, path === "" ? child.name() : `${path} ${child.name()}`),
    ),
  ];
  return visit(program, "");
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
            takesValue: option.required || option.optional,
            takesFile: option.flags.includes("<file>"),
          },
        ],
  );
}
