import { Argument, type CommandUnknownOpts, Option } from "@commander-js/extra-typings";
import type { Account, Client, Role } from "@securewave/contracts";
import { asksFirst, lists } from "../acts.ts";
import { type Call, given, type Perform } from "../call.ts";
import { humanDay } from "../human.ts";
import { searchOption } from "../options.ts";
import type { Column, Style } from "../output.ts";
import { readPassword } from "../prompt.ts";
import { BY_MAIL, resolveAccount } from "../resolve.ts";

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
  const list = users
    .command("list")
    .description("list accounts; --search takes a whole mail address or id")
    .addOption(searchOption())
    .addHelpText(
      "after",
      `
Examples:
  $ securewave users list --search ada@example.org
  $ securewave users list --all --json`,
    );
  lists(list, perform, {
    noun: "account",
    open: (api) => (query) => api.accounts.list({ query }),
    columns: accountColumns,
  });

  users
    .command("show")
    .description("show an account")
    .argument("<user>", BY_MAIL)
    .addHelpText(
      "after",
      `
Examples:
  $ securewave users show ada@example.org`,
    )
    .action((user) =>
      perform(async ({ client, out, nowMs }) => {
        const account = await showAccount(await client(), user);
        out.result(account, () => out.fields(accountFields(account, nowMs)));
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
      }),
    );
}

function addChangeCommands(users: CommandUnknownOpts, perform: Perform): void {
  const suspend = users
    .command("suspend")
    .description("end an account's log-ins and take its devices off their nodes")
    .argument("<user>", BY_MAIL)
    .addHelpText(
      "after",
      `
Examples:
  $ securewave users suspend ada@example.org
  $ securewave users suspend ada@example.org --yes --json`,
    );
  asksFirst(suspend, perform, {
    find: showAccount,
    question: ({ email }) => `Suspend ${email}? Its log-ins and tunnels end at once.`,
    act: (api, { id }) => api.accounts.change({ params: { id }, body: { state: "suspended" } }),
    done: ({ email }) => `Suspended ${email}.`,
  });

  users
    .command("reactivate")
    .description("let a suspended account in again")
    .argument("<user>", BY_MAIL)
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
      }),
    );

  users
    .command("role")
    .description("change what an account may do")
    .argument("<user>", BY_MAIL)
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
      }),
    );
}

/** What an admin does seldom, for somebody who lost a machine or a phone. */
function addRescueCommands(users: CommandUnknownOpts, perform: Perform): void {
  const logOut = users
    .command("log-out")
    .description("end every log-in of an account; its devices and API keys go on working")
    .argument("<user>", BY_MAIL)
    .addHelpText(
      "after",
      `
Examples:
  $ securewave users log-out ada@example.org
  $ securewave users log-out ada@example.org --yes --json`,
    );
  asksFirst(logOut, perform, {
    find: showAccount,
    question: ({ email }) => `Log ${email} out everywhere? Every browser and program has to log in anew.`,
    async act(api, account) {
      await api.sessions.endAllOf({ params: { id: account.id } });
      return account;
    },
    done: ({ email }) => `${email} is logged out everywhere.`,
  });

  const reset = users
    .command("reset-second-factor")
    .description("take the second factor and all passkeys off an account whose owner lost them")
    .argument("<user>", BY_MAIL)
    .addHelpText(
      "after",
      `
The authenticator app, the recovery codes and all passkeys come off, and every log-in ends: from then on the password
alone opens the account. Make sure first that it is really the owner who asks you: this is how accounts are stolen.

Examples:
  $ securewave users reset-second-factor ada@example.org`,
    );
  asksFirst(reset, perform, {
    find: showAccount,
    question: ({ email }) =>
      `Is it really the owner who asks? From then on the password alone opens ${email}. Reset?`,
    async act(api, account) {
      await api.secondFactor.resetOf({ params: { id: account.id } });
      return account;
    },
    done: ({ email }) => `${email} logs in with the password alone.`,
  });
}

/** Erases somebody's account, or takes that back. */
function addDeletionCommands(users: CommandUnknownOpts, perform: Perform): void {
  const erase = users
    .command("delete")
    .description("have an account erased when the days of grace are over, for all backups too")
    .argument("<user>", BY_MAIL)
    .option("--now", "today, without days of grace: nothing brings it back")
    .addHelpText(
      "after",
      `
Examples:
  $ securewave users delete ada@example.org
  $ securewave users delete ada@example.org --now`,
    );
  asksFirst(erase, perform, {
    find: showAccount,
    question: ({ email }) => `Erase ${email} and everything that belongs to it, for good?`,
    act: (api, { id }, { now = false }) =>
      api.privacyDesk.erase({ params: { id }, body: { is_at_once: now } }),
    done: ({ due_on }, { email }, { nowMs }) => `${email} is erased on ${humanDay(due_on, nowMs)}.`,
  });

  users
    .command("keep")
    .description("keep an account that was to be erased")
    .argument("<user>", BY_MAIL)
    .addHelpText("after", "\nExamples:\n  $ securewave users keep ada@example.org")
    .action((user) =>
      perform(async ({ client, out }) => {
        const api = await client();
        const account = await showAccount(api, user);
        await api.privacyDesk.keep({ params: { id: account.id } });
        out.result(account, () => `${account.email} stays.`);
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

function accountColumns({ nowMs }: Call): Column<Account>[] {
  return [
    { title: "EMAIL", value: (account) => account.email },
    { title: "ROLE", value: (account) => account.role },
    { title: "STATE", value: (account) => account.state, style: (account) => STATE_STYLES[account.state] },
    { title: "CREATED", value: (account) => humanDay(account.created_on, nowMs) },
  ];
}
