import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import type { Client, DeadLetter } from "@securewave/contracts";
import { lists } from "../acts.ts";
import type { Call, Perform } from "../call.ts";
import { usageError } from "../failure.ts";
import { counted, humanDay } from "../human.ts";
import { yesOption } from "../options.ts";
import type { Column } from "../output.ts";
import { readPages } from "../paging.ts";

const SEE_THEM = "See them: securewave jobs dead";

export function addDeadLetterCommands(jobs: CommandUnknownOpts, perform: Perform): void {
  addDeadCommand(jobs, perform);
  addRetryCommand(jobs, perform);
  addDiscardCommand(jobs, perform);
}

function addDeadCommand(jobs: CommandUnknownOpts, perform: Perform): void {
  const command = jobs
    .command("dead")
    .description("list dead letters: what was tried nine times and given up")
    .addHelpText(
      "after",
      `
The code says why: ECONNREFUSED is a mail server that is not there. It goes after 30 days.

Examples:
  $ securewave jobs dead
  $ securewave jobs dead --all --json`,
    );
  lists(command, perform, {
    noun: "dead letter",
    none: "There are no dead letters.",
    open: (api) => (query) => api.deadLetters.list({ query }),
    columns: letterColumns,
  });
}

function addRetryCommand(jobs: CommandUnknownOpts, perform: Perform): void {
  jobs
    .command("retry")
    .description("queue a dead letter again, as it was")
    .argument("[letter]", "its id")
    .option("-a, --all", "all of them")
    .addHelpText(
      "after",
      `
Examples:
  $ securewave jobs retry dead_0123456789abcdefghjk
  $ securewave jobs retry --all`,
    )
    .action((id, { all = false }) =>
      perform(async (call) => {
        const api = await call.client();
        const ids = await chosen(api, id, all);
        for (const each of ids) await api.deadLetters.retry({ params: { id: each } });
        call.out.result({ retried: ids }, () => `${counted(ids.length, "dead letter")} queued again.`);
        return undefined;
      }),
    );
}

function addDiscardCommand(jobs: CommandUnknownOpts, perform: Perform): void {
  jobs
    .command("discard")
    .description("throw a dead letter away for good")
    .argument("[letter]", "its id")
    .option("-a, --all", "all of them")
    .addOption(yesOption())
    .addHelpText(
      "after",
      `
Examples:
  $ securewave jobs discard dead_0123456789abcdefghjk
  $ securewave jobs discard --all --yes`,
    )
    .action((id, { all = false, yes }) =>
      perform(async (call) => {
        const api = await call.client();
        const ids = await chosen(api, id, all);
        const question = `Throw ${counted(ids.length, "dead letter")} away for good?`;
        if (ids.length > 0) await call.confirm(question, yes);
        for (const each of ids) await api.deadLetters.discard({ params: { id: each } });
        call.out.result({ discarded: ids }, () => `${counted(ids.length, "dead letter")} thrown away.`);
        return undefined;
      }),
    );
}

/** @throws CliError `cli.usage` */
async function chosen(api: Client, id: string | undefined, isAll: boolean): Promise<string[]> {
  if ((id === undefined) !== isAll) throw usageError("Name one dead letter, or say --all.", SEE_THEM);
  if (id !== undefined) return [id];
  const { items } = await readPages((query) => api.deadLetters.list({ query }), Number.POSITIVE_INFINITY);
  return items.map((letter) => letter.id);
}

function letterColumns({ nowMs }: Call): Column<DeadLetter>[] {
  return [
    { title: "ID", value: ({ id }) => id, style: () => "bold", isWhole: true },
    { title: "JOB", value: ({ job }) => job },
    { title: "ACCOUNT", value: ({ account_id }) => account_id ?? "" },
    { title: "GIVEN UP ON", value: ({ failed_on }) => humanDay(failed_on, nowMs) },
    { title: "ATTEMPTS", value: ({ attempts }) => String(attempts), align: "right" },
    { title: "CODE", value: ({ code }) => code ?? "", style: () => "red" },
  ];
}
