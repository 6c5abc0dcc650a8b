import { Argument, type CommandUnknownOpts, Option } from "@commander-js/extra-typings";
import type { Account, Client, Role } from "@securewave/contracts";
import { given, type Perform } from "../call.ts";
import { counted, humanDay } from "../human.ts";
import { allOption, cursorOption, limitOption, readList, searchOption, yesOption } from "../options.ts";
import type { Column, Output, Style } from "../output.ts";
import { moreNote } from "../paging.ts";
import { readPassword } from "../prompt.ts";
import { resolveAccount } from "../resolve.ts";

const ROLES = ["customer", "support", "admin"] as const satisfies readonly Role[];

const STATE_STYLES: Readonly<Record<Account["state"], Style>> = {
  active: "green",
  unverified: "yellow",
  suspended: "red",
};

export function addUserCommands(program: CommandUnknownOpts, perform: Perform): void {
  const users = program.command("users").description("accounts of customers, support agents and admins");
  addReadCommands(users, perform);
  addCreateCommand(users, perform);
  addChangeCommands(users, perform);
  addRescueCommands(users, perform);
  addDeletionCommands(users, perform);
}

function addReadCommands(users: CommandUnknownOpts, perform: Perform): void {
  users
    .command("list")
    .description("list accounts; --search takes a whole mail address or id")
    .addOption(searchOption())
    .addOption(limitOption())
    .addOption(allOption())
    .addOption(cursorOption())
    .addHelpText(
      "after",
      `
Examples:
  $ securewave users list --search ada@example.org
  $ securewave users list --all --json`,
    )
    .action((options) =>
      perform(async ({ client, out, nowMs }) => {
        const { accounts } = await client();
        const page = await readList(options, (query) => accounts.list({ query }));
        out.result(page, () =>
          page.items.length === 0 ? "No accounts." : accountTable(out, page.items, nowMs),
        );
        moreNote(out, page);
        return undefined;
      }),
    );

  users
    .command("show")
    .description("show an account")
    .argument("<user>", "mail address or id")
    .addHelpText(
      "after",
      `
Examples:
  $ securewave users show ada@example.org`,
    )
    .action((user) =>
      perform(async ({ client, out, nowMs }) => {
        const api = await client();
        const account = await api.accounts.show({ params: { id: await resolveAccount(api, user) } });
        out.result(account, () => out.fields(accountFields(account, nowMs)));
        return undefined;
      }),
    );
}

function addCreateCommand(users: CommandUnknownOpts, perform: Perform): void {
  users
    .command("create")
    .description("create an account whose mail address counts as confirmed")
    .argument("<email>", "mail address")
    .addOption(new Option("-r, --role <role>", "what the account may do").choices(ROLES))
    .option("--password-stdin", "read the password from standard input")
    .addHelpText(
      "after",
      `
Examples:
  $ securewave users create ada@example.org
  $ securewave users create sam@example.org --role support --password-stdin < password.txt`,
    )
    .action((email, options) =>
      perform(async ({ client, environment, out }) => {
        const { accounts } = await client();
        const password = await readPassword(environment, {
          fromStdin: options.passwordStdin === true,
          repeat: true,
        });
        const account = await accounts.create({
          body: { email, password, ...given({ role: options.role }) },
        });
        out.result(account, () => `Created ${account.email} as ${account.role}.`);
        return undefined;
      }),
    );
}

function addChangeCommands(users: CommandUnknownOpts, perform: Perform): void {
  users
    .command("suspend")
    .description("end an account's log-ins and take its devices off their nodes")
    .argument("<user>", "mail address or id")
    .addOption(yesOption())
    .addHelpText(
      "after",
      `
Examples:
  $ securewave users suspend ada@example.org
  $ securewave users suspend ada@example.org --yes --json`,
    )
    .action((user, options) =>
      perform(async ({ client, confirm, out }) => {
        const api = await client();
        const { id, email } = await showAccount(api, user);
        await confirm(`Suspend ${email}? Its log-ins and tunnels end at once.`, options.yes);
        const account = await api.accounts.change({ params: { id }, body: { state: "suspended" } });
        out.result(account, () => `Suspended ${account.email}.`);
        return undefined;
      }),
    );

  users
    .command("reactivate")
    .description("let a suspended account in again")
    .argument("<user>", "mail address or id")
    .addHelpText(
      "after",
      `
Examples:
  $ securewave users reactivate ada@example.org`,
    )
    .action((user) =>
      perform(async ({ client, out }) => {
        const api = await client();
        const id = await resolveAccount(api, user);
        const account = await api.accounts.change({ params: { id }, body: { state: "active" } });
        out.result(account, () => `Reactivated ${account.email}.`);
        return undefined;
      }),
    );

  users
    .command("role")
    .description("change what an account may do")
    .argument("<user>", "mail address or id")
    .addArgument(new Argument("<role>", "its new role").choices(ROLES))
    .addHelpText(
      "after",
      `
Examples:
  $ securewave users role sam@example.org support`,
    )
    .action((user, role) =>
      perform(async ({ client, out }) => {
        const api = await client();
        const id = await resolveAccount(api, user);
        const account = await api.accounts.change({ params: { id }, body: { role } });
        out.result(account, () => `${account.email} is ${account.role}.`);
        return undefined;
      }),
    );
}

/** What an admin does seldom, for somebody who lost a machine or a phone. */
function addRescueCommands(users: CommandUnknownOpts, perform: Perform): void {
  users
    .command("log-out")
    .description("end every log-in of an account; its devices and API keys go on working")
    .argument("<user>", "mail address or id")
    .addOption(yesOption())
    .addHelpText(
      "after",
      `
Examples:
  $ securewave users log-out ada@example.org
  $ securewave users log-out ada@example.org --yes --json`,
    )
    .action((user, options) =>
      perform(async ({ client, confirm, out }) => {
        const api = await client();
        const account = await showAccount(api, user);
        await confirm(
          `Log ${account.email} out everywhere? Every browser and program has to log in anew.`,
          options.yes,
        );
        await api.sessions.endAllOf({ params: { id: account.id } });
        out.result(account, () => `${account.email} is logged out everywhere.`);
        return undefined;
      }),
    );

  users
    .command("reset-second-factor")
    .description("take the second factor and all passkeys off an account whose owner lost them")
    .argument("<user>", "mail address or id")
    .addOption(yesOption())
    .addHelpText(
      "after",
      `
The authenticator app, the recovery codes and all passkeys come off, and every log-in ends: from then on the password
alone opens the account. Make sure first that it is really the owner who asks you: this is how accounts are stolen.

Examples:
  $ securewave users reset-second-factor ada@example.org`,
    )
    .action((user, options) =>
      perform(async ({ client, confirm, out }) => {
        const api = await client();
        const account = await showAccount(api, user);
        await confirm(
          `Is it really the owner who asks? From then on the password alone opens ${account.email}. Reset?`,
          options.yes,
        );
        await api.secondFactor.resetOf({ params: { id: account.id } });
        out.result(account, () => `${account.email} logs in with the password alone.`);
        return undefined;
      }),
    );
}

/** Erases somebody's account, or takes that back. */
function addDeletionCommands(users: CommandUnknownOpts, perform: Perform): void {
  users
    .command("delete")
    .description("have an account erased when the days of grace are over, for all backups too")
    .argument("<user>", "mail address or id")
    .option("--now", "today, without days of grace: nothing brings it back")
    .addOption(yesOption())
    .addHelpText(
      "after",
      `
Examples:
  $ securewave users delete ada@example.org
  $ securewave users delete ada@example.org --now`,
    )
    .action((user, options) =>
      perform(async ({ client, confirm, out, nowMs }) => {
        const api = await client();
        const account = await showAccount(api, user);
        await confirm(`Erase ${account.email} and everything that belongs to it, for good?`, options.yes);
        const body = { is_at_once: options.now ?? false };
        const deletion = await api.privacyDesk.erase({ params: { id: account.id }, body });
        out.result(deletion, () => `${account.email} is erased on ${humanDay(deletion.due_on, nowMs)}.`);
        return undefined;
      }),
    );

  users
    .command("keep")
    .description("keep an account that was to be erased")
    .argument("<user>", "mail address or id")
    .addHelpText("after", "\nExamples:\n  $ securewave users keep ada@example.org")
    .action((user) =>
      perform(async ({ client, out }) => {
        const api = await client();
        const account = await showAccount(api, user);
        await api.privacyDesk.keep({ params: { id: account.id } });
        out.result(account, () => `${account.email} stays.`);
        return undefined;
      }),
    );
}

async function showAccount(api: Client, user: string): Promise<Account> {
  return api.accounts.show({ params: { id: await resolveAccount(api, user) } });
}

export function accountFields(account: Account, nowMs: number): [string, string][] {
  return [
    ["Account", account.email],
    ["Id", account.id],
    ["Role", account.role],
    ["State", account.state],
    ["Created", humanDay(account.created_on, nowMs)],
  ];
}

function accountTable(out: Output, accounts: readonly Account[], nowMs: number): string {
  const columns: Column<Account>[] = [
    { title: "EMAIL", value: (account) => account.email },
    { title: "ROLE", value: (account) => account.role },
    { title: "STATE", value: (account) => account.state, style: (account) => STATE_STYLES[account.state] },
    { title: "CREATED", value: (account) => humanDay(account.created_on, nowMs) },
  ];
  return `${out.table(columns, accounts)}\n\n${counted(accounts.length, "account")}`;
}
