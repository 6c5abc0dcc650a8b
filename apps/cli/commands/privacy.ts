import { Argument, type CommandUnknownOpts, Option } from "@commander-js/extra-typings";
import type { PrivacyRequest, PrivacyState } from "@securewave/contracts";
import { dayOf } from "@securewave/foundation";
import { lists } from "../acts.ts";
import { type Call, given, type Perform } from "../call.ts";
import { demandWritable, refuseExisting, writeNewFile } from "../files.ts";
import { humanDay } from "../human.ts";
import { yesOption } from "../options.ts";
import type { Column } from "../output.ts";
import { passwordStdinOption, prove } from "../proof.ts";
import { resolveRequest } from "../resolve.ts";

export function addPrivacyCommands(program: CommandUnknownOpts, perform: Perform): void {
  const privacy = program
    .command("privacy")
    .description("what is kept about you, and what people asked for about their data");
  addOwnCommands(privacy, perform);
  addDeletionCommands(privacy, perform);
  addOwnRequestCommands(privacy, perform);
  addRequestCommands(privacy, perform);
}

function addOwnCommands(privacy: CommandUnknownOpts, perform: Perform): void {
  privacy
    .command("show")
    .description("show what you agreed to, and whether your account is to be erased")
    .addHelpText("after", "\nExamples:\n  $ securewave privacy show\n  $ securewave privacy show --json")
    .action(() =>
      perform(async ({ client, out, nowMs }) => {
        const state = await (await client()).privacy.show();
        out.result(state, () => out.fields(stateFields(state, nowMs)));
      }),
    );

  privacy
    .command("export")
    .description("write everything that is kept about you into a new file, as JSON")
    .argument("[file]", "a new file (default: securewave-about-me-<day>.json)")
    .addOption(passwordStdinOption())
    .addHelpText("after", "\nExamples:\n  $ securewave privacy export\n  $ securewave privacy export me.json")
    .action((file, options) =>
      perform(async (call) => {
        const path = file ?? `securewave-about-me-${dayOf(call.nowMs)}.json`;
        await refuseExisting(path);
        await demandWritable(path);
        const api = await call.client();
        const everything = await prove(call, options.passwordStdin ?? false, (proof) =>
          api.privacy.export({ body: proof }),
        );
        await writeNewFile(path, `${JSON.stringify(everything, null, 2)}\n`);
        call.out.result({ file: path }, () => `Everything about you stands in ${path}.`);
      }),
    );

  privacy
    .command("history")
    .description("have your use of each day kept, or kept no longer")
    .addArgument(new Argument("<state>", "on or off").choices(["on", "off"] as const))
    .addOption(yesOption())
    .addHelpText(
      "after",
      `
Off destroys the key of what was kept, so that it opens in no backup either.

Examples:
  $ securewave privacy history on
  $ securewave privacy history off --yes`,
    )
    .action((wanted, options) =>
      perform(async ({ client, confirm, out, nowMs }) => {
        const api = await client();
        const { usage_history: text } = await api.privacy.show();
        await confirm(
          wanted === "on" ? `${text.text} Agree?` : "Erase what was kept of your use?",
          options.yes,
        );
        const state =
          wanted === "on"
            ? await api.privacy.keepHistory({ body: { text_version: text.text_version } })
            : await api.privacy.forgetHistory();
        out.result(state, () => out.fields(stateFields(state, nowMs)));
      }),
    );
}

function addDeletionCommands(privacy: CommandUnknownOpts, perform: Perform): void {
  privacy
    .command("delete")
    .description("have your account erased when the days of grace are over, for all backups too")
    .addOption(passwordStdinOption())
    .addOption(yesOption())
    .addHelpText("after", "\nExamples:\n  $ securewave privacy delete")
    .action((options) =>
      perform(async (call) => {
        const { client, confirm, out, nowMs } = call;
        const api = await client();
        await confirm("Erase your account and everything that belongs to it, for good?", options.yes);
        const deletion = await prove(call, options.passwordStdin ?? false, (proof) =>
          api.privacy.askDeletion({ body: proof }),
        );
        out.result(deletion, () => `Your account is erased on ${humanDay(deletion.due_on, nowMs)}.`);
      }),
    );

  privacy
    .command("keep")
    .description("take the deletion of your account back")
    .addHelpText("after", "\nExamples:\n  $ securewave privacy keep")
    .action(() =>
      perform(async ({ client, out }) => {
        await (await client()).privacy.withdrawDeletion();
        out.result({ deletion: null }, () => "Your account stays.");
      }),
    );
}

function addOwnRequestCommands(privacy: CommandUnknownOpts, perform: Perform): void {
  privacy
    .command("ask")
    .description("ask those who run the service about your data; they answer within a month")
    .addArgument(
      new Argument("<about>", "what it is about").choices(["export", "deletion", "other"] as const),
    )
    .argument("[text]", "in your words")
    .addHelpText("after", '\nExamples:\n  $ securewave privacy ask other "Who has seen my mail address?"')
    .action((about, text) =>
      perform(async ({ client, out, nowMs }) => {
        const api = await client();
        const request = await api.privacy.ask({ body: { kind: about, ...given({ text }) } });
        out.result(
          request,
          () => `Asked, as ${request.id}. You are answered by ${humanDay(request.due_on, nowMs)}.`,
        );
      }),
    );

  const asked = privacy
    .command("asked")
    .description("list what you asked for")
    .addHelpText("after", "\nExamples:\n  $ securewave privacy asked");
  lists(asked, perform, {
    noun: "request",
    none: "You asked for nothing.",
    open: (api) => (query) => api.privacy.ownRequests({ query }),
    columns: requestColumns,
  });
}

function addRequestCommands(privacy: CommandUnknownOpts, perform: Perform): void {
  const requests = privacy
    .command("requests")
    .description("list what people asked for about their data, what is due first (for staff)")
    .addOption(new Option("--state <state>", "only these").choices(["open", "done", "refused"] as const))
    .addHelpText("after", "\nExamples:\n  $ securewave privacy requests --state open");
  lists(requests, perform, {
    noun: "request",
    open:
      (api, { state }) =>
      (query) =>
        api.privacyDesk.requests({ query: { ...query, ...given({ state }) } }),
    columns: (call) => {
      const account = ({ account_id }: PrivacyRequest) => account_id ?? "erased";
      return requestColumns(call).toSpliced(-1, 0, { title: "ACCOUNT", value: account });
    },
  });

  privacy
    .command("close")
    .description("close a request (for staff)")
    .argument("<request>", "its id, or the beginning of it")
    .addArgument(new Argument("<outcome>", "what became of it").choices(["done", "refused"] as const))
    .addHelpText("after", "\nExamples:\n  $ securewave privacy close req_… done")
    .action((text, outcome) =>
      perform(async ({ client, out }) => {
        const api = await client();
        const id = await resolveRequest(api, text);
        const request = await api.privacyDesk.close({ params: { id }, body: { state: outcome } });
        out.result(request, () => `Closed ${request.id}: ${request.state}.`);
      }),
    );
}

function stateFields(state: PrivacyState, nowMs: number): [string, string][] {
  const { policy, usage_history: history, deletion } = state;
  const agreed = policy.agreed_version === null ? "none yet" : policy.agreed_version;
  return [
    ["Privacy policy", `version ${policy.version}; you agreed to: ${agreed}`],
    [
      "Usage history",
      history.is_on && history.since ? `kept since ${humanDay(history.since, nowMs)}` : "not kept",
    ],
    ["Deletion", deletion ? `account is erased on ${humanDay(deletion.due_on, nowMs)}` : "not asked for"],
  ];
}

function requestColumns({ nowMs }: Call): Column<PrivacyRequest>[] {
  const isLate = ({ state, due_on }: PrivacyRequest) => state === "open" && due_on < dayOf(nowMs);
  return [
    { title: "ID", value: ({ id }) => id },
    { title: "KIND", value: ({ kind }) => kind },
    {
      title: "STATE",
      value: (request) => (isLate(request) ? "late" : request.state),
      style: (request) => (isLate(request) ? "red" : undefined),
    },
    { title: "DUE", value: ({ due_on }) => humanDay(due_on, nowMs) },
    { title: "TEXT", value: ({ text }) => text ?? "" },
  ];
}
