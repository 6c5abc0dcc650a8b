import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import type { LogIn } from "@securewave/contracts";
import { lists } from "../acts.ts";
import type { Call, Perform } from "../call.ts";
import { humanDay } from "../human.ts";
import { yesOption } from "../options.ts";
import type { Column } from "../output.ts";
import { findLogIn } from "../resolve.ts";

export function addSessionCommands(program: CommandUnknownOpts, perform: Perform): void {
  const sessions = program.command("sessions").description("where one is logged in");
  addListCommand(sessions, perform);
  addEndCommands(sessions, perform);
}

function addListCommand(sessions: CommandUnknownOpts, perform: Perform): void {
  const command = sessions
    .command("list")
    .description("list one's own log-ins; only days are kept, not from where")
    .addHelpText(
      "after",
      `
Examples:
  $ securewave sessions list
  $ securewave sessions list --json`,
    );
  lists(command, perform, {
    noun: "log-in",
    open: (api) => (query) => api.sessions.list({ query }),
    columns: logInColumns,
  });
}

function addEndCommands(sessions: CommandUnknownOpts, perform: Perform): void {
  sessions
    .command("end")
    .description("end one of one's own log-ins at once")
    .argument("<id>", "its id, or the beginning of it")
    .addOption(yesOption())
    .addHelpText(
      "after",
      `
Examples:
  $ securewave sessions end ses_0123456789abcdefghjk
  $ securewave sessions end ses_01 --yes`,
    )
    .action((text, options) =>
      perform(async ({ client, connect, confirm, out, nowMs }) => {
        const api = await client();
        const logIn = await findLogIn(api, text);
        const { id, kind, is_current } = logIn;
        const since = humanDay(logIn.created_on, nowMs);
        await confirm(
          is_current ? "End this very log-in?" : `End the log-in of a ${kind} since ${since}?`,
          options.yes,
        );
        await api.sessions.end({ params: { id } });
        const { credentials, loginSource, url } = await connect();
        if (is_current && loginSource === "saved") await credentials.locked((change) => change.forget(url));
        out.result(logIn, () => (is_current ? `Logged out of ${url}.` : "That log-in has ended."));
      }),
    );

  sessions
    .command("end-all")
    .description("end every log-in of one's own account, this one too")
    .addOption(yesOption())
    .addHelpText(
      "after",
      `
API keys go on working, and so do tunnels.

Examples:
  $ securewave sessions end-all
  $ securewave sessions end-all --yes --json`,
    )
    .action((options) =>
      perform(async ({ connect, confirm, out }) => {
        const { client, credentials, loginSource, url } = await connect();
        await confirm(
          "Log out everywhere? Every browser and program has to log in anew, this one too.",
          options.yes,
        );
        await client.sessions.logOutEverywhere();
        if (loginSource === "saved") await credentials.locked((change) => change.forget(url));
        out.result({ url, ended: true }, () => `Logged out everywhere at ${url}.`);
      }),
    );
}

function logInColumns({ nowMs }: Call): Column<LogIn>[] {
  return [
    { title: "LOG-IN", value: ({ kind, is_current }) => (is_current ? `${kind}, this one` : kind) },
    { title: "SINCE", value: ({ created_on }) => humanDay(created_on, nowMs) },
    { title: "UNTIL, UNUSED", value: ({ expires_on }) => humanDay(expires_on, nowMs) },
    { title: "ID", value: ({ id }) => id, style: () => "dim" },
  ];
}
