import { Argument, type CommandUnknownOpts } from "@commander-js/extra-typings";
import type { Perform } from "../call.ts";
import { bashCompletion } from "../completion/bash.ts";
import { fishCompletion } from "../completion/fish.ts";
import { listNodes } from "../completion/tree.ts";
import { zshCompletion } from "../completion/zsh.ts";

const SHELLS = { bash: bashCompletion, zsh: zshCompletion, fish: fishCompletion };

export function addCompletionCommand(program: CommandUnknownOpts, perform: Perform): void {
  program
    .command("completion")
    .description("write the script that completes commands in a shell")
    .addArgument(new Argument("<shell>", "which shell").choices(["bash", "zsh", "fish"] as const))
    .addHelpText(
      "after",
      `
Examples:
  $ source <(securewave completion bash)
  $ securewave completion zsh > ~/.zfunc/_securewave
  $ securewave completion fish > ~/.config/fish/completions/securewave.fish`,
    )
    .action((shell) =>
      perform(async ({ out }) => {
        const script = SHELLS[shell](listNodes(program));
        out.result({ shell, script }, () => script);
      }),
    );
}
