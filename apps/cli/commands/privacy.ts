import { randomBytes } from "node:crypto";
import { link, open, rm } from "node:fs/promises";
import { Argument, type CommandUnknownOpts, Option } from "@commander-js/extra-typings";
import type { PrivacyRequest, PrivacyState } from "@securewave/contracts";
import { dayOf } from "@securewave/foundation";
import { given, type Perform } from "../call.ts";
import { isErrno } from "../credentials.ts";
import { CliError } from "../failure.ts";
import { counted, humanDay } from "../human.ts";
import { allOption, cursorOption, limitOption, readList, yesOption } from "../options.ts";
import type { Column, Output } from "../output.ts";
import { moreNote } from "../paging.ts";
import { passwordStdinOption, prove } from "../proof.ts";

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
        return undefined;
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
        const api = await call.client();
        const everything = await prove(call, options.passwordStdin ?? false, (proof) =>
          api.privacy.export({ body: proof }),
        );
        await writeNew(path, `${JSON.stringify(everything, null, 2)}\n`);
        call.out.result({ file: path }, () => `Everything about you stands in ${path}.`);
        return undefined;
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
        return undefined;
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
        return undefined;
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
        return undefined;
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
        return undefined;
      }),
    );

  privacy
    .command("asked")
    .description("list what you asked for")
    .addOption(limitOption())
    .addOption(allOption())
    .addOption(cursorOption())
    .addHelpText("after", "\nExamples:\n  $ securewave privacy asked")
    .action((options) =>
      perform(async ({ client, out, nowMs }) => {
        const api = await client();
        const page = await readList(options, (query) => api.privacy.ownRequests({ query }));
        out.result(page, () =>
          page.items.length === 0
            ? "You asked for nothing."
            : requestTable(out, page.items, nowMs, { hasAccounts: false }),
        );
        moreNote(out, page);
        return undefined;
      }),
    );
}

function addRequestCommands(privacy: CommandUnknownOpts, perform: Perform): void {
  privacy
    .command("requests")
    .description("list what people asked for about their data, what is due first (for staff)")
    .addOption(new Option("--state <state>", "only these").choices(["open", "done", "refused"] as const))
    .addOption(limitOption())
    .addOption(allOption())
    .addOption(cursorOption())
    .addHelpText("after", "\nExamples:\n  $ securewave privacy requests --state open")
    .action(({ state, ...options }) =>
      perform(async ({ client, out, nowMs }) => {
        const { privacyDesk } = await client();
        const page = await readList(options, (query) =>
          privacyDesk.requests({ query: { ...query, ...given({ state }) } }),
        );
        out.result(page, () =>
          page.items.length === 0 ? "No requests." : requestTable(out, page.items, nowMs),
        );
        moreNote(out, page);
        return undefined;
      }),
    );

  privacy
    .command("close")
    .description("close a request (for staff)")
    .argument("<request>", "its id")
    .addArgument(new Argument("<outcome>", "what became of it").choices(["done", "refused"] as const))
    .addHelpText("after", "\nExamples:\n  $ securewave privacy close req_… done")
    .action((id, outcome) =>
      perform(async ({ client, out }) => {
        const { privacyDesk } = await client();
        const request = await privacyDesk.close({ params: { id }, body: { state: outcome } });
        out.result(request, () => `Closed ${request.id}: ${request.state}.`);
        return undefined;
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

function requestTable(
  out: Output,
  requests: readonly PrivacyRequest[],
  nowMs: number,
  { hasAccounts = true } = {},
): string {
  const isLate = ({ state, due_on }: PrivacyRequest) => state === "open" && due_on < dayOf(nowMs);
  const account: Column<PrivacyRequest> = {
    title: "ACCOUNT",
    value: ({ account_id }) => account_id ?? "erased",
  };
  const columns: Column<PrivacyRequest>[] = [
    { title: "ID", value: ({ id }) => id },
    { title: "KIND", value: ({ kind }) => kind },
    {
      title: "STATE",
      value: (request) => (isLate(request) ? "late" : request.state),
      style: (request) => (isLate(request) ? "red" : undefined),
    },
    { title: "DUE", value: ({ due_on }) => humanDay(due_on, nowMs) },
    ...(hasAccounts ? [account] : []),
    { title: "TEXT", value: ({ text }) => text ?? "" },
  ];
  return `${out.table(columns, requests)}\n\n${counted(requests.length, "request")}`;
}

/** Whole, on disk and readable by its owner alone before it has its name. @throws CliError where there is such a file */
async function writeNew(path: string, text: string): Promise<void> {
  const unfinished = `${path}.${randomBytes(4).toString("hex")}`;
  const file = await open(unfinished, "wx", 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
    await link(unfinished, path);
  } catch (error) {
    if (!isErrno(error, "EEXIST")) throw error;
    throw new CliError("cli.file_exists", `There is a file ${path} already.`, { next: "Name another." });
  } finally {
    await file.close();
    await rm(unfinished, { force: true });
  }
}
